// All of aufs that needs no aufs in the kernel: option strings, layout, whiteouts, changes, removal and recovery.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "drivers/aufs_options.h"
#include "drivers/registry.h"
#include "drivers/staging.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::drivers;

namespace {

std::vector<std::string> branches(size_t count, size_t length) {
  std::vector<std::string> list;
  for (size_t i = 0; i < count; ++i) {
    std::string path = "/" + std::to_string(i) + "-";
    path.resize(length, 'b');
    list.push_back(path);
  }
  return list;
}

// What aufs ends with: the branches in the order in which it gets them.
std::string order_of(const AufsOptions& options) {
  std::string list = options.first.substr(3, options.first.find(",dio") - 3);
  for (const std::string& remount : options.remounts) {
    assert_true(remount.starts_with("append:"));
    list += ":" + remount.substr(7);
  }
  return list;
}

std::string wanted_order(const std::string& writable, const std::vector<std::string>& list) {
  std::string text = writable.empty() ? "" : writable + "=rw";
  for (const std::string& path : list) text += (text.empty() ? "" : ":") + path + "=ro+wh";
  return text;
}

void one_string_where_it_fits(void**) {
  const AufsOptions options = aufs_options(4096, 0, "/d/rw", {"/d/b", "/d/a"}, "/dev/shm/x");
  assert_string_equal(options.first.c_str(),
                      "br:/d/rw=rw:/d/b=ro+wh:/d/a=ro+wh,dio,xino=/dev/shm/x,dirperm1");
  assert_true(options.remounts.empty());
  assert_string_equal(aufs_options(4096, 0, "", {"/d/b"}, "/dev/shm/x").first.c_str(),
                      "br:/d/b=ro+wh,dio,xino=/dev/shm/x,dirperm1");
}

// The bound of mount(2) is hit exactly by some of these; docker's was one byte off once.
void no_string_is_longer_than_a_page(void**) {
  for (size_t count = 1; count < 127; count += 7) {
    for (size_t length = 90; length < 160; ++length) {
      const std::vector<std::string> list = branches(count, length);
      const AufsOptions options = aufs_options(4096, 60, list[0] + "rw", list, "/dev/shm/aufs.xino");
      assert_in_range(options.first.size() + 60 + 1, 0, 4096);
      // As much as fits: the next branch would not have.
      if (!options.remounts.empty())
        assert_in_range(options.first.size() + 60 + 1 + 1 + length + 6, 4097, 9999);
      assert_string_equal(order_of(options).c_str(), wanted_order(list[0] + "rw", list).c_str());
    }
  }
}

void paths_that_cannot_be_quoted(void**) {
  assert_true(check_aufs_path("/var/lib/slipway").ok());
  for (const char* path : {"/a:b", "/a,b", "/a=b", "/a\\b"}) assert_false(check_aufs_path(path).ok());
}

struct Room {
  std::string path;
  Result<std::unique_ptr<Driver>> driver;
  Room() : path(make()), driver(open_aufs_layout(path, {})) {
    if (!driver.ok() && driver.error().kind() == ErrorKind::unsupported) skip();
    assert_true(driver.ok());
  }
  ~Room() { (void)sys::remove_tree(AT_FDCWD, path.c_str()); }
  static std::string make() {
    char place[] = "/tmp/slipway-aufs-XXXXXX";
    return mkdtemp(place);
  }
};

void put(int dir, const char* path, const char* text) {
  const Fd fd(openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  assert_true(static_cast<bool>(fd));
  assert_int_equal(write(fd.get(), text, strlen(text)), strlen(text));
}

template <class Fill>
void layer(Driver& driver, const char* id, const char* parent, const Fill& fill) {
  Result<std::unique_ptr<Stage>> stage = driver.stage(parent);
  assert_true(stage.ok());
  fill((*stage)->root());
  assert_true(driver.commit(std::move(stage).value(), id, parent).ok());
}

void make_layers(Driver& driver) {
  layer(driver, "one", "", [](int dir) {
    for (const char* name : {"keep", "gone", "opq", "opq/sub"}) assert_int_equal(mkdirat(dir, name, 0755), 0);
    for (const char* name : {"keep/k", "gone/x", "opq/old", "opq/sub/older", "del"}) put(dir, name, "1");
    assert_int_equal(fchmod(dir, 0711), 0);
  });
  layer(driver, "two", "one", [](int dir) {
    assert_int_equal(mkdirat(dir, "keep", 0755), 0);
    assert_int_equal(mkdirat(dir, "opq", 0755), 0);
    put(dir, "keep/k", "two");
    put(dir, ".wh.del", "");
    put(dir, ".wh.gone", "");
    put(dir, ".wh.never-was", "");
    put(dir, "opq/.wh..wh..opq", "");
    put(dir, "opq/new", "2");
    assert_int_equal(mkdirat(dir, ".wh..wh.plnk", 0700), 0);
    put(dir, ".wh..wh.plnk/12.34", "");
    put(dir, ".wh..wh.aufs", "");
  });
}

std::string listing(Driver& driver, const char* id) {
  Result<std::vector<Change>> changes = driver.changes(id);
  assert_true(changes.ok());
  std::string text;
  for (const Change& change : *changes) {
    text += change.kind == ChangeKind::added ? "A" : change.kind == ChangeKind::deleted ? "D" : "C";
    text += " " + change.path + "\n";
  }
  return text;
}

void layout_and_changes(void**) {
  Room room;
  Driver& driver = **room.driver;
  make_layers(driver);
  assert_string_equal(listing(driver, "two").c_str(),
                      "D /del\nD /gone\nC /keep\nC /keep/k\nC /opq\nA /opq/new\nD /opq/old\nD /opq/sub\n");
  assert_true(driver.create_rw("c", "two", {}).ok());
  const std::string chain = room.path + "/aufs/layers/c";
  assert_string_equal(sys::read_file_at(AT_FDCWD, chain.c_str(), 100)->c_str(), "two\none\n");
  struct stat info = {};
  assert_int_equal(stat((room.path + "/aufs/diff/c").c_str(), &info), 0);
  assert_int_equal(info.st_mode & 07777, 0711);
  assert_int_equal(stat((room.path + "/aufs/mnt/c").c_str(), &info), 0);
  const Fd dir(open((room.path + "/aufs/diff/c").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  put(dir.get(), "del", "back");
  put(dir.get(), ".wh.opq", "");
  assert_int_equal(mkdirat(dir.get(), "gone", 0755), 0);
  put(dir.get(), "gone/y", "y");
  assert_string_equal(listing(driver, "c").c_str(), "A /del\nA /gone\nA /gone/y\nD /opq\n");
  assert_int_equal(driver.usage("c")->bytes, 5);
}

void what_to_mount(void**) {
  Room room;
  Driver& driver = **room.driver;
  make_layers(driver);
  assert_true(driver.create_rw("c", "two", {}).ok());
  const std::string diff = room.path + "/aufs/diff/";
  Result<sys::MountSpec> base = driver.mounts("one"), image = driver.mounts("two"),
                         container = driver.mounts("c");
  assert_true(base->kind == sys::MountSpec::Kind::bind && base->read_only);
  assert_string_equal(base->source.c_str(), (diff + "one").c_str());
  assert_true(image->read_only && image->type == "aufs" && image->options.empty());
  assert_true(image->legacy.starts_with("br:" + diff + "two=ro+wh:" + diff + "one=ro+wh,dio,xino="));
  assert_false(container->read_only);
  assert_true(container->legacy.starts_with("br:" + diff + "c=rw:" + diff + "two=ro+wh:" + diff +
                                            "one=ro+wh,dio,xino="));
  assert_true(container->legacy.ends_with(",dirperm1"));
  assert_string_equal(container->target.c_str(), (room.path + "/aufs/mnt/c").c_str());
}

void removal_leaves_nothing(void**) {
  Room room;
  Driver& driver = **room.driver;
  make_layers(driver);
  assert_true(driver.create_rw("c", "two", {}).ok());
  assert_true(driver.release("two").ok());
  const std::string kept = room.path + "/aufs/diff/two/.wh..wh.plnk/12.34";
  assert_int_equal(access(kept.c_str(), F_OK), -1);
  for (const char* id : {"c", "two", "one", "one"}) assert_true(driver.remove(id).ok());
  for (const char* name : {"diff", "layers", "mnt", "records", "tmp"})
    assert_true(names_in(AT_FDCWD, (room.path + "/aufs/" + name).c_str())->empty());
}

void depth_is_refused_at_create(void**) {
  Room room;
  Driver& driver = **room.driver;
  std::string parent;
  for (unsigned i = 0; i < kAufsMaxBranches - 1; ++i) {
    const std::string id = "l" + std::to_string(i);
    layer(driver, id.c_str(), parent.c_str(), [](int) {});
    parent = id;
  }
  assert_true(driver.create_rw("c", parent, {}).ok());
  Result<sys::MountSpec> spec = driver.mounts("c");
  assert_true(spec.ok());
  assert_int_equal(std::count(spec->legacy.begin(), spec->legacy.end(), ':') + spec->legacy_remounts.size(),
                   kAufsMaxBranches);
  layer(driver, "deepest", parent.c_str(), [](int) {});
  Status refused = driver.create_rw("d", "deepest", {});
  assert_false(refused.ok());
  assert_true(refused.error().kind() == ErrorKind::invalid);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(one_string_where_it_fits),
      cmocka_unit_test(no_string_is_longer_than_a_page),
      cmocka_unit_test(paths_that_cannot_be_quoted),
      cmocka_unit_test(layout_and_changes),
      cmocka_unit_test(what_to_mount),
      cmocka_unit_test(removal_leaves_nothing),
      cmocka_unit_test(depth_is_refused_at_create),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
