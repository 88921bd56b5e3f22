// `push`: an image of the store into a registry, as it is: the manifest keeps its digest.
#pragma once

#include "oci/reference.h"
#include "oci/registry_client.h"
#include "src/manager/transfer.h"
#include "src/store/image_store.h"

namespace slipway::manager {

struct PushedImage {
  Digest digest;  // of the manifest
  uint64_t size = 0;
};

/// `name` has a tag and is one of the image's names; the image then gets its name@digest, too. Blobs that the registry has are
/// not sent again. Errors: not_found when there is no image of that name.
Result<PushedImage> push_image(const store::ImageStore& images, oci::RegistryClient& registry,
                               const oci::Reference& name, TransferObserver& observer);

}  // namespace slipway::manager
