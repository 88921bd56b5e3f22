#include "src/sys/path_walk.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/base/fd.h"
#include "src/sys/kernel.h"

namespace slipway::sys {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel
constexpr int kPath = O_PATH | O_NOFOLLOW | O_CLOEXEC;

/// A resolution under way: `done` has been resolved to `at`, `rest` is still to come.
struct Walk {
  int root;
  Fd at;  // none: the root itself
  char done[PATH_MAX] = "";
  char rest[PATH_MAX + PATH_MAX];
  int links = 0;

  int dir() const { return at ? at.get() : root; }
};

int fail(int code) {
  errno = code;
  return -1;
}

/// Takes the next component off `rest`; false at the end. *last tells whether nothing but slashes follows.
bool take(Walk& walk, char (&name)[NAME_MAX + 1], bool* last, bool* too_long) {
  const char* start = walk.rest + strspn(walk.rest, "/");
  const size_t length = strcspn(start, "/");
  if (length == 0) return false;
  *too_long = length > NAME_MAX;
  if (!*too_long) {
    memcpy(name, start, length);
    name[length] = '\0';
  }
  const char* next = start + length;
  *last = next[strspn(next, "/")] == '\0';
  memmove(walk.rest, next, strlen(next) + 1);
  return true;
}

/// Goes back to the directory above: from the root down again, since the tree may be moved meanwhile.
int step_up(Walk& walk) {
  char* slash = strrchr(walk.done, '/');
  if (!slash) return 0;  // above the root is the root
  *slash = '\0';
  walk.at.reset();
  for (char* start = walk.done; *start;) {
    char* name = start + 1;
    char* end = strchrnul(name, '/');
    const char kept = *end;
    *end = '\0';
    Fd next(openat(walk.dir(), name, kPath | O_DIRECTORY));
    *end = kept;
    if (!next) return -1;
    walk.at = static_cast<Fd&&>(next);
    start = end;
  }
  return 0;
}

/// Puts a link's text in front of what is still to come.
int expand(Walk& walk, const char* link, size_t length) {
  if (++walk.links > kMaxLinks) return fail(ELOOP);
  const size_t rest = strlen(walk.rest) + 1;
  if (length + 1 + rest > sizeof walk.rest) return fail(ENAMETOOLONG);
  memmove(walk.rest + length + 1, walk.rest, rest);
  memcpy(walk.rest, link, length);
  walk.rest[length] = '/';
  if (link[0] == '/') {
    walk.at.reset();
    walk.done[0] = '\0';
  }
  return 0;
}

/// Opens one component, making it when it is missing and wanted.
int open_component(const Walk& walk, const char* name, bool last, unsigned how) {
  int fd = openat(walk.dir(), name, kPath);
  if (fd >= 0 || errno != ENOENT || !(how & kWalkMakeDirectories)) return fd;
  const bool file = last && how & kWalkMakeFile;
  const int made = file ? mknodat(walk.dir(), name, S_IFREG | 0644, 0) : mkdirat(walk.dir(), name, 0755);
  if (made < 0 && errno != EEXIST) return -1;
  return openat(walk.dir(), name, kPath);
}

int descend(Walk& walk, const char* name) {
  const size_t done = strlen(walk.done);
  const size_t length = strlen(name);
  if (done + 1 + length >= sizeof walk.done) return fail(ENAMETOOLONG);
  walk.done[done] = '/';
  memcpy(walk.done + done + 1, name, length + 1);
  return 0;
}

int walk_components(int root, const char* path, int flags, unsigned how) {
  Walk walk;
  walk.root = root;
  const size_t length = strlen(path);
  if (length >= PATH_MAX) return fail(ENAMETOOLONG);
  memcpy(walk.rest, path, length + 1);
  char name[NAME_MAX + 1];
  bool last = false;
  bool too_long = false;
  while (take(walk, name, &last, &too_long)) {
    if (too_long) return fail(ENAMETOOLONG);
    if (strcmp(name, ".") == 0) continue;
    if (strcmp(name, "..") == 0) {
      if (step_up(walk) < 0) return -1;
      continue;
    }
    Fd next(open_component(walk, name, last, how));
    if (!next) return -1;
    char link[PATH_MAX];
    // With an empty path the link itself is read; anything else than a link is ENOENT.
    const ssize_t text = readlinkat(next.get(), "", link, sizeof link);
    if (text >= 0 && !(last && how & kWalkNoFollow)) {
      if (how & kWalkNoSymlinks) return fail(ELOOP);
      if (text == 0 || static_cast<size_t>(text) >= sizeof link) return fail(ENAMETOOLONG);
      if (expand(walk, link, static_cast<size_t>(text)) < 0) return -1;
      continue;
    }
    // With O_NOFOLLOW: should it have become a link since, that is an error and not a way out.
    if (last && (flags & O_ACCMODE || !(flags & O_PATH) || flags & O_DIRECTORY))
      return openat(walk.dir(), name, flags | O_NOFOLLOW | O_CLOEXEC);
    if (last) return next.release();
    if (descend(walk, name) < 0) return -1;
    walk.at = static_cast<Fd&&>(next);
  }
  return openat(walk.dir(), ".", flags | O_CLOEXEC);
}

uint64_t resolve_flags(unsigned how) {
  return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (how & kWalkNoSymlinks ? RESOLVE_NO_SYMLINKS : 0u);
}

int open_by_kernel(int root, const char* path, int flags, unsigned how) {
  const auto open_flags = static_cast<uint64_t>(flags | (how & kWalkNoFollow ? O_NOFOLLOW : 0));
  int fd = -1;
  // EAGAIN: a rename or a mount somewhere raced with a ".." of ours.
  for (int tries = 0; tries < 64; ++tries) {
    fd = openat2(root, path, open_flags, resolve_flags(how));
    if (fd >= 0 || errno != EAGAIN) break;
  }
  return fd;
}

/// A path without its last component, "." where it has no other.
struct Parent {
  char path[PATH_MAX];
  const char* name;  // the last component, in the path that was split

  bool split(const char* whole) {
    const char* const slash = strrchr(whole, '/');
    const size_t length = slash ? static_cast<size_t>(slash - whole) : 0;
    name = slash ? slash + 1 : whole;
    if (length >= sizeof path) return false;
    memcpy(path, whole, length);
    strcpy(path + length, length ? "" : ".");
    return true;
  }
};

/// The usual case of something missing: only the last component is. -1 and ENOENT: walk.
int make_last(int root, const char* path, unsigned how) {
  Parent above;
  if (!above.split(path)) return fail(ENOENT);
  const char* const name = above.name;
  if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return fail(ENOENT);
  const Fd parent(open_by_kernel(root, above.path, O_PATH | O_DIRECTORY, how & ~kWalkNoFollow));
  if (!parent) return fail(ENOENT);
  const int made = how & kWalkMakeFile ? mknodat(parent.get(), name, S_IFREG | 0644, 0)
                                       : mkdirat(parent.get(), name, 0755);
  // EEXIST: a link that points to nothing.
  if (made < 0) return errno == EEXIST ? fail(ENOENT) : -1;
  return openat(parent.get(), name, kPath | (how & kWalkMakeFile ? 0 : O_DIRECTORY));
}

}  // namespace

int walk_in_root(int root, const char* path, int flags, unsigned walk, bool* made) {
  if (made) *made = false;
  int fd = open_by_kernel(root, path, flags, walk);
  if (fd >= 0) return fd;
  // Seccomp profiles older than openat2 say EPERM.
  if (errno == ENOSYS || errno == EPERM || errno == EAGAIN) return walk_components(root, path, flags, walk);
  if (errno != ENOENT || !(walk & kWalkMakeDirectories)) return -1;
  if (made) *made = true;
  if (flags & O_PATH) {
    fd = make_last(root, path, walk);
    if (fd >= 0 || errno != ENOENT) return fd;
  }
  return walk_components(root, path, flags, walk);
}

int walk_to_parent(int root, const char* path, unsigned walk, const char** name) {
  Parent parent;
  if (!parent.split(path)) return fail(ENAMETOOLONG);
  *name = parent.name;
  return walk_in_root(root, parent.path, O_PATH | O_DIRECTORY, walk);
}

}  // namespace slipway::sys
