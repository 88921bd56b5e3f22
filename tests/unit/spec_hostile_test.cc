// Hostile documents: ten megabytes of anything, bottomless nesting, the same key again and again. They end in
// an error or a result, soon.
#include <time.h>

#include <string>

#include "oci/spec.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::oci;

namespace {

constexpr size_t kSize = 10 << 20;

const std::string kHead = R"({"ociVersion":"1.0.0","root":{"path":"r"},"process":{"cwd":"/","args":["x"]})";

double seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// The error, or "".
std::string outcome(const std::string& text) {
  Arena arena;
  Warnings warnings(arena);
  const double start = seconds();
  Result<Spec*> spec = parse_spec(text, arena, warnings);
  std::string error;
  if (!spec.ok()) {
    error = spec.error().text();
  } else if (Status status = validate_spec(**spec, warnings); !status.ok()) {
    error = status.error().text();
  }
  assert_true(seconds() - start < 20);  // under a sanitizer, on a busy machine
  assert_true(warnings.size() <= 64);
  assert_true(error.size() < 4096);
  return error;
}

template <class F>
std::string repeated(const std::string& before, F part, const std::string& after) {
  std::string text = before;
  for (size_t i = 0; text.size() < kSize; ++i) text += (i ? "," : "") + part(i);
  return text + after;
}

}  // namespace

static void many_keys(void**) {
  const auto key = [](size_t i) { return "\"k" + std::to_string(i) + "\":\"\""; };
  assert_string_equal(outcome(repeated(kHead + ",\"annotations\":{", key, "}}")).c_str(), "");
  assert_string_equal(outcome(repeated(kHead + ",", key, "}")).c_str(), "");  // all unknown
  const auto sysctl = [](size_t i) { return "\"kernel.k" + std::to_string(i) + "\":\"\""; };
  assert_string_not_equal(outcome(repeated(kHead + ",\"linux\":{\"sysctl\":{", sysctl, "}}}")).c_str(), "");
}

static void the_same_key(void**) {
  const auto key = [](size_t) { return std::string("\"k\":\"\""); };
  assert_string_equal(outcome(repeated(kHead + ",\"annotations\":{", key, "}}")).c_str(), "");
  const auto process = [](size_t) { return std::string(R"("process":{"cwd":"/","args":["x"]})"); };
  assert_string_equal(outcome(repeated(kHead + ",", process, "}")).c_str(), "");
}

static void long_lists(void**) {
  const auto word = [](size_t i) { return "\"/" + std::to_string(i) + "\""; };
  assert_string_equal(
      outcome(repeated(kHead + ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],\"maskedPaths\":[", word,
                       "]}}"))
          .c_str(),
      "");
  const auto mount = [](size_t i) { return "{\"destination\":\"/" + std::to_string(i) + "\"}"; };
  assert_string_equal(outcome(repeated(kHead + ",\"mounts\":[", mount, "]}")).c_str(), "");
  const auto relative = [](size_t i) { return "{\"destination\":\"" + std::to_string(i) + "\"}"; };
  assert_string_equal(outcome(repeated(kHead + ",\"mounts\":[", relative, "]}")).c_str(), "");
  const auto capability = [](size_t i) { return "\"CAP_" + std::to_string(i) + "\""; };
  const std::string process =
      R"({"ociVersion":"1.0.0","root":{"path":"r"},"process":{"cwd":"/","args":["x"],"capabilities":{"bounding":[)";
  assert_string_equal(outcome(repeated(process, capability, "]}}}")).c_str(), "");
  const auto device = [](size_t i) { return "\"eth" + std::to_string(i) + "\":{}"; };
  outcome(repeated(kHead + R"(,"linux":{"namespaces":[{"type":"network"}],"netDevices":{)", device, "}}}"));
  const auto mapping = [](size_t i) {
    const std::string id = std::to_string(i);
    return R"({"containerID":)" + id + R"(,"hostID":)" + id + R"(,"size":1})";
  };
  assert_non_null(strstr(outcome(repeated(kHead + ",\"linux\":{\"uidMappings\":[", mapping, "]}}")).c_str(),
                         "linux.uidMappings"));
}

static void nesting(void**) {
  for (const char* open : {"[", "{\"a\":", "[{\"a\":"}) {
    std::string text = kHead + ",\"x\":";
    while (text.size() < kSize) text += open;
    assert_non_null(strstr(outcome(text).c_str(), "more than 64 levels of nesting"));
  }
}

static void long_words(void**) {
  const std::string word(kSize, 'a');
  assert_string_equal(outcome(kHead + ",\"annotations\":{\"" + word + "\":\"" + word + "\"}}").c_str(), "");
  assert_string_equal(outcome(kHead + ",\"" + word + "\":1}").c_str(), "");
  assert_string_not_equal(outcome("{\"ociVersion\":\"" + word + "\"}").c_str(), "");
  assert_string_not_equal(
      outcome(kHead + ",\"linux\":{\"namespaces\":[{\"type\":\"" + word + "\"}]}}").c_str(), "");
  assert_string_not_equal(outcome(kHead + ",\"linux\":{\"sysctl\":{\"" + word + "\":\"\"}}}").c_str(), "");
  assert_string_not_equal(outcome(std::string(kSize, '1')).c_str(), "");
}

static void duplicate_keys_last_one_wins(void**) {
  Arena arena;
  Warnings warnings(arena);
  Result<Spec*> spec = parse_spec(
      R"({"ociVersion":"1.0.0","process":{"cwd":"/a","args":["x"]},"process":{"cwd":"/b"},
          "annotations":{"k":"1","j":"2","k":"3"}})",
      arena, warnings);
  assert_true(spec.ok());
  assert_string_equal((*spec)->process->cwd.c_str(), "/b");
  assert_int_equal((*spec)->process->args.count, 0);  // nothing of the first one is left
  assert_int_equal((*spec)->annotations.count, 2);
  assert_string_equal((*spec)->annotations.find("k")->c_str(), "3");
}

static void many_duplicates_in_a_large_map(void**) {
  Arena arena;
  Warnings warnings(arena);
  std::string text = "{\"annotations\":{";
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 1000; ++i)
      text += "\"k" + std::to_string(i) + "\":\"" + std::to_string(round * 1000 + i) + "\",";
  text += "\"last\":\"\"}}";
  Result<Spec*> spec = parse_spec(text, arena, warnings);
  assert_true(spec.ok());
  assert_int_equal((*spec)->annotations.count, 1001);
  for (int i = 0; i < 1000; ++i) {
    const Entry<Str>& entry = (*spec)->annotations[static_cast<size_t>(i)];
    assert_string_equal(entry.key.c_str(), ("k" + std::to_string(i)).c_str());
    assert_string_equal(entry.value.c_str(), std::to_string(2000 + i).c_str());
  }
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(many_keys),
      cmocka_unit_test(the_same_key),
      cmocka_unit_test(long_lists),
      cmocka_unit_test(nesting),
      cmocka_unit_test(long_words),
      cmocka_unit_test(duplicate_keys_last_one_wins),
      cmocka_unit_test(many_duplicates_in_a_large_map),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
