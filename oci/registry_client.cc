#include "oci/registry_client.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>

namespace slipway::oci {

namespace {

constexpr int kAttempts = 5;
constexpr int kRedirects = 5;
constexpr int kPages = 10000;
constexpr unsigned kFirstPause = 500;       // milliseconds, doubled each time
constexpr unsigned kLongestPause = 30'000;  // whatever Retry-After says
constexpr size_t kShownLimit = 300;

struct RemoteError {
  Str code, message;
};
struct RemoteErrors {
  List<RemoteError> errors;
  Str details;  // of token servers
};
struct Listing {
  List<Str> tags, repositories;
};

}  // namespace
}  // namespace slipway::oci

using namespace slipway;
using oci::Listing, oci::RemoteError, oci::RemoteErrors;

JSON_OBJECT(RemoteError, JSON_FIELD(RemoteError, code, "code"), JSON_FIELD(RemoteError, message, "message"));
JSON_OBJECT(RemoteErrors, JSON_FIELD(RemoteErrors, errors, "errors"),
            JSON_FIELD(RemoteErrors, details, "details"));
JSON_OBJECT(Listing, JSON_FIELD(Listing, tags, "tags"), JSON_FIELD(Listing, repositories, "repositories"));

namespace slipway::oci {

namespace {

/// A stranger's words, fit for a terminal.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kShownLimit));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  return out;
}

const char* status_text(int status) {
  switch (status) {
    case 400:
      return "bad request";
    case 401:
      return "unauthorized";
    case 403:
      return "denied";
    case 404:
      return "not found";
    case 405:
      return "unsupported: the registry does not allow this";
    case 413:
      return "too large for the registry";
    case 416:
      return "the blob is shorter than its manifest says";
    case 429:
      return "toomanyrequests: the registry wants fewer requests";
    default:
      return status >= 500 ? "the registry has failed" : "unexpected answer";
  }
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void pause(unsigned milliseconds) {
  timespec time{milliseconds / 1000, static_cast<long>(milliseconds % 1000) * 1'000'000};
  nanosleep(&time, nullptr);
}

unsigned pause_before(int attempt, const Result<sys::HttpResponse>& response) {
  const std::string* wanted = response.ok() ? response.value().header("retry-after") : nullptr;
  unsigned seconds = 0;
  if (wanted && std::from_chars(wanted->data(), wanted->data() + wanted->size(), seconds).ec == std::errc())
    return std::min(seconds, kLongestPause / 1000) * 1000;
  return kFirstPause << attempt;
}

std::string accept_manifests() {
  std::string out = "Accept: ";
  for (const char* type : {media::kIndex, media::kManifest, media::kDockerList, media::kDockerManifest})
    out.append(type).append(", ");
  return out + "*/*";
}

/// "type/subtype", without parameters.
std::string content_type(const sys::HttpResponse& response) {
  const std::string* header = response.header("content-type");
  std::string type = header ? header->substr(0, header->find(';')) : "";
  while (type.ends_with(' ')) type.pop_back();
  return type;
}

}  // namespace

Error registry_error(const sys::HttpResponse& response) {
  Arena arena;
  std::string text;
  if (auto document = json::read<RemoteErrors>(response.body, json::type<RemoteErrors>, arena);
      document.ok()) {
    const RemoteErrors& errors = **document;
    if (!errors.errors.empty()) {
      std::string code = shown(errors.errors[0].code);
      for (char& c : code) c = c == '_' ? ' ' : static_cast<char>(tolower(static_cast<unsigned char>(c)));
      text = code + ": " + shown(errors.errors[0].message);
    } else if (!errors.details.empty()) {
      text = shown(errors.details);
    }
  }
  if (text.empty())
    text = std::string(status_text(response.status)) + " (status " + std::to_string(response.status) + ")";
  return Error::of(response.status == 404 ? ErrorKind::not_found : ErrorKind::failed, "%s", text.c_str());
}

Result<RegistryClient> RegistryClient::open(RegistryOptions options) {
  return RegistryClient(std::move(options), TRY(sys::HttpClient::open()));
}

Result<RegistryClient> RegistryClient::another() const {
  RegistryClient client = TRY(open(options_));
  client.scheme_ = scheme_;
  client.challenges_ = challenges_;
  client.tokens_ = tokens_;
  return client;
}

// --- requests ----------------------------------------------------------------------------------------------

Result<sys::HttpResponse> RegistryClient::probe(const std::string& scheme) {
  sys::HttpRequest request;
  request.url = scheme + "://" + options_.host + "/v2/";
  return http_.perform(request, options_.trust);
}

/// Finds out how the registry is spoken to: its scheme, and what it wants to know of us.
Status RegistryClient::reach() {
  if (!scheme_.empty()) return {};
  std::string scheme = "https";
  Result<sys::HttpResponse> response = probe(scheme);
  const sys::HttpFailure failure = http_.failure();
  // One whose certificate is not trusted does speak TLS: it is not asked in the clear.
  if (!response.ok() && options_.insecure &&
      (failure == sys::HttpFailure::tls || failure == sys::HttpFailure::connect ||
       failure == sys::HttpFailure::interrupted)) {
    scheme = "http";
    response = probe(scheme);
  }
  if (!response.ok()) return std::move(response).error();
  for (const auto& [name, value] : response->headers) {
    if (name != "www-authenticate") continue;
    for (Challenge& one : parse_challenges(value)) challenges_.push_back(std::move(one));
  }
  scheme_ = scheme;
  return {};
}

bool RegistryClient::worth_retrying(const sys::HttpRequest& request,
                                    const Result<sys::HttpResponse>& response) const {
  // What was begun goes on elsewhere: blob() resumes, push_blob() begins again.
  if (request.sink || request.file >= 0) return false;
  if (!response.ok())
    return http_.failure() == sys::HttpFailure::interrupted || http_.failure() == sys::HttpFailure::timeout;
  const int status = response.value().status;
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/// Follows redirects of what only reads. Whoever is sent elsewhere goes there as a stranger.
Result<sys::HttpResponse> RegistryClient::follow(sys::HttpRequest request, const std::string& authorization) {
  const sys::Url home = TRY(sys::resolve_url("", request.url));
  const std::vector<std::string> headers = request.headers;
  for (int count = 0;; ++count) {
    const sys::Url here = TRY(sys::resolve_url("", request.url));
    request.headers = headers;
    if (!authorization.empty() && here.same_origin(home))
      request.headers.push_back("Authorization: " + authorization);
    sys::HttpResponse response = TRY(http_.perform(request, options_.trust));
    const std::string* location = response.header("location");
    if (!is_redirect(response.status) || !location) return response;
    if (request.method != "GET" && request.method != "HEAD")
      return Error::of(ErrorKind::failed, "%s \"%s\": redirected", request.method.c_str(),
                       request.url.c_str());
    if (count == kRedirects)
      return Error::of(ErrorKind::failed, "Get \"%s\": stopped after %d redirects", home.text.c_str(),
                       kRedirects);
    const sys::Url next = TRY(sys::resolve_url(request.url, *location).ctx("redirect"));
    if (here.scheme == "https" && next.scheme != "https")
      return Error::of(ErrorKind::failed, "Get \"%s\": redirected from https to plain http",
                       home.text.c_str());
    request.url = next.text;
  }
}

Result<sys::HttpResponse> RegistryClient::attempt(const sys::HttpRequest& request,
                                                  const std::string& authorization) {
  for (int count = 0;; ++count) {
    Result<sys::HttpResponse> response = follow(request, authorization);
    if (count + 1 >= kAttempts || !worth_retrying(request, response)) return response;
    pause(pause_before(count, response));
  }
}

Result<sys::HttpResponse> RegistryClient::request(sys::HttpRequest request, const Access& access) {
  TRY(reach());
  if (!request.url.starts_with("http")) request.url = url(request.url);
  const std::string first = TRY(authorization(access));
  sys::HttpResponse response = TRY(attempt(request, first));
  if (response.status != 401) return response;
  // The token has run out, or the registry asks only now.
  std::vector<Challenge> fresh;
  for (const auto& [name, value] : response.headers) {
    if (name != "www-authenticate") continue;
    for (Challenge& one : parse_challenges(value)) fresh.push_back(std::move(one));
  }
  if (fresh.empty()) return response;
  challenges_ = std::move(fresh);
  tokens_.erase(access.scope());
  const std::string again = TRY(authorization(access));
  if (again.empty()) return response;
  return attempt(request, again);
}

// --- reading -----------------------------------------------------------------------------------------------

Result<RegistryClient::Document> RegistryClient::manifest(const std::string& repository,
                                                          const std::string& reference) {
  sys::HttpRequest get;
  get.url = "/v2/" + repository + "/manifests/" + reference;
  get.headers = {accept_manifests()};
  get.limit = kDocumentLimit;
  sys::HttpResponse response = TRY(request(std::move(get), {repository, false, ""}));
  if (!response.success()) return registry_error(response);
  Document document;
  document.media_type = content_type(response);
  document.digest = sha256(response.body);
  document.text = std::move(response.body);
  const std::string* said = response.header("docker-content-digest");
  const std::string wanted = reference.starts_with("sha256:") ? reference : said ? *said : "";
  if (!wanted.empty() && wanted.starts_with("sha256:") && wanted != document.digest.text())
    return Error::of(ErrorKind::invalid, "manifest verification failed for digest %s: its bytes are %s",
                     shown(wanted).c_str(), document.digest.text().c_str());
  return document;
}

Status RegistryClient::blob(const std::string& repository, const Digest& digest, uint64_t size,
                            const BlobSink& sink) {
  uint64_t done = 0;
  for (int fruitless = 0;;) {
    const uint64_t from = done;
    uint64_t at = 0;
    bool begun = false;
    sys::HttpRequest get;
    get.url = "/v2/" + repository + "/blobs/" + digest.text();
    if (from > 0) get.headers = {"Range: bytes=" + std::to_string(from) + "-"};
    get.sink = [&](int status, std::string_view piece) -> Status {
      // 206 goes on where we were; a server without ranges begins again.
      if (!begun) at = status == 206 ? from : 0;
      begun = true;
      if (piece.size() > size - std::min(at, size))
        return Error::of(ErrorKind::invalid, "it is longer than %llu bytes",
                         static_cast<unsigned long long>(size));
      const uint64_t start = at;
      at += piece.size();
      if (at <= done) return {};
      piece.remove_prefix(static_cast<size_t>(done - std::min(start, done)));
      TRY(sink(done, piece));
      done = at;
      return {};
    };
    if (size == done && done > 0) return {};
    Result<sys::HttpResponse> response = request(std::move(get), {repository, false, ""});
    const sys::HttpFailure failure = http_.failure();
    if (response.ok() && !response->success() && response->status != 429 && response->status < 500)
      return registry_error(*response);
    if (response.ok() && response->success()) {
      if (done == size) return {};
      // A server that ends early, and says that this is all.
      if (done == from)
        return Error::of(ErrorKind::invalid, "it has %llu bytes, not %llu",
                         static_cast<unsigned long long>(done), static_cast<unsigned long long>(size));
    } else if (!response.ok() && failure != sys::HttpFailure::interrupted &&
               failure != sys::HttpFailure::timeout) {
      return std::move(response).error();
    }
    fruitless = done > from ? 0 : fruitless + 1;
    if (fruitless >= kAttempts) {
      if (!response.ok()) return std::move(response).error();
      return registry_error(*response);
    }
    if (fruitless > 0) pause(pause_before(fruitless - 1, response));
  }
}

Result<bool> RegistryClient::has_blob(const std::string& repository, const Digest& digest) {
  sys::HttpRequest head;
  head.method = "HEAD";
  head.url = "/v2/" + repository + "/blobs/" + digest.text();
  const sys::HttpResponse response = TRY(request(std::move(head), {repository, true, ""}));
  if (response.status == 404) return false;
  if (!response.success()) return registry_error(response);
  return true;
}

Result<std::vector<std::string>> RegistryClient::listed(const std::string& path, const Access& access,
                                                        bool tags) {
  std::vector<std::string> all;
  std::string next = path;
  for (int page = 0; !next.empty(); ++page) {
    if (page == kPages) return Error::of(ErrorKind::invalid, "the registry's list has no end");
    sys::HttpRequest get;
    get.url = next;
    get.limit = kDocumentLimit;
    const sys::HttpResponse response = TRY(request(std::move(get), access));
    if (!response.success()) return registry_error(response);
    Arena arena;
    const Listing* list = TRY(json::read<Listing>(response.body, json::type<Listing>, arena));
    for (const Str& word : tags ? list->tags : list->repositories) all.emplace_back(word.view());
    next.clear();
    if (const std::string* link = response.header("link")) {
      const std::string target = next_link(*link);
      if (target.empty()) break;
      const sys::Url there = TRY(sys::resolve_url(url(path), target).ctx("next page"));
      if (!there.same_origin(TRY(sys::resolve_url("", url(path)))))
        return Error::of(ErrorKind::invalid, "the registry's list goes on at another host");
      next = there.text;
    }
  }
  return all;
}

Result<std::vector<std::string>> RegistryClient::tags(const std::string& repository) {
  return listed("/v2/" + repository + "/tags/list", {repository, false, ""}, true);
}

Result<std::vector<std::string>> RegistryClient::catalog() {
  return listed("/v2/_catalog?n=1000", {}, false);
}

}  // namespace slipway::oci
