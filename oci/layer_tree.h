// The tree that a layer is unpacked into: which directories are open, how names are made free, and how
// deletions are written. Used by layer_apply.cc only.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "oci/layer_apply.h"

namespace slipway::oci {

using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// What an entry has besides its contents.
struct Attributes {
  mode_t mode = 0;  // permission bits
  uint32_t uid = 0, gid = 0;
  timespec mtime{};
  Xattrs xattrs;
};

/// Sets owner, then mode (chown clears setuid), then attributes (chown clears capabilities; others are removed), then
/// times of an open file or directory.
Status set_attributes(int fd, const Attributes& attributes, const std::string& path);
/// The same for an entry that was just made, is no directory and cannot be opened: `name` in `dir`.
Status set_attributes_at(int dir, const std::string& name, const Attributes& attributes,
                         const std::string& path);

class LayerTree {
 public:
  LayerTree(int root, const ApplyOptions& options);

  /// A name of the archive as a path below the root without "." and "..", "" for the root itself.
  static Result<std::string> clean(std::string_view name);
  /// The directory that such a path leads to by the symbolic links of this layer, which are followed as in a chroot.
  Result<std::string> resolve(const std::string& path);
  /// What stands at `path` now is a symbolic link of this layer.
  void set_link(const std::string& path, const std::string& target) { links_[path] = target; }
  /// The same link at another path, if it is one.
  void copy_link(const std::string& from, const std::string& to);

  /// The directory `path` (O_PATH), made with its parents when it is missing; borrowed until the next call of
  /// this or of find_directory().
  Result<int> directory(const std::string& path, const timespec& mtime);
  /// The same without making anything: -1 when it is not there.
  int find_directory(const std::string& path);

  /// Removes what stands in the way of a new entry that is no directory.
  Status make_way(int parent, const std::string& name, const std::string& path);
  /// Makes the directory, or keeps the one that is there.
  Status make_directory(int parent, const std::string& name, const std::string& path);
  /// To be called for every entry before it is made: a whiteout of this name ends.
  Status announce(int parent, const std::string& name, const std::string& path);

  /// Directories get their attributes at the end, when nothing is added to them any more.
  void set_directory(const std::string& path, Attributes attributes);

  /// The layer deletes `name`; nothing of this layer itself.
  Status whiteout(const std::string& parent, const std::string& name, const timespec& mtime);
  /// The layer hides everything that is below it in the directory.
  Status opaque(const std::string& directory, const timespec& mtime);

  /// Copies an entry of the parent layer that is no directory into this one, at the same path. not_found when there is
  /// none, or none any more.
  Status copy_up(const std::string& path);
  bool is_deleted(const std::string& path) const { return whiteouts_.contains(path); }

  Status finish();

 private:
  struct Directory {
    Attributes attributes;
    bool owner_and_mode = false;  // else only the times
  };

  bool ours(const std::string& path) const { return !track_ || made_.contains(path); }
  bool hidden(const std::string& path) const;
  Result<std::string> link_below(const std::string& path);
  Result<int> slow_directory(const std::string& path, const timespec& mtime);
  Status adopt(int fd, const std::string& path, bool made, const timespec& mtime);
  int remember(const std::string& path, Fd fd);
  void forget(const std::string& path);
  Result<int> lower();
  Status mark_opaque(int dir, const std::string& path);
  Status put_whiteout(int parent, const std::string& name, const std::string& path);
  Status drop_whiteout(int parent, const std::string& name, const std::string& path);
  Status make_opaque(int parent, const std::string& name, const std::string& path);
  Status prune(const std::string& path);
  Status hide_root();

  int root_;
  const ApplyOptions& options_;
  bool track_;  // the tree has entries that are not this layer's
  Fd lower_;
  bool root_opaque_ = false;
  std::string last_path_;
  int last_fd_ = -1;
  std::unordered_map<std::string, Fd> open_;
  std::vector<Fd> retired_;                    // out of open_, but perhaps still borrowed
  std::unordered_set<std::string> made_;       // with `track_`: what is this layer's
  std::unordered_set<std::string> whiteouts_;  // that stand
  std::unordered_set<std::string> replaced_;   // what the parent layer has here, and below, counts no more
  std::unordered_set<std::string> opaque_;     // what it has below
  std::map<std::string, std::string> links_;   // this layer's symbolic links
  std::map<std::string, Directory> directories_;
};

}  // namespace slipway::oci
