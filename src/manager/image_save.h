// `save`: images with their layers, metadata and history, as one archive or directory.
//
//   combined        OCI layout plus manifest.json and repositories: for Docker since 1.10, Podman, skopeo,
//                   containerd
//   docker_archive  the layout of Docker before 25: layers are uncompressed files in directories of their own,
//                   each with the json that Docker before 1.10 reads
//   oci_archive     nothing but the OCI layout
//   oci_directory   the same, not packed
//
// What is written depends on nothing but the images and their names: the same again is the same bytes.
#pragma once

#include <string>
#include <vector>

#include "src/store/image_store.h"

namespace slipway::manager {

enum class SaveFormat : uint8_t { combined, docker_archive, oci_archive, oci_directory };

/// One image that was asked for: by a name (which goes with it), by a repository (all its tags), or by ID.
struct SavedName {
  std::string id;
  std::vector<oci::Reference> names;
};

/// What words on a command line mean; an image that is named twice comes once, with both names.
Result<std::vector<SavedName>> find_saved(const store::ImageStore& images,
                                          const std::vector<std::string>& words);

/// Writes an archive to the descriptor.
Status save_archive(const store::ImageStore& images, const std::vector<SavedName>& saved, SaveFormat format,
                    int out);
/// Makes the directory, or adds to an empty one.
Status save_directory(const store::ImageStore& images, const std::vector<SavedName>& saved,
                      const std::string& path);

}  // namespace slipway::manager
