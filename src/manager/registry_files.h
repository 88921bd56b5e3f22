// An image in a registry, as load_images() reads images: an OCI layout whose blobs are fetched when they are asked for.
#pragma once

#include <string>
#include <vector>

#include "oci/reference.h"
#include "oci/registry_client.h"
#include "src/manager/image_files.h"
#include "src/manager/transfer.h"

namespace slipway::manager {

/// An image's manifest as the registry gave it.
struct RemoteImage {
  std::string repository;
  oci::RegistryClient::Document manifest;
  std::vector<oci::Descriptor> layers;  // from the lowest up; of the arena that the manifest was parsed into
};

class RegistryFiles final : public ImageFiles {
 public:
  /// All are borrowed. `names` are those that the image shall get.
  RegistryFiles(const oci::ContentStore& content, oci::RegistryClient& registry, const RemoteImage& image,
                const std::vector<oci::Reference>& names, TransferObserver& observer);

  Result<std::optional<std::string>> text(const std::string& name) override;
  Result<Contents> blob(const std::string& name) override;
  Result<Digest> tar_digest(const std::string& name) override;
  Result<std::vector<std::string>> names() override;

  /// To be called when the image is complete: the observer hears of the layers that blob() was not asked for.
  void finish();

 private:
  Result<std::string> document(const Digest& digest);
  Result<oci::BlobWriter> fetch(const oci::Descriptor& layer);
  void tell_until(size_t layer);

  const oci::ContentStore& content_;
  oci::RegistryClient& registry_;
  const RemoteImage& image_;
  TransferObserver& observer_;
  std::string index_;
  size_t told_ = 0;         // layers below this one are done with
  bool unpacking_ = false;  // the one at told_
};

}  // namespace slipway::manager
