// Image configs: chain IDs, fields that survive, and documents that are refused.
#include "oci/image_config.h"

#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

constexpr char kA[] = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
constexpr char kB[] = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

void chain_ids_follow_the_specification(void**) {
  Arena arena;
  List<Str> ids = arena.list<Str>(2);
  ids[0] = Str::wrap(kA);
  ids[1] = Str::wrap(kB);
  const std::vector<Digest> chain = oci::chain_ids(ids);
  assert_int_equal(chain.size(), 2);
  assert_string_equal(chain[0].text().c_str(), kA);
  assert_true(chain[1] == sha256(std::string(kA) + " " + kB));
}

void unknown_members_survive(void**) {
  Arena arena;
  const std::string base =
      std::string(R"({"architecture":"amd64","os":"linux","x-top":{"a":[1,null]},)"
                  R"("container_config":{"Cmd":["old"]},"docker_version":"1",)"
                  R"("config":{"Cmd":["old"],"Hostname":"h","ArgsEscaped":true,"Env":["A=1"]},)"
                  R"("rootfs":{"type":"layers","diff_ids":[")") +
      kA + R"("]}})";
  Result<oci::ImageConfig*> parsed = oci::parse_image_config(base, arena);
  assert_true(parsed.ok());
  oci::ImageConfig config = **parsed;
  ListBuilder<Str> cmd(arena);
  cmd.add("new");
  config.config.cmd = cmd.list();
  Result<std::string> text = oci::derive_image_config(base, config, arena);
  assert_true(text.ok());
  assert_string_equal(text->c_str(),
                      (std::string(R"({"architecture":"amd64","config":{"ArgsEscaped":true,"Cmd":["new"],)"
                                   R"("Env":["A=1"],"Hostname":"h"},"os":"linux","rootfs":{"type":"layers",)"
                                   R"("diff_ids":[")") +
                       kA + R"("]},"x-top":{"a":[1,null]}})")
                          .c_str());
}

void bad_documents_are_refused(void**) {
  for (const char* text : {"", "[]", "{\"rootfs\":{\"type\":\"other\"}}",
                           "{\"rootfs\":{\"diff_ids\":[\"sha256:../x\"]}}", "{\"history\":{}}"}) {
    Arena arena;
    assert_false(oci::parse_image_config(text, arena).ok());
  }
  const std::string descriptor = std::string(R"({"mediaType":"x","size":1,"digest":")") + kA + R"("})";
  Arena arena;
  assert_true(
      oci::parse_manifest(R"({"schemaVersion":2,"config":)" + descriptor + ",\"layers\":[]}", arena).ok());
  for (const std::string& text : std::initializer_list<std::string>{
           R"({"schemaVersion":2,"layers":[]})" + std::string(),
           R"({"schemaVersion":1,"config":)" + descriptor + "}",
           R"({"schemaVersion":2,"manifests":[],"layers":[],"config":)" + descriptor + "}",
           R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":)" +
               descriptor + "}",
           R"({"schemaVersion":2,"config":{"size":-1,"digest":")" + std::string(kA) + "\"}}",
           R"({"schemaVersion":2,"config":)" + descriptor + R"(,"layers":[{"digest":"sha256:1"}]})",
       })
    if (oci::parse_manifest(text, arena).ok()) fail_msg("accepted %s", text.c_str());
  assert_false(oci::parse_index(R"({"schemaVersion":2,"manifests":[],"layers":[]})", arena).ok());
  assert_true(oci::parse_index(R"({"schemaVersion":2,"manifests":[]})", arena).ok());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(chain_ids_follow_the_specification),
      cmocka_unit_test(unknown_members_survive),
      cmocka_unit_test(bad_documents_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
