// Names and numbers: signals in every spelling, and tables that agree with themselves.
#include "oci/names.h"

#include <signal.h>

#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::oci;

static int number(std::string_view text) {
  Result<int> signal = parse_signal(text);
  return signal.ok() ? *signal : -1;
}

static void signals(void**) {
  assert_int_equal(number("15"), SIGTERM);
  assert_int_equal(number("TERM"), SIGTERM);
  assert_int_equal(number("SIGTERM"), SIGTERM);
  assert_int_equal(number("sigterm"), SIGTERM);
  assert_int_equal(number("Kill"), SIGKILL);
  assert_int_equal(number("0"), 0);
  assert_int_equal(number("09"), 9);
  assert_int_equal(number("64"), 64);
  assert_int_equal(number("SIGRTMIN"), 34);
  assert_int_equal(number("RTMIN+3"), 37);
  assert_int_equal(number("SIGRTMAX"), 64);
  assert_int_equal(number("rtmax-1"), 63);
}

static void no_signals(void**) {
  for (const char* text :
       {"", "65", "-1", "SIG", "SIGSIG", "SIGSIGTERM", "TERM ", " 9", "9x", "RTMIN-1", "RTMAX+1", "RTMIN+31",
        "RTMIN+", "RTMIN+x", "1000000000000000000000", "0x9", "averyveryverylongsignalname"})
    assert_int_equal(number(text), -1);
  Result<int> bad = parse_signal("FOO");
  assert_string_equal(bad.error().text(), "unknown signal \"FOO\"");
}

static void capabilities_are_in_order(void**) {
  for (size_t i = 0; i < kCapabilityNames.size(); ++i) assert_int_equal(kCapabilityNames[i].value, i);
}

static void lookups(void**) {
  assert_int_equal(*find_name(kRlimitNames, "RLIMIT_NOFILE"), 7);
  assert_false(find_name(kRlimitNames, "NOFILE").set);
  assert_string_equal(name_of(kCapabilityNames, 21), "CAP_SYS_ADMIN");
  assert_null(name_of(kCapabilityNames, 63));
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(signals),
      cmocka_unit_test(no_signals),
      cmocka_unit_test(capabilities_are_in_order),
      cmocka_unit_test(lookups),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
