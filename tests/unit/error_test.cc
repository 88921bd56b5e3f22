// The text, kind and code of errors as they travel.
#include "src/base/error.h"

#include <errno.h>

#include "src/base/result.h"
#include "tests/lib/cmocka.h"

using namespace slipway;

static void sys_adds_the_cause(void**) {
  Error error = Error::sys(ENOENT, "open `%s`", "/x");
  assert_string_equal(error.text(), "open `/x`: No such file or directory");
  assert_int_equal(error.code(), ENOENT);
  assert_true(error.kind() == ErrorKind::not_found);
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(sys_adds_the_cause)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
