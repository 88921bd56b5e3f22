#include "src/manager/copy.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "oci/layer_apply.h"
#include "oci/tree_archive.h"
#include "src/manager/exec_user.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/path.h"

namespace slipway::manager {

namespace {

constexpr size_t kPiece = 1 << 20;
constexpr int kMostLinks = 40;  // the kernel's own limit

/// Path without "/." and "/" at its end, and whether they were there.
struct Words {
  std::string path;
  bool contents = false;         // ended in "/."
  bool wants_directory = false;  // ended in "/" or "/."
};

Words words_of(std::string path) {
  Words out;
  if (path == "." || path.ends_with("/.")) {
    out.contents = out.wants_directory = true;
    path.pop_back();
  }
  while (path.size() > 1 && path.ends_with('/')) {
    out.wants_directory = true;
    path.pop_back();
  }
  out.path = path.empty() ? "/" : path;
  return out;
}

/// Where an entry is: the directory that holds it, and its name there.
struct Entry {
  Fd parent;
  std::string name;
};

struct Source {
  Entry at;
  std::string base;  // the name that it has when it is copied into a directory
  bool contents = false;
  struct stat info = {};
};

/// `path`, or if that is a link what it leads to, which need not exist. Links are read one by one and each path is resolved inside the root, so that none leads out of it; the
/// name at the end is not followed any more.
Result<Entry> follow(const CopyPlace& place, std::string path) {
  for (int links = 0; links < kMostLinks; ++links) {
    Entry out;
    auto parent = sys::open_parent_in_root(place.root.get(), path.c_str(), false, &out.name);
    if (!parent.ok()) {
      const std::string missing = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
      return Error::of(ErrorKind::not_found, "Could not find the file %s%s", missing.c_str(),
                       place.where.c_str());
    }
    out.parent = std::move(parent).value();
    char target[PATH_MAX];
    const ssize_t length = readlinkat(out.parent.get(), out.name.c_str(), target, sizeof target);
    if (length < 0) return out;
    const std::string_view text(target, static_cast<size_t>(length));
    path = text.starts_with('/') ? std::string(text) : path.substr(0, path.rfind('/') + 1).append(text);
  }
  return Error::sys(ELOOP, "%s", place.shown.c_str());
}

Result<Source> find_source(const CopyPlace& place, bool follow_link) {
  const Words words = words_of(place.path);
  Source out;
  out.contents = words.contents;
  const auto missing = [&] {
    if (place.where.empty()) return Error::sys(ENOENT, "lstat %s", place.path.c_str());
    return Error::of(ErrorKind::not_found, "Could not find the file %s", place.shown.c_str());
  };
  auto parent = sys::open_parent_in_root(place.root.get(), words.path.c_str(), false, &out.at.name);
  if (!parent.ok()) return missing();
  out.at.parent = std::move(parent).value();
  out.base = out.at.name;
  if (fstatat(out.at.parent.get(), out.at.name.c_str(), &out.info, AT_SYMLINK_NOFOLLOW) < 0) return missing();
  if (S_ISLNK(out.info.st_mode) && (follow_link || words.wants_directory)) {
    out.at = TRY(follow(place, words.path));
    if (fstatat(out.at.parent.get(), out.at.name.c_str(), &out.info, AT_SYMLINK_NOFOLLOW) < 0)
      return missing();
  }
  if (words.wants_directory && !S_ISDIR(out.info.st_mode))
    return Error::of(ErrorKind::invalid, "%s: not a directory", place.shown.c_str());
  return out;
}

Status copy_data(int from, int to, const char* name) {
  for (;;) {
    const ssize_t copied = copy_file_range(from, nullptr, to, nullptr, kPiece, 0);
    if (copied == 0) return {};
    if (copied > 0) continue;
    if (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS) break;
    if (errno != EINTR) return Error::sys(errno, "copy `%s`", name);
  }
  std::string buffer(kPiece, 0);
  for (;;) {
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got == 0) return {};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::sys(errno, "read `%s`", name);
    TRY(sys::write_all(to, {buffer.data(), static_cast<size_t>(got)}).ctx("%s", name));
  }
}

void copy_capability(int from, int to) {
  char value[256];
  const ssize_t size = fgetxattr(from, "security.capability", value, sizeof value);
  if (size > 0) fsetxattr(to, "security.capability", value, static_cast<size_t>(size), 0);
}

bool is_of_kernel(int dir) {
  struct statfs info = {};
  return fstatfs(dir, &info) == 0 && (info.f_type == PROC_SUPER_MAGIC || info.f_type == SYSFS_MAGIC);
}

class Copier {
 public:
  /// `of_container`: what the kernel shows below /proc and /sys is not the container's, and left out.
  Copier(const CopyOptions& options, bool of_container) : options_(options), of_container_(of_container) {}
  uint64_t copied() const { return copied_; }

  /// One entry and all below it.
  Status entry(int from, const char* from_name, int to, const char* name, const struct stat& info) {
    if (S_ISDIR(info.st_mode)) return directory(from, from_name, to, name, info);
    if (S_ISSOCK(info.st_mode)) return {};
    struct stat old = {};
    if (fstatat(to, name, &old, AT_SYMLINK_NOFOLLOW) == 0) {
      if (S_ISDIR(old.st_mode))
        return Error::of(ErrorKind::invalid, "cannot overwrite directory \"%s\" with non-directory", name);
      if (unlinkat(to, name, 0) < 0) return Error::sys(errno, "replace `%s`", name);
    }
    if (S_ISREG(info.st_mode)) return file(from, from_name, to, name, info);
    if (S_ISLNK(info.st_mode)) {
      char target[PATH_MAX];
      const ssize_t length = readlinkat(from, from_name, target, sizeof target - 1);
      if (length < 0) return Error::sys(errno, "read link `%s`", name);
      target[length] = 0;
      if (symlinkat(target, to, name) < 0) return Error::sys(errno, "make link `%s`", name);
    } else if (mknodat(to, name, info.st_mode, info.st_rdev) < 0) {
      return Error::sys(errno, "make `%s`", name);
    }
    return attributes(to, name, info);
  }

  /// What is in a directory, into another one.
  Status contents(int from, int to) {
    if (of_container_ && is_of_kernel(from)) return {};
    for (const sys::DirectoryEntry& child : TRY(sys::list_directory(from))) {
      struct stat info = {};
      if (fstatat(from, child.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT) continue;  // it has just been removed
        return Error::sys(errno, "look at `%s`", child.name.c_str());
      }
      TRY(entry(from, child.name.c_str(), to, child.name.c_str(), info));
    }
    return {};
  }

 private:
  Status file(int from, const char* from_name, int to, const char* name, const struct stat& info) {
    const Fd in = TRY(sys::open_at(from, from_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    struct stat opened = {};
    if (fstat(in.get(), &opened) < 0 || !S_ISREG(opened.st_mode))
      return Error::of(ErrorKind::failed, "`%s` has changed while it was copied", name);
    const Fd out = TRY(sys::open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    TRY(copy_data(in.get(), out.get(), name));
    copied_ += static_cast<uint64_t>(info.st_size);
    TRY(attributes(to, name, info));
    copy_capability(in.get(), out.get());
    return {};
  }

  Status directory(int from, const char* from_name, int to, const char* name, const struct stat& info) {
    struct stat old = {};
    const bool exists = fstatat(to, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && !S_ISDIR(old.st_mode))
      return Error::of(ErrorKind::invalid, "cannot overwrite non-directory \"%s\" with directory", name);
    if (!exists && mkdirat(to, name, 0700) < 0) return Error::sys(errno, "mkdir `%s`", name);
    const Fd in = TRY(sys::open_at(from, from_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const Fd out = TRY(sys::open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(contents(in.get(), out.get()));
    return attributes(to, name, info);
  }

  /// Owner first: it takes setuid away, which the mode gives back. Times last.
  Status attributes(int dir, const char* name, const struct stat& info) {
    const uid_t uid = options_.archive ? info.st_uid : options_.owner;
    const gid_t gid = options_.archive ? info.st_gid : options_.group;
    if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0) return Error::sys(errno, "chown `%s`", name);
    if (!S_ISLNK(info.st_mode) && fchmodat(dir, name, info.st_mode & 07777, 0) < 0)
      return Error::sys(errno, "chmod `%s`", name);
    const timespec times[] = {{0, UTIME_OMIT}, info.st_mtim};
    if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
      return Error::sys(errno, "set the time of `%s`", name);
    return {};
  }

  const CopyOptions& options_;
  const bool of_container_;
  uint64_t copied_ = 0;
};

}  // namespace

Result<CopyPlace> container_place(store::Store& store, std::string_view id, std::string_view path,
                                  bool writing) {
  Arena arena;
  const store::Record* record = TRY(store::Containers(store).load(id, arena));
  const Observed observed = TRY(observe(store, id, arena));
  CopyPlace place;
  place.path = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
  place.where = " in container " + std::string(record->name.view());
  place.shown = place.path + place.where;
  if (!observed.is_running()) {
    const store::MountPoint* mount = nullptr;
    for (const store::MountPoint& candidate : record->mounts) {
      const std::string_view where = candidate.destination;
      const bool below = place.path == where || place.path.starts_with(std::string(where) + "/");
      if (candidate.type != "tmpfs" && below && (!mount || where.size() > mount->destination.size))
        mount = &candidate;
    }
    if (mount) {
      if (writing && mount->read_only)
        return Error::of(ErrorKind::in_use, "mounted volume is marked read-only");
      place.root = TRY(sys::open_at(AT_FDCWD, mount->source.c_str(), O_RDONLY | O_DIRECTORY));
      place.path = "/" + place.path.substr(std::min<size_t>(mount->destination.size + 1, place.path.size()));
      return place;
    }
    if (writing && record->host.readonly_rootfs)
      return Error::of(ErrorKind::in_use, "container rootfs is marked read-only");
  }
  if (writing) {
    // Its files are not the image's any more: see identity_cache.h.
    const Fd dir = TRY(store::Containers(store).open(id));
    TRY(sys::open_at(dir.get(), "changed", O_WRONLY | O_CREAT, 0600));
  }
  place.root = TRY(open_container_root(store, id));
  return place;
}

Result<CopyPlace> host_place(std::string_view path) {
  CopyPlace place;
  place.shown = path;
  if (!path.starts_with('/')) {
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here)) return Error::sys(errno, "find the current directory");
    place.path = std::string(here) + "/";
  }
  place.path += path;
  place.root = TRY(sys::open_at(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY));
  return place;
}

Result<uint64_t> copy(const CopyPlace& from, const CopyPlace& to, const CopyOptions& options) {
  const Source source = TRY(find_source(from, options.follow_link));
  const bool is_directory = S_ISDIR(source.info.st_mode);
  const Words words = words_of(to.path);
  Copier copier(options, !from.where.empty());
  auto existing = sys::open_in_root(to.root.get(), words.path.c_str(), O_PATH);
  struct stat info = {};
  if (existing.ok() && fstat(existing->get(), &info) < 0)
    return Error::sys(errno, "look at %s", to.shown.c_str());
  if (existing.ok() && S_ISDIR(info.st_mode)) {
    if (source.contents) {
      const Fd in = TRY(sys::open_at(source.at.parent.get(), source.at.name.c_str(), O_RDONLY | O_DIRECTORY));
      TRY(copier.contents(in.get(), existing->get()));
    } else {
      TRY(copier.entry(source.at.parent.get(), source.at.name.c_str(), existing->get(), source.base.c_str(),
                       source.info));
    }
    return copier.copied();
  }
  if (existing.ok() && (is_directory || words.wants_directory))
    return is_directory ? Error::of(ErrorKind::invalid, "cannot copy directory to file: %s", to.shown.c_str())
                        : Error::of(ErrorKind::invalid, "%s: not a directory", to.shown.c_str());
  if (!existing.ok() && words.wants_directory && !is_directory)
    return Error::of(ErrorKind::not_found, "no such directory: %s", to.shown.c_str());
  const Entry target = TRY(follow(to, words.path));
  TRY(copier.entry(source.at.parent.get(), source.at.name.c_str(), target.parent.get(), target.name.c_str(),
                   source.info));
  return copier.copied();
}

namespace {

Status archive_below(oci::TreeArchiver& archiver, int dir, const std::string& path) {
  if (!TRY(archiver.add(path))) return {};
  auto children = sys::open_at(dir, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!children.ok()) return {};
  for (const sys::DirectoryEntry& child : TRY(sys::list_directory(children->get())))
    TRY(archive_below(archiver, dir, path + "/" + child.name));
  return {};
}

}  // namespace

Status copy_to_tar(const CopyPlace& from, const CopyOptions& options, oci::ByteSink sink) {
  const Source source = TRY(find_source(from, options.follow_link));
  oci::TarWriter writer(std::move(sink));
  if (source.contents || source.at.name == ".") {
    const Fd root = TRY(sys::open_at(source.at.parent.get(), source.at.name.c_str(), O_RDONLY | O_DIRECTORY));
    oci::TreeArchiver archiver(writer, root.get());
    TRY(archiver.add_tree());
    return writer.finish();
  }
  const Fd root = TRY(sys::open_at(source.at.parent.get(), ".", O_RDONLY | O_DIRECTORY));
  oci::TreeArchiver archiver(writer, root.get());
  TRY(archive_below(archiver, root.get(), source.at.name));
  return writer.finish();
}

Status copy_from_tar(oci::ByteSource& tar, const CopyPlace& to) {
  auto root = sys::open_in_root(to.root.get(), words_of(to.path).path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!root.ok())
    return Error::of(ErrorKind::invalid, "destination must be a directory: %s", to.shown.c_str());
  TRY(oci::apply_layer(tar, root->get(), {}));
  return {};
}

}  // namespace slipway::manager
