// Copying trees, comparing them, removing them; the same changes found in an overlay layer made by hand.
#include "drivers/naive_diff.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>

#include "drivers/copy_tree.h"
#include "drivers/tree_usage.h"
#include "drivers/union_changes.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::drivers;

namespace {

struct Room {
  std::string path;
  Room() {
    char place[] = "/tmp/slipway-diff-XXXXXX";
    path = mkdtemp(place);
  }
  ~Room() { (void)sys::remove_tree(AT_FDCWD, path.c_str()); }
  Fd dir(const char* name) const {
    const std::string full = path + "/" + name;
    mkdir(full.c_str(), 0755);
    chmod(full.c_str(), 0755);
    return Fd(open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
};

void put(const Fd& dir, const char* path, const char* text) {
  const Fd fd(openat(dir.get(), path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  assert_true(static_cast<bool>(fd));
  assert_int_equal(write(fd.get(), text, strlen(text)), strlen(text));
}

std::string listing(Result<std::vector<Change>> changes) {
  assert_true(changes.ok());
  std::string text;
  for (const Change& change : *changes) {
    text += change.kind == ChangeKind::added ? "A" : change.kind == ChangeKind::deleted ? "D" : "C";
    text += " " + change.path + "\n";
  }
  return text;
}

void make_base(const Fd& dir) {
  mkdirat(dir.get(), "etc", 0755);
  mkdirat(dir.get(), "etc/deep", 0700);
  put(dir, "etc/passwd", "root");
  put(dir, "etc/deep/file", "deep");
  put(dir, "bin", "program");
  assert_int_equal(linkat(dir.get(), "bin", dir.get(), "bin2", 0), 0);
  assert_int_equal(symlinkat("etc/passwd", dir.get(), "link"), 0);
  assert_int_equal(mkfifoat(dir.get(), "fifo", 0600), 0);
  (void)fsetxattr(dir.get(), "user.colour", "red", 3, 0);
}

void copies_are_equal(void**) {
  const Room room;
  const Fd one = room.dir("one"), two = room.dir("two");
  make_base(one);
  const timespec times[2] = {{1, 5}, {1'000'000, 123'456'789}};
  utimensat(one.get(), "etc/passwd", times, 0);
  assert_int_equal(fchmodat(one.get(), "bin", 04755, 0), 0);
  const Fd sparse(openat(one.get(), "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  assert_int_equal(ftruncate(sparse.get(), 1 << 24), 0);
  assert_int_equal(pwrite(sparse.get(), "end", 3, (1 << 24) - 3), 3);
  assert_true(copy_tree(one.get(), two.get()).ok());
  assert_string_equal(listing(diff_trees(one.get(), two.get(), {})).c_str(), "");
  struct stat info = {}, other = {};
  fstatat(two.get(), "etc/passwd", &info, 0);
  assert_int_equal(info.st_mtim.tv_nsec, 123'456'789);
  fstatat(two.get(), "bin", &info, 0);
  fstatat(two.get(), "bin2", &other, 0);
  assert_int_equal(info.st_ino, other.st_ino);
  assert_int_equal(info.st_mode & 07777, 04755);
  fstatat(two.get(), "sparse", &info, 0);
  assert_int_equal(info.st_size, 1 << 24);
  assert_in_range(info.st_blocks, 0, 1024);
}

// What docker's diff says of the same changes.
constexpr char kWanted[] =
    "C /bin\n"  // a file became a directory
    "A /bin/in\n"
    "C /etc\n"
    "D /etc/deep\n"
    "C /etc/passwd\n"
    "C /fifo\n"
    "A /new\n"
    "A /new/sub\n"
    "A /new/sub/file\n";

void changes_by_walk(void**) {
  const Room room;
  const Fd one = room.dir("one"), two = room.dir("two");
  make_base(one);
  assert_true(copy_tree(one.get(), two.get()).ok());
  put(two, "etc/passwd", "toor!");
  assert_true(sys::remove_tree(two.get(), "etc/deep").ok());
  unlinkat(two.get(), "bin", 0);
  mkdirat(two.get(), "bin", 0755);
  put(two, "bin/in", "x");
  assert_int_equal(fchmodat(two.get(), "fifo", 0640, 0), 0);
  mkdirat(two.get(), "new", 0755);
  mkdirat(two.get(), "new/sub", 0755);
  put(two, "new/sub/file", "y");
  assert_string_equal(listing(diff_trees(one.get(), two.get(), {})).c_str(), kWanted);
}

void a_rewritten_file_with_its_old_time_is_found(void**) {
  const Room room;
  const Fd one = room.dir("one"), two = room.dir("two");
  make_base(one);
  assert_true(copy_tree(one.get(), two.get()).ok());
  struct stat info = {};
  fstat(two.get(), &info);
  const TreeOrigin origin = {TreeOrigin::Kind::copy, info.st_ctim};
  fstatat(two.get(), "etc/passwd", &info, 0);
  put(two, "etc/passwd", "r00t");
  const timespec times[2] = {info.st_atim, info.st_mtim};
  utimensat(two.get(), "etc/passwd", times, 0);
  assert_string_equal(listing(diff_trees(one.get(), two.get(), {})).c_str(), "");
  assert_string_equal(listing(diff_trees(one.get(), two.get(), origin)).c_str(), "C /etc\nC /etc/passwd\n");
}

void changes_of_an_overlay_layer(void**) {
  if (geteuid() != 0) skip();
  const Room room;
  const Fd one = room.dir("one"), upper = room.dir("upper");
  make_base(one);
  assert_true(copy_directory_metadata(one.get(), upper.get()).ok());
  mkdirat(upper.get(), "etc", 0755);
  put(upper, "etc/passwd", "toor!");
  assert_int_equal(mknodat(upper.get(), "etc/deep", S_IFCHR, makedev(0, 0)), 0);
  assert_int_equal(mknodat(upper.get(), "never-was", S_IFCHR, makedev(0, 0)), 0);
  mkdirat(upper.get(), "bin", 0755);
  put(upper, "bin/in", "x");
  mkfifoat(upper.get(), "fifo", 0600);
  assert_int_equal(fchmodat(upper.get(), "fifo", 0640, 0), 0);
  mkdirat(upper.get(), "new", 0755);
  mkdirat(upper.get(), "new/sub", 0755);
  put(upper, "new/sub/file", "y");
  put(upper, "bin2", "program");  // copied up and not changed
  struct stat info = {};
  fstatat(one.get(), "bin2", &info, 0);
  const timespec times[2] = {info.st_atim, info.st_mtim};
  utimensat(upper.get(), "bin2", times, 0);
  std::vector<Fd> lowers;
  lowers.push_back(room.dir("one"));
  assert_string_equal(listing(union_changes(upper.get(), lowers, UnionFormat::overlay)).c_str(), kWanted);
  Result<Usage> usage = usage_of_tree(upper.get());
  assert_int_equal(usage->bytes, 5 + 1 + 1 + 7);
}

void opaque_directories_and_three_layers(void**) {
  if (geteuid() != 0) skip();
  const Room room;
  std::vector<Fd> lowers;
  lowers.push_back(room.dir("middle"));
  lowers.push_back(room.dir("base"));
  const Fd upper = room.dir("upper");
  for (const char* name : {"d", "d/kept", "d/gone", "d/back"}) mkdirat(lowers[1].get(), name, 0755);
  put(lowers[1], "d/gone/x", "x");
  put(lowers[1], "d/file", "x");
  mkdirat(lowers[0].get(), "d", 0755);  // merged: hides `gone`, brings `mine`
  mknodat(lowers[0].get(), "d/gone", S_IFCHR, makedev(0, 0));
  put(lowers[0], "d/mine", "m");
  mkdirat(upper.get(), "d", 0755);
  mkdirat(upper.get(), "d/kept", 0755);
  mkdirat(upper.get(), "d/gone", 0755);
  if (lsetxattr((room.path + "/upper/d").c_str(), "trusted.overlay.opaque", "y", 1, 0) < 0) skip();
  assert_string_equal(listing(union_changes(upper.get(), lowers, UnionFormat::overlay)).c_str(),
                      "C /d\nD /d/back\nD /d/file\nA /d/gone\nD /d/mine\n");
  lremovexattr((room.path + "/upper/d").c_str(), "trusted.overlay.opaque");
  assert_string_equal(listing(union_changes(upper.get(), lowers, UnionFormat::overlay)).c_str(),
                      "C /d\nA /d/gone\n");
}

void removing_a_very_deep_tree(void**) {
  const Room room;
  Fd at = room.dir("deep");
  for (int depth = 0; depth < 3000; ++depth) {
    assert_int_equal(mkdirat(at.get(), "directory-name", 0700), 0);
    at = Fd(openat(at.get(), "directory-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  put(at, "file", "x");
  at.reset();
  const Fd top = room.dir(".");
  assert_int_equal(symlinkat("/etc", top.get(), "deep/etc"), 0);
  assert_true(sys::remove_tree(top.get(), "deep").ok());
  assert_int_equal(faccessat(top.get(), "deep", F_OK, AT_SYMLINK_NOFOLLOW), -1);
  assert_int_equal(access("/etc/passwd", F_OK), 0);
  assert_true(sys::remove_tree(top.get(), "deep").ok());  // it is gone already
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(copies_are_equal),
      cmocka_unit_test(changes_by_walk),
      cmocka_unit_test(a_rewritten_file_with_its_old_time_is_found),
      cmocka_unit_test(changes_of_an_overlay_layer),
      cmocka_unit_test(opaque_directories_and_three_layers),
      cmocka_unit_test(removing_a_very_deep_tree),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
