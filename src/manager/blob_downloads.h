// Blobs of a registry, several at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "oci/content_store.h"
#include "oci/registry_client.h"
#include "src/manager/transfer.h"

namespace slipway::manager {

struct WantedBlob {
  Digest digest;
  uint64_t size = 0;
};

/// Fetches a blob into a sealed writer. The observer hears of its bytes, and that it has arrived. Errors: invalid when the bytes are not
/// those of the digest.
Result<oci::BlobWriter> download_blob(const oci::ContentStore& content, oci::RegistryClient& registry,
                                      const std::string& repository, const WantedBlob& blob,
                                      TransferObserver& observer);

/// The same for many, by the hex digits of their digests: three at a time, each over a connection of its own. The first failure ends the
/// others. Calls of the observer do not overlap. Nothing is published, so no lock is needed meanwhile.
Result<std::map<std::string, oci::BlobWriter>> download_blobs(const oci::ContentStore& content,
                                                              oci::RegistryClient& registry,
                                                              const std::string& repository,
                                                              const std::vector<WantedBlob>& blobs,
                                                              TransferObserver& observer);

}  // namespace slipway::manager
