// SHA-256 of texts (portable code) and of streams (libcrypto), and digests as text.
#include "src/base/digest.h"

#include <algorithm>

#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

void known_answers(void**) {
  const struct {
    std::string text;
    const char* hex;
  } cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& c : cases) {
    assert_string_equal(sha256(c.text).hex().c_str(), c.hex);
    Sha256 stream;
    stream.update(c.text.data(), c.text.size());
    assert_string_equal(stream.finish().hex().c_str(), c.hex);
  }
}

void pieces_and_padding_do_not_matter(void**) {
  for (size_t size = 0; size < 200; ++size) {
    std::string text(size, '\0');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7);
    Sha256 stream;
    for (size_t at = 0; at < size; at += 13) stream.update(text.data() + at, std::min<size_t>(13, size - at));
    assert_true(stream.finish() == sha256(text));
  }
}

void only_the_exact_form_is_a_digest(void**) {
  const std::string good = sha256("").text();
  assert_true(sha256({}).text() == good);
  Result<Digest> parsed = Digest::parse(good);
  assert_true(parsed.ok() && parsed->text() == good && *parsed);
  assert_string_equal(parsed->brief().c_str(), "e3b0c44298fc");
  assert_false(static_cast<bool>(Digest{}));
  const std::string hex = sha256("").hex();
  for (const std::string& bad : std::initializer_list<std::string>{
           "", hex, "sha256:", "sha256:" + std::string(64, '0'), "sha256:../../etc/passwd",
           "sha256:" + hex + "0", "SHA256:" + hex, "sha256:E" + hex.substr(1),
           "sha256:" + hex.substr(1) + "/", " sha256:" + hex, "sha512:" + hex + hex})
    if (Digest::parse(bad).ok()) fail_msg("accepted `%s`", bad.c_str());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(known_answers),
      cmocka_unit_test(pieces_and_padding_do_not_matter),
      cmocka_unit_test(only_the_exact_form_is_a_digest),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
