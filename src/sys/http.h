// HTTP requests over libcurl, which is loaded by the first of them. Knows nothing of registries or images.
//
// Redirects are not followed and no credentials are remembered: who may see what is the caller's to say. The proxies of
// the environment (https_proxy, no_proxy, ...) are used. A server that stays silent for a minute is given up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"

namespace slipway::sys {

/// Whom to believe, in addition to the certificate authorities of the system.
struct HttpTrust {
  bool verify = true;
  std::string authorities;               // PEM texts, one after the other
  std::string certificate, private_key;  // files of the client's own, or ""
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                          // "" when a sink got it

  bool success() const { return status >= 200 && status < 300; }
  /// The first header of that name (lower case), or nullptr.
  const std::string* header(std::string_view name) const;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;                   // http:// or https://
  std::vector<std::string> headers;  // "Name: value"
  std::string_view body;             // of POST, PUT and PATCH
  int file = -1;                     // its first `file_size` bytes are sent instead; borrowed
  uint64_t file_size = 0;
  std::function<void(uint64_t)> sent;  // told how much of the file is on its way
  size_t limit = 1 << 20;              // of a body that is kept in memory
  /// Gets the body of a 2xx answer piece by piece; its error ends the transfer and is the request's.
  std::function<Status(int status, std::string_view piece)> sink;
};

/// Why a request got no answer, for callers that try again or elsewhere.
enum class HttpFailure : uint8_t {
  none,
  name,         // the host has no address
  connect,      // nobody listens, or no route
  tls,          // no TLS connection: perhaps the server does not speak TLS
  certificate,  // the server's certificate is not trusted
  interrupted,  // it broke on the way
  timeout,
  other
};

/// Keeps its connections for the next request. Not for two threads at once.
class HttpClient {
 public:
  /// Errors: unsupported when libcurl is not installed.
  static Result<HttpClient> open();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  /// Any status is an answer, not an error. Errors name method and URL (without its query, which may be a secret).
  Result<HttpResponse> perform(const HttpRequest& request, const HttpTrust& trust);
  /// Of the last request.
  HttpFailure failure() const;

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Url {
  std::string scheme, host, port;  // the port also where the scheme says it
  std::string text;
  bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
};
/// `text` as seen from `base` ("" for an absolute one). Errors: invalid, also when it is not http or https, or has a user
/// in it.
Result<Url> resolve_url(const std::string& base, const std::string& text);
/// Percent-encodes what is not unreserved (RFC 3986).
std::string url_escape(std::string_view text);

}  // namespace slipway::sys
