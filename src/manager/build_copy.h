// COPY and ADD: files of the context, or of another image, become files of the image that is being built.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oci/tar_writer.h"
#include "src/base/digest.h"
#include "src/base/fd.h"
#include "src/manager/build_ignore.h"

namespace slipway::manager {

struct CopyRequest {
  int source = -1;  // the tree that sources are in (readable directory); borrowed
  const IgnoreList* ignore = nullptr;
  std::vector<std::string> sources;                    // paths below it, perhaps with wildcards
  std::string target;                                  // absolute; ends in "/" when it must be a directory
  std::optional<std::pair<uint32_t, uint32_t>> owner;  // --chown; else root's (from the context)
  bool keep_owner = false;                             // --from without --chown
  std::optional<mode_t> mode;                          // --chmod
  bool unpack = false;                                 // ADD: local archives are unpacked
};

/// The wildcards resolved: paths that exist, sorted per word. Errors: not_found.
Result<std::vector<std::string>> expand_sources(const CopyRequest& request);

/// What the files are: names, kinds, modes, contents. Not their times.
Result<Digest> digest_sources(const CopyRequest& request);

/// Copies into `root`, an image's mounted tree; links in it are followed inside of it.
Status copy_sources(const CopyRequest& request, int root);

}  // namespace slipway::manager
