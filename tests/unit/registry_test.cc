// What registries say: challenges, links, platforms; and base64.
#include "oci/challenge.h"
#include "oci/descriptor.h"
#include "src/base/base64.h"
#include "src/manager/registry_access.h"
#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

void bearer_challenge(void**) {
  const auto list = oci::parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")");
  assert_int_equal(list.size(), 1);
  assert_string_equal(list[0].scheme.c_str(), "bearer");
  assert_string_equal(std::string(list[0].get("realm")).c_str(), "https://auth.docker.io/token");
  assert_string_equal(std::string(list[0].get("scope")).c_str(), "repository:a/b:pull,push");
  assert_true(list[0].get("error").empty());
}

void several_challenges(void**) {
  const auto list = oci::parse_challenges(R"(,  Basic Realm = "a \"b\\",charset=UTF-8 , BEARER realm=x)");
  assert_int_equal(list.size(), 2);
  assert_string_equal(list[0].scheme.c_str(), "basic");
  assert_string_equal(std::string(list[0].get("realm")).c_str(), "a \"b\\");
  assert_string_equal(std::string(list[0].get("charset")).c_str(), "UTF-8");
  assert_string_equal(list[1].scheme.c_str(), "bearer");
  assert_string_equal(std::string(list[1].get("realm")).c_str(), "x");
}

void broken_challenges(void**) {
  assert_true(oci::parse_challenges("").empty());
  assert_true(oci::parse_challenges("realm=\"x\"").empty());
  assert_true(oci::parse_challenges("\"").empty());
  const auto open = oci::parse_challenges(R"(Bearer realm="never ends)");
  assert_int_equal(open.size(), 1);
  assert_true(open[0].parameters.empty());
}

void links_to_the_next_page(void**) {
  assert_string_equal(oci::next_link(R"(</v2/_catalog?last=a&n=1>; rel="next")").c_str(),
                      "/v2/_catalog?last=a&n=1");
  assert_string_equal(oci::next_link(R"(<x>; rel=prev, <y>; a=b; rel=next)").c_str(), "y");
  assert_string_equal(oci::next_link("<x").c_str(), "");
  assert_string_equal(oci::next_link(R"(<x>; rel="prev")").c_str(), "");
}

void base64_there_and_back(void**) {
  constexpr const char* kPairs[][2] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                       {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"user:pass", "dXNlcjpwYXNz"}};
  for (const auto& [plain, encoded] : kPairs) {
    assert_string_equal(base64_encode(plain).c_str(), encoded);
    auto back = base64_decode(encoded);
    assert_true(back.ok());
    assert_string_equal(back->c_str(), plain);
  }
  assert_true(base64_decode("Zg").ok());
  assert_false(base64_decode("Z").ok());
  assert_false(base64_decode("Zm 8").ok());
}

void platforms_as_text(void**) {
  const auto text = [](const char* word) {
    auto choice = oci::PlatformChoice::parse(word);
    return choice.ok() ? choice->text() : std::string("refused");
  };
  assert_string_equal(text("linux/arm/v7").c_str(), "linux/arm/v7");
  assert_string_equal(text("arm64").c_str(), "linux/arm64");
  assert_string_equal(text("linux/aarch64").c_str(), "linux/arm64");
  assert_string_equal(text("").c_str(), text("linux").c_str());
  assert_string_equal(text("linux//v7").c_str(), "refused");
  assert_string_equal(text("a/b/c/d").c_str(), "refused");
}

void the_closest_platform(void**) {
  const std::string zeros(63, '0');
  const auto entry = [&](char number, const char* platform) {
    return R"({"digest":"sha256:)" + zeros + number + R"(","size":1,"platform":)" + platform + "}";
  };
  const std::string text = R"({"schemaVersion":2,"manifests":[)" +
                           entry('1', R"({"os":"linux","architecture":"arm","variant":"v6"})") + "," +
                           entry('2', R"({"os":"linux","architecture":"arm","variant":"v7"})") + "," +
                           entry('3', R"({"os":"unknown","architecture":"unknown"})") + "," +
                           entry('4', R"({"os":"linux","architecture":"amd64","variant":"v3"})") + "," +
                           entry('5', R"({"os":"linux","architecture":"amd64"})") + "]}";
  Arena arena;
  auto index = oci::parse_index(text, arena);
  assert_true(index.ok());
  const auto chosen = [&](const char* word) {
    const oci::Descriptor* found = oci::choose_platform(**index, oci::PlatformChoice::parse(word).value());
    return found ? found->digest.view().back() : '-';
  };
  assert_int_equal(chosen("linux/arm/v7"), '2');
  assert_int_equal(chosen("linux/arm"), '1');
  assert_int_equal(chosen("amd64"), '5');
  assert_int_equal(chosen("linux/amd64/v3"), '4');
  assert_int_equal(chosen("linux/s390x"), '-');
}

void this_machine(void**) {
  for (const char* host : {"localhost", "localhost:5000", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:5000"})
    assert_true(manager::is_loopback(host));
  for (const char* host : {"localhost.example", "127.0.0.1.example", "[::2]", "10.0.0.1", "[::1].example:1"})
    assert_false(manager::is_loopback(host));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(bearer_challenge),      cmocka_unit_test(several_challenges),
      cmocka_unit_test(broken_challenges),     cmocka_unit_test(links_to_the_next_page),
      cmocka_unit_test(base64_there_and_back), cmocka_unit_test(platforms_as_text),
      cmocka_unit_test(the_closest_platform),  cmocka_unit_test(this_machine),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
