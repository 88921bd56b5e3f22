// Records of containers: names, short ids, and what killed processes leave.
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/removal.h"
#include "src/sys/remove_tree.h"
#include "tests/lib/cmocka.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

using namespace slipway;
using store::Containers;
using store::Draft;
using store::Store;

namespace {

class Fixture {
 public:
  Fixture() : path_(mkdtemp(name_)) {
    store::StoreOptions options;
    options.root = path_ + "/root";
    options.run_root = path_ + "/run";
    options.driver = "vfs";
    auto opened = Store::open(std::move(options));
    assert_true(opened.ok());
    store_ = std::move(opened).value();
  }
  ~Fixture() {
    store_.reset();
    (void)sys::remove_tree(AT_FDCWD, path_.c_str());
  }
  Store& store() { return *store_; }

 private:
  char name_[32] = "/tmp/containers-XXXXXX";
  std::string path_;
  std::unique_ptr<Store> store_;
};

std::string add(Store& store, const char* name) {
  Containers containers(store);
  auto draft = containers.begin(name);
  if (!draft.ok()) return std::string("error: ") + draft.error().text();
  const std::string id = draft->id();
  assert_true(containers.publish(std::move(draft).value(), store::Record(), false).ok());
  return id;
}

size_t entries(Store& store, const char* room) {
  auto names = store::list_directory(store.root_fd(), room);
  assert_true(names.ok());
  return names->size();
}

void found_by_every_name(void**) {
  Fixture fixture;
  const std::string id = add(fixture.store(), "web");
  Containers containers(fixture.store());
  for (const std::string& name :
       {std::string("web"), std::string("/web"), id, id.substr(0, 12), id.substr(0, 20), id.substr(0, 3)}) {
    auto found = containers.find(name);
    assert_true(found.ok());
    assert_string_equal(found->c_str(), id.c_str());
  }
  for (const char* name : {"", "we", "webs", "../web", ".", "no/web"})
    assert_false(containers.find(name).ok());
}

void a_name_has_one_holder(void**) {
  Fixture fixture;
  const std::string id = add(fixture.store(), "web");
  assert_true(add(fixture.store(), "web").find("is already in use by container \"" + id) !=
              std::string::npos);
  assert_true(add(fixture.store(), "x").starts_with("error: Invalid container name"));
  assert_int_equal(entries(fixture.store(), "pending"), 0);
  assert_int_equal(entries(fixture.store(), "ids"), 1);
}

void renamed(void**) {
  Fixture fixture;
  Containers containers(fixture.store());
  const std::string id = add(fixture.store(), "old");
  add(fixture.store(), "taken");
  {
    auto lock = containers.lock(id);
    assert_true(lock.ok());
    assert_false(containers.rename(id, lock->get(), "taken").ok());
    assert_true(containers.rename(id, lock->get(), "new").ok());
  }
  assert_true(containers.find("new").ok());
  assert_false(containers.find("old").ok());
  assert_int_equal(add(fixture.store(), "old").size(), 64);
}

void removed(void**) {
  Fixture fixture;
  Containers containers(fixture.store());
  const std::string id = add(fixture.store(), "web");
  auto lock = containers.lock(id);
  assert_true(lock.ok());
  assert_true(containers.remove(id, std::move(lock).value()).ok());
  assert_false(containers.find("web").ok());
  assert_false(containers.lock(id).ok());
  for (const char* room : {"containers", "pending", "names", "ids"})
    assert_int_equal(entries(fixture.store(), room), 0);
}

/// A process that is killed between begin() and publish() leaves an unlocked directory; one that lives keeps
/// its lock.
void leftovers_are_collected(void**) {
  Fixture fixture;
  Containers containers(fixture.store());
  const pid_t child = fork();
  if (child == 0) {
    auto draft = containers.begin("ghost");
    _exit(draft.ok() ? (new Draft(std::move(draft).value()), 0) : 1);
  }
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(entries(fixture.store(), "pending"), 1);
  auto mine = containers.begin("living");
  assert_true(mine.ok());
  assert_true(containers.collect().ok());
  assert_int_equal(entries(fixture.store(), "pending"), 1);
  assert_int_equal(entries(fixture.store(), "names"), 1);
}

/// The claim of a name that nobody holds any more does not block it.
void a_void_claim_is_taken_over(void**) {
  Fixture fixture;
  const std::string nobody(64, 'a');
  assert_int_equal(symlinkat(nobody.c_str(), fixture.store().root_fd(), "names/web"), 0);
  assert_int_equal(add(fixture.store(), "web").size(), 64);
}

void times_are_exact(void**) {
  auto time = store::parse_rfc3339("2024-02-29T12:34:56.789012345+02:00");
  assert_true(time.ok());
  assert_string_equal(store::format_rfc3339(*time).c_str(), "2024-02-29T10:34:56.789012345Z");
  for (const char* text : {"", "2024", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z",
                           "2024-01-01T00:00:00Zx"})
    assert_false(store::parse_rfc3339(text).ok());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(found_by_every_name),
      cmocka_unit_test(a_name_has_one_holder),
      cmocka_unit_test(renamed),
      cmocka_unit_test(removed),
      cmocka_unit_test(leftovers_are_collected),
      cmocka_unit_test(a_void_claim_is_taken_over),
      cmocka_unit_test(times_are_exact),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
