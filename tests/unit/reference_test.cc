// Names of images: what Docker accepts, and what it makes of it.
#include "oci/reference.h"

#include "tests/lib/cmocka.h"

using namespace slipway;
using oci::Reference;

namespace {

constexpr char kHex[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

void names_are_normalised(void**) {
  const struct {
    const char* text;
    const char* full;
    const char* familiar;
  } cases[] = {
      {"busybox", "docker.io/library/busybox", "busybox"},
      {"busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"},
      {"user/app", "docker.io/user/app", "user/app"},
      {"docker.io/busybox", "docker.io/library/busybox", "busybox"},
      {"index.docker.io/library/busybox", "docker.io/library/busybox", "busybox"},
      {"docker.io/a/b/c:t", "docker.io/a/b/c:t", "a/b/c:t"},
      {"localhost/x", "localhost/x", "localhost/x"},
      {"localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y"},
      {"UPPER/x", "UPPER/x", "UPPER/x"},
      {"[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x"},
      {"quay.io/a-b/c__d.e---f:V1.0-rc_2", "quay.io/a-b/c__d.e---f:V1.0-rc_2",
       "quay.io/a-b/c__d.e---f:V1.0-rc_2"},
      {"a:5000", "docker.io/library/a:5000", "a:5000"},
  };
  for (const auto& c : cases) {
    Result<Reference> got = Reference::parse(c.text);
    if (!got.ok()) fail_msg("%s: %s", c.text, got.error().text());
    assert_string_equal(got->text().c_str(), c.full);
    assert_string_equal(got->familiar().c_str(), c.familiar);
  }
}

void tags_and_digests_are_told_apart(void**) {
  Result<Reference> both = Reference::parse(std::string("app:1@sha256:") + kHex);
  assert_true(both.ok());
  assert_string_equal(both->tag.c_str(), "1");
  assert_string_equal(both->digest.hex().c_str(), kHex);
  Result<Reference> none = Reference::parse("app");
  assert_true(none.ok() && none->tag.empty() && !none->digest);
  none->default_tag();
  assert_string_equal(none->tag.c_str(), "latest");
}

void what_docker_refuses_is_refused(void**) {
  const std::string long_name(300, 'a');
  const std::string long_tag = "a:" + std::string(129, 't');
  for (const char* text : {"",
                           ":tag",
                           "@",
                           "A",
                           "a/B",
                           "a//b",
                           "/a",
                           "a/",
                           "a:",
                           "a:-x",
                           "a:.x",
                           "a:b:c",
                           "a b",
                           "-a",
                           "a-",
                           "a..b",
                           "a___b",
                           "a@sha256:12",
                           "a@sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
                           "a@md5:1",
                           "../a",
                           "a/../b",
                           "http://a/b",
                           "x.y:z/a",
                           "[]/a",
                           "-x.io/a",
                           kHex,
                           long_name.c_str(),
                           long_tag.c_str(),
                           "a\nb",
                           "a:\xff"})
    if (Reference::parse(text).ok()) fail_msg("accepted `%s`", text);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(names_are_normalised),
      cmocka_unit_test(tags_and_digests_are_told_apart),
      cmocka_unit_test(what_docker_refuses_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
