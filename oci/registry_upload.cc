// Uploads: distribution-spec 1.1, "Pushing a blob monolithically", by POST and then PUT.
#include "oci/registry_client.h"

namespace slipway::oci {

namespace {
constexpr int kUploads = 3;
}

Result<bool> RegistryClient::mount_blob(const std::string& repository, const Digest& digest,
                                        const std::string& from) {
  sys::HttpRequest post;
  post.method = "POST";
  post.url =
      "/v2/" + repository + "/blobs/uploads/?mount=" + digest.text() + "&from=" + sys::url_escape(from);
  const sys::HttpResponse response = TRY(request(std::move(post), {repository, true, from}));
  return response.status == 201;
}

Status RegistryClient::push_blob(const std::string& repository, const Digest& digest, int file, uint64_t size,
                                 const std::function<void(uint64_t)>& sent) {
  const Access access{repository, true, ""};
  for (int count = 1;; ++count) {
    sys::HttpRequest post;
    post.method = "POST";
    post.url = "/v2/" + repository + "/blobs/uploads/";
    const sys::HttpResponse begun = TRY(request(std::move(post), access));
    const std::string* location = begun.header("location");
    if (begun.status != 202 || !location) return registry_error(begun);
    sys::Url to =
        TRY(sys::resolve_url(url("/v2/" + repository + "/blobs/uploads/"), *location).ctx("upload"));
    if (scheme_ == "https" && to.scheme != "https")
      return Error::of(ErrorKind::failed, "the registry wants the upload by plain http");
    sys::HttpRequest put;
    put.method = "PUT";
    put.url = to.text + (to.text.find('?') == std::string::npos ? "?" : "&") + "digest=" + digest.text();
    put.headers = {"Content-Type: application/octet-stream"};
    put.file = file;
    put.file_size = size;
    put.sent = sent;
    const bool stranger = !to.same_origin(TRY(sys::resolve_url("", url("/"))));
    Result<sys::HttpResponse> done = stranger ? attempt(put, "") : request(std::move(put), access);
    if (done.ok() && done->success()) return {};
    const bool again = done.ok() ? done->status == 429 || done->status >= 500
                                 : http_.failure() == sys::HttpFailure::interrupted ||
                                       http_.failure() == sys::HttpFailure::timeout;
    if (again && count < kUploads) continue;
    if (!done.ok()) return std::move(done).error();
    return registry_error(*done);
  }
}

Status RegistryClient::push_manifest(const std::string& repository, const std::string& reference,
                                     const std::string& media_type, std::string_view text) {
  sys::HttpRequest put;
  put.method = "PUT";
  put.url = "/v2/" + repository + "/manifests/" + reference;
  put.headers = {"Content-Type: " + media_type};
  put.body = text;
  const sys::HttpResponse response = TRY(request(std::move(put), {repository, true, ""}));
  if (!response.success()) return registry_error(response);
  return {};
}

}  // namespace slipway::oci
