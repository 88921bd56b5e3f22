#include "src/sys/http.h"

#include <unistd.h>

// Both are macros around the functions, which are called through pointers here.
#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "config.h"
#include "src/base/shared_library.h"

namespace slipway::sys {

namespace {

constexpr long kConnectSeconds = 10;
constexpr long kSilentSeconds = 60;
constexpr size_t kHeaderLimit = 256 << 10;

#define SLIPWAY_CURL_FUNCTIONS(X) \
  X(curl_global_init)             \
  X(curl_easy_init)               \
  X(curl_easy_cleanup)            \
  X(curl_easy_reset)              \
  X(curl_easy_setopt)             \
  X(curl_easy_perform)            \
  X(curl_easy_getinfo)            \
  X(curl_easy_strerror)           \
  X(curl_slist_append)            \
  X(curl_slist_free_all)          \
  X(curl_url)                     \
  X(curl_url_set)                 \
  X(curl_url_get)                 \
  X(curl_url_cleanup)             \
  X(curl_free)

struct Library {
#define X(name) decltype(&::name) name;
  SLIPWAY_CURL_FUNCTIONS(X)
#undef X

  static Result<const Library*> get() {
    static const Library* const loaded = load();
    if (loaded) return loaded;
    return Error::of(ErrorKind::unsupported, "libcurl (libcurl.so.4) is not installed");
  }

 private:
  static const Library* load() {
    static Library library;
    SharedLibrary file({"libcurl.so.4", "libcurl-gnutls.so.4"});
#define X(name) file.find(#name, library.name);
    SLIPWAY_CURL_FUNCTIONS(X)
#undef X
    return file.complete() && library.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? &library : nullptr;
  }
};

/// The request's headers as libcurl wants them.
class HeaderList {
 public:
  explicit HeaderList(const Library& lib) : lib_(lib) {}
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { lib_.curl_slist_free_all(list_); }
  Status add(const std::string& line) {
    if (std::any_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }))
      return Error::of(ErrorKind::invalid, "a request's header has a control character");
    if (curl_slist* longer = lib_.curl_slist_append(list_, line.c_str())) list_ = longer;
    return {};
  }
  curl_slist* get() const { return list_; }

 private:
  const Library& lib_;
  curl_slist* list_ = nullptr;
};

/// What the callbacks of one transfer share.
struct Transfer {
  const HttpRequest& request;
  HttpResponse response;
  size_t header_bytes = 0;
  uint64_t sent = 0;
  Status error;  // of a callback; it is the request's then

  size_t refuse(Error&& why) {
    error = std::move(why);
    return 0;
  }

  size_t take_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > kHeaderLimit)
      return refuse(Error::of(ErrorKind::invalid, "the answer's headers are too long"));
    while (line.ends_with('\n') || line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // "100 Continue", or a proxy's, came before
      response = {};
      const size_t space = line.find(' ');
      if (space != std::string_view::npos) response.status = atoi(std::string(line.substr(space)).c_str());
      return 1;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return 1;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
    line.remove_prefix(colon + 1);
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    response.headers.emplace_back(std::move(name), line);
    return 1;
  }

  size_t take_body(std::string_view piece) {
    if (request.sink && response.success()) {
      Status taken = request.sink(response.status, piece);
      if (taken.ok()) return 1;
      return refuse(std::move(taken).error());
    }
    // What an error's page says beyond the limit is not worth an error of its own.
    const bool too_long = response.body.size() + piece.size() > request.limit;
    if (too_long && response.success())
      return refuse(Error::of(ErrorKind::invalid, "the answer is larger than %zu bytes", request.limit));
    if (!too_long) response.body.append(piece);
    return 1;
  }

  size_t give_file(char* to, size_t size) {
    const auto left = static_cast<size_t>(std::min<uint64_t>(size, request.file_size - sent));
    if (left == 0) return 0;
    const ssize_t got = pread(request.file, to, left, static_cast<off_t>(sent));
    if (got <= 0) {
      error = got < 0 ? Error::sys(errno, "read") : Error::of(ErrorKind::failed, "the file became shorter");
      return CURL_READFUNC_ABORT;
    }
    sent += static_cast<uint64_t>(got);
    if (request.sent) request.sent(sent);
    return static_cast<size_t>(got);
  }
};

size_t on_header(char* data, size_t size, size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_header({data, size * count}) ? size * count : 0;
}
size_t on_body(char* data, size_t size, size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->take_body({data, size * count}) ? size * count : 0;
}
size_t on_read(char* data, size_t size, size_t count, void* transfer) {
  return static_cast<Transfer*>(transfer)->give_file(data, size * count);
}
int on_seek(void* transfer, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Transfer*>(transfer)->sent = static_cast<uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

HttpFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return HttpFailure::none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpFailure::name;
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::connect;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpFailure::timeout;
    case CURLE_SSL_CONNECT_ERROR:
      return HttpFailure::tls;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return HttpFailure::certificate;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return HttpFailure::interrupted;
    default:
      return HttpFailure::other;
  }
}

/// "Get", as Go's programs begin such errors.
std::string verb_of(const std::string& method) {
  std::string verb = method.substr(0, 1);
  for (const char c : method.substr(1)) verb += static_cast<char>(tolower(static_cast<unsigned char>(c)));
  return verb;
}

std::string host_of(const std::string& url) {
  const Result<Url> parsed = resolve_url("", url);
  return parsed.ok() ? parsed.value().host : url;
}

}  // namespace

const std::string* HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return &value;
  return nullptr;
}

struct HttpClient::State {
  const Library& lib;
  CURL* handle;
  HttpFailure failure = HttpFailure::none;
  char text[CURL_ERROR_SIZE] = {};

  State(const Library& library, CURL* easy) : lib(library), handle(easy) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { lib.curl_easy_cleanup(handle); }

  template <class T>
  void set(CURLoption option, T value) {
    lib.curl_easy_setopt(handle, option, value);
  }

  void set_connection(const HttpTrust& trust) {
    set(CURLOPT_ERRORBUFFER, text);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
    set(CURLOPT_BUFFERSIZE, 256L << 10);
    set(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
    set(CURLOPT_SSL_VERIFYPEER, trust.verify ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, trust.verify ? 2L : 0L);
    if (!trust.certificate.empty()) set(CURLOPT_SSLCERT, trust.certificate.c_str());
    if (!trust.private_key.empty()) set(CURLOPT_SSLKEY, trust.private_key.c_str());
    if (trust.authorities.empty()) return;
    // The system's authorities are still believed, from the directory that libcurl was built with.
    curl_blob blob{const_cast<char*>(trust.authorities.data()), trust.authorities.size(), CURL_BLOB_COPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
  }

  void set_request(const HttpRequest& request, Transfer& transfer) {
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_HEADERFUNCTION, on_header);
    set(CURLOPT_HEADERDATA, &transfer);
    set(CURLOPT_WRITEFUNCTION, on_body);
    set(CURLOPT_WRITEDATA, &transfer);
    if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (request.file >= 0) {
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_READFUNCTION, on_read);
      set(CURLOPT_READDATA, &transfer);
      set(CURLOPT_SEEKFUNCTION, on_seek);
      set(CURLOPT_SEEKDATA, &transfer);
      set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.file_size));
    } else if (request.method != "GET") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.data() ? request.body.data() : "");
    }
    if (request.method != "GET" && request.method != "HEAD")
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  Error error(CURLcode code, const HttpRequest& request) {
    const std::string verb = verb_of(request.method);
    const std::string url = request.url.substr(0, request.url.find('?'));
    const char* what = *text ? text : lib.curl_easy_strerror(code);
    if (failure == HttpFailure::name)
      return Error::of(ErrorKind::not_found, "%s \"%s\": lookup %s: no such host", verb.c_str(), url.c_str(),
                       host_of(request.url).c_str());
    if (failure == HttpFailure::connect) {
      long number = 0;
      lib.curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &number);
      if (number != 0)
        return Error::of(ErrorKind::failed, "%s \"%s\": connect: %s", verb.c_str(), url.c_str(),
                         number == ECONNREFUSED ? "connection refused" : strerror(static_cast<int>(number)));
    }
    return Error::of(ErrorKind::failed, "%s \"%s\": %s", verb.c_str(), url.c_str(), what);
  }
};

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpClient> HttpClient::open() {
  const Library* lib = TRY(Library::get());
  CURL* handle = lib->curl_easy_init();
  if (!handle) return Error::of(ErrorKind::failed, "libcurl cannot begin");
  return HttpClient(std::make_unique<State>(*lib, handle));
}

HttpFailure HttpClient::failure() const {
  return state_->failure;
}

Result<HttpResponse> HttpClient::perform(const HttpRequest& request, const HttpTrust& trust) {
  State& state = *state_;
  state.failure = HttpFailure::other;
  HeaderList headers(state.lib);
  for (const std::string& line : request.headers) TRY(headers.add(line));
  // Nobody waits for "100 Continue", and a body is not a form unless the caller says so.
  TRY(headers.add("Expect:"));
  if (std::none_of(request.headers.begin(), request.headers.end(),
                   [](const std::string& line) { return line.starts_with("Content-Type:"); }))
    TRY(headers.add("Content-Type:"));
  Transfer transfer{request, {}, 0, 0, {}};
  state.lib.curl_easy_reset(state.handle);
  state.text[0] = '\0';
  state.set_connection(trust);
  state.set_request(request, transfer);
  state.set(CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = state.lib.curl_easy_perform(state.handle);
  if (!transfer.error.ok()) return std::move(transfer.error).error();
  state.failure = failure_of(code);
  if (code != CURLE_OK) return state.error(code, request);
  return std::move(transfer.response);
}

// --- URLs --------------------------------------------------------------------------------------------------

Result<Url> resolve_url(const std::string& base, const std::string& text) {
  const Library* lib = TRY(Library::get());
  CURLU* url = lib->curl_url();
  const auto get = [&](CURLUPart part, unsigned flags) {
    char* found = nullptr;
    std::string out;
    if (lib->curl_url_get(url, part, &found, flags) == CURLUE_OK) out = found;
    lib->curl_free(found);
    return out;
  };
  bool good = base.empty() || lib->curl_url_set(url, CURLUPART_URL, base.c_str(), 0) == CURLUE_OK;
  good = good && lib->curl_url_set(url, CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) == CURLUE_OK;
  Url out;
  if (good) {
    out.scheme = get(CURLUPART_SCHEME, 0);
    out.host = get(CURLUPART_HOST, 0);
    out.port = get(CURLUPART_PORT, CURLU_DEFAULT_PORT);
    out.text = get(CURLUPART_URL, 0);
    good = (out.scheme == "http" || out.scheme == "https") && !out.host.empty() && !out.text.empty();
  }
  lib->curl_url_cleanup(url);
  if (!good) return Error::of(ErrorKind::invalid, "`%.200s` is not a URL of HTTP", text.c_str());
  return out;
}

std::string url_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && isalnum(byte)) || strchr("-._~", c)) {
      out += c;
      continue;
    }
    out += '%';
    out += "0123456789ABCDEF"[byte >> 4];
    out += "0123456789ABCDEF"[byte & 15];
  }
  return out;
}

}  // namespace slipway::sys
