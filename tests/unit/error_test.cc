// The text, kind and code of errors as they travel, and what Result does with values.
#include "src/base/error.h"

#include <errno.h>
#include <string.h>

#include <memory>
#include <string>

#include "src/base/result.h"
#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

void sys_adds_the_cause(void**) {
  const Error error = Error::sys(ENOENT, "open `%s`", "/x");
  assert_string_equal(error.text(), "open `/x`: No such file or directory");
  assert_int_equal(error.code(), ENOENT);
  assert_true(error.kind() == ErrorKind::not_found);
}

void kind_follows_from_errno(void**) {
  assert_true(Error::sys(EEXIST, "x").kind() == ErrorKind::exists);
  assert_true(Error::sys(EBUSY, "x").kind() == ErrorKind::in_use);
  assert_true(Error::sys(EPERM, "x").kind() == ErrorKind::failed);
}

void of_has_no_errno(void**) {
  Error error = Error::of(ErrorKind::usage, "%d flags", 3);
  assert_string_equal(error.text(), "3 flags");
  assert_int_equal(error.code(), 0);
  error.set_kind(ErrorKind::invalid);
  assert_true(error.kind() == ErrorKind::invalid);
  assert_string_equal(error.text(), "3 flags");
}

void context_goes_in_front_and_hint_behind(void**) {
  Error error = Error::sys(EPERM, "mount");
  error.add_context("container `%s`", "c1");
  error.add_context("slip %s", "run");
  error.add_hint("not root?");
  assert_string_equal(error.text(), "slip run: container `c1`: mount: Operation not permitted (not root?)");
  assert_int_equal(error.code(), EPERM);
}

void a_percent_sign_in_an_argument_is_text(void**) {
  Error error = Error::of(ErrorKind::failed, "%s", "100%s");
  error.add_context("%s", "%n");
  error.add_hint("%d");
  assert_string_equal(error.text(), "%n: 100%s (%d)");
}

void a_long_text_is_whole(void**) {
  const std::string name(100'000, 'x');
  Error error = Error::of(ErrorKind::failed, "%s", name.c_str());
  error.add_context("%s", name.c_str());
  assert_int_equal(strlen(error.text()), 200'002);
}

void moving_moves(void**) {
  Error a = Error::of(ErrorKind::failed, "a");
  Error b = std::move(a);
  assert_string_equal(b.text(), "a");
  a = Error::of(ErrorKind::failed, "c");
  b = std::move(a);
  assert_string_equal(b.text(), "c");
}

Result<std::unique_ptr<int>> number(int value) {
  if (value < 0) return Error::of(ErrorKind::invalid, "negative");
  return std::make_unique<int>(value);
}

Result<int> doubled(int value) {
  const std::unique_ptr<int> got = TRY(number(value).ctx("number %d", value));
  return *got * 2;
}

Status only_even(int value) {
  if (TRY(doubled(value)) % 4 != 0) return Error::of(ErrorKind::invalid, "odd");
  return {};
}

void try_yields_the_value(void**) {
  Result<int> result = doubled(21);
  assert_true(result.ok());
  assert_int_equal(result.value(), 42);
  assert_true(only_even(2).ok());
}

void try_passes_the_error_on(void**) {
  Result<int> result = doubled(-1);
  assert_false(result.ok());
  assert_string_equal(result.error().text(), "number -1: negative");
  Status status = only_even(-1);
  assert_false(status.ok());
  assert_string_equal(status.error().text(), "number -1: negative");
  Status with_more = only_even(1).ctx("value %d", 1);
  assert_string_equal(with_more.error().text(), "value 1: odd");
}

void ctx_leaves_success_alone(void**) {
  assert_true(only_even(2).ctx("x").ok());
  Result<int> result = doubled(1).ctx("x");
  assert_int_equal(*result, 2);
}

void assignment_changes_sides(void**) {
  Result<std::unique_ptr<int>> result = number(1);
  result = number(-1);
  assert_false(result.ok());
  result = number(2);
  assert_int_equal(**result, 2);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(sys_adds_the_cause),
      cmocka_unit_test(kind_follows_from_errno),
      cmocka_unit_test(of_has_no_errno),
      cmocka_unit_test(context_goes_in_front_and_hint_behind),
      cmocka_unit_test(a_percent_sign_in_an_argument_is_text),
      cmocka_unit_test(a_long_text_is_whole),
      cmocka_unit_test(moving_moves),
      cmocka_unit_test(try_yields_the_value),
      cmocka_unit_test(try_passes_the_error_on),
      cmocka_unit_test(ctx_leaves_success_alone),
      cmocka_unit_test(assignment_changes_sides),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
