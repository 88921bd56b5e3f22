// An image in a registry, as load_images() reads images: an OCI layout whose blobs are fetched when they are asked for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oci/reference.h"
#include "oci/registry_client.h"
#include "src/manager/image_files.h"
#include "src/manager/layer_import.h"
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

  /// Fetches the layers that the store does not have, before anybody asks for them: blob() then has them at hand. Holds no lock. Without
  /// it blob() fetches each when it is asked for.
  Status fetch_layers(Stores stores);

  /// To be called when the image is complete: the observer hears of the layers that blob() was not asked for.
  void finish();

 private:
  Result<std::string> document(const Digest& digest);
  void tell(size_t layer, TransferEvent event);
  void tell_unpacked();

  const oci::ContentStore& content_;
  oci::RegistryClient& registry_;
  const RemoteImage& image_;
  TransferObserver& observer_;
  std::string index_;
  std::string config_;
  std::map<std::string, oci::BlobWriter> fetched_;  // by the hex digits of the digest
  std::vector<bool> told_;                          // of a layer: that it is complete
  std::optional<size_t> unpacking_;
};

}  // namespace slipway::manager
