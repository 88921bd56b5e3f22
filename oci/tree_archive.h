// A directory tree as a tar: a whole one, or the changes of a layer. Deterministic: in the order of the names,
// hard links by their first name, sockets left out. Attributes that belong to overlay mounts stay behind.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "oci/tar_writer.h"

namespace slipway::oci {

/// Adds entries from below one directory to an archive.
class TreeArchiver {
 public:
  /// `root` (borrowed) is not O_PATH.
  TreeArchiver(TarWriter& writer, int root) : writer_(writer), root_(root) {}

  /// Asked before each entry is written; it may change the entry, and false leaves it out (what is below a
  /// directory is asked for all the same). Hard links are then written as files of their own.
  using Edit = std::function<bool(TarEntry&)>;
  void set_edit(Edit edit) { edit_ = std::move(edit); }

  /// Everything below the root, and the root itself as "./".
  Status add_tree();
  /// The same without the root itself.
  Status add_contents_of_root() { return add_below(root_, ""); }
  /// One entry, not what is below it: `path` without a leading "/", "" for the root. False when it is not there
  /// (any more) or is a socket.
  Result<bool> add(const std::string& path);
  /// "The layer below has `path`; this one does not."
  Status add_whiteout(const std::string& path, const timespec& mtime);

 private:
  Status add_below(int dir, const std::string& path);
  Result<bool> add_at(int dir, const char* name, const std::string& path);
  Status add_contents(int fd, uint64_t size);

  TarWriter& writer_;
  int root_;
  Edit edit_;
  std::map<std::pair<uint64_t, uint64_t>, std::string> links_;  // device and inode: the first name
};

}  // namespace slipway::oci
