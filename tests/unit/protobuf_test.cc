// The wire format of Protocol Buffers: bytes as protoc's own programs write them, and bytes that are no message.
#include "src/base/protobuf.h"

#include <string>

#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

std::string of(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text += static_cast<char>(byte);
  return text;
}

void writes_fields(void**) {
  protobuf::Writer inner;
  inner.text(1, "ab").number(2, 300);
  protobuf::Writer out;
  out.number(1, 150).number(2, -1).text(3, "").message(16, inner);
  const std::string want = of({0x08, 0x96, 0x01, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                               0x01, 0x1a, 0x00, 0x82, 0x01, 0x07, 0x0a, 0x02, 'a',  'b',  0x10, 0xac, 0x02});
  assert_true(out.bytes() == want);
}

void reads_what_was_written(void**) {
  protobuf::Writer inner;
  inner.text(1, "text");
  protobuf::Writer out;
  out.number(1, -5).message(7, inner).number(300, 1);
  protobuf::Reader in(out.bytes());
  assert_true(in.next());
  assert_int_equal(in.field(), 1);
  assert_int_equal(in.number(), -5);
  assert_true(in.text().empty());
  assert_true(in.next());
  assert_int_equal(in.field(), 7);
  protobuf::Reader part(in.text());
  assert_true(part.next());
  assert_true(part.text() == "text");
  assert_false(part.next());
  assert_true(in.next());
  assert_int_equal(in.field(), 300);
  assert_int_equal(in.number(), 1);
  assert_false(in.next());
}

void passes_over_what_it_does_not_know(void**) {
  const std::string bytes = of({0x0d, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x18, 9});
  protobuf::Reader in(bytes);
  assert_true(in.next());
  assert_int_equal(in.number(), 0);
  assert_true(in.next());
  assert_true(in.next());
  assert_int_equal(in.field(), 3);
  assert_int_equal(in.number(), 9);
}

void ends_at_bytes_that_are_no_message(void**) {
  for (const std::string& bytes :
       {of({}), of({0x08}), of({0x08, 0x80}), of({0x0a, 5, 'a'}), of({0x0b}), of({0x0d, 1, 2}),
        of({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
        of({0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 'a'})}) {
    protobuf::Reader in(bytes);
    assert_false(in.next());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(writes_fields),
      cmocka_unit_test(reads_what_was_written),
      cmocka_unit_test(passes_over_what_it_does_not_know),
      cmocka_unit_test(ends_at_bytes_that_are_no_message),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
