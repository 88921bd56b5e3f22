// A read-write layer's mount, made one to look at: for both ways of mounting an overlay.
#include "src/manager/container_tree.h"

#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

void upper_becomes_lower(void**) {
  sys::MountSpec spec;
  spec.type = "overlay";
  spec.options = {{"lowerdir+", "/s/a/diff"},
                  {"upperdir", "/s/c/diff"},
                  {"workdir", "/s/c/work"},
                  {"volatile", ""},
                  {"index", "off"}};
  spec.legacy = "lowerdir=l/A:l/B,upperdir=c/diff,workdir=c/work,volatile,index=off";
  manager::make_read_only(spec);
  assert_true(spec.read_only);
  assert_int_equal(spec.options.size(), 3);
  assert_string_equal(spec.options[0].key.c_str(), "lowerdir+");
  assert_string_equal(spec.options[0].value.c_str(), "/s/c/diff");
  assert_string_equal(spec.options[1].value.c_str(), "/s/a/diff");
  assert_string_equal(spec.options[2].key.c_str(), "index");
  // Before Linux 6.7 this is all there is.
  assert_string_equal(spec.legacy.c_str(), "lowerdir=c/diff:l/A:l/B,index=off");
}

void others_stay(void**) {
  sys::MountSpec committed;
  committed.type = "overlay";
  committed.legacy = "lowerdir=l/A:l/B,index=off";
  manager::make_read_only(committed);
  assert_string_equal(committed.legacy.c_str(), "lowerdir=l/A:l/B,index=off");
  sys::MountSpec bind;
  bind.source = "/s/dir";
  manager::make_read_only(bind);
  assert_true(bind.read_only && bind.options.empty());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(upper_becomes_lower),
      cmocka_unit_test(others_stay),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
