// Unpacking a layer's tar into a directory that becomes the layer: image-spec 1.1 layer.md.
//
// The archive is hostile. Nothing is ever resolved outside `root`: names are cleaned as text, parents are
// opened with openat2 below `root`, the last component is never followed. Names that climb above the root
// are refused; symbolic links of the archive itself are followed as a chroot would follow them. Attributes
// by which an overlay mount would find files elsewhere (*.overlay.*) are dropped.
#pragma once

#include <cstdint>
#include <functional>

#include "oci/byte_stream.h"
#include "src/base/fd.h"

namespace slipway::oci {

/// How deletions are written into the tree; the driver says it.
enum class WhiteoutStyle : uint8_t {
  overlay_trusted,  // character device 0/0, trusted.overlay.opaque
  overlay_user,     // character device 0/0, user.overlay.opaque
  aufs,             // .wh.NAME and .wh..wh..opq
  materialised      // the tree has the parent's files already: delete them
};

struct ApplyOptions {
  WhiteoutStyle style = WhiteoutStyle::materialised;
  /// Opens the tree of the parent layer (O_PATH or readable) when something in it is needed: the attributes
  /// of a directory that the archive adds to without naming it, the target of a hard link. Unset for a layer
  /// without a parent, and not used with `materialised`.
  std::function<Result<Fd>()> lower;
};

struct Applied {
  uint64_t entries = 0;
  int64_t bytes = 0;  // of regular files, each once
};

/// Reads the archive to its end mark; what follows is left in the source. The tree is not synced.
/// Errors: invalid for a broken or refused archive; the errno of the file system otherwise (ENOSPC, EDQUOT).
Result<Applied> apply_layer(ByteSource& tar, int root, const ApplyOptions& options);

}  // namespace slipway::oci
