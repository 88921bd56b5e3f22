// `pull`: an image from a registry into the store.
#pragma once

#include <string>

#include "src/manager/layer_import.h"
#include "src/manager/registry_files.h"

namespace slipway::manager {

struct PulledImage {
  std::string id;  // 64 hex digits
  Digest digest;   // of what the name stands for in the registry: a manifest or an index
  bool newer = false;
};

/// `name` has a tag or a digest; with a digest the image gets no tag. The image also gets its name@digest. What the store
/// has is not fetched. Errors: not_found.
Result<PulledImage> pull_image(Stores stores, oci::RegistryClient& registry, const oci::Reference& name,
                               const oci::PlatformChoice& platform, TransferObserver& observer);

}  // namespace slipway::manager
