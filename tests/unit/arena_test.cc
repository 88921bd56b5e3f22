// The bump allocator and the lists built in it.
#include "src/base/arena.h"

#include <string>

#include "tests/lib/cmocka.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

using namespace slipway;

namespace {

void memory_is_zeroed_and_aligned(void**) {
  Arena arena;
  for (const size_t align : {1, 2, 8, 16, 64, 4096}) {
    arena.allocate(1, 1);
    const char* at = static_cast<char*>(arena.allocate(100, align));
    assert_int_equal(reinterpret_cast<uintptr_t>(at) % align, 0);
    for (int i = 0; i < 100; ++i) assert_int_equal(at[i], 0);
  }
}

void blocks_do_not_overlap(void**) {
  Arena arena;
  std::string wanted;
  Str first = arena.copy("first");
  for (int i = 0; i < 20'000; ++i) {
    const Str text = arena.format("%d", i);
    assert_string_equal(text.c_str(), std::to_string(i).c_str());
    memset(arena.allocate(13, 1), 0xff, 13);
  }
  assert_true(first == "first");
}

void larger_than_a_chunk(void**) {
  Arena arena;
  char* big = static_cast<char*>(arena.allocate(1 << 20));
  memset(big, 'x', 1 << 20);
  const Str text = arena.copy(std::string(300'000, 'y'));
  assert_int_equal(text.size, 300'000);
  assert_int_equal(strlen(text.c_str()), 300'000);
  assert_int_equal(big[(1 << 20) - 1], 'x');
}

void nothing_takes_no_room_of_others(void**) {
  Arena arena;
  assert_non_null(arena.allocate(0));
  const Str none = arena.copy({});
  assert_true(none.empty());
  assert_string_equal(none.c_str(), "");
}

void copies_may_hold_nul(void**) {
  Arena arena;
  const Str text = arena.copy(std::string_view("a\0b", 3));
  assert_int_equal(text.size, 3);
  assert_memory_equal(text.data, "a\0b", 4);
}

void lists_grow_and_keep_their_items(void**) {
  Arena arena;
  ListBuilder<int> builder(arena);
  assert_true(builder.list().empty());
  for (int i = 0; i < 100'000; ++i) builder.add(i);
  const List<int> list = builder.list();
  assert_int_equal(list.size(), 100'000);
  int want = 0;
  for (const int item : list) assert_int_equal(item, want++);
}

struct WithDefault {
  int value = 7;
};

void made_objects_have_their_defaults(void**) {
  Arena arena;
  assert_int_equal(arena.make<WithDefault>()->value, 7);
  const List<WithDefault> list = arena.list<WithDefault>(3);
  assert_int_equal(list.size(), 3);
  assert_int_equal(list[2].value, 7);
}

void a_sanitizer_knows_what_was_given_out(void**) {
#ifdef __SANITIZE_ADDRESS__
  Arena arena;
  for (const size_t size : {1, 13, 16, 70'000}) {
    char* const at = static_cast<char*>(arena.allocate(size, 1));
    assert_null(__asan_region_is_poisoned(at, size));
    assert_true(__asan_address_is_poisoned(at + size));
  }
#else
  skip();
#endif
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_zeroed_and_aligned),
      cmocka_unit_test(blocks_do_not_overlap),
      cmocka_unit_test(larger_than_a_chunk),
      cmocka_unit_test(nothing_takes_no_room_of_others),
      cmocka_unit_test(copies_may_hold_nul),
      cmocka_unit_test(lists_grow_and_keep_their_items),
      cmocka_unit_test(made_objects_have_their_defaults),
      cmocka_unit_test(a_sanitizer_knows_what_was_given_out),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
