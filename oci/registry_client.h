// A registry: distribution-spec 1.1 over HTTP. Knows documents and blobs, nothing of images.
//
// A registry is hostile: manifests are bounded by kDocumentLimit and checked against their digests, blobs end where their
// descriptor says. Credentials and tokens go to the registry and to the token server that it names; a redirect to another
// host gets neither. What a blob's bytes are, the caller checks.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oci/challenge.h"
#include "oci/descriptor.h"
#include "src/sys/http.h"

namespace slipway::oci {

struct Credentials {
  std::string user, password;
  std::string identity_token;  // instead of both: an OAuth 2 refresh token
  bool empty() const { return user.empty() && password.empty() && identity_token.empty(); }
};

struct RegistryOptions {
  std::string host;  // "registry-1.docker.io", "localhost:5000"
  Credentials credentials;
  sys::HttpTrust trust;
  bool insecure = false;  // plain HTTP will do where it does not speak TLS
};

class RegistryClient {
 public:
  /// Asks the registry nothing yet. Errors: unsupported without libcurl.
  static Result<RegistryClient> open(RegistryOptions options);

  /// The same registry over a connection of its own, for another thread; what this one has learned of it is known.
  Result<RegistryClient> another() const;

  struct Document {
    std::string text;
    std::string media_type;
    Digest digest;
  };
  /// `reference` is a tag or a digest, which the text is checked against. Errors: not_found.
  Result<Document> manifest(const std::string& repository, const std::string& reference);

  /// Gets pieces of a blob; `at` is where the piece stands.
  using BlobSink = std::function<Status(uint64_t at, std::string_view piece)>;
  /// Exactly `size` bytes, or an error. A connection that breaks is taken up again where it broke.
  Status blob(const std::string& repository, const Digest& digest, uint64_t size, const BlobSink& sink);
  Result<bool> has_blob(const std::string& repository, const Digest& digest);

  /// All of them, page by page.
  Result<std::vector<std::string>> tags(const std::string& repository);
  Result<std::vector<std::string>> catalog();

  /// Lets the registry take a blob from another of its repositories. False: it does not.
  Result<bool> mount_blob(const std::string& repository, const Digest& digest, const std::string& from);
  /// `sent` is told how many bytes are on their way.
  Status push_blob(const std::string& repository, const Digest& digest, int file, uint64_t size,
                   const std::function<void(uint64_t)>& sent);
  Status push_manifest(const std::string& repository, const std::string& reference,
                       const std::string& media_type, std::string_view text);

  /// Whether the registry takes the credentials. Returns the identity token that it gives for them, or "".
  Result<std::string> login();

 private:
  RegistryClient(RegistryOptions options, sys::HttpClient http)
      : options_(std::move(options)), http_(std::move(http)) {}

  struct Access {
    std::string repository;  // "": none in particular
    bool push = false;
    std::string mount_from;
    std::string scope() const;
  };

  // registry_client.cc
  Status reach();
  Result<sys::HttpResponse> probe(const std::string& scheme);
  std::string url(const std::string& path) const { return scheme_ + "://" + options_.host + path; }
  /// With retries, credentials and redirects.
  Result<sys::HttpResponse> request(sys::HttpRequest request, const Access& access);
  Result<sys::HttpResponse> attempt(const sys::HttpRequest& request, const std::string& authorization);
  Result<sys::HttpResponse> follow(sys::HttpRequest request, const std::string& authorization);
  bool worth_retrying(const sys::HttpRequest& request, const Result<sys::HttpResponse>& response) const;
  Result<std::vector<std::string>> listed(const std::string& path, const Access& access, bool tags);

  // registry_auth.cc
  Result<std::string> authorization(const Access& access);
  Result<std::string> token(const Challenge& challenge, const std::string& scope, std::string* identity);
  Result<sys::HttpResponse> ask_for_token(const Challenge& challenge, const std::string& scope,
                                          bool wants_identity);
  const Challenge* challenge(std::string_view scheme) const;

  RegistryOptions options_;
  sys::HttpClient http_;
  std::string scheme_;  // "" until it was reached
  std::vector<Challenge> challenges_;
  std::map<std::string, std::string> tokens_;  // by scope
};

/// What a registry says in an answer that is not a success, in one line: the code and the message of its document, or the
/// status. The kind follows from the status: not_found, or failed.
Error registry_error(const sys::HttpResponse& response);

}  // namespace slipway::oci
