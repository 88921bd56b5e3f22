// A container's cgroup on the kernel that runs the test, whatever its layout: made, entered, limited, frozen,
// killed, removed. In tests/vm it runs on pure v2.
// labels: root cgroup
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "src/runtime/cgroup.h"
#include "src/runtime/child_cgroup.h"
#include "src/runtime/runtime.h"
#include "src/sys/cgroup.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::runtime;

#define check_ok(...)                                                            \
  do {                                                                           \
    auto&& checked = (__VA_ARGS__);                                              \
    if (!checked.ok()) fail_msg("%s: %s", #__VA_ARGS__, checked.error().text()); \
  } while (0)

namespace {

struct Container {
  Arena arena;
  oci::Spec spec;
  oci::Linux linux_part;
  oci::Resources resources;
  std::string path;
  std::unique_ptr<Cgroup> cgroup;
  pid_t pid = 0;
};

const Context kContext{"/run/none", false, false};

/// A cgroup name of this run.
std::string name_of(const char* word) {
  return "slip-test-" + std::to_string(getpid()) + "-" + word;
}

void plan(Container& c, const char* word, bool relative = false) {
  c.path = (relative ? "" : "/") + name_of(word);
  c.linux_part.cgroups_path = c.arena.copy(c.path);
  c.linux_part.resources = &c.resources;
  c.spec.linux_ = &c.linux_part;
  auto cgroup = plan_cgroup(kContext, "id", c.spec, sys::find_hierarchies().value());
  check_ok(cgroup);
  c.cgroup = std::move(*cgroup);
}

/// A child in the cgroup, which runs `body` there.
template <class Body>
void enter(Container& c, Body body) {
  auto unified = c.cgroup->prepare();
  check_ok(unified);
  clone_args args = {};
  args.exit_signal = SIGCHLD;
  args.flags = CLONE_FILES;  // what join() opens is for the child
  if (*unified) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(unified->get());
  }
  int order[2], answer[2];
  assert_int_equal(pipe2(order, O_CLOEXEC), 0);
  assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
  struct {
    uint32_t count = 0;
    int tasks[32];
  } entry;
  c.pid = sys::clone3(args);
  assert_true(c.pid >= 0);
  if (c.pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(order[0], &entry, sizeof entry) != sizeof entry) _exit(97);
    if (!child::enter_cgroups(entry.tasks, entry.count).ok()) _exit(99);
    if (unshare(CLONE_FILES) < 0 || write(answer[1], "", 1) != 1) _exit(98);
    body();
    _exit(0);
  }
  auto tasks = c.cgroup->join(c.pid, static_cast<bool>(*unified));
  check_ok(tasks);
  for (const Fd& fd : *tasks) entry.tasks[entry.count++] = fd.get();
  assert_int_equal(write(order[1], &entry, sizeof entry), sizeof entry);
  char byte;
  assert_int_equal(read(answer[0], &byte, 1), 1);
  for (const int fd : {order[0], order[1], answer[0], answer[1]}) close(fd);
}

void wait_here() {
  for (;;) pause();
}

int end(Container& c) {
  int status = 0;
  assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
  check_ok(c.cgroup->destroy());
  for (const auto& [controller, directory] : c.cgroup->directories())
    assert_int_equal(access(directory.c_str(), F_OK), -1);
  return status;
}

std::string control(const Container& c, const char* controller, const char* v1, const char* v2) {
  std::string unified;
  for (const auto& [name, directory] : c.cgroup->directories()) {
    if (name == controller) return sys::read_file_at(AT_FDCWD, (directory + "/" + v1).c_str(), 65536).value();
    if (name.empty()) unified = directory;
  }
  auto text = sys::read_file_at(AT_FDCWD, (unified + "/" + v2).c_str(), 65536);
  check_ok(text);
  return *text;
}

bool is_v2(const Container& c) {
  return c.cgroup->layout() == Cgroup::Layout::v2;
}

/// A hierarchy that is mounted nowhere, or was in another mount namespace, is listed in /proc/self/cgroup too.
bool is_mounted(const Container& c, const std::string& controllers) {
  const std::string first = controllers.substr(0, controllers.find(','));
  for (const auto& [name, directory] : c.cgroup->directories())
    if (name == first) return true;
  return false;
}

void all_hierarchies_are_entered(void**) {
  for (const bool relative : {false, true}) {
    Container c;
    plan(c, "enter", relative);
    enter(c, wait_here);
    auto lines = sys::read_memberships(c.pid);
    check_ok(lines);
    assert_true(lines->size() > 0);
    for (const auto& line : *lines)
      if (is_mounted(c, line.controllers) && line.path.find(name_of("enter")) == std::string::npos)
        fail_msg("%s: in %s", line.controllers.c_str(), line.path.c_str());

    auto processes = c.cgroup->processes();
    check_ok(processes);
    assert_int_equal(processes->size(), 1);
    assert_int_equal((*processes)[0], c.pid);

    // Somebody else's container of the same path is left alone.
    Container other;
    plan(other, "enter", relative);
    auto refused = other.cgroup->prepare();
    assert_false(refused.ok());
    assert_non_null(strstr(refused.error().text(), "container's cgroup is not empty: 1 process(es) found"));
    check_ok(other.cgroup->destroy());
    assert_int_equal(kill(c.pid, 0), 0);

    // Found again from what state.json keeps; its end kills.
    auto again = open_cgroup(kContext, c.cgroup->record());
    check_ok(again);
    assert_int_equal((*again)->layout(), c.cgroup->layout());
    check_ok((*again)->destroy());
    assert_int_equal(WTERMSIG(end(c)), SIGKILL);
  }
}

void exec_joins(void**) {
  Container c;
  plan(c, "exec");
  enter(c, wait_here);
  auto entry = c.cgroup->exec_entry(c.pid, {});
  check_ok(entry);
  assert_int_equal(static_cast<bool>(entry->v2), c.cgroup->layout() != Cgroup::Layout::v1);
  assert_false(c.cgroup->exec_entry(c.pid, {{"", "../x"}}).ok());
  assert_false(c.cgroup->exec_entry(c.pid, {{"", "none"}}).ok());
  const pid_t pid = fork();
  if (pid == 0) wait_here();
  check_ok(c.cgroup->join_exec(pid, c.pid, {}, false));
  assert_int_equal(c.cgroup->processes().value().size(), 2);
  check_ok(c.cgroup->signal_all(SIGTERM));
  int status = 0;
  waitpid(pid, &status, 0);
  assert_int_equal(WTERMSIG(status), SIGTERM);
  assert_int_equal(WTERMSIG(end(c)), SIGTERM);
}

void frozen_and_killed(void**) {
  Container c;
  plan(c, "freeze");
  enter(c, wait_here);
  assert_false(c.cgroup->frozen().value());
  check_ok(c.cgroup->freeze(true));
  assert_true(c.cgroup->frozen().value());
  Container other;
  plan(other, "freeze");
  assert_false(other.cgroup->prepare().ok());
  check_ok(c.cgroup->freeze(false));
  assert_false(c.cgroup->frozen().value());
  check_ok(c.cgroup->freeze(true));
  check_ok(c.cgroup->signal_all(SIGKILL));
  assert_int_equal(WTERMSIG(end(c)), SIGKILL);
}

void limits_are_written(void**) {
  Container c;
  oci::MemoryResources memory;
  memory.limit = int64_t{64 << 20};
  memory.reservation = int64_t{32 << 20};
  oci::CpuResources cpu;
  cpu.shares = uint64_t{512};
  cpu.quota = int64_t{50000};
  cpu.period = uint64_t{100000};
  cpu.cpus = "0";
  cpu.mems = "0";
  oci::PidsResources pids;
  pids.limit = int64_t{17};
  c.resources.memory = &memory;
  c.resources.cpu = &cpu;
  c.resources.pids = &pids;
  plan(c, "limits");
  enter(c, wait_here);
  check_ok(c.cgroup->apply(c.resources));
  assert_string_equal(control(c, "memory", "memory.limit_in_bytes", "memory.max").c_str(), "67108864\n");
  assert_string_equal(control(c, "memory", "memory.soft_limit_in_bytes", "memory.low").c_str(), "33554432\n");
  assert_string_equal(control(c, "pids", "pids.max", "pids.max").c_str(), "17\n");
  assert_string_equal(control(c, "cpuset", "cpuset.cpus", "cpuset.cpus").c_str(), "0\n");
  assert_string_equal(control(c, "cpu", "cpu.shares", "cpu.weight").c_str(), is_v2(c) ? "59\n" : "512\n");
  if (is_v2(c))
    assert_string_equal(control(c, "v2", "", "cpu.max").c_str(), "50000 100000\n");
  else
    assert_string_equal(control(c, "cpu", "cpu.cfs_quota_us", "").c_str(), "50000\n");

  // As `update` does it: up and down again with swap, one property alone, and lifted.
  auto open = open_cgroup(kContext, c.cgroup->record());
  check_ok(open);
  oci::Resources change;
  oci::MemoryResources new_memory;
  change.memory = &new_memory;
  const auto set_memory = [&](int64_t limit, int64_t swap) {
    new_memory.limit = limit;
    new_memory.swap = swap;
    return (*open)->apply(change);
  };
  const bool swap = access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0 || is_v2(c);
  check_ok(set_memory(128 << 20, swap ? 256 << 20 : 0));
  check_ok(set_memory(32 << 20, swap ? 32 << 20 : 0));
  check_ok(set_memory(256 << 20, swap ? 512 << 20 : 0));
  if (swap && is_v2(c)) assert_string_equal(control(c, "v2", "", "memory.swap.max").c_str(), "268435456\n");
  check_ok(set_memory(-1, 0));
  if (is_v2(c)) assert_string_equal(control(c, "v2", "", "memory.max").c_str(), "max\n");
  oci::CpuResources new_cpu;
  change.memory = nullptr;
  change.cpu = &new_cpu;
  new_cpu.period = uint64_t{50000};
  check_ok((*open)->apply(change));
  if (is_v2(c)) assert_string_equal(control(c, "v2", "", "cpu.max").c_str(), "50000 50000\n");
  assert_string_equal(control(c, "pids", "pids.max", "pids.max").c_str(), "17\n");
  kill(c.pid, SIGKILL);
  end(c);
}

void errors_name_the_property(void**) {
  Container c;
  plan(c, "errors");
  enter(c, wait_here);
  const auto refused = [&](const char* text) {
    Status done = c.cgroup->apply(c.resources);
    assert_false(done.ok());
    if (!strstr(done.error().text(), text)) fail_msg("`%s` is not in `%s`", text, done.error().text());
  };
  oci::CpuResources cpu;
  cpu.cpus = "4000-5000";
  c.resources.cpu = &cpu;
  refused("linux.resources.cpu.cpus");
  cpu = {};
  cpu.quota = int64_t{1};
  refused("linux.resources.cpu.quota");
  c.resources.cpu = nullptr;
  Entry<Str> unified{"no.such.file", "1"};
  c.resources.unified.items = &unified;
  c.resources.unified.count = 1;
  refused("linux.resources.unified");
  unified.key = "../cgroup.procs";
  refused("linux.resources.unified");
  c.resources.unified.count = 0;
  oci::MemoryResources memory;
  c.resources.memory = &memory;
  memory.limit = int64_t{1 << 20};
  memory.check_before_update = true;
  if (is_v2(c)) {
    memory.swappiness = uint64_t{10};
    refused("linux.resources.memory.swappiness: not supported on cgroup v2");
  }
  kill(c.pid, SIGKILL);
  end(c);
}

void devices_are_denied(void**) {
  Container c;
  oci::DeviceRule rules[2];
  rules[0].access = "rwm";
  rules[1].allow = true;
  rules[1].type = "c";
  rules[1].major = int64_t{1};
  rules[1].minor = int64_t{11};
  rules[1].access = "r";
  c.resources.devices.items = rules;
  c.resources.devices.count = 2;
  plan(c, "devices");
  char directory[] = "/tmp/cgroup_live.XXXXXX";
  assert_non_null(mkdtemp(directory));
  const std::string node = std::string(directory) + "/n";
  // /dev/kmsg by rule (read only), /dev/mem by none, /dev/null by default.
  int go[2];
  assert_int_equal(pipe2(go, O_CLOEXEC), 0);
  enter(c, [&] {
    char byte;
    close(go[1]);
    if (read(go[0], &byte, 1) != 1) _exit(10);
    struct {
      unsigned minor;
      int flags;
      bool works;
    } cases[] = {{11, O_RDONLY, true}, {11, O_WRONLY, false}, {1, O_RDONLY, false}, {3, O_RDWR, true}};
    int code = 20;
    for (const auto& one : cases) {
      unlink(node.c_str());
      if (mknod(node.c_str(), S_IFCHR | 0600, makedev(1, one.minor)) < 0) _exit(11);
      const int fd = open(node.c_str(), one.flags);
      if ((fd >= 0) != one.works && !(fd < 0 && errno == ENXIO)) _exit(code);
      if (fd >= 0) close(fd);
      ++code;
    }
    _exit(0);
  });
  check_ok(c.cgroup->apply(c.resources));
  assert_int_equal(write(go[1], "", 1), 1);
  close(go[0]);
  close(go[1]);
  const int status = end(c);
  unlink(node.c_str());
  rmdir(directory);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

void oom_is_counted(void**) {
  Container c;
  oci::MemoryResources memory;
  memory.limit = int64_t{16 << 20};
  c.resources.memory = &memory;
  plan(c, "oom");
  int go[2];
  assert_int_equal(pipe2(go, O_CLOEXEC), 0);
  enter(c, [&] {
    char byte;
    close(go[1]);
    if (read(go[0], &byte, 1) != 1) _exit(10);
    for (size_t i = 0; i < 64; ++i) {
      char* block = static_cast<char*>(malloc(1 << 20));
      for (size_t at = 0; at < (1 << 20); at += 4096) *const_cast<volatile char*>(block + at) = 1;
    }
    _exit(0);
  });
  check_ok(c.cgroup->apply(c.resources));
  assert_int_equal(c.cgroup->oom_kills(), 0);
  assert_int_equal(write(go[1], "", 1), 1);
  close(go[0]);
  close(go[1]);
  int status = 0;
  assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  assert_int_equal(c.cgroup->oom_kills(), 1);
  check_ok(c.cgroup->destroy());
}

void roots_are_left_alone(void**) {
  // Records as a crash or a hand could leave them.
  CgroupRecord record;
  for (const auto& hierarchy : sys::find_hierarchies().value())
    record.directories.emplace_back(hierarchy.controllers, hierarchy.mount);
  for (const char* path : {"", "/", "/x"}) {
    record.path = path;
    auto cgroup = open_cgroup(kContext, record);
    check_ok(cgroup);
    assert_int_equal((*cgroup)->processes().value().size(), 0);
    assert_int_equal((*cgroup)->layout(), Cgroup::Layout::none);
  }
}

void children_are_removed(void**) {
  Container c;
  plan(c, "nested");
  enter(c, wait_here);
  for (const auto& [controller, directory] : c.cgroup->directories()) {
    if (!controller.empty() && controller != "pids") continue;
    assert_int_equal(mkdir((directory + "/a").c_str(), 0755), 0);
    assert_int_equal(mkdir((directory + "/a/b").c_str(), 0755), 0);
  }
  const pid_t pid = fork();
  if (pid == 0) wait_here();
  check_ok(c.cgroup->join_exec(pid, c.pid, {}, false));
  check_ok(c.cgroup->destroy());
  int status = 0;
  waitpid(pid, &status, 0);
  assert_int_equal(WTERMSIG(status), SIGKILL);
  assert_int_equal(WTERMSIG(end(c)), SIGKILL);
}

}  // namespace

int main() {
  auto hierarchies = sys::find_hierarchies();
  if (geteuid() != 0 || !hierarchies.ok() || hierarchies->empty()) return 77;
  const CMUnitTest tests[] = {
      cmocka_unit_test(all_hierarchies_are_entered),
      cmocka_unit_test(exec_joins),
      cmocka_unit_test(frozen_and_killed),
      cmocka_unit_test(limits_are_written),
      cmocka_unit_test(errors_name_the_property),
      cmocka_unit_test(devices_are_denied),
      cmocka_unit_test(oom_is_counted),
      cmocka_unit_test(children_are_removed),
      cmocka_unit_test(roots_are_left_alone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
