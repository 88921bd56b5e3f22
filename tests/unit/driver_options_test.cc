// Switches, names of layers and the choice of a driver.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <string>

#include "drivers/driver.h"
#include "drivers/options.h"
#include "drivers/staging.h"
#include "src/sys/remove_tree.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::drivers;

namespace {

void names(void**) {
  for (const char* name : {"a", "0f3c", "abc-init", "A.b_c"}) assert_true(check_layer_name(name).ok());
  for (const char* name : {"", ".", "..", "../x", "a/b", "-a", "_a", "a b", "a\n"})
    assert_false(check_layer_name(name).ok());
  assert_false(check_layer_name(std::string(129, 'a')).ok());
  assert_false(check_layer_name(std::string_view("a\0b", 3)).ok());
  const std::string one = random_name();
  assert_int_equal(one.size(), 26);
  assert_true(check_layer_name(one).ok());
  assert_string_not_equal(one.c_str(), random_name().c_str());
}

void container_options(void**) {
  assert_int_equal(parse_rw_options({{"size", "1G"}})->size, 1 << 30);
  assert_int_equal(parse_rw_options({})->size, 0);
  assert_false(parse_rw_options({{"size", "much"}}).ok());
  assert_false(parse_rw_options({{"colour", "red"}}).ok());
}

// What is wrong is said before it turns out that this kernel has no device-mapper.
void devicemapper_options(void**) {
  for (const auto& [key, value] : Options{{"dm.fs", "btrfs"},
                                          {"dm.basesize", "x"},
                                          {"dm.blkdiscard", "2"},
                                          {"dm.min_free_space", "10"},
                                          {"dm.min_free_space", "100%"},
                                          {"dm.xfs_nospace_max_retries", "-2"},
                                          {"dm.xfs_nospace_max_retries", ""},
                                          {"dm.xfs_nospace_max_retries", "3x"},
                                          {"dm.unknown", "1"},
                                          {"dm.blocksize", "1k"},
                                          {"dm.blocksize", "100k"},
                                          {"dm.blocksize", "0"},
                                          {"dm.loopmetadatasize", "1k"}}) {
    Result<std::unique_ptr<Driver>> driver = open_driver("devicemapper", "/nonexistent", {{key, value}});
    assert_false(driver.ok());
    const ErrorKind kind = driver.error().kind();
    assert_true(kind == ErrorKind::invalid || kind == ErrorKind::usage);
    assert_non_null(strstr(driver.error().text(), key.c_str()));
  }
}

void a_prior_drivers_data_wins(void**) {
  char root[] = "/tmp/slipway-registry-XXXXXX";
  assert_non_null(mkdtemp(root));
  const std::string base = root;
  {
    auto vfs = open_driver("vfs", base, {});
    assert_true(vfs.ok());
    assert_true((*vfs)->create_rw("one", "", {}).ok());
  }
  auto chosen = open_driver("", base, {});
  assert_true(chosen.ok());
  assert_string_equal((*chosen)->name(), "vfs");
  mkdir((base + "/overlay2").c_str(), 0700);
  mkdir((base + "/overlay2/l").c_str(), 0700);
  assert_true(open_driver("", base, {}).ok());  // no layer in it
  mkdir((base + "/overlay2/two").c_str(), 0700);
  Result<std::unique_ptr<Driver>> torn = open_driver("", base, {});
  assert_false(torn.ok());
  assert_non_null(strstr(torn.error().text(), "overlay2"));
  assert_non_null(strstr(torn.error().text(), "vfs"));
  Result<std::unique_ptr<Driver>> unknown = open_driver("zfs", base, {});
  assert_false(unknown.ok());
  assert_non_null(strstr(unknown.error().text(), "zfs"));
  Result<std::unique_ptr<Driver>> option = open_driver("vfs", base, {{"dm.fs", "xfs"}});
  assert_false(option.ok());
  assert_true(option.error().kind() == ErrorKind::invalid);
  assert_false(open_driver("vfs", "relative", {}).ok());
  assert_true(sys::remove_tree(AT_FDCWD, root).ok());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(names),
      cmocka_unit_test(container_options),
      cmocka_unit_test(devicemapper_options),
      cmocka_unit_test(a_prior_drivers_data_wins),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
