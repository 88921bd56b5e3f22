// Values without a type of their own: what a temporary gives away, members and their order.
#include "src/base/value.h"

#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

Value document() {
  return Value::object()
      .set("name", "a name that is too long to be kept inside of a string")
      .set("inner", Value::map().set("list", Value::array().add("one").add("two")));
}

// References into a temporary are refused by the compiler.
template <typename V>
concept gives_items = requires(V&& value) {
  std::forward<V>(value).items();
};
template <typename V>
concept gives_members = requires(V&& value) {
  std::forward<V>(value).members();
};
template <typename V>
concept gives_pointer = requires(V&& value) {
  std::forward<V>(value).find("name");
};
static_assert(gives_items<Value&> && gives_items<const Value&> && !gives_items<Value>);
static_assert(gives_members<Value&> && gives_members<const Value&> && !gives_members<Value>);
static_assert(gives_pointer<Value&> && gives_pointer<const Value&> && !gives_pointer<Value>);

void parts_outlive_a_temporary(void**) {
  const Value& inner = document()["inner"];
  const Value& list = document()["inner"]["list"];
  const Value& nothing = document()["no such"]["member"];
  const std::string& name = document()["name"].text();
  const Value& longer = document().set("more", 1);
  assert_string_equal(inner.json().c_str(), R"({"list":["one","two"]})");
  assert_int_equal(list.items().size(), 2);
  assert_true(nothing.is_null());
  assert_string_equal(name.c_str(), "a name that is too long to be kept inside of a string");
  assert_int_equal(longer["more"].integer(), 1);
}

void a_named_value_is_changed_in_place(void**) {
  Value value = document();
  value.set("name", 1).set("last", Value::array()).set("inner", 2);
  assert_string_equal(value.json().c_str(), R"({"name":1,"inner":2,"last":[]})");
  assert_ptr_equal(value.find("last"), &value["last"]);
  assert_null(value.find("no such"));
  assert_true(value["no such"].is_null());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(parts_outlive_a_temporary),
      cmocka_unit_test(a_named_value_is_changed_in_place),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
