#include "oci/layer_tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "oci/xattr.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/path.h"
#include "src/sys/remove_tree.h"

namespace slipway::oci {

namespace {

constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
constexpr size_t kOpenDirectories = 256;
constexpr char kWhiteoutPrefix[] = ".wh.";
constexpr char kOpaqueFile[] = ".wh..wh..opq";

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string join(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "/" + name;
}

const char* shown(const std::string& path) {
  return path.empty() ? "/" : path.c_str();
}

/// Holes stay holes. Not copy_file_range: the parent's tree is another file system (overlay) than ours.
Status copy_data(int from, int to, off_t size) {
  if (ftruncate(to, size) < 0) return Error::sys(errno, "set the size");
  for (off_t at = 0; at < size;) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return {};
    if (data > 0) at = data;
    const off_t hole = lseek(from, at, SEEK_HOLE);
    const off_t end = hole < 0 ? size : hole;
    if (lseek(to, at, SEEK_SET) < 0) return Error::sys(errno, "seek");
    while (at < end) {
      const ssize_t put = sendfile(to, from, &at, static_cast<size_t>(end - at));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return Error::sys(errno, "write");
      if (put == 0) return {};
    }
  }
  return {};
}

Result<std::string> read_link(int link) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(link, "", target, sizeof target);
  if (length < 0) return Error::sys(errno, "readlink");
  return std::string(target, static_cast<size_t>(length));
}

}  // namespace

Status set_attributes_at(int dir, const std::string& name, const Attributes& attributes,
                         const std::string& path) {
  struct stat info;
  if (fchownat(dir, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::sys(errno, "chown `%s`", path.c_str());
  if (fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::sys(errno, "stat `%s`", path.c_str());
  if (!S_ISLNK(info.st_mode)) {
    TRY(remove_other_xattrs_at(dir, name.c_str(), attributes.xattrs).ctx("`%s`", path.c_str()));
    // Just made by us in a tree that is ours alone, and not a link: chmod cannot lead elsewhere.
    if (fchmodat(dir, name.c_str(), attributes.mode, 0) < 0)
      return Error::sys(errno, "chmod `%s`", path.c_str());
  }
  TRY(set_xattrs_at(dir, name.c_str(), attributes.xattrs).ctx("`%s`", path.c_str()));
  const timespec times[2] = {attributes.mtime, attributes.mtime};
  if (utimensat(dir, name.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::sys(errno, "set the times of `%s`", path.c_str());
  return {};
}

Status set_attributes(int fd, const Attributes& attributes, const std::string& path) {
  if (fchown(fd, attributes.uid, attributes.gid) < 0) return Error::sys(errno, "chown `%s`", shown(path));
  TRY(remove_other_xattrs(fd, attributes.xattrs).ctx("`%s`", shown(path)));
  if (fchmod(fd, attributes.mode) < 0) return Error::sys(errno, "chmod `%s`", shown(path));
  TRY(set_xattrs(fd, attributes.xattrs).ctx("`%s`", shown(path)));
  const timespec times[2] = {attributes.mtime, attributes.mtime};
  if (futimens(fd, times) < 0) return Error::sys(errno, "set the times of `%s`", shown(path));
  return {};
}

LayerTree::LayerTree(int root, const ApplyOptions& options)
    : root_(root), options_(options), track_(options.style == WhiteoutStyle::materialised) {}

Result<std::string> LayerTree::clean(std::string_view name) {
  std::string path;
  path.reserve(name.size());
  for (size_t at = 0; at < name.size();) {
    const size_t slash = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, slash - at);
    at = slash + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (path.empty())
        return Error::of(ErrorKind::invalid, "`%.*s` leads out of the layer",
                         static_cast<int>(std::min<size_t>(name.size(), 200)), name.data());
      path = parent_of(path);
      continue;
    }
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

/// The target of the symbolic link that the parent layer has at `path`; "" when it has none.
Result<std::string> LayerTree::link_below(const std::string& path) {
  struct stat info;
  if (!track_ && (hidden(path) || fstatat(root_, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0))
    return std::string();
  const int tree = track_ ? root_ : TRY(lower());
  const Fd link(tree < 0 ? -1 : sys::openat2(tree, path.c_str(), O_PATH | O_NOFOLLOW, kInside));
  if (!link || fstatat(link.get(), "", &info, AT_EMPTY_PATH) < 0 || !S_ISLNK(info.st_mode))
    return std::string();
  return read_link(link.get()).ctx("read the link `%s`", path.c_str());
}

Result<std::string> LayerTree::resolve(const std::string& path) {
  if (links_.empty()) return path;
  std::string resolved, left = path;
  for (int follows = 0; !left.empty();) {
    const size_t slash = std::min(left.find('/'), left.size());
    const std::string part = left.substr(0, slash);
    left.erase(0, slash + 1);
    if (part == "..") resolved = parent_of(resolved);
    if (part.empty() || part == "." || part == "..") continue;
    const std::string here = join(resolved, part);
    const auto link = links_.find(here);
    // Where a link of this layer leads, one of the parent layer is followed, too; elsewhere an entry replaces it.
    const std::string target = link != links_.end() ? link->second
                               : follows            ? TRY(link_below(here))
                                                    : std::string();
    if (target.empty()) {
      resolved = here;
      continue;
    }
    if (++follows > 40) return Error::sys(ELOOP, "open directory `%s`", path.c_str());
    if (target.starts_with('/')) resolved.clear();
    left = target + "/" + left;
  }
  return resolved;
}

void LayerTree::copy_link(const std::string& from, const std::string& to) {
  if (const auto link = links_.find(from); link != links_.end()) links_[to] = link->second;
}

// --- directories -------------------------------------------------------------------------------------------

int LayerTree::remember(const std::string& path, Fd fd) {
  if (open_.size() >= kOpenDirectories) {
    for (auto& [name, old] : open_) retired_.push_back(std::move(old));
    open_.clear();
  }
  last_path_ = path;
  last_fd_ = fd.get();
  open_.insert_or_assign(path, std::move(fd));
  return last_fd_;
}

/// Something at `path` was removed: no descriptor and no attributes below it count any more.
void LayerTree::forget(const std::string& path) {
  for (auto& [name, old] : open_) retired_.push_back(std::move(old));
  open_.clear();
  last_fd_ = -1;
  const auto erase = [&](auto& paths) {
    paths.erase(path);
    const std::string below = path + "/";
    auto at = paths.lower_bound(below);
    while (at != paths.end() && at->first.starts_with(below)) at = paths.erase(at);
  };
  erase(directories_);
  erase(links_);
}

/// Whether what the parent layer has at `path` is deleted or replaced by this one.
bool LayerTree::hidden(const std::string& path) const {
  if (root_opaque_) return true;
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (replaced_.contains(above) || opaque_.contains(above)) return true;
  }
  return replaced_.contains(path);
}

int LayerTree::find_directory(const std::string& path) {
  retired_.clear();
  if (path.empty()) return root_;
  if (last_fd_ >= 0 && path == last_path_) return last_fd_;
  if (const auto found = open_.find(path); found != open_.end()) return found->second.get();
  Fd fd(sys::openat2(root_, path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, kInside));
  return fd ? remember(path, std::move(fd)) : -1;
}

Result<int> LayerTree::directory(const std::string& path, const timespec& mtime) {
  retired_.clear();
  if (path.empty()) {
    if (!directories_.contains(path)) TRY(adopt(root_, path, false, mtime));
    return root_;
  }
  if (last_fd_ >= 0 && path == last_path_) return last_fd_;
  if (const auto found = open_.find(path); found != open_.end()) {
    last_path_ = path;
    return last_fd_ = found->second.get();
  }
  Fd fd(sys::openat2(root_, path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, kInside));
  if (!fd) {
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
      return Error::sys(errno, "open directory `%s`", path.c_str());
    return slow_directory(path, mtime);
  }
  TRY(adopt(fd.get(), path, false, mtime));
  return remember(path, std::move(fd));
}

/// One component at a time: makes what is missing, replaces what is in the way.
Result<int> LayerTree::slow_directory(const std::string& path, const timespec& mtime) {
  const int parent = TRY(directory(parent_of(path), mtime));
  const std::string name = name_of(path);
  struct stat info;
  bool made = false;
  if (fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(info.st_mode)) {
    TRY(announce(parent, name, path));
    TRY(make_directory(parent, name, path));
    made = true;
  }
  Fd fd(sys::openat2(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, kInside));
  if (!fd) return Error::sys(errno, "open directory `%s`", path.c_str());
  TRY(adopt(fd.get(), path, made, mtime));
  return remember(path, std::move(fd));
}

/// A directory that gets entries without having been named by the archive (yet): its attributes shall be those
/// that it has in the parent layer.
Status LayerTree::adopt(int fd, const std::string& path, bool made, const timespec& mtime) {
  if (directories_.contains(path)) return {};
  if (track_) made_.insert(path);  // a deletion does not take what this layer has in it
  Directory directory;
  struct stat info;
  if (track_ && !made) {
    if (fstatat(fd, "", &info, AT_EMPTY_PATH) < 0) return Error::sys(errno, "stat `%s`", shown(path));
    directory.attributes.mtime = info.st_mtim;
  } else {
    directory.owner_and_mode = true;
    directory.attributes.mode = 0755;
    directory.attributes.mtime = mtime;
    const int below = track_ || hidden(path) ? -1 : TRY(lower());
    Fd old;
    if (below >= 0)
      old =
          Fd(path.empty() ? openat(below, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                          : sys::openat2(below, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, kInside));
    if (old && fstat(old.get(), &info) == 0) {
      directory.attributes = {info.st_mode & 07777, info.st_uid, info.st_gid, info.st_mtim,
                              TRY(get_xattrs(old.get()))};
    } else if (path.empty()) {
      // The root of a lowest layer that does not name its root: as the driver made it.
      directory.owner_and_mode = false;
    }
  }
  directories_.emplace(path, std::move(directory));
  return {};
}

void LayerTree::set_directory(const std::string& path, Attributes attributes) {
  directories_.insert_or_assign(path, Directory{std::move(attributes), true});
}

Result<int> LayerTree::lower() {
  if (!lower_ && options_.lower) lower_ = TRY(options_.lower());
  return lower_.get();
}

Status LayerTree::make_way(int parent, const std::string& name, const std::string& path) {
  struct stat info;
  if (fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return {};
    return Error::sys(errno, "stat `%s`", path.c_str());
  }
  if (S_ISDIR(info.st_mode)) {
    TRY(sys::remove_tree(parent, name.c_str()));
    forget(path);
    return {};
  }
  if (unlinkat(parent, name.c_str(), 0) < 0) return Error::sys(errno, "unlink `%s`", path.c_str());
  // It may have been a link that led to a directory.
  if (S_ISLNK(info.st_mode)) forget(path);
  return {};
}

Status LayerTree::make_directory(int parent, const std::string& name, const std::string& path) {
  // Wide open only for the owner until finish(): an unprivileged owner must be able to fill it.
  if (mkdirat(parent, name.c_str(), 0700) == 0) return {};
  struct stat info;
  if (errno != EEXIST || fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0)
    return Error::sys(errno, "mkdir `%s`", path.c_str());
  if (S_ISDIR(info.st_mode)) return {};
  TRY(make_way(parent, name, path));
  return make_opaque(parent, name, path);
}

/// A directory in the place of something of this layer that hid what is below.
Status LayerTree::make_opaque(int parent, const std::string& name, const std::string& path) {
  if (mkdirat(parent, name.c_str(), 0700) < 0) return Error::sys(errno, "mkdir `%s`", path.c_str());
  if (track_) return {};
  const Fd fd(sys::openat2(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, kInside));
  if (!fd) return Error::sys(errno, "open directory `%s`", path.c_str());
  replaced_.insert(path);
  return mark_opaque(fd.get(), path);
}

Status LayerTree::announce(int parent, const std::string& name, const std::string& path) {
  if (track_) made_.insert(path);
  if (whiteouts_.empty() || whiteouts_.erase(path) == 0) return {};
  return drop_whiteout(parent, name, path);
}

// --- deletions ---------------------------------------------------------------------------------------------

Status LayerTree::put_whiteout(int parent, const std::string& name, const std::string& path) {
  whiteouts_.insert(path);
  replaced_.insert(path);
  if (options_.style == WhiteoutStyle::aufs) {
    const std::string file = kWhiteoutPrefix + name;
    const Fd fd(openat(parent, file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0444));
    if (!fd) return Error::sys(errno, "whiteout of `%s`", path.c_str());
    return {};
  }
  if (mknodat(parent, name.c_str(), S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
    return Error::sys(errno, "whiteout of `%s`", path.c_str());
  return {};
}

/// An entry comes where this layer had a deletion: the deletion still holds for what is below.
Status LayerTree::drop_whiteout(int parent, const std::string& name, const std::string& path) {
  const std::string file = options_.style == WhiteoutStyle::aufs ? kWhiteoutPrefix + name : name;
  if (unlinkat(parent, file.c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "remove the whiteout `%s`", file.c_str());
  // Should the entry be a directory, then one that shows nothing from below; make_directory() keeps it.
  return make_opaque(parent, name, path);
}

Status LayerTree::mark_opaque(int dir, const std::string& path) {
  if (options_.style == WhiteoutStyle::aufs) {
    const Fd fd(openat(dir, kOpaqueFile, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0444));
    if (!fd) return Error::sys(errno, "opaque directory `%s`", shown(path));
    return {};
  }
  const char* name =
      options_.style == WhiteoutStyle::overlay_user ? "user.overlay.opaque" : "trusted.overlay.opaque";
  if (fsetxattr(dir, name, "y", 1, 0) < 0) return Error::sys(errno, "opaque directory `%s`", shown(path));
  return {};
}

Status LayerTree::whiteout(const std::string& parent, const std::string& name, const timespec& mtime) {
  const std::string path = join(parent, name);
  const int dir = TRY(directory(parent, mtime));
  struct stat info;
  const bool there = fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (track_) {
    if (!there) return {};
    if (!ours(path)) return make_way(dir, name, path);
    return S_ISDIR(info.st_mode) ? prune(path) : Status();
  }
  if (whiteouts_.contains(path)) return {};
  if (!there) return put_whiteout(dir, name, path);
  if (!S_ISDIR(info.st_mode)) return {};
  return opaque(path, mtime);
}

Status LayerTree::opaque(const std::string& path, const timespec& mtime) {
  TRY(directory(path, mtime));
  if (track_) return prune(path);
  if (path.empty() && options_.style != WhiteoutStyle::aufs) {
    root_opaque_ = true;  // overlay does not heed the mark of a root
    return {};
  }
  const Fd fd(path.empty() ? openat(root_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                           : sys::openat2(root_, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, kInside));
  if (!fd) return Error::sys(errno, "open directory `%s`", shown(path));
  opaque_.insert(path);
  return mark_opaque(fd.get(), path);
}

/// Removes from a directory what is not this layer's.
Status LayerTree::prune(const std::string& path) {
  const Fd dir(path.empty()
                   ? openat(root_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                   : sys::openat2(root_, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, kInside));
  if (!dir) return Error::sys(errno, "open directory `%s`", shown(path));
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(dir.get()))) {
    const std::string child = join(path, entry.name);
    if (!ours(child)) {
      TRY(make_way(dir.get(), entry.name, child));
      continue;
    }
    struct stat info;
    if (fstatat(dir.get(), entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode))
      TRY(prune(child));
  }
  return {};
}

Status LayerTree::hide_root() {
  const int below = TRY(lower());
  if (below < 0) return {};
  const Fd dir(openat(below, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return Error::sys(errno, "open the parent layer");
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(dir.get())))
    TRY(whiteout("", entry.name, {}));
  return {};
}

// --- the parent layer --------------------------------------------------------------------------------------

Status LayerTree::copy_up(const std::string& path) {
  const int below = track_ || hidden(path) ? -1 : TRY(lower());
  const Fd from(below < 0 ? -1 : sys::openat2(below, path.c_str(), O_PATH | O_NOFOLLOW, kInside));
  struct stat info;
  if (!from || fstatat(from.get(), "", &info, AT_EMPTY_PATH) < 0 || S_ISDIR(info.st_mode))
    return Error::of(ErrorKind::not_found, "no file `%s` in the parent layer", path.c_str());
  const std::string name = name_of(path);
  const int parent = TRY(directory(parent_of(path), info.st_mtim));
  const Fd above = TRY(sys::open_in_root(below, ("/" + parent_of(path)).c_str(), O_PATH | O_DIRECTORY));
  Attributes attributes = {info.st_mode & 07777, info.st_uid, info.st_gid, info.st_mtim,
                           TRY(get_xattrs_at(above.get(), name.c_str()))};
  if (S_ISREG(info.st_mode)) {
    const Fd source = TRY(sys::open_at(above.get(), name.c_str(), O_RDONLY | O_NOFOLLOW));
    const Fd to = TRY(sys::open_at(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    TRY(copy_data(source.get(), to.get(), info.st_size).ctx("copy `%s`", path.c_str()));
    return set_attributes(to.get(), attributes, path);
  }
  if (S_ISLNK(info.st_mode)) {
    const std::string target = TRY(read_link(from.get()).ctx("read the link `%s`", path.c_str()));
    if (symlinkat(target.c_str(), parent, name.c_str()) < 0)
      return Error::sys(errno, "create `%s`", path.c_str());
    set_link(path, target);
  } else if (mknodat(parent, name.c_str(), info.st_mode, info.st_rdev) < 0) {
    return Error::sys(errno, "create `%s`", path.c_str());
  }
  return set_attributes_at(parent, name, attributes, path);
}

// --- the end -----------------------------------------------------------------------------------------------

Status LayerTree::finish() {
  if (root_opaque_) TRY(hide_root());
  // Deepest first: a directory's mode may shut its owner out.
  for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
    const auto& [path, directory] = *at;
    const Fd fd(path.empty()
                    ? openat(root_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                    : sys::openat2(root_, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, kInside));
    if (!fd) {
      // Replaced by something else later in the archive.
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) continue;
      return Error::sys(errno, "open directory `%s`", shown(path));
    }
    if (directory.owner_and_mode) {
      TRY(set_attributes(fd.get(), directory.attributes, path));
      continue;
    }
    const timespec times[2] = {directory.attributes.mtime, directory.attributes.mtime};
    if (futimens(fd.get(), times) < 0) return Error::sys(errno, "set the times of `%s`", shown(path));
  }
  return {};
}

}  // namespace slipway::oci
