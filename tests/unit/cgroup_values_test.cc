// Conversions from config.json to control files, paths, and what the kernel prints: pure functions.
#include "src/runtime/cgroup_values.h"

#include "src/runtime/cgroup_control.h"
#include "src/runtime/cgroup_path.h"
#include "src/sys/cgroup.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::runtime;

static void shares_become_weight(void**) {
  assert_int_equal(cpu_weight_of_shares(0), 0);
  assert_int_equal(cpu_weight_of_shares(1), 1);
  assert_int_equal(cpu_weight_of_shares(2), 1);
  assert_int_equal(cpu_weight_of_shares(1024), 100);
  assert_int_equal(cpu_weight_of_shares(262144), 10000);
  assert_int_equal(cpu_weight_of_shares(UINT64_MAX), 10000);
  uint64_t before = 0;
  for (uint64_t shares = 2; shares <= 262144; shares += shares / 7 + 1) {
    const uint64_t weight = cpu_weight_of_shares(shares);
    assert_true(weight >= 1 && weight <= 10000 && weight >= before);
    before = weight;
  }
}

static void block_weight_becomes_io_weight(void**) {
  assert_int_equal(io_weight_of_blkio(0), 0);
  assert_int_equal(io_weight_of_blkio(10), 1);
  assert_int_equal(io_weight_of_blkio(1000), 10000);
  assert_int_equal(io_weight_of_blkio(500), 1 + 490 * 9999 / 990);
}

static void check_swap(Opt<int64_t> limit, Opt<int64_t> swap, const char* want) {
  Result<std::string> got = swap_max_text(limit, swap);
  if (!want) {
    assert_false(got.ok());
    return;
  }
  assert_true(got.ok());
  assert_string_equal(got->c_str(), want);
}

static void swap_is_without_memory(void**) {
  const Opt<int64_t> none;
  check_swap(none, none, "");
  check_swap(int64_t{1000}, none, "");
  check_swap(int64_t{1000}, int64_t{0}, "");
  check_swap(int64_t{1000}, int64_t{3000}, "2000");
  check_swap(int64_t{1000}, int64_t{1000}, "0");
  check_swap(int64_t{1000}, int64_t{-1}, "max");
  check_swap(int64_t{-1}, none, "max");
  check_swap(int64_t{-1}, int64_t{-1}, "max");
  check_swap(none, int64_t{-1}, "max");
  check_swap(none, int64_t{1000}, nullptr);
  check_swap(int64_t{-1}, int64_t{1000}, nullptr);
  check_swap(int64_t{2000}, int64_t{1000}, nullptr);
}

static void throttle_lines(void**) {
  oci::ThrottleDevice device;
  device.major = 8;
  device.minor = 16;
  device.rate = 1048576;
  assert_string_equal(io_max_line(device, "rbps").c_str(), "8:16 rbps=1048576");
  device.rate = 0;
  assert_string_equal(io_max_line(device, "wiops").c_str(), "8:16 wiops=max");
  assert_string_equal(limit_text(-1).c_str(), "max");
  assert_string_equal(limit_text(0).c_str(), "0");
}

static void quota_per_second(void**) {
  assert_true(cpu_quota_per_second(50'000, 100'000) == 500'000);
  assert_true(cpu_quota_per_second(50'000, 0) == 500'000);
  assert_true(cpu_quota_per_second(1'000, 100'000) == 10'000);
  assert_true(cpu_quota_per_second(33'333, 100'000) == 340'000);  // in steps of 10 ms, upwards
  assert_true(cpu_quota_per_second(-1, 100'000) == UINT64_MAX);
  assert_true(cpu_quota_per_second(INT64_MAX, 1) == UINT64_MAX);
}

static void page_sizes(void**) {
  for (const char* good : {"2MB", "64KB", "1GB", "1024KB"}) assert_true(is_page_size(good));
  for (const char* bad : {"", "B", "MB", "2M", "2mb", "02MB", "../MB", "2 MB", "2TB"})
    assert_false(is_page_size(bad));
}

static void paths_stay_below(void**) {
  const char* cases[][2] = {
      {"", "/"},         {"/", "/"},           {"a", "/a"}, {"/a/b", "/a/b"}, {"a//b/./c/", "/a/b/c"},
      {"../../x", "/x"}, {"/a/../../b", "/b"}, {"..", "/"}, {"/a/b/..", "/a"}};
  for (const auto& [in, out] : cases) assert_string_equal(clean_cgroup_path(in).c_str(), out);

  CgroupPlace place = plan_cgroup_path("", "id");
  assert_true(place.below_own);
  assert_string_equal(place.path.c_str(), "/id");
  place = plan_cgroup_path("/docker/x", "id");
  assert_false(place.below_own);
  assert_string_equal(place.path.c_str(), "/docker/x");
  place = plan_cgroup_path("../../docker/x", "id");
  assert_true(place.below_own);
  assert_string_equal(place.path.c_str(), "/docker/x");
}

static void systemd_places(void**) {
  Result<SystemdPlace> place = plan_systemd_place("machine.slice:libpod:abc", "id", false);
  assert_true(place.ok());
  assert_string_equal(place->slice.c_str(), "machine.slice");
  assert_string_equal(place->unit.c_str(), "libpod-abc.scope");
  assert_string_equal(place->slice_path.c_str(), "/machine.slice");
  assert_false(place->unit_is_slice);

  place = plan_systemd_place("", "id", false);
  assert_string_equal(place->unit.c_str(), "slip-id.scope");
  assert_string_equal(place->slice.c_str(), "system.slice");
  place = plan_systemd_place("", "id", true);
  assert_string_equal(place->slice.c_str(), "user.slice");
  place = plan_systemd_place("a-b-c.slice:x:y", "id", false);
  assert_string_equal(place->slice_path.c_str(), "/a.slice/a-b.slice/a-b-c.slice");
  place = plan_systemd_place("-.slice:x:y", "id", false);
  assert_string_equal(place->slice_path.c_str(), "");
  place = plan_systemd_place("::pod-a.slice", "id", false);
  assert_true(place.ok() && place->unit_is_slice);
  assert_string_equal(place->unit.c_str(), "pod-a.slice");

  for (const char* bad : {"/a/b", "a:b", "a.slice:b:c:d", "notaslice:b:c", "-a.slice:b:c", "a--b.slice:b:c",
                          "a.slice:b:c/d", "a.slice:../..:c", ".slice:b:c", "a.slice:b:c d"})
    assert_false(plan_systemd_place(bad, "id", false).ok());
}

static void memberships(void**) {
  auto lines = sys::parse_memberships("9:name=systemd:/\n2:cpu,cpuacct:/a/b\n0::/c:d\n");
  assert_true(lines.ok());
  assert_int_equal(lines->size(), 3);
  assert_string_equal((*lines)[0].controllers.c_str(), "name=systemd");
  assert_string_equal((*lines)[1].path.c_str(), "/a/b");
  assert_string_equal((*lines)[2].controllers.c_str(), "");
  assert_string_equal((*lines)[2].path.c_str(), "/c:d");
  for (const char* bad : {"x\n", "1:cpu\n", "1:cpu:\n", "1:cpu:a\n"})
    assert_false(sys::parse_memberships(bad).ok());
}

static void mounts(void**) {
  const auto found = sys::parse_cgroup_mounts(
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
      "40 31 0:37 /docker/x /sys/fs/cgroup/sys\\040d rw - cgroup cgroup "
      "rw,xattr,release_agent=/a,name=systemd\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
      "broken line\n42 31 - cgroup\n");
  assert_int_equal(found.size(), 3);
  assert_string_equal(found[0].controllers.c_str(), "cpu,cpuacct");
  assert_string_equal(found[0].directory.c_str(), "/sys/fs/cgroup/cpu,cpuacct");
  assert_string_equal(found[1].controllers.c_str(), "name=systemd");
  assert_string_equal(found[1].directory.c_str(), "/sys/fs/cgroup/sys d");
  assert_string_equal(found[1].root.c_str(), "/docker/x");
  assert_string_equal(found[2].controllers.c_str(), "");
}

static void keyed_files(void**) {
  const char* text = "low 1\noom 2\noom_kill 3\noom_group_kill 4\nbad x\n";
  assert_int_equal(flat_keyed(text, "oom_kill", 9), 3);
  assert_int_equal(flat_keyed(text, "oom", 9), 2);
  assert_int_equal(flat_keyed(text, "none", 9), 9);
  assert_int_equal(flat_keyed(text, "bad", 9), 9);
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(shares_become_weight),
      cmocka_unit_test(block_weight_becomes_io_weight),
      cmocka_unit_test(swap_is_without_memory),
      cmocka_unit_test(throttle_lines),
      cmocka_unit_test(quota_per_second),
      cmocka_unit_test(page_sizes),
      cmocka_unit_test(paths_stay_below),
      cmocka_unit_test(systemd_places),
      cmocka_unit_test(memberships),
      cmocka_unit_test(mounts),
      cmocka_unit_test(keyed_files),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
