// The option parser: every spelling that engines and people use, and what is refused.
#include "src/cli/options.h"

#include <string.h>

#include <vector>

#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::cli;

static constexpr auto kOptions = std::to_array<Option>({
    value("bundle", 'b', "DIR", "bundle"),
    value("pid-file", 0, "FILE", "pid file"),
    list("env", 'e', "NAME=VALUE", "environment"),
    flag("interactive", 'i', "interactive"),
    flag("tty", 't', "terminal"),
    flag("no-subreaper", 0, "no subreaper"),
    ignored_flag("compat", "nothing"),
});

static Arena* arena;

static Result<Arguments> parse_words(std::vector<const char*> words, bool in_order = false) {
  char** copy = arena->list<char*>(words.size() + 1).items;
  for (size_t i = 0; i < words.size(); ++i) copy[i] = const_cast<char*>(words[i]);
  return parse({copy, words.size()}, kOptions, in_order, *arena);
}

static int make_arena(void** state) {
  *state = arena = new Arena;
  return 0;
}
static int drop_arena(void** state) {
  delete static_cast<Arena*>(*state);
  return 0;
}

static void long_options(void**) {
  for (std::vector<const char*> words :
       std::vector<std::vector<const char*>>{{"--bundle", "/b", "id"},
                                             {"--bundle=/b", "id"},
                                             {"-bundle", "/b", "id"},
                                             {"-bundle=/b", "id"},
                                             {"-b", "/b", "id"},
                                             {"-b/b", "id"},
                                             {"-b=/b", "id"},
                                             {"id", "--bundle", "/b"},
                                             {"--bundle", "/b", "--", "id"}}) {
    Result<Arguments> args = parse_words(words);
    assert_true(args.ok());
    assert_string_equal(args->value("bundle"), "/b");
    assert_int_equal(args->size(), 1);
    assert_string_equal((*args)[0], "id");
    assert_false(args->flag("tty"));
    assert_null(args->value("pid-file"));
    assert_string_equal(args->value("pid-file", "/dev/null"), "/dev/null");
  }
}

static void single_dash_long_flag_of_go_runc(void**) {
  Result<Arguments> args = parse_words({"-no-subreaper", "-b", "x", "id"});
  assert_true(args.ok());
  assert_true(args->flag("no-subreaper"));
  assert_string_equal(args->value("bundle"), "x");
}

static void flags_in_one_word(void**) {
  Result<Arguments> args = parse_words({"-it", "-eA=1", "-e", "B=2", "--env=C=3"});
  assert_true(args.ok());
  assert_true(args->flag("interactive") && args->flag("tty"));
  List<const char*> env = args->values("env", *arena);
  assert_int_equal(env.size(), 3);
  assert_string_equal(env[0], "A=1");
  assert_string_equal(env[1], "B=2");
  assert_string_equal(env[2], "C=3");
  args = parse_words({"-itb", "/x"});
  assert_string_equal(args->value("bundle"), "/x");
}

static void flags_take_booleans(void**) {
  Result<Arguments> args = parse_words({"--tty=false", "-i=no"});
  assert_true(args.ok());
  assert_true(args->given("tty"));
  assert_false(args->flag("tty"));
  assert_false(args->flag("interactive"));
  assert_false(parse_words({"--tty", "--tty=0"})->flag("tty"));
  assert_true(parse_words({"--tty=0", "-t"})->flag("tty"));
  assert_string_equal(parse_words({"--tty=maybe"}).error().text(), "--tty: invalid boolean value \"maybe\"");
}

static void a_program_keeps_its_own_options(void**) {
  Result<Arguments> args = parse_words({"-t", "id", "ls", "-la", "--help"}, true);
  assert_true(args.ok());
  assert_false(args->help());
  assert_int_equal(args->size(), 4);
  assert_string_equal((*args)[2], "-la");
  args = parse_words({"--", "-t", "--", "x"}, true);
  assert_false(args->flag("tty"));
  assert_int_equal(args->size(), 3);
  assert_string_equal((*args)[1], "--");
  args = parse_words({"-", "-t"});
  assert_string_equal((*args)[0], "-");
  assert_true(args->flag("tty"));
}

static void wrong_options_are_refused(void**) {
  assert_string_equal(parse_words({"--bundel", "x"}).error().text(), "unknown flag: --bundel");
  assert_string_equal(parse_words({"--bundel=x"}).error().text(), "unknown flag: --bundel");
  assert_string_equal(parse_words({"-x"}).error().text(), "unknown shorthand flag: 'x' in -x");
  assert_string_equal(parse_words({"-xyz"}).error().text(), "unknown flag: -xyz");
  assert_string_equal(parse_words({"-ix"}).error().text(), "unknown shorthand flag: 'x' in -ix");
  assert_string_equal(parse_words({"--bundle"}).error().text(), "flag needs an argument: --bundle");
  assert_string_equal(parse_words({"-b"}).error().text(), "flag needs an argument: 'b' in -b");
  assert_true(parse_words({"--bundle"}).error().kind() == ErrorKind::usage);
  assert_false(parse_words({"--=x"}).ok());
  assert_false(parse_words({"---"}).ok());
}

static void help_is_known_everywhere(void**) {
  for (const char* word : {"--help", "-h", "-help", "--help=true"}) assert_true(parse_words({word})->help());
  assert_false(parse_words({"--help=false"})->help());
  assert_true(parse_words({"id", "--help", "--nonsense"})->help());
}

static void numbers(void**) {
  assert_int_equal(parse_words({"-b", "12"})->number("bundle", 0, 0, 100).value(), 12);
  assert_int_equal(parse_words({})->number("bundle", 7, 0, 100).value(), 7);
  assert_int_equal(parse_words({"-b", "-1"})->number("bundle", 0, -1, 100).value(), -1);
  for (const char* wrong : {"", "x", "12x", "101", "-1", " 1", "99999999999999999999", "-"})
    assert_false(parse_words({"-b", wrong})->number("bundle", 0, 0, 100).ok());
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(long_options, make_arena, drop_arena),
      cmocka_unit_test_setup_teardown(single_dash_long_flag_of_go_runc, make_arena, drop_arena),
      cmocka_unit_test_setup_teardown(flags_in_one_word, make_arena, drop_arena),
      cmocka_unit_test_setup_teardown(flags_take_booleans, make_arena, drop_arena),
      cmocka_unit_test_setup_teardown(a_program_keeps_its_own_options, make_arena, drop_arena),
      cmocka_unit_test_setup_teardown(wrong_options_are_refused, make_arena, drop_arena),
      cmocka_unit_test_setup_teardown(help_is_known_everywhere, make_arena, drop_arena),
      cmocka_unit_test_setup_teardown(numbers, make_arena, drop_arena),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
