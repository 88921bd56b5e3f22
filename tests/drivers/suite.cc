// The table, and the subject.
#include "tests/drivers/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>

#include "src/sys/remove_tree.h"

using namespace slipway;

namespace suite {

void open_subject(Subject& subject) {
  subject.driver.reset();
  subject.driver = need(drivers::open_driver(subject.name, subject.root, subject.options));
}

Subject& subject_of(void** state) {
  return *static_cast<Subject*>(*state);
}

Subject make_oracle(const Subject& subject) {
  Subject oracle;
  oracle.name = "vfs";
  oracle.root = subject.root + "/oracle";
  need(sys::remove_tree(AT_FDCWD, oracle.root.c_str()));
  open_subject(oracle);
  return oracle;
}

std::string layer_id(std::string_view prefix) {
  std::string id(prefix);
  id.resize(64, '0');
  return id;
}

namespace {

Subject* probed;  // what find_abilities() looks at
Abilities known_abilities;

// A file below another layer is enough to ask aufs for its attributes.
bool has_attributes(const Subject& subject) {
  const std::string image = layer_id("a0"), container = layer_id("a1");
  add_layer(*subject.driver, image, "", [](Editor& at) { at.file("file", "x"); });
  need(subject.driver->create_rw(container, image, {}));
  const Fd tree = view(*subject.driver, container);
  const Fd file(openat(tree.get(), "file", O_RDONLY | O_CLOEXEC));
  return fsetxattr(file.get(), "user.asked", "x", 1, 0) == 0 || errno != EOPNOTSUPP;
}

int find_abilities(void**) {
  Subject& subject = *probed;
  if (subject.name != "aufs") return 0;
  known_abilities.longest_name = 242;  // AUFS_MAX_NAMELEN: room for two whiteouts' marks and a number
  open_subject(subject);
  known_abilities.attributes = has_attributes(subject);
  if (!known_abilities.attributes)
    printf("this kernel's aufs has no extended attributes (CONFIG_AUFS_XATTR)\n");
  return 0;
}

// A case begins and ends with an empty store.
int clean(void** state) {
  Subject& subject = subject_of(state);
  open_subject(subject);
  need(subject.driver->recover());
  for (const std::string& id : need(subject.driver->list())) need(subject.driver->remove(id));
  need(sys::remove_tree(AT_FDCWD, (subject.root + "/oracle").c_str()));
  return 0;
}

}  // namespace

const Abilities& abilities() {
  return known_abilities;
}

}  // namespace suite

int main(int argc, char** argv) {
  using namespace suite;
  if (argc < 3) {
    fprintf(stderr, "usage: suite DRIVER DIRECTORY [KEY=VALUE]...\n");
    return 2;
  }
  Subject subject;
  subject.name = argv[1];
  subject.root = argv[2];
  for (int i = 3; i < argc; ++i) {
    const char* equals = strchr(argv[i], '=');
    if (!equals) return 2;
    subject.options.emplace_back(std::string(static_cast<const char*>(argv[i]), equals), equals + 1);
  }
  probed = &subject;
#define CASE(name) cmocka_unit_test_prestate_setup_teardown(name, clean, clean, &subject)
  const CMUnitTest cases[] = {
      CASE(trees_and_changes),
      CASE(container_through_its_mount),
      CASE(rebase),
      CASE(random_changes),
      CASE(names_and_errors),
      CASE(committed_layers_are_read_only),
      CASE(stage_is_dropped),
      CASE(usage_and_metadata),
      CASE(quota),
      CASE(disposable),
      CASE(places_for_mounts),
      CASE(mounted_the_old_way),
      CASE(deep_stack),
      CASE(too_deep_is_refused_at_create),
      CASE(many_at_once),
      CASE(recover_spares_the_living),
      CASE(killed_at_every_step),
      CASE(limits_do_not_leak),
      CASE(no_space),
      CASE(cost_of_changes),
  };
#undef CASE
  if (const char* only = getenv("SUITE_CASE")) cmocka_set_test_filter(only);
  return cmocka_run_group_tests(cases, find_abilities, nullptr);
}
