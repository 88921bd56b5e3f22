// The part of mount.h that the child may use.
#include <cstring>

#include "src/sys/kernel.h"
#include "src/sys/mount.h"

namespace slipway::sys {
namespace {

constexpr size_t kMaxLayers = 512;  // overlay takes 500

int fail(MountFailure& failure, const char* action, const char* object, bool try_legacy = false) {
  failure.action = action;
  failure.object = object;
  failure.code = errno;
  failure.try_legacy = try_legacy;
  return -1;
}

/// "/proc/self/fd/N", for keys that take descriptors only since a later kernel.
void fd_path(int fd, char (&path)[40]) {
  char digits[12];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + fd % 10);
  } while (fd /= 10);
  strcpy(path, "/proc/self/fd/");
  size_t at = strlen(path);
  while (count) path[at++] = digits[--count];
  path[at] = '\0';
}

/// Detached mounts that others are made of. They dissolve when their descriptor is closed before the end.
struct Layers {
  int fds[kMaxLayers];
  size_t count = 0;
  ~Layers() {
    while (count) close(fds[--count]);
  }
};

int set_layer(int context, const MountSpec& spec, const MountSpec::Option& option, Layers& layers,
              MountFailure& failure) {
  if (static_cast<size_t>(option.layer) >= spec.layers.size() || layers.count == kMaxLayers) {
    errno = E2BIG;
    return fail(failure, "fsconfig", option.key.c_str());
  }
  const int layer = open_mount(spec.layers[static_cast<size_t>(option.layer)], -1, failure);
  if (layer < 0) return -1;
  layers.fds[layers.count++] = layer;
  if (fsconfig(context, FSCONFIG_SET_FD, option.key.c_str(), nullptr, layer) == 0) return 0;
  // Before 6.13 overlay takes no descriptors.
  char path[40];
  fd_path(layer, path);
  if (fsconfig(context, FSCONFIG_SET_STRING, option.key.c_str(), path, 0) == 0) return 0;
  return fail(failure, "fsconfig", option.key.c_str());
}

int configure(int context, const MountSpec& spec, Layers& layers, MountFailure& failure) {
  if (!spec.source.empty() && fsconfig(context, FSCONFIG_SET_STRING, "source", spec.source.c_str(), 0) < 0)
    return fail(failure, "fsconfig", spec.source.c_str());
  for (const MountSpec::Option& option : spec.options) {
    if (option.layer >= 0) {
      if (set_layer(context, spec, option, layers, failure) < 0) return -1;
      continue;
    }
    const bool flag = option.value.empty();
    if (fsconfig(context, flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, option.key.c_str(),
                 flag ? nullptr : option.value.c_str(), 0) < 0) {
      // Before 6.7 overlay does not know lowerdir+.
      const bool old = errno == EINVAL && !spec.legacy.empty();
      return fail(failure, "set", flag ? option.key.c_str() : option.value.c_str(), old);
    }
  }
  if (spec.read_only && fsconfig(context, FSCONFIG_SET_FLAG, "ro", nullptr, 0) < 0)
    return fail(failure, "set", "ro");
  if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    // Before 6.5 overlay takes any key, and complains at the end.
    const bool old = errno == EINVAL && !spec.legacy.empty();
    return fail(failure, "create", spec.source.empty() ? nullptr : spec.source.c_str(), old);
  }
  return 0;
}

int open_filesystem(const MountSpec& spec, MountFailure& failure) {
  failure.context = Fd(fsopen(spec.type.c_str(), FSOPEN_CLOEXEC));
  const int context = failure.context.get();
  if (context < 0)
    return fail(failure, "open file system", spec.type.c_str(), errno == ENOSYS && !spec.legacy.empty());
  Layers layers;
  if (configure(context, spec, layers, failure) < 0) return -1;
  const int mount = fsmount(context, FSMOUNT_CLOEXEC, spec.read_only ? MOUNT_ATTR_RDONLY : 0);
  if (mount < 0) return fail(failure, "fsmount", spec.type.c_str());
  failure.context.reset();
  return mount;
}

int open_bind(const MountSpec& spec, MountFailure& failure) {
  Fd tree(open_tree(AT_FDCWD, spec.source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  if (!tree) return fail(failure, "open", spec.source.c_str(), errno == ENOSYS);
  if (spec.read_only) {
    mount_attr attributes = {};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (mount_setattr(tree.get(), "", AT_EMPTY_PATH, attributes) < 0)
      return fail(failure, "make read-only", spec.source.c_str(), errno == ENOSYS);
  }
  return tree.release();
}

int mount_legacy(const MountSpec& spec, const char* target, MountFailure& failure) {
  const unsigned long read_only = spec.read_only ? MS_RDONLY : 0;
  if (spec.kind == MountSpec::Kind::bind) {
    if (mount(spec.source.c_str(), target, nullptr, MS_BIND | MS_REC, nullptr) < 0)
      return fail(failure, "bind", spec.source.c_str());
    if (read_only && mount(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) < 0)
      return fail(failure, "make read-only", spec.source.c_str());
  } else {
    if (!spec.legacy_cwd.empty() && chdir(spec.legacy_cwd.c_str()) < 0)
      return fail(failure, "chdir", spec.legacy_cwd.c_str());
    if (mount(spec.source.c_str(), target, spec.type.c_str(), read_only, spec.legacy.c_str()) < 0)
      return fail(failure, "mount", target);
    for (const std::string& options : spec.legacy_remounts)
      if (mount(spec.source.c_str(), target, spec.type.c_str(), MS_REMOUNT | read_only, options.c_str()) < 0)
        return fail(failure, "remount", options.c_str());
  }
  const int root = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return root < 0 ? fail(failure, "open", target) : root;
}

}  // namespace

int open_mount(const MountSpec& spec, int idmap, MountFailure& failure) {
  if (spec.kind == MountSpec::Kind::filesystem && spec.options.empty() && !spec.legacy.empty()) {
    errno = EOPNOTSUPP;
    return fail(failure, "open file system", spec.type.c_str(), true);
  }
  Fd tree(spec.kind == MountSpec::Kind::bind ? open_bind(spec, failure) : open_filesystem(spec, failure));
  if (!tree) return -1;
  if (idmap >= 0) {
    mount_attr attributes = {};
    attributes.attr_set = MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<uint64_t>(idmap);
    if (mount_setattr(tree.get(), "", AT_EMPTY_PATH, attributes) < 0)
      return fail(failure, "map ids", spec.type.c_str());
  }
  return tree.release();
}

int mount_at(const MountSpec& spec, const char* target, int idmap, MountFailure& failure) {
  Fd tree(open_mount(spec, idmap, failure));
  if (!tree) {
    if (!failure.try_legacy || idmap >= 0) return -1;
    failure.context.reset();
    tree = Fd(mount_legacy(spec, target, failure));
    if (!tree) return -1;
  } else if (move_mount(tree.get(), "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
    return fail(failure, "attach", target);
  }
  if (spec.subdirectory.empty()) return tree.release();
  // On top of the whole; a part of a mount that is attached nowhere cannot be cloned (before 6.15).
  const char* part = spec.subdirectory.c_str();
  Fd inner(open_tree(tree.get(), part, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW));
  if (!inner) return fail(failure, "open", part);
  if (move_mount(inner.get(), "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return fail(failure, "attach", part);
  return inner.release();
}

}  // namespace slipway::sys
