// Trees and changes, the same on every driver: what vfs shows is the measure.
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/sys/mount.h"
#include "tests/drivers/suite.h"

using namespace slipway;
using drivers::Driver;

namespace suite {
namespace {

const std::string kOne = layer_id("a1"), kTwo = layer_id("a2"), kThree = layer_id("a3"),
                  kEmpty = layer_id("a4"), kContainer = layer_id("c1");

void make_base(Editor& at) {
  at.mode(".", 0711);
  at.directory("keep");
  at.file("keep/k", "k\n");
  at.owner("keep/k", 1000, 1000);
  at.file("del", "del");
  at.directory("deldir");
  at.file("deldir/file", "x");
  at.directory("opq", 02750);
  at.file("opq/old", "old");
  at.directory("opq/sub");
  at.file("opq/sub/older", "older");
  at.directory("links");
  at.file("links/a", "linked");
  at.link("links/a", "links/hard");
  at.link("links/a", "hard-in-root");
  at.symlink("links/a", "soft");
  at.symlink("/nowhere/at all", "dangling");
  at.node("fifo", S_IFIFO | 0640);
  at.node("null", S_IFCHR | 0666, 1, 3);
  at.node("disk", S_IFBLK | 0600, 259, 70000);
  at.file("setuid", "program");
  at.owner("setuid", 0, 50);
  at.mode("setuid", 06755);
  at.file("attributes", "");
  at.attribute("attributes", "user.colour", "red");
  at.attribute("attributes", "user.empty", "");
  at.attribute("keep", "user.directory", std::string(300, 'x'));
  at.file("capable", "program");
  at.attribute("capable", "security.capability",
               std::string_view("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20));
  at.file("file-to-dir", "f");
  at.directory("dir-to-file");
  at.file("dir-to-file/in", "x");
  at.directory("link-to-dir");
  at.file("with space:and,comma\\and\nnewline", "x");
  at.file("not utf-8 \xff\xfe", "x");
  at.file(std::string(abilities().longest_name, 'n').c_str(), "long");
  at.file("large", std::string(3 << 20, 'L'));
  at.directory("deep");
  at.directory("deep/er");
  at.directory("deep/er/est", 0700);
  at.file("deep/er/est/file", "x");
}

void make_second(Editor& at) {
  at.directory("keep", 0700);
  at.attribute("keep", "user.directory", "changed");
  at.file("keep/k", "k2\n");
  at.file("keep/new", "new");
  at.remove("del");
  at.remove("deldir");
  at.replace_directory("opq", 02750);
  at.file("opq/new", "new");
  at.directory("links");
  at.file("links/b", "linked anew");
  at.link("links/b", "links/hard");
  at.remove("links/a");
  at.directory("file-to-dir");
  at.file("file-to-dir/in", "in");
  at.remove("dir-to-file");
  at.file("dir-to-file", "f");
  at.symlink("keep", "soft");
  at.directory("deep");
  at.directory("deep/er");
  at.remove("deep/er/est");
}

void make_third(Editor& at) {
  at.file("del", "back again");
  at.directory("deldir", 0750);
  at.file("deldir/other", "x");
  at.directory("opq", 02750);
  at.directory("opq/sub", 0711);
  at.directory("deep");
  at.directory("deep/er");
  at.directory("deep/er/est", 0700);
  at.file("deep/er/est/file2", "x");
  at.remove("fifo");
  at.directory("keep", 0700);
  at.attribute("keep", "user.directory", "changed");
  at.file("keep/same", "same");
}

void make_layers(Driver& driver) {
  add_layer(driver, kOne, "", make_base);
  add_layer(driver, kTwo, kOne, make_second);
  add_layer(driver, kThree, kTwo, make_third);
  add_layer(driver, kEmpty, kThree, [](Editor&) {});
  need(driver.create_rw(kContainer, kEmpty, {}));
}

void change_container(Driver& driver) {
  Editor at(view(driver, kContainer));
  at.file("written", "w\n");
  at.remove("keep/new");
  at.append("keep/k", "more\n");
  at.rename("large", "larger");
  at.touch_nothing("capable");
  at.touch_nothing("keep/same");
  at.mode("null", 0600);
  at.owner("dangling", 7, 8);
  at.replace_directory("opq", 02750);
  at.file("opq/newest", "x");
  at.directory("made");
  at.directory("made/deep");
  at.file("made/deep/file", "x");
  at.link("made/deep/file", "made/hard");
  at.file("deldir/temporary", "x");
  at.remove("deldir/temporary");
  at.attribute("attributes", "user.colour", "blue");
  at.remove("file-to-dir");
  at.file("file-to-dir", "a file again");
  at.mode(".", 0751);
  at.remove(std::string(abilities().longest_name, 'n').c_str());
}

void compare(Subject& subject, Subject& oracle, const std::string& id, const char* what) {
  const std::string label = what;
  assert_same_lines(("tree of " + label).c_str(), manifest(view(*subject.driver, id).get()),
                    manifest(view(*oracle.driver, id).get()));
  assert_same_lines(("changes of " + label).c_str(), listing(need(subject.driver->changes(id))),
                    listing(need(oracle.driver->changes(id))));
}

void check_contents(Driver& driver, const std::string& id) {
  const Fd contents = need(driver.contents(id));
  for (const drivers::Change& change : need(driver.changes(id))) {
    if (change.kind == drivers::ChangeKind::deleted || change.path == "/") continue;
    if (faccessat(contents.get(), change.path.c_str() + 1, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
      fail_msg("contents() lacks `%s`: %s", change.path.c_str(), strerror(errno));
  }
}

}  // namespace

void trees_and_changes(void** state) {
  Subject& subject = subject_of(state);
  Subject oracle = make_oracle(subject);
  make_layers(*subject.driver);
  make_layers(*oracle.driver);
  open_subject(subject);
  compare(subject, oracle, kOne, "layer 1");
  compare(subject, oracle, kTwo, "layer 2");
  compare(subject, oracle, kThree, "layer 3");
  compare(subject, oracle, kEmpty, "the empty layer");
  compare(subject, oracle, kContainer, "the new container");
  assert_string_equal(listing(need(subject.driver->changes(kContainer))).c_str(), "");
  for (const std::string& id : {kOne, kTwo, kThree}) check_contents(*subject.driver, id);
}

void container_through_its_mount(void** state) {
  Subject& subject = subject_of(state);
  Subject oracle = make_oracle(subject);
  for (Subject* each : {&subject, &oracle}) {
    make_layers(*each->driver);
    change_container(*each->driver);
    open_subject(*each);
  }
  compare(subject, oracle, kContainer, "the container");
  compare(subject, oracle, kEmpty, "the layer below the container");
  check_contents(*subject.driver, kContainer);
  // A stopped container is started again, and its layer removed without those below.
  {
    Editor again(view(*subject.driver, kContainer));
    again.append("written", "again\n");
  }
  need(subject.driver->release(kContainer));
  need(subject.driver->remove(kContainer));
  assert_false(need(subject.driver->exists(kContainer)));
  compare(subject, oracle, kEmpty, "what is left");
}

// Layers unpacked side by side, and linked afterwards.
void rebase(void** state) {
  Subject& subject = subject_of(state);
  Driver& driver = *subject.driver;
  auto second = need(driver.stage(""));
  if (!driver.capabilities().rebase) {
    add_layer(driver, kOne, "", make_base);
    need_error(invalid, driver.commit(std::move(second), kTwo, kOne));
    return;
  }
  auto third = need(driver.stage(""));
  Editor edit_third(*third, driver);
  make_third(edit_third);
  Editor edit_second(*second, driver);
  make_second(edit_second);
  add_layer(driver, kOne, "", make_base);
  need(driver.commit(std::move(second), kTwo, kOne));
  need(driver.commit(std::move(third), kThree, kTwo));
  Subject oracle = make_oracle(subject);
  make_layers(*oracle.driver);
  compare(subject, oracle, kTwo, "layer 2");
  compare(subject, oracle, kThree, "layer 3");
}

bool has_old_form(Driver& driver, const std::string& id) {
  const sys::MountSpec spec = need(driver.mounts(id));
  return !spec.options.empty() && !spec.legacy.empty();
}

// As before Linux 6.7, which has no lowerdir+: one string of options, with short paths relative to the store.
void mounted_the_old_way(void** state) {
  Driver& driver = *subject_of(state).driver;
  add_layer(driver, kOne, "", [](Editor& at) {
    at.directory("d");
    at.file("d/f", "below");
    at.file("g", "goes");
  });
  add_layer(driver, kTwo, kOne, [](Editor& at) {
    at.remove("g");
    at.file("h", "x");
  });
  need(driver.create_rw(kContainer, kTwo, {}));
  {
    Editor at(view(driver, kContainer));
    at.remove("h");
    at.append("d/f", " and above");
    at.file("new", "x");
  }
  if (!has_old_form(driver, kContainer)) skip();  // before there is an object: a longjmp destroys none
  for (const std::string& id : {kContainer, kTwo}) {
    const std::string wanted = manifest(view(driver, id).get());
    sys::MountSpec spec = need(driver.mounts(id));
    spec.options.clear();
    const Fd root = need(sys::mount_detached(spec));
    const Fd tree(openat(root.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    assert_same_lines(id.c_str(), manifest(tree.get()), wanted);
  }
}

// As many layers as the driver says, or 500; each with a file of its own, the fifth one deleted by each.
void deep_stack(void** state) {
  Subject& subject = subject_of(state);
  Driver& driver = *subject.driver;
  const char* wanted = getenv("SUITE_DEPTH");
  const unsigned most = wanted ? static_cast<unsigned>(atoi(wanted)) : 500;
  const unsigned limit = driver.capabilities().max_depth;
  const unsigned depth = limit && limit < most ? limit : most;
  std::string parent;
  for (unsigned i = 0; i < depth; ++i) {
    char id[65];
    snprintf(id, sizeof id, "%064x", i + 1);
    add_layer(driver, id, parent, [&](Editor& at) {
      at.file(("f" + std::to_string(i)).c_str(), std::to_string(i));
      if (i >= 5) at.remove(("f" + std::to_string(i - 5)).c_str());
    });
    parent = id;
  }
  need(driver.create_rw(kContainer, parent, {}));
  {
    Editor at(view(driver, kContainer));
    for (unsigned i = 0; i < depth; ++i) {
      const bool there = faccessat(at.dir(), ("f" + std::to_string(i)).c_str(), F_OK, 0) == 0;
      if (there != (i + 5 >= depth)) fail_msg("f%u of %u: %s", i, depth, there ? "there" : "not there");
    }
    at.remove(("f" + std::to_string(depth - 1)).c_str());
    at.file("f0", "back");
  }
  const std::string last = std::to_string(depth - 1);
  assert_string_equal(listing(need(driver.changes(kContainer))).c_str(),
                      ("A /f0\nD /f" + last + "\n").c_str());
  (void)view(driver, parent);
  need(driver.release(parent));
}

void too_deep_is_refused_at_create(void** state) {
  Driver& driver = *subject_of(state).driver;
  const unsigned limit = driver.capabilities().max_depth;
  if (limit == 0 || limit > 1000) skip();
  std::string parent;
  for (unsigned i = 0; i < limit; ++i) {
    char id[65];
    snprintf(id, sizeof id, "%064x", i + 1);
    add_layer(driver, id, parent, [](Editor&) {});
    parent = id;
  }
  Result<std::unique_ptr<drivers::Stage>> more = driver.stage(parent);
  if (more.ok()) {  // the last one may be a committed layer whose own view fits
    const std::string id = layer_id("ffff");
    Status committed = driver.commit(std::move(more).value(), id, parent);
    if (committed.ok()) need_error(invalid, driver.create_rw(kContainer, id, {}));
  }
}

}  // namespace suite
