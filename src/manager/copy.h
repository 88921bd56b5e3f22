// `cp`: files between a container and the host, by the rules of docker (which are those of cp -r, with a few
// of its own). Neither side can lead the other out of its root: every directory is opened below the root it
// belongs to, and no last component is ever followed, so a race with the container's own processes gains
// them nothing.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "oci/byte_stream.h"
#include "oci/tar_writer.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/store/store.h"

namespace slipway::manager {

/// A path and the tree in which it is resolved.
struct CopyPlace {
  Fd root;
  std::string path;  // absolute
  // For messages: "/etc/hosts in container web", and its second part, which is empty for a path of the host.
  std::string shown, where;
};

/// A path in a container; relative ones are relative to its root. Where the container does not run, mounts
/// are looked up in its record. `writing`: errors: in_use, its root is read-only.
Result<CopyPlace> container_place(store::Store& store, std::string_view id, std::string_view path,
                                  bool writing);
Result<CopyPlace> host_place(std::string_view path);

struct CopyOptions {
  bool archive = false;      // keep owners; else what is made belongs to `owner`
  bool follow_link = false;  // what the source path itself is a link to, not the link
  uid_t owner = 0;
  gid_t group = 0;
};

/// How many bytes of files it has copied.
Result<uint64_t> copy(const CopyPlace& from, const CopyPlace& to, const CopyOptions& options);

/// The source as a tar archive.
Status copy_to_tar(const CopyPlace& from, const CopyOptions& options, oci::ByteSink sink);
/// A tar archive into a directory that exists.
Status copy_from_tar(oci::ByteSource& tar, const CopyPlace& to);

}  // namespace slipway::manager
