// Making trees, and reading them as text.
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <map>
#include <set>

#include "drivers/entry.h"
#include "drivers/staging.h"
#include "src/sys/mount.h"
#include "src/sys/remove_tree.h"
#include "tests/drivers/suite.h"

using namespace slipway;

namespace suite {
namespace {

#define sure(...)                                                             \
  do {                                                                        \
    if ((__VA_ARGS__) < 0) fail_msg("%s: %s", #__VA_ARGS__, strerror(errno)); \
  } while (0)

struct Parent {
  Fd dir;
  std::string name;
};
Parent parent_of(int dir, const char* path) {
  const char* slash = strrchr(path, '/');
  Parent parent;
  parent.dir =
      Fd(openat(dir, slash ? std::string(path, slash).c_str() : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.dir) fail_msg("no directory for `%s`: %s", path, strerror(errno));
  parent.name = slash ? slash + 1 : path;
  return parent;
}

uint64_t hash_of(int dir, const char* name) {
  const Fd fd(openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) fail_msg("open `%s`: %s", name, strerror(errno));
  uint64_t hash = 1469598103934665603ULL;
  char buffer[65536];
  for (ssize_t got; (got = read(fd.get(), buffer, sizeof buffer)) != 0;) {
    if (got < 0) fail_msg("read `%s`: %s", name, strerror(errno));
    for (ssize_t i = 0; i < got; ++i)
      hash = (hash ^ static_cast<unsigned char>(buffer[i])) * 1099511628211ULL;
  }
  return hash;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    char code[5];
    snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
    out += c > ' ' && c < 127 && c != '\\' ? std::string(1, c) : code;
  }
  return out;
}

std::string line_of(int dir, const std::string& name, const std::string& path, const struct stat& info,
                    std::map<ino_t, std::string>& links) {
  char text[160];
  snprintf(text, sizeof text, " %o %u:%u", info.st_mode, info.st_uid, info.st_gid);
  std::string line = escaped(path) + text;
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    snprintf(text, sizeof text, " dev %u:%u", major(info.st_rdev), minor(info.st_rdev));
    line += text;
  }
  if (!S_ISDIR(info.st_mode)) {
    snprintf(text, sizeof text, " %lld.%09ld", static_cast<long long>(info.st_mtim.tv_sec),
             info.st_mtim.tv_nsec);
    line += text;
    const std::string& first = links.try_emplace(info.st_ino, path).first->second;
    if (first != path) line += " same as " + escaped(first);
  }
  if (S_ISLNK(info.st_mode)) {
    char target[4096];
    const ssize_t length = readlinkat(dir, name.c_str(), target, sizeof target);
    line += " -> " + escaped(std::string(target, length > 0 ? static_cast<size_t>(length) : 0));
  }
  if (S_ISREG(info.st_mode)) {
    snprintf(text, sizeof text, " %lld bytes %016llx", static_cast<long long>(info.st_size),
             static_cast<unsigned long long>(hash_of(dir, name.c_str())));
    line += text;
  }
  if (abilities().attributes)
    for (const auto& [attribute, value] : need(drivers::read_attributes(dir, name.c_str())))
      line += " " + attribute + "=" + escaped(value);
  return line + "\n";
}

void read_tree(int tree, const std::string& path, std::map<ino_t, std::string>& links, std::string& text) {
  const Fd dir = need(drivers::open_below(tree, path));
  for (const std::string& name : need(drivers::names_in(dir.get(), "."))) {
    if (path.empty() && (name == "lost+found")) continue;
    struct stat info = {};
    sure(fstatat(dir.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW));
    const std::string below = path.empty() ? name : path + "/" + name;
    text += line_of(dir.get(), name, below, info, links);
    if (S_ISDIR(info.st_mode)) read_tree(tree, below, links, text);
  }
}

}  // namespace

Fd view(drivers::Driver& driver, std::string_view id) {
  const sys::MountSpec spec = need(driver.mounts(id));
  const Fd root = need(sys::mount_detached(spec));
  Fd dir(openat(root.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) fail_msg("open the tree of a layer: %s", strerror(errno));
  return dir;
}

std::string manifest(int tree) {
  std::map<ino_t, std::string> links;
  struct stat info = {};
  sure(fstat(tree, &info));
  std::string text = line_of(tree, ".", "", info, links);
  read_tree(tree, "", links, text);
  return text;
}

std::string listing(const std::vector<drivers::Change>& changes) {
  std::string text;
  for (const drivers::Change& change : changes) {
    const char* kind = change.kind == drivers::ChangeKind::added     ? "A "
                       : change.kind == drivers::ChangeKind::deleted ? "D "
                                                                     : "C ";
    text += kind + escaped(change.path) + "\n";
  }
  return text;
}

std::string names_below(const std::string& path) {
  std::string text;
  for (const std::string& name : need(drivers::names_in(AT_FDCWD, path.c_str()))) {
    text += name + "\n";
    const Result<std::vector<std::string>> inner = drivers::names_in(AT_FDCWD, (path + "/" + name).c_str());
    if (!inner.ok()) continue;
    for (const std::string& below : inner.value())
      if (!below.starts_with(".group-")) text += name + "/" + below + "\n";
  }
  return text;
}

void assert_same_lines(const char* what, const std::string& shown, const std::string& wanted) {
  if (shown == wanted) return;
  const auto lines = [](const std::string& text) {
    std::set<std::string> set;
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
      set.insert(text.substr(at, end - at));
    return set;
  };
  const std::set<std::string> is = lines(shown), should = lines(wanted);
  for (const std::string& line : is)
    if (!should.count(line)) print_error("%s is     %s\n", what, line.c_str());
  for (const std::string& line : should)
    if (!is.count(line)) print_error("%s should %s\n", what, line.c_str());
  fail_msg("%s differs", what);
}

Editor::Editor(const drivers::Stage& stage, const drivers::Driver& driver) : dir_(stage.root()) {
  form_ = Form::whole;
  if (driver.whiteouts() == drivers::Whiteouts::overlay) form_ = Form::overlay;
  if (driver.whiteouts() == drivers::Whiteouts::aufs) form_ = Form::aufs;
  user_xattr_ = driver.capabilities().user_xattr;
}

Editor::Editor(Fd tree) : owned_(std::move(tree)), dir_(owned_.get()) {}

void Editor::stamp(const char* path) {
  const timespec time = {clock_++, 123'456'789};
  const timespec times[2] = {time, time};
  sure(utimensat(dir_, path, times, AT_SYMLINK_NOFOLLOW));
}

// Takes away what stands at a path, a whiteout too.
void Editor::clear(const char* path) {
  Parent parent = parent_of(dir_, path);
  need(sys::remove_tree(parent.dir.get(), parent.name.c_str()));
  if (form_ == Form::aufs) unlinkat(parent.dir.get(), (".wh." + parent.name).c_str(), 0);
}

void Editor::file(const char* path, std::string_view text, mode_t mode) {
  if (form_ != Form::mounted) clear(path);
  const Fd fd(openat(dir_, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd) fail_msg("make `%s`: %s", path, strerror(errno));
  sure(write(fd.get(), text.data(), text.size()));
  sure(fchmod(fd.get(), mode));
  stamp(path);
}

void Editor::append(const char* path, std::string_view text) {
  const Fd fd(openat(dir_, path, O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd) fail_msg("open `%s`: %s", path, strerror(errno));
  sure(write(fd.get(), text.data(), text.size()));
  stamp(path);
}

void Editor::directory(const char* path, mode_t mode) {
  struct stat info = {};
  if (fstatat(dir_, path, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(info.st_mode)) {
    clear(path);
    sure(mkdirat(dir_, path, mode));
  }
  sure(fchmodat(dir_, path, mode, 0));
}

void Editor::link(const char* existing, const char* path) {
  clear(path);
  sure(linkat(dir_, existing, dir_, path, 0));
}

void Editor::symlink(const char* target, const char* path) {
  clear(path);
  sure(symlinkat(target, dir_, path));
  stamp(path);
}

void Editor::node(const char* path, mode_t mode, unsigned major_number, unsigned minor_number) {
  clear(path);
  sure(mknodat(dir_, path, mode, makedev(major_number, minor_number)));
  sure(fchmodat(dir_, path, mode & 07777, 0));
  stamp(path);
}

void Editor::attribute(const char* path, const char* name, std::string_view value) {
  if (!abilities().attributes) return;
  sure(lsetxattr(sys::proc_path(dir_, path).c_str(), name, value.data(), value.size(), 0));
}
void Editor::mode(const char* path, mode_t mode) {
  sure(fchmodat(dir_, path, mode, 0));
}
void Editor::owner(const char* path, uid_t uid, gid_t gid) {
  sure(fchownat(dir_, path, uid, gid, AT_SYMLINK_NOFOLLOW));
}
void Editor::rename(const char* from, const char* to) {
  sure(renameat(dir_, from, dir_, to));
}

void Editor::remove(const char* path) {
  clear(path);
  Parent parent = parent_of(dir_, path);
  if (form_ == Form::overlay) sure(mknodat(dir_, path, S_IFCHR, makedev(0, 0)));
  if (form_ == Form::aufs) sure(mknodat(parent.dir.get(), (".wh." + parent.name).c_str(), S_IFREG | 0444, 0));
}

void Editor::replace_directory(const char* path, mode_t mode) {
  clear(path);
  sure(mkdirat(dir_, path, mode));
  sure(fchmodat(dir_, path, mode, 0));
  if (form_ == Form::overlay)
    attribute(path, user_xattr_ ? "user.overlay.opaque" : "trusted.overlay.opaque", "y");
  if (form_ == Form::aufs)
    sure(mknodat(dir_, (std::string(path) + "/.wh..wh..opq").c_str(), S_IFREG | 0444, 0));
}

void Editor::touch_nothing(const char* path) {
  const Fd fd(openat(dir_, path, O_WRONLY | O_CLOEXEC));
  if (!fd) fail_msg("open `%s`: %s", path, strerror(errno));
}

}  // namespace suite
