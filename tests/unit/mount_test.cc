// Mounts that are attached nowhere.
// labels: root
#include "src/sys/mount.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "src/sys/file.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using sys::MountSpec;

namespace {

std::string make_layers() {
  std::string name = std::string(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp") + "/mount.XXXXXX";
  const std::string top = mkdtemp(name.data());
  assert_int_equal(
      system(("cd " + top + " && mkdir a b upper work target && echo a >a/a && echo b >b/b").c_str()), 0);
  return top;
}

void remove_layers(const std::string& top) {
  assert_int_equal(system(("rm -rf " + top).c_str()), 0);
}

std::string mount_table() {
  return sys::read_file_at(AT_FDCWD, "/proc/self/mountinfo", 16 << 20).value();
}

MountSpec overlay(const std::string& top) {
  MountSpec spec;
  spec.kind = MountSpec::Kind::filesystem;
  spec.type = spec.source = "overlay";
  spec.options = {{"lowerdir+", top + "/b"}, {"lowerdir+", top + "/a"}};
  spec.target = top + "/target";
  return spec;
}

void check_tree(const MountSpec& spec, bool writable) {
  const std::string before = mount_table();
  auto tree = sys::mount_detached(spec);
  if (!tree.ok()) fail_msg("%s", tree.error().text());
  assert_string_equal(sys::read_file_at(tree->get(), "a", 10).value().c_str(), "a\n");
  assert_string_equal(sys::read_file_at(tree->get(), "b", 10).value().c_str(), "b\n");
  auto file = sys::open_at(tree->get(), "new", O_WRONLY | O_CREAT, 0600);
  assert_int_equal(file.ok(), writable);
  assert_string_equal(mount_table().c_str(), before.c_str());
}

void overlay_of_paths(void**) {
  const std::string top = make_layers();
  check_tree(overlay(top), false);
  MountSpec writable = overlay(top);
  writable.options.push_back({"upperdir", top + "/upper"});
  writable.options.push_back({"workdir", top + "/work"});
  check_tree(writable, true);
  assert_int_equal(access((top + "/upper/new").c_str(), F_OK), 0);
  remove_layers(top);
}

void by_mount_2(void**) {
  const std::string top = make_layers();
  MountSpec spec = overlay(top);
  spec.options.clear();
  spec.legacy_cwd = top;
  spec.legacy = "lowerdir=b:a,upperdir=upper,workdir=work";
  check_tree(spec, true);
  // A key that this kernel does not know leads there too.
  spec.options = {{"no-such-key", "x"}};
  check_tree(spec, true);
  remove_layers(top);
}

void overlay_of_mounts(void**) {
  const std::string top = make_layers();
  MountSpec spec = overlay(top);
  spec.options = {{"lowerdir+", "", 0}, {"lowerdir+", top + "/a"}};
  MountSpec bind;
  bind.source = top + "/b";
  spec.layers.push_back(bind);
  check_tree(spec, false);
  remove_layers(top);
}

void binds(void**) {
  const std::string top = make_layers();
  MountSpec spec;
  spec.source = top + "/a";
  spec.read_only = true;
  auto tree = sys::mount_detached(spec);
  assert_true(tree.ok());
  assert_false(sys::open_at(tree->get(), "new", O_WRONLY | O_CREAT, 0600).ok());
  spec.read_only = false;
  spec.uid_map = spec.gid_map = {{0, 1000, 10}};
  tree = sys::mount_detached(spec);
  if (!tree.ok()) fail_msg("%s", tree.error().text());
  struct stat info = {};
  assert_int_equal(fstatat(tree->get(), "a", &info, 0), 0);
  assert_int_equal(info.st_uid, 1000);
  remove_layers(top);
}

void errors_tell_what(void**) {
  const std::string top = make_layers();
  MountSpec spec = overlay(top);
  spec.options[0].value = top + "/missing";
  auto tree = sys::mount_detached(spec);
  assert_false(tree.ok());
  assert_int_equal(tree.error().code(), ENOENT);
  assert_non_null(strstr(tree.error().text(), "/missing"));
  spec.type = "no-such-type";
  tree = sys::mount_detached(spec);
  assert_false(tree.ok());
  assert_int_equal(static_cast<int>(tree.error().kind()), static_cast<int>(ErrorKind::unsupported));
  remove_layers(top);
}

}  // namespace

int main() {
  if (geteuid() != 0) return 77;
  const CMUnitTest tests[] = {cmocka_unit_test(overlay_of_paths), cmocka_unit_test(by_mount_2),
                              cmocka_unit_test(overlay_of_mounts), cmocka_unit_test(binds),
                              cmocka_unit_test(errors_tell_what)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
