// /proc/PID/mountinfo.
#include "src/sys/mountinfo.h"

#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

void reads_lines(void**) {
  const std::vector<sys::MountEntry> mounts = sys::parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:3 - ext3 /dev/root rw,errors=continue\n"
      "nonsense\n"
      "x 35 98:0 / /y rw - ext3 /dev/root rw\n"
      "37 36 0:45 / /a\\040b\\134 rw - tmpfs tmpfs rw");
  assert_int_equal(mounts.size(), 2);
  assert_int_equal(mounts[0].id, 36);
  assert_string_equal(mounts[0].device.c_str(), "98:0");
  assert_string_equal(mounts[0].root.c_str(), "/mnt1");
  assert_string_equal(mounts[0].mountpoint.c_str(), "/mnt2");
  assert_string_equal(mounts[0].propagation.c_str(), "master:1 shared:3");
  assert_string_equal(mounts[0].type.c_str(), "ext3");
  assert_string_equal(mounts[0].options.c_str(), "rw,errors=continue");
  assert_string_equal(mounts[1].mountpoint.c_str(), "/a b\\");
  assert_string_equal(mounts[1].propagation.c_str(), "");
  assert_string_equal(mounts[1].type.c_str(), "tmpfs");
}

void reads_its_own(void**) {
  const Result<std::vector<sys::MountEntry>> own = sys::read_mountinfo(0);
  assert_true(own.ok());
  assert_true(!own.value().empty());
  Result<sys::MountEntry> proc = sys::find_mount("/proc/self");
  assert_true(proc.ok());
  assert_string_equal(proc->type.c_str(), "proc");
  assert_true(sys::find_mount("/no/such/path").error().kind() == ErrorKind::not_found);
}

void knows_what_is_below(void**) {
  assert_true(sys::is_below("/", "/"));
  assert_true(sys::is_below("/a", "/"));
  assert_true(sys::is_below("/a", "/a"));
  assert_true(sys::is_below("/a/b", "/a"));
  assert_false(sys::is_below("/ab", "/a"));
  assert_false(sys::is_below("/", "/a"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_lines),
      cmocka_unit_test(reads_its_own),
      cmocka_unit_test(knows_what_is_below),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
