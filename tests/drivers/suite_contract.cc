// What driver.h promises of each call.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "src/sys/file.h"
#include "src/sys/mount.h"
#include "tests/drivers/suite.h"

using namespace slipway;
using drivers::Driver;

namespace suite {
namespace {
const std::string kBase = layer_id("b1"), kOther = layer_id("b2"), kContainer = layer_id("c2");
}

void names_and_errors(void** state) {
  Driver& driver = *subject_of(state).driver;
  for (const std::string& bad : {std::string("../x"), std::string("/etc"), std::string(), std::string("a/b"),
                                 std::string("tmp\0x", 5), std::string(".")}) {
    need_error(invalid, driver.create_rw(bad, "", {}));
    need_error(invalid, driver.mounts(bad));
    need_error(invalid, driver.remove(bad));
    need_error(invalid, driver.changes(bad));
    need_error(invalid, driver.exists(bad));
    if (!bad.empty()) need_error(invalid, driver.stage(bad));
    auto stage = need(driver.stage(""));
    need_error(invalid, driver.commit(std::move(stage), bad, ""));
  }
  const std::string missing = layer_id("dead");
  assert_false(need(driver.exists(missing)));
  need_error(not_found, driver.mounts(missing));
  need_error(not_found, driver.changes(missing));
  need_error(not_found, driver.contents(missing));
  need_error(not_found, driver.usage(missing));
  need_error(not_found, driver.metadata(missing));
  need_error(not_found, driver.stage(missing));
  need_error(not_found, driver.create_rw(kContainer, missing, {}));
  need(driver.remove(missing));
  need(driver.release(missing));
  assert_true(need(driver.list()).empty());

  add_layer(driver, kBase, "", [](Editor& at) { at.file("f", "first"); });
  add_layer(driver, kBase, "", [](Editor& at) { at.file("f", "second"); });  // the first one stays
  need(driver.create_rw(kContainer, kBase, {}));
  need_error(exists, driver.create_rw(kContainer, kBase, {}));
  assert_true(need(driver.exists(kBase)));
  std::vector<std::string> all = need(driver.list());
  std::sort(all.begin(), all.end());
  assert_int_equal(all.size(), 2);
  assert_string_equal(all[0].c_str(), kBase.c_str());
  assert_string_equal(all[1].c_str(), kContainer.c_str());
  const Fd tree = view(driver, kBase);
  char text[16] = "";
  const Fd file(openat(tree.get(), "f", O_RDONLY | O_CLOEXEC));
  assert_int_equal(read(file.get(), text, sizeof text), 5);
  assert_string_equal(text, "first");
  need(driver.recover());
  need(driver.recover());
}

void committed_layers_are_read_only(void** state) {
  Driver& driver = *subject_of(state).driver;
  add_layer(driver, kBase, "", [](Editor& at) { at.file("f", "x"); });
  add_layer(driver, kOther, kBase, [](Editor& at) { at.file("g", "x"); });
  for (const std::string& id : {kBase, kOther}) {
    assert_true(need(driver.mounts(id)).read_only);
    const Fd tree = view(driver, id);
    assert_int_equal(openat(tree.get(), "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), -1);
    assert_int_equal(errno, EROFS);
  }
  // A container without an image below it.
  need(driver.create_rw(kContainer, "", {}));
  assert_false(need(driver.mounts(kContainer)).read_only);
  Editor at(view(driver, kContainer));
  at.file("new", "x");
  assert_string_equal(listing(need(driver.changes(kContainer))).c_str(), "A /new\n");
}

void stage_is_dropped(void** state) {
  Subject& subject = subject_of(state);
  add_layer(*subject.driver, kBase, "", [](Editor& at) { at.file("f", "x"); });
  const std::string before = names_below(subject.root + "/" + subject.name);
  for (const std::string& parent : {std::string(), kBase}) {
    auto stage = need(subject.driver->stage(parent));
    Editor at(*stage, *subject.driver);
    at.file("g", "x");
  }
  need(subject.driver->recover());  // a device may have been in use until now
  assert_string_equal(names_below(subject.root + "/" + subject.name).c_str(), before.c_str());
}

void usage_and_metadata(void** state) {
  Driver& driver = *subject_of(state).driver;
  add_layer(driver, kBase, "", [](Editor& at) {
    at.file("f", std::string(10000, 'x'));
    at.link("f", "g");
    at.symlink("12345", "s");
  });
  need(driver.create_rw(kContainer, kBase, {}));
  assert_int_equal(need(driver.usage(kBase)).bytes, 10005);
  assert_int_equal(need(driver.usage(kBase)).inodes, 2);
  assert_int_equal(need(driver.usage(kContainer)).bytes, 0);
  {
    Editor at(view(driver, kContainer));
    at.file("h", std::string(777, 'h'));
    at.remove("f");
  }
  assert_int_equal(need(driver.usage(kContainer)).bytes, 777);
  assert_int_equal(need(driver.usage(kContainer)).inodes, 1);
  assert_false(need(driver.metadata(kContainer)).empty());
  for (const auto& [name, value] : driver.status()) assert_false(name.empty() || value.empty());
  assert_string_equal(driver.status()[0].first.c_str(), subject_of(state).name == "devicemapper"
                                                            ? "Pool Name"
                                                            : driver.status()[0].first.c_str());
}

void quota(void** state) {
  Driver& driver = *subject_of(state).driver;
  add_layer(driver, kBase, "", [](Editor& at) { at.file("f", std::string(1 << 20, 'x')); });
  drivers::RwOptions options;
  options.size = 16 << 20;
  if (!driver.capabilities().quota) {
    need_error(unsupported, driver.create_rw(kContainer, kBase, options));
    assert_false(need(driver.exists(kContainer)));
    return;
  }
  if (subject_of(state).name == "devicemapper") options.size = 340 << 20;
  need(driver.create_rw(kContainer, kBase, options));
  const Fd tree = view(driver, kContainer);
  const Fd file(openat(tree.get(), "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string block(1 << 20, 'y');
  uint64_t written = 0;
  int err = 0;
  while (written < options.size * 2 && err == 0) {
    const ssize_t put = write(file.get(), block.data(), block.size());
    err = put < 0 ? errno : 0;
    written += put > 0 ? static_cast<uint64_t>(put) : 0;
  }
  if (err == 0 && fsync(file.get()) < 0) err = errno;
  if (err != ENOSPC && err != EDQUOT)
    fail_msg("%llu bytes fit: %s", static_cast<unsigned long long>(written), strerror(err));
  assert_in_range(written, options.size / 2, options.size + (1 << 20));
}

void disposable(void** state) {
  Driver& driver = *subject_of(state).driver;
  add_layer(driver, kBase, "", [](Editor& at) { at.file("f", "x"); });
  drivers::RwOptions options;
  options.disposable = true;
  need(driver.create_rw(kContainer, kBase, options));
  for (int i = 0; i < 3; ++i) {  // `docker restart` of a container with --rm
    Editor at(view(driver, kContainer));
    at.file(("g" + std::to_string(i)).c_str(), "x");
  }
  assert_string_equal(listing(need(driver.changes(kContainer))).c_str(), "A /g0\nA /g1\nA /g2\n");
}

// A driver need not have them. What the layers have goes before them, and they are nobody's change.
void places_for_mounts(void** state) {
  Subject& subject = subject_of(state);
  drivers::RwOptions options;
  options.disposable = options.places = true;
  add_layer(*subject.driver, kBase, "", [](Editor& at) {
    at.directory("etc", 0750);
    at.file("etc/hosts", "its own");
  });
  // Whoever makes them and is killed leaves what the next one goes on with.
  for (int step = 1; step < 9; ++step) {
    const pid_t child = fork();
    if (child == 0) {
      setenv("SLIPWAY_FAULT", ("*:" + std::to_string(step)).c_str(), 1);
      _exit(subject.driver->create_rw(kOther, kBase, options).ok() ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    open_subject(subject);
    need(subject.driver->recover());
    need(subject.driver->remove(kOther));
  }
  need(subject.driver->create_rw(kContainer, kBase, options));
  const Fd tree = view(*subject.driver, kContainer);
  assert_string_equal(need(sys::read_file_at(tree.get(), "etc/hosts", 64)).c_str(), "its own");
  struct stat info = {};
  assert_int_equal(fstatat(tree.get(), "etc", &info, 0), 0);
  assert_int_equal(info.st_mode & 07777, 0750);
  assert_string_equal(listing(need(subject.driver->changes(kContainer))).c_str(), "");
  if (faccessat(tree.get(), "etc/hostname", F_OK, 0) < 0) return;  // no skip(): it would leave `tree` open
  assert_int_equal(faccessat(tree.get(), "proc", F_OK, 0), 0);
  {
    Editor at(view(*subject.driver, kContainer));
    at.file("sys/x", "x");
  }
  assert_string_equal(listing(need(subject.driver->changes(kContainer))).c_str(), "C /sys\nA /sys/x\n");
  need(subject.driver->check(kContainer, {.parent = kBase, .committed = false}, false));
}

// The shell test gives a file system of a few dozen MB.
void no_space(void** state) {
  Subject& subject = subject_of(state);
  if (!getenv("SUITE_SMALL")) skip();
  Driver& driver = *subject.driver;
  add_layer(driver, kBase, "", [](Editor& at) { at.file("f", "precious"); });
  const std::string before = names_below(subject.root + "/" + subject.name);
  {
    auto stage = need(driver.stage(kBase));
    const Fd file(openat(stage->root(), "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    const std::string block(1 << 20, 'y');
    ssize_t put = 0;
    while ((put = write(file.get(), block.data(), block.size())) > 0) {
    }
    assert_int_equal(put, -1);
    assert_int_equal(errno, ENOSPC);
  }
  assert_string_equal(names_below(subject.root + "/" + subject.name).c_str(), before.c_str());
  add_layer(driver, kOther, kBase, [](Editor& at) { at.file("g", "fits"); });
  const Fd tree = view(driver, kOther);
  assert_int_equal(faccessat(tree.get(), "f", F_OK, 0), 0);
}

}  // namespace suite
