// Paths inside a root, by openat2 and by the walk that stands in for it.
#include "src/sys/path.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <string>

#include <linux/filter.h>

#include "src/sys/kernel.h"
#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

/// TMPDIR/root is the root directory, TMPDIR/outside must never be touched.
struct Tree {
  std::string top;
  Fd root;
  ino_t inode(const char* path) const {
    struct stat info = {};
    return fstatat(root.get(), path, &info, AT_SYMLINK_NOFOLLOW) == 0 ? info.st_ino : 0;
  }
};

Tree make_tree() {
  Tree tree;
  std::string name = std::string(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp") + "/path.XXXXXX";
  tree.top = mkdtemp(name.data());
  const std::string command =
      "cd " + tree.top +
      " && mkdir -p root/a/b root/etc outside && echo in >root/etc/file &&"
      " echo out >outside/file && ln -s /etc root/abs && ln -s ../../../../etc root/up &&"
      " ln -s ../../../../../outside root/a/escape && ln -s loop root/loop &&"
      " ln -s /run/x/stub root/etc/dangling && ln -s file root/etc/link";
  assert_int_equal(system(command.c_str()), 0);
  tree.root = Fd(open((tree.top + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  assert_true(static_cast<bool>(tree.root));
  return tree;
}

void remove_tree(const Tree& tree) {
  assert_int_equal(system(("rm -rf " + tree.top).c_str()), 0);
}

std::string read_in(const Tree& tree, const char* path) {
  auto fd = sys::open_in_root(tree.root.get(), path, O_RDONLY);
  if (!fd.ok()) return "error " + std::to_string(fd.error().code());
  char text[16] = "";
  const ssize_t size = read(fd->get(), text, sizeof text - 1);
  return size > 0 ? std::string(text, static_cast<size_t>(size) - 1) : "";
}

void check_all() {
  const Tree tree = make_tree();
  assert_string_equal(read_in(tree, "/etc/file").c_str(), "in");
  assert_string_equal(read_in(tree, "etc//./file").c_str(), "in");
  assert_string_equal(read_in(tree, "/abs/file").c_str(), "in");
  assert_string_equal(read_in(tree, "/up/link").c_str(), "in");
  assert_string_equal(read_in(tree, "/a/b/../../../../etc/file").c_str(), "in");
  assert_string_equal(read_in(tree, "/a/escape/file").c_str(), ("error " + std::to_string(ENOENT)).c_str());
  assert_string_equal(read_in(tree, "/loop").c_str(), ("error " + std::to_string(ELOOP)).c_str());
  assert_string_equal(read_in(tree, "/etc/file/x").c_str(), ("error " + std::to_string(ENOTDIR)).c_str());

  // What is missing is made inside, also behind links to nothing and links that try to leave.
  assert_true(sys::make_directories_in_root(tree.root.get(), "/x/y/z").ok());
  assert_int_not_equal(tree.inode("x/y/z"), 0);
  assert_true(sys::make_directories_in_root(tree.root.get(), "/etc/dangling").ok());
  assert_int_not_equal(tree.inode("run/x/stub"), 0);
  assert_true(sys::make_directories_in_root(tree.root.get(), "/a/escape/d").ok());
  assert_int_not_equal(tree.inode("outside/d"), 0);
  assert_int_not_equal(access((tree.top + "/outside/d").c_str(), F_OK), 0);
  struct stat info = {};
  auto root = sys::make_directories_in_root(tree.root.get(), "/..");
  assert_true(root.ok() && fstat(root->get(), &info) == 0 && info.st_ino == tree.inode("."));

  // The last component itself.
  auto link = sys::open_in_root(tree.root.get(), "/etc/link", O_PATH | O_NOFOLLOW);
  assert_true(link.ok() && fstat(link->get(), &info) == 0 && S_ISLNK(info.st_mode));
  assert_false(sys::open_in_root(tree.root.get(), "/etc/dangling2/x", O_WRONLY | O_CREAT, 0600).ok());
  assert_false(sys::open_in_root(tree.root.get(), "/etc/link", O_WRONLY | O_CREAT, 0600).ok());
  assert_true(sys::open_in_root(tree.root.get(), "/abs/new", O_WRONLY | O_CREAT | O_EXCL, 0600).ok());
  assert_int_not_equal(tree.inode("etc/new"), 0);
  std::string name;
  auto parent = sys::open_parent_in_root(tree.root.get(), "/up/name/", false, &name);
  assert_true(parent.ok() && name == "name" && fstat(parent->get(), &info) == 0);
  assert_int_equal(info.st_ino, tree.inode("etc"));
  parent = sys::open_parent_in_root(tree.root.get(), "/", false, &name);
  assert_true(parent.ok() && name == ".");
  assert_false(sys::open_parent_in_root(tree.root.get(), "/a/..", false, &name).ok());
  remove_tree(tree);
}

void with_openat2(void**) {
  check_all();
}

/// Forbids openat2 as old seccomp profiles do.
void forbid_openat2() {
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program = {4, code};
  assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

void without_openat2(void**) {
  forbid_openat2();  // for good: the last test
  assert_int_equal(sys::openat2(AT_FDCWD, ".", O_PATH, 0), -1);
  check_all();
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(with_openat2), cmocka_unit_test(without_openat2)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
