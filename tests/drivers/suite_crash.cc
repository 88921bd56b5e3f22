// Many processes at once, and processes that are killed.
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drivers/staging.h"
#include "tests/drivers/suite.h"

using namespace slipway;
using drivers::Driver;

namespace suite {
namespace {

const std::string kBase = layer_id("b1");

/// Runs `work` in a process of its own, with the driver opened anew. Returns its wait status.
template <class Work>
int in_child(const Subject& subject, const char* fault, const Work& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (fault) setenv("SLIPWAY_FAULT", fault, 1);
    Result<std::unique_ptr<Driver>> driver =
        drivers::open_driver(subject.name, subject.root, subject.options);
    Status done = driver.ok() ? work(**driver) : Status(std::move(driver).error());
    if (!done.ok()) fprintf(stderr, "child: %s\n", done.error().text());
    _exit(done.ok() ? 0 : 1);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Status write_layer(Driver& driver, const std::string& id, const std::string& parent) {
  std::unique_ptr<drivers::Stage> stage = TRY(driver.stage(parent));
  const Fd file(openat(stage->root(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file || write(file.get(), "x", 1) != 1) return Error::sys(errno, "write");
  return driver.commit(std::move(stage), id, parent);
}

std::string store(const Subject& subject) {
  return names_below(subject.root + "/" + subject.name);
}

/// Kills `work` at its first step, its second and so on until it is through; each time all must be as `before`,
/// or done, once recovered.
template <class Work, class Undo>
void kill_everywhere(Subject& subject, const char* what, const Work& work, const Undo& undo) {
  const std::string before = store(subject);
  for (int step = 1; step < 100; ++step) {
    const int status = in_child(subject, ("*:" + std::to_string(step)).c_str(), work);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) fail_msg("%s failed at step %d", what, step);
    open_subject(subject);
    need(subject.driver->recover());
    undo(*subject.driver);
    const std::string after = store(subject);
    if (after != before)
      fail_msg("%s killed at step %d left\n%sinstead of\n%s", what, step, after.c_str(), before.c_str());
    if (WIFEXITED(status)) {
      assert_true(step > 1);
      return;
    }
  }
  fail_msg("%s never ends", what);
}

int projects_with_a_limit(int fd) {
  constexpr unsigned kNext = (Q_XGETNEXTQUOTA << SUBCMDSHIFT) | 2;  // PRJQUOTA
  int count = 0;
  fs_disk_quota quota = {};
  for (uint32_t id = 1; syscall(SYS_quotactl_fd, fd, kNext, id, &quota) == 0; id = quota.d_id + 1)
    count += quota.d_blk_hardlimit != 0;
  return count;
}

int quota_groups_with_a_limit(int fd) {
  // Deleted subvolumes are cleaned up behind their deletion, and their groups with them.
  ioctl(fd, BTRFS_IOC_SYNC);
  btrfs_ioctl_search_args search = {};
  search.key.tree_id = BTRFS_QUOTA_TREE_OBJECTID;
  search.key.min_type = search.key.max_type = BTRFS_QGROUP_LIMIT_KEY;
  search.key.max_objectid = search.key.max_offset = search.key.max_transid = UINT64_MAX;
  search.key.nr_items = 1000;
  if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &search) < 0) return 0;  // no quotas yet
  int count = 0;
  size_t at = 0;
  for (unsigned i = 0; i < search.key.nr_items; ++i) {
    btrfs_ioctl_search_header header;
    memcpy(&header, search.buf + at, sizeof header);
    at += sizeof header;
    btrfs_qgroup_limit_item limit;
    memcpy(&limit, search.buf + at, sizeof limit);
    at += header.len;
    count += header.type == BTRFS_QGROUP_LIMIT_KEY && limit.flags != 0;
  }
  return count;
}

/// The limits that the file system of the store holds.
int limits(const Subject& subject) {
  const Fd fd(open(subject.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (subject.name == "overlay2") return projects_with_a_limit(fd.get());
  if (subject.name != "btrfs") return 0;
  int count = quota_groups_with_a_limit(fd.get());
  for (const std::string& name : need(drivers::names_in(fd.get(), "btrfs/records")))
    count += name.starts_with(".group-");
  return count;
}

void assert_no_limits(const Subject& subject, const char* after) {
  int left = 0;
  for (int tries = 0; (left = limits(subject)) > 0 && tries < 100; ++tries) {
    usleep(100'000);
    need(subject.driver->recover());
  }
  if (left) fail_msg("%d limits are left after %s", left, after);
}

}  // namespace

void many_at_once(void** state) {
  Subject& subject = subject_of(state);
  add_layer(*subject.driver, kBase, "", [](Editor& at) { at.file("f", "x"); });
  const char* wanted = getenv("SUITE_ROUNDS");
  const int rounds = wanted ? atoi(wanted) : 20;
  constexpr int kProcesses = 6;
  pid_t children[kProcesses];
  for (int i = 0; i < kProcesses; ++i) {
    children[i] = fork();
    if (children[i] != 0) continue;
    const auto work = [&](Driver& driver) -> Status {
      for (int round = 0; round < rounds; ++round) {
        const std::string container = layer_id("c" + std::to_string(i)),
                          layer = layer_id("d" + std::to_string(i));
        TRY(driver.create_rw(container, kBase, {}));
        TRY(write_layer(driver, layer, kBase));
        if (i % 2) TRY(driver.recover());
        (void)TRY(driver.mounts(container));
        TRY(driver.release(container));
        TRY(driver.remove(container));
        TRY(driver.remove(layer));
      }
      return {};
    };
    Result<std::unique_ptr<Driver>> driver =
        drivers::open_driver(subject.name, subject.root, subject.options);
    Status done = driver.ok() ? work(**driver) : Status(std::move(driver).error());
    if (!done.ok()) fprintf(stderr, "process %d: %s\n", i, done.error().text());
    _exit(done.ok() ? 0 : 1);
  }
  int failures = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    failures += status != 0;
  }
  assert_int_equal(failures, 0);
  need(subject.driver->recover());
  const std::vector<std::string> left = need(subject.driver->list());
  assert_int_equal(left.size(), 1);
  assert_string_equal(left[0].c_str(), kBase.c_str());
}

void recover_spares_the_living(void** state) {
  Subject& subject = subject_of(state);
  const std::string id = layer_id("b3");
  int ready[2], go[2];
  assert_int_equal(pipe(ready), 0);
  assert_int_equal(pipe(go), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(go[1]);
    Result<std::unique_ptr<Driver>> driver =
        drivers::open_driver(subject.name, subject.root, subject.options);
    if (!driver.ok()) _exit(2);
    Result<std::unique_ptr<drivers::Stage>> stage = (*driver)->stage("");
    if (!stage.ok()) _exit(3);
    char byte = 0;
    if (write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1) _exit(4);
    const Fd file(openat((*stage)->root(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    Status done = (*driver)->commit(std::move(stage).value(), id, "");
    _exit(file && done.ok() ? 0 : 5);
  }
  close(ready[1]);
  char byte = 0;
  assert_int_equal(read(ready[0], &byte, 1), 1);
  need(subject.driver->recover());
  assert_int_equal(write(go[1], "g", 1), 1);
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  assert_true(need(subject.driver->exists(id)));
  for (const int fd : {ready[0], go[0], go[1]}) close(fd);
}

void killed_at_every_step(void** state) {
  Subject& subject = subject_of(state);
  add_layer(*subject.driver, kBase, "", [](Editor& at) { at.file("f", "x"); });
  const std::string layer = layer_id("e1"), container = layer_id("e2");
  const auto remove = [&](Driver& driver) {
    need(driver.remove(layer));
    need(driver.remove(container));
  };
  kill_everywhere(
      subject, "commit", [&](Driver& driver) { return write_layer(driver, layer, kBase); }, remove);
  kill_everywhere(
      subject, "create_rw", [&](Driver& driver) { return driver.create_rw(container, kBase, {}); }, remove);
  need(subject.driver->create_rw(container, kBase, {}));
  const auto again = [&](Driver& driver) {
    if (!need(driver.exists(container))) need(driver.create_rw(container, kBase, {}));
  };
  // The layer's random names differ from one time to the next: compare without it.
  need(subject.driver->remove(container));
  kill_everywhere(
      subject, "remove",
      [&](Driver& driver) -> Status {
        if (TRY(driver.exists(container))) return driver.remove(container);
        TRY(driver.create_rw(container, kBase, {}));
        return driver.remove(container);
      },
      remove);
  again(*subject.driver);
  assert_true(need(subject.driver->exists(kBase)));
}

void limits_do_not_leak(void** state) {
  Subject& subject = subject_of(state);
  if (!subject.driver->capabilities().quota) skip();
  add_layer(*subject.driver, kBase, "", [](Editor& at) { at.file("f", "x"); });
  drivers::RwOptions options;
  options.size = subject.name == "devicemapper" ? 340 << 20 : 16 << 20;
  const std::string container = layer_id("e3");
  const auto remove = [&](Driver& driver) { need(driver.remove(container)); };
  kill_everywhere(
      subject, "create_rw with a size",
      [&](Driver& driver) { return driver.create_rw(container, kBase, options); }, remove);
  assert_no_limits(subject, "create_rw");
  kill_everywhere(
      subject, "remove with a size",
      [&](Driver& driver) -> Status {
        if (!TRY(driver.exists(container))) TRY(driver.create_rw(container, kBase, options));
        return driver.remove(container);
      },
      remove);
  assert_no_limits(subject, "remove");
  // All but one find at their last step that the name is taken.
  pid_t children[6];
  for (pid_t& child : children) {
    child = fork();
    if (child != 0) continue;
    Result<std::unique_ptr<Driver>> driver =
        drivers::open_driver(subject.name, subject.root, subject.options);
    Status made =
        driver.ok() ? (*driver)->create_rw(container, kBase, options) : Status(std::move(driver).error());
    _exit(made.ok() ? 0 : made.error().kind() == ErrorKind::exists ? 1 : 2);
  }
  int made = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    made += WEXITSTATUS(status) == 0;
  }
  assert_int_equal(made, 1);
  need(subject.driver->remove(container));
  assert_no_limits(subject, "creating one name many times");
}

}  // namespace suite
