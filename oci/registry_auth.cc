// Tokens: distribution's "token authentication" (https://distribution.github.io/distribution/spec/auth/token/), and Basic.
#include "oci/registry_client.h"
#include "src/base/base64.h"

namespace slipway::oci {
namespace {
struct Token {
  Str token, access_token, refresh_token;
};
}  // namespace
}  // namespace slipway::oci

using namespace slipway;
using oci::Token;

JSON_OBJECT(Token, JSON_FIELD(Token, token, "token"), JSON_FIELD(Token, access_token, "access_token"),
            JSON_FIELD(Token, refresh_token, "refresh_token"));

namespace slipway::oci {

namespace {

constexpr size_t kTokenLimit = 256 << 10;
constexpr char kClient[] = "slipway";

std::string basic(const Credentials& credentials) {
  return "Basic " + base64_encode(credentials.user + ":" + credentials.password);
}

}  // namespace

std::string RegistryClient::Access::scope() const {
  if (repository.empty()) return "";
  std::string scope = "repository:" + repository + (push ? ":pull,push" : ":pull");
  if (!mount_from.empty()) scope += " repository:" + mount_from + ":pull";
  return scope;
}

const Challenge* RegistryClient::challenge(std::string_view scheme) const {
  for (const Challenge& one : challenges_)
    if (one.scheme == scheme) return &one;
  return nullptr;
}

/// The value of the Authorization header; "" where the registry asks for none, or we have none to give.
Result<std::string> RegistryClient::authorization(const Access& access) {
  if (const Challenge* bearer = challenge("bearer")) {
    const std::string scope = access.repository.empty() ? std::string(bearer->get("scope")) : access.scope();
    const auto known = tokens_.find(access.scope());
    if (known != tokens_.end()) return "Bearer " + known->second;
    std::string text = TRY(token(*bearer, scope, nullptr));
    tokens_[access.scope()] = text;
    return "Bearer " + text;
  }
  if (challenge("basic") && !options_.credentials.user.empty()) return basic(options_.credentials);
  return std::string();
}

Result<sys::HttpResponse> RegistryClient::ask_for_token(const Challenge& challenge, const std::string& scope,
                                                        bool wants_identity) {
  const std::string realm(challenge.get("realm"));
  const sys::Url url = TRY(sys::resolve_url("", realm).ctx("the registry's token server"));
  if (url.scheme != "https" && scheme_ == "https")
    return Error::of(ErrorKind::failed, "the registry's token server `%s` is not reached by https",
                     url.text.c_str());
  const Credentials& credentials = options_.credentials;
  const std::string service = sys::url_escape(challenge.get("service"));
  sys::HttpRequest ask;
  ask.limit = kTokenLimit;
  std::string query = "service=" + service;
  if (!credentials.identity_token.empty()) {  // OAuth 2
    query += "&client_id=" + std::string(kClient) +
             "&grant_type=refresh_token&refresh_token=" + sys::url_escape(credentials.identity_token);
    if (!scope.empty()) query += "&scope=" + sys::url_escape(scope);
    ask.method = "POST";
    ask.url = url.text;
    ask.body = query;
    ask.headers = {"Content-Type: application/x-www-form-urlencoded"};
    return attempt(ask, "");
  }
  // Several scopes are several parameters.
  for (size_t at = 0; at < scope.size();) {
    const size_t end = std::min(scope.find(' ', at), scope.size());
    query += "&scope=" + sys::url_escape(std::string_view(scope).substr(at, end - at));
    at = end + 1;
  }
  if (!credentials.user.empty()) query += "&account=" + sys::url_escape(credentials.user);
  if (wants_identity) query += "&offline_token=true&client_id=" + std::string(kClient);
  ask.url = url.text + (url.text.find('?') == std::string::npos ? "?" : "&") + query;
  return attempt(ask, credentials.user.empty() ? "" : basic(credentials));
}

Result<std::string> RegistryClient::token(const Challenge& challenge, const std::string& scope,
                                          std::string* identity) {
  const sys::HttpResponse response = TRY(ask_for_token(challenge, scope, identity != nullptr));
  if (response.status == 401 || response.status == 403) {
    Error error = registry_error(response);
    error.add_context("unauthorized");
    return error;
  }
  if (!response.success()) return registry_error(response);
  Arena arena;
  const Token* answer =
      TRY(json::read<Token>(response.body, json::type<Token>, arena).ctx("token server's answer"));
  if (identity) *identity = answer->refresh_token.view();
  const Str& text = answer->token.empty() ? answer->access_token : answer->token;
  if (text.empty()) return Error::of(ErrorKind::invalid, "the token server's answer has no token");
  return std::string(text.view());
}

Result<std::string> RegistryClient::login() {
  TRY(reach());
  std::string identity;
  std::string header;
  if (const Challenge* bearer = challenge("bearer")) {
    header = "Bearer " + TRY(token(*bearer, std::string(bearer->get("scope")), &identity));
  } else {
    header = basic(options_.credentials);
  }
  sys::HttpRequest get;
  get.url = url("/v2/");
  const sys::HttpResponse response = TRY(attempt(get, header));
  if (response.status == 401 || response.status == 403)
    return Error::of(ErrorKind::failed, "unauthorized: incorrect username or password");
  if (!response.success()) return registry_error(response);
  return identity;
}

}  // namespace slipway::oci
