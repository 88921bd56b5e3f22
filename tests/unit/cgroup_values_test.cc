// Conversions from config.json to control files, paths, and what the kernel prints: pure functions.
#include "src/runtime/cgroup_values.h"

#include "src/runtime/cgroup_control.h"
#include "src/runtime/cgroup_delegate.h"
#include "src/runtime/cgroup_path.h"
#include "src/runtime/stats.h"
#include "src/runtime/update.h"
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
  for (const uint64_t weight : {10, 100, 101, 540, 1000}) {
    const uint64_t io = io_weight_of_bfq(weight);
    assert_int_equal(io <= 100 ? io : 100 + (io - 100) * (1000 - 100) / (10000 - 100), weight);
  }
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

static void undo_of_a_write(void**) {
  assert_string_equal(undo_text("pids.max", "100\n", "5").c_str(), "100");
  assert_string_equal(undo_text("cpu.max", "max 100000\n", "5000 10000").c_str(), "max 100000");
  assert_string_equal(undo_text("memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n", "0").c_str(), "1");
  const char* io = "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=2 wbps=max riops=max wiops=max\n";
  assert_string_equal(undo_text("io.max", io, "8:16 rbps=9").c_str(),
                      "8:16 rbps=2 wbps=max riops=max wiops=max");
  assert_string_equal(undo_text("io.max", io, "8:1 rbps=9").c_str(),
                      "8:1 rbps=max wbps=max riops=max wiops=max");
  assert_string_equal(undo_text("io.weight", "default 100\n8:0 200\n", "300").c_str(), "default 100");
  assert_string_equal(undo_text("io.weight", "default 100\n8:0 200\n", "8:0 300").c_str(), "8:0 200");
  assert_string_equal(undo_text("io.weight", "default 100\n8:0 200\n", "8:1 300").c_str(), "8:1 default");
  assert_string_equal(undo_text("blkio.throttle.read_bps_device", "8:0 5\n", "8:1 7").c_str(), "8:1 0");
}

static void updates_are_merged(void**) {
  Arena arena;
  oci::Warnings warnings(arena);
  auto have =
      oci::parse_resources(R"({"memory":{"limit":1,"swap":2},"pids":{"limit":3},"unified":{"a":"1","b":"2"},)"
                           R"("cpu":{"cpus":"0","shares":4},"devices":[{"allow":false,"access":"rwm"}]})",
                           arena, warnings);
  auto more = oci::parse_resources(
      R"({"memory":{"limit":9,"reservation":0},"blockIO":{"weight":10},"unified":{"b":"3","c":"4"},)"
      R"("cpu":{"mems":"1"}})",
      arena, warnings);
  assert_true(have.ok() && more.ok());
  oci::Resources& all = **have;
  merge_resources(all, **more, arena);
  assert_int_equal(*all.memory->limit, 9);
  assert_int_equal(*all.memory->swap, 2);
  assert_true(all.memory->reservation.set);
  assert_int_equal(*all.pids->limit, 3);
  assert_int_equal(*all.block_io->weight, 10);
  assert_string_equal(all.cpu->cpus.c_str(), "0");
  assert_string_equal(all.cpu->mems.c_str(), "1");
  assert_int_equal(*all.cpu->shares, 4);
  assert_int_equal(all.devices.size(), 1);
  assert_int_equal(all.unified.size(), 3);
  assert_string_equal(all.unified.find("a")->c_str(), "1");
  assert_string_equal(all.unified.find("b")->c_str(), "3");
  assert_string_equal(all.unified.find("c")->c_str(), "4");
}

static void statistics_of_the_kernel(void**) {
  const auto pressure = parse_pressure(
      "some avg10=1.50 avg60=0.25 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 total=4\nx\n");
  assert_true(pressure.has_value());
  assert_true(pressure->some.avg10 == 1.5 && pressure->some.avg60 == 0.25);
  assert_int_equal(pressure->some.total, 123);
  assert_int_equal(pressure->full.total, 4);
  assert_false(parse_pressure("").has_value());
  assert_int_equal(parse_number_list("0-2,7\n").size(), 4);
  assert_int_equal(parse_number_list("0-65535").size(), 65536);
  assert_int_equal(parse_number_list("x,3-1,-").size(), 0);

  const auto entries = parse_block_io_v1("8:0 Read 5\n8:0 Total 5\n8:16 7\nTotal 5\n");
  assert_int_equal(entries.size(), 2);
  assert_string_equal(entries[0].operation.c_str(), "Read");
  assert_int_equal(entries[1].minor, 16);
  assert_int_equal(entries[1].value, 7);
  BlockIoStats io;
  parse_io_stat("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n253:1 \n", io);
  assert_int_equal(io.service_bytes.size(), 2);
  assert_int_equal(io.serviced.size(), 2);
  assert_string_equal(io.serviced[1].operation.c_str(), "Write");
  assert_int_equal(io.serviced[1].value, 4);
}

static void delegation(void**) {
  Arena arena;
  oci::Warnings warnings(arena);
  const auto owner = [&](const std::string& namespaces, const std::string& option, const std::string& uid) {
    const std::string text =
        R"({"ociVersion":"1.0.0","process":{"cwd":"/","args":["x"],"user":{"gid":0,"uid":)" + uid +
        R"(}},"root":{"path":"r"},"mounts":[{"destination":"/c","type":"cgroup","options":[")" + option +
        R"("]}],"linux":{"uidMappings":[{"containerID":0,"hostID":100000,"size":10}],"namespaces":[)" +
        namespaces + "]}}";
    auto spec = oci::parse_spec(text, arena, warnings);
    assert_true(spec.ok());
    const Opt<uid_t> user = cgroup_owner(**spec);
    return user ? static_cast<int64_t>(*user) : -1;
  };
  const std::string both = R"({"type":"user"},{"type":"cgroup"})";
  assert_int_equal(owner(both, "rw", "0"), 100000);
  assert_int_equal(owner(both, "nosuid", "3"), 100003);
  assert_int_equal(owner(both, "ro", "0"), -1);
  assert_int_equal(owner(both, "rw", "10"), -1);
  assert_int_equal(owner(R"({"type":"user"})", "rw", "0"), -1);
  assert_int_equal(owner(R"({"type":"user","path":"/x"},{"type":"cgroup"})", "rw", "0"), -1);
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
      cmocka_unit_test(undo_of_a_write),
      cmocka_unit_test(updates_are_merged),
      cmocka_unit_test(statistics_of_the_kernel),
      cmocka_unit_test(delegation),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
