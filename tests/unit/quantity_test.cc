// Sizes and durations, read and written.
#include "src/base/quantity.h"

#include <utility>

#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

void sizes(void**) {
  const std::pair<const char*, int64_t> good[] = {{"0", 0},
                                                  {"4096", 4096},
                                                  {"1k", 1024},
                                                  {"10KB", 10240},
                                                  {"64KiB", 65536},
                                                  {"1.5m", 1572864},
                                                  {"2MB", 2097152},
                                                  {"1g", 1073741824},
                                                  {"1 g", 1 << 30},
                                                  {"1.5g", 3LL << 29},
                                                  {"10G", 10LL << 30},
                                                  {"2T", 2LL << 40},
                                                  {"1p", 1LL << 50},
                                                  {"10b", 10},
                                                  {"7 mb", 7LL << 20},
                                                  {".5k", 512},
                                                  {"3MIB", 3 << 20},
                                                  {"0.5", 0},
                                                  {"9223372036854775807", INT64_MAX}};
  for (const auto& [text, bytes] : good) {
    Result<int64_t> size = parse_size(text);
    if (!size.ok() || *size != bytes) fail_msg("`%s` was read otherwise", text);
  }
  for (const char* text :
       {"",      "k",    "-5", "+5", "1x",  "1ki", "1bb", "1kbb", "1kk",          ".",        "1..5m",
        "1.2.3", "0x10", " 1", "1 ", "1e3", "inf", "nan", "10ib", "99999999999g", "99999999t"}) {
    Result<int64_t> size = parse_size(text);
    if (size.ok()) fail_msg("`%s` was read as a size", text);
    assert_true(size.error().kind() == ErrorKind::usage);
  }
}

void durations(void**) {
  const std::pair<const char*, int64_t> good[] = {{"0", 0},
                                                  {"-0", 0},
                                                  {"5s", 5'000'000'000},
                                                  {"100ms", 100'000'000},
                                                  {"1m30s", 90'000'000'000},
                                                  {"1.5h", 5'400'000'000'000},
                                                  {"1h0m0.5s", 3'600'500'000'000},
                                                  {"1500us", 1'500'000},
                                                  {"2\u00b5s", 2000},
                                                  {"2\u03bcs", 2000},
                                                  {"-1s", -1'000'000'000},
                                                  {"+3ns", 3}};
  for (const auto& [text, nanoseconds] : good) {
    Result<int64_t> duration = parse_duration(text);
    if (!duration.ok() || *duration != nanoseconds) fail_msg("`%s` was read otherwise", text);
  }
  for (const char* text : {"", "-", "5", "s", "5 s", "1d", "5s3", "1e3s", "--1s", "infs", "9999999999h"}) {
    Result<int64_t> duration = parse_duration(text);
    if (duration.ok()) fail_msg("`%s` was read as a duration", text);
    assert_true(duration.error().kind() == ErrorKind::usage);
  }
}

void durations_as_text(void**) {
  const std::pair<int64_t, const char*> all[] = {{0, "0s"},
                                                 {1, "1ns"},
                                                 {1500, "1.5\u00b5s"},
                                                 {100'000'000, "100ms"},
                                                 {1'000'000'000, "1s"},
                                                 {59'900'000'000, "59.9s"},
                                                 {90'000'000'000, "1m30s"},
                                                 {3'600'000'000'000, "1h0m0s"},
                                                 {-1'000'000'001, "-1.000000001s"},
                                                 {INT64_MIN, "-2562047h47m16.854775808s"}};
  for (const auto& [nanoseconds, text] : all) assert_string_equal(duration_text(nanoseconds).c_str(), text);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(sizes),
      cmocka_unit_test(durations),
      cmocka_unit_test(durations_as_text),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
