// JSON through tables: good documents, hostile ones, and what is written back.
#include "src/base/json.h"

#include <math.h>

#include <string>

#include "tests/lib/cmocka.h"

using namespace slipway;

struct Inner {
  Str name;
  List<Str> words;
};
JSON_OBJECT(Inner, JSON_FIELD(Inner, name, "name"), JSON_FIELD(Inner, words, "words"));

/// What is absent is not always false, 0 or "".
struct Defaults {
  bool on = true;
  bool off = false;
  int32_t number = -1;
  Str word = "word";
};

struct Outer {
  bool flag = false;
  int32_t i32 = 0;
  int64_t i64 = 0;
  uint16_t u16 = 0;
  uint32_t u32 = 0;
  uint64_t u64 = 0;
  double real = 0;
  Str text;
  Opt<int64_t> maybe;
  Opt<Inner> maybe_inner;
  Inner inner;
  Inner* pointer = nullptr;
  List<Inner> list;
  List<List<int64_t>> matrix;
  List<Inner*> pointers;
  Map<Str> labels;
  Map<Inner> inners;
  json::Raw raw;
};
JSON_OBJECT(Defaults, JSON_FIELD(Defaults, on, "on"), JSON_FIELD(Defaults, off, "off"),
            JSON_FIELD(Defaults, number, "number"), JSON_FIELD(Defaults, word, "word"));
JSON_OBJECT(Outer, JSON_FIELD(Outer, flag, "flag"), JSON_FIELD(Outer, i32, "i32"),
            JSON_FIELD(Outer, i64, "i64"), JSON_FIELD(Outer, u16, "u16"), JSON_FIELD(Outer, u32, "u32"),
            JSON_FIELD(Outer, u64, "u64"), JSON_FIELD(Outer, real, "real"), JSON_FIELD(Outer, text, "text"),
            JSON_FIELD(Outer, maybe, "maybe"), JSON_FIELD(Outer, maybe_inner, "maybeInner"),
            JSON_FIELD(Outer, inner, "inner"), JSON_FIELD(Outer, pointer, "pointer"),
            JSON_FIELD(Outer, list, "list"), JSON_FIELD(Outer, matrix, "matrix"),
            JSON_FIELD(Outer, pointers, "pointers"), JSON_FIELD(Outer, labels, "labels"),
            JSON_FIELD(Outer, inners, "inners"), JSON_FIELD(Outer, raw, "raw"));

namespace {

constexpr const json::Type& kOuter = json::type<Outer>;

/// The document, which must be good.
Outer* good(Arena& arena, std::string_view text) {
  Result<Outer*> result = json::read<Outer>(text, kOuter, arena);
  if (!result.ok()) fail_msg("%.*s: %s", static_cast<int>(text.size()), text.data(), result.error().text());
  return result.value();
}

/// The document must be refused with a text that contains `want`.
void refused(std::string_view text, const char* want) {
  Arena arena;
  Result<Outer*> result = json::read<Outer>(text, kOuter, arena);
  if (result.ok()) fail_msg("accepted: %.*s", static_cast<int>(text.size()), text.data());
  assert_true(result.error().kind() == ErrorKind::invalid);
  if (!strstr(result.error().text(), want))
    fail_msg("%.*s: want '%s', got '%s'", static_cast<int>(text.size()), text.data(), want,
             result.error().text());
}

/// What comes back when the document is read and written.
void assert_round_trip(std::string_view text, const char* want) {
  Arena arena;
  json::Writer writer;
  const std::string got(writer.value(kOuter, good(arena, text)).text());
  assert_string_equal(got.c_str(), want);
}

void every_member_is_filled(void**) {
  Arena arena;
  const Outer* o = good(arena, R"({
    "flag": true, "i32": -5, "i64": -6, "u16": 7, "u32": 8, "u64": 9, "real": 1.5, "text": "t",
    "maybe": 0, "maybeInner": {}, "inner": {"name": "n", "words": ["a", "b"]}, "pointer": {"name": "p"},
    "list": [{"name": "l0"}, {"name": "l1"}], "matrix": [[1, 2], [], [3]], "pointers": [{"name": "q"}, null],
    "labels": {"k": "v", "": "empty"}, "inners": {"x": {"name": "y"}}, "raw": [1, {"a": null}]})");
  assert_true(o->flag);
  assert_int_equal(o->i32, -5);
  assert_int_equal(o->i64, -6);
  assert_int_equal(o->u16, 7);
  assert_int_equal(o->u32, 8);
  assert_int_equal(o->u64, 9);
  assert_true(o->real == 1.5);
  assert_string_equal(o->text.c_str(), "t");
  assert_true(o->maybe.set);
  assert_true(o->maybe_inner.set);
  assert_int_equal(o->inner.words.size(), 2);
  assert_string_equal(o->inner.words[1].c_str(), "b");
  assert_string_equal(o->pointer->name.c_str(), "p");
  assert_string_equal(o->list[1].name.c_str(), "l1");
  assert_int_equal(o->matrix[2][0], 3);
  assert_int_equal(o->matrix[1].size(), 0);
  assert_int_equal(o->pointers.size(), 2);
  assert_null(o->pointers[1]);
  assert_string_equal(o->labels.find("k")->c_str(), "v");
  assert_string_equal(o->labels.find("")->c_str(), "empty");
  assert_null(o->labels.find("none"));
  assert_string_equal(o->inners.find("x")->name.c_str(), "y");
  assert_string_equal(o->raw.text.c_str(), R"([1,{"a":null}])");
}

void absent_and_null_leave_defaults(void**) {
  Arena arena;
  for (const char* text :
       {"{}", R"({"flag":null,"i64":null,"text":null,"maybe":null,"inner":null,"pointer":null,
                                     "list":null,"labels":null,"raw":null})"}) {
    const Outer* o = good(arena, text);
    assert_false(o->flag);
    assert_int_equal(o->i64, 0);
    assert_true(o->text.empty());
    assert_false(o->maybe.set);
    assert_null(o->pointer);
    assert_true(o->list.empty());
    assert_true(o->labels.empty());
    assert_string_equal(o->raw.text.c_str(), "");
  }
}

void integers_keep_their_edges(void**) {
  Arena arena;
  const Outer* o = good(arena, R"({"i32": -2147483648, "i64": -9223372036854775808, "u16": 65535,
                                   "u32": 4294967295, "u64": 18446744073709551615, "maybe": 9223372036854775807})");
  assert_true(o->i32 == INT32_MIN);
  assert_true(o->i64 == INT64_MIN);
  assert_true(o->u16 == UINT16_MAX);
  assert_true(o->u32 == UINT32_MAX);
  assert_true(o->u64 == UINT64_MAX);
  assert_true(*o->maybe == INT64_MAX);
  assert_true(good(arena, R"({"i64": -0})")->i64 == 0);
}

void integers_beyond_the_edge_are_refused(void**) {
  refused(R"({"i32": 2147483648})", "i32: 2147483648 does not fit into a signed 32-bit integer");
  refused(R"({"i32": -2147483649})", "does not fit");
  refused(R"({"i64": 9223372036854775808})", "does not fit");
  refused(R"({"u16": 65536})", "u16: 65536 does not fit into an unsigned 16-bit integer");
  refused(R"({"u32": 4294967296})", "does not fit");
  refused(R"({"u64": 18446744073709551616})", "does not fit");
  refused(R"({"u64": -1})", "u64: -1 does not fit into an unsigned 64-bit integer");
  refused(R"({"maybe": 9223372036854775808})", "maybe: ");
  refused(R"({"i64": 1.5})", "i64: expected an integer, found a number with a fraction");
  refused(R"({"i64": 1e3})", "exponent");
  refused(R"({"i64": 1.0})", "fraction");
  refused(R"({"i64": 00})", "line 1");
  refused(R"({"i64": 0x10})", "line 1");
  refused(R"({"i64": +1})", "line 1");
  refused(R"({"i64": -})", "line 1");
  const std::string digits(5000, '9');
  refused("{\"i64\": " + digits + "}", "i64: the number has too many digits");
  refused("{\"real\": " + digits + "}", "too many digits");
}

void reals_are_finite(void**) {
  Arena arena;
  assert_true(good(arena, R"({"real": -1e-3})")->real == -1e-3);
  assert_true(good(arena, R"({"real": 3})")->real == 3);
  assert_true(good(arena, R"({"real": 1.7976931348623157e308})")->real > 1e308);
  refused(R"({"real": 1e999})", "real: ");
  refused(R"({"real": -1e999})", "real: ");
  refused(R"({"real": NaN})", "line 1");
}

void wrong_types_name_the_place(void**) {
  refused("[]", "expected an object, found an array");
  refused("null", "expected an object, found null");
  refused("3", "expected an object, found a number");
  refused("\"x\"", "expected an object, found a string");
  refused("true", "expected an object, found a boolean");
  refused(R"({"flag": 1})", "flag: expected a boolean, found a number");
  refused(R"({"flag": "true"})", "flag: expected a boolean, found a string");
  refused(R"({"text": 1})", "text: expected a string, found a number");
  refused(R"({"text": ["x"]})", "text: expected");
  refused(R"({"i64": "1"})", "i64: expected an integer, found a string");
  refused(R"({"inner": {"words": ["a", 1]}})", "inner.words[1]: expected a string, found a number");
  refused(R"({"list": [{}, {"name": []}]})", "list[1].name: expected");
  refused(R"({"list": {}})", "list: expected an array, found an object");
  refused(R"({"labels": []})", "labels: expected an object, found an array");
  refused(R"({"labels": {"a b": 1}})", "labels.a b: expected a string");
  refused(R"({"pointer": "x"})", "pointer: expected an object, found a string");
  refused(R"({"pointers": [{"name": 1}]})", "pointers[0].name: expected a string");
  refused(R"({"maybeInner": [1]})", "maybeInner: expected an object, found an array");
  refused(R"({"inners": {"x": {"words": [[]]}}})", "inners.x.words[0]: expected");
  refused(R"({"matrix": [[1], [2, true]]})", "matrix[1][1]: expected an integer, found a boolean");
}

void broken_syntax_names_the_line(void**) {
  refused("", "");
  refused("   \n ", "");
  refused("{", "line 1");
  refused("{\n\n\"flag\" true}", "line 3");
  refused(R"({"flag": true,})", "line 1");
  refused(R"({'flag': true})", "line 1");
  refused(R"({"flag": True})", "line 1");
  refused(R"({} {})", "line 1");
  refused(R"({}x)", "line 1");
  refused("{\"text\": \"a\nb\"}", "line 1");
  refused(R"({"text": "\q"})", "line 1");
  refused(R"({"text": "\u12"})", "line 1");
  refused(R"({"text": "abc)", "line 1");
  refused(R"({"raw": [1, {"a": )", "line 1");
  refused(R"({"raw": [1, {"a"})", "line 1");
  refused("\xef\xbb\xbf{}", "line 1");
  refused(std::string_view("\0{}", 3), "line 1");
}

void every_prefix_of_a_document_is_refused(void**) {
  const std::string_view text =
      R"({"flag":true,"i64":-12,"real":1.5e2,"text":"\u00e9\n","list":[{"name":"x"}],"raw":{"a":[1,null]}})";
  for (size_t length = 0; length < text.size(); ++length) refused(text.substr(0, length), "");
  Arena arena;
  good(arena, text);
}

void depth_is_limited(void**) {
  Arena arena;
  const auto nested = [](const char* key, int levels) {
    return "{\"" + std::string(key) + "\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  good(arena, nested("unknown", 63));
  good(arena, nested("raw", 63));
  refused(nested("unknown", 64), "more than 64 levels");
  refused(nested("raw", 64), "more than 64 levels");
  refused(std::string(100'000, '['), "");
  refused("{\"raw\":" + std::string(1'000'000, '['), "more than 64 levels");
}

void strings_are_utf8_without_nul(void**) {
  Arena arena;
  assert_string_equal(good(arena, R"({"text": "\u00e9\u20ac\ud83d\ude00\\\"\/\b\f\n\r\t"})")->text.c_str(),
                      "é€😀\\\"/\b\f\n\r\t");
  assert_string_equal(good(arena, "{\"text\": \"é€😀\"}")->text.c_str(), "é€😀");
  refused(R"({"text": "a\u0000b"})", "text: the string contains a NUL character");
  refused(R"({"labels": {"a\u0000b": "x"}})", "a key contains a NUL character");
  refused("{\"text\": \"\xff\"}", "line 1");
  refused("{\"text\": \"\xc3\"}", "line 1");
  refused("{\"text\": \"\xe2\x82\"}", "line 1");
  refused("{\"text\": \"\x80\"}", "line 1");
  refused("{\"raw\": \"\xff\"}", "line 1");
}

void of_duplicates_the_last_wins(void**) {
  Arena arena;
  assert_int_equal(good(arena, R"({"i64": 1, "i64": 2})")->i64, 2);
  const Outer* o = good(arena, R"({"inner": {"name": "a", "words": ["x"]}, "inner": {"name": "b"},
      "list": [{}, {}], "list": [{}], "pointer": {"name": "a"}, "pointer": {"words": ["w"]},
      "labels": {"k": "1", "l": "2", "k": "3"}, "maybe": 1, "maybe": null, "raw": 1, "raw": {"a": 2}})");
  assert_string_equal(o->inner.name.c_str(), "b");
  assert_true(o->inner.words.empty());
  assert_int_equal(o->list.size(), 1);
  assert_true(o->pointer->name.empty());
  assert_int_equal(o->labels.size(), 2);
  assert_string_equal(o->labels[0].key.c_str(), "k");
  assert_string_equal(o->labels.find("k")->c_str(), "3");
  assert_false(o->maybe.set);
  assert_string_equal(o->raw.text.c_str(), "{\"a\":2}");
}

void raw_keeps_any_value(void**) {
  Arena arena;
  for (const char* value : {"1", "-1.50e+10", "\"x\\n\"", "true", "false", "{}", "[]", "[[],{}]",
                            "{\"a\":{\"b\":[1,\"two\",null,false]}}", "123456789012345678901234567890"}) {
    const Outer* o = good(arena, "{\"raw\": " + std::string(value) + "}");
    assert_string_equal(o->raw.text.c_str(), value);
  }
}

void a_large_document_is_read(void**) {
  Arena arena;
  std::string text = "{\"list\":[";
  for (int i = 0; i < 50'000; ++i) text += (i ? ",{\"name\":\"" : "{\"name\":\"") + std::to_string(i) + "\"}";
  text += "],\"text\":\"" + std::string(1'000'000, 'x') + "\"}";
  const Outer* o = good(arena, text);
  assert_int_equal(o->list.size(), 50'000);
  assert_string_equal(o->list[49'999].name.c_str(), "49999");
  assert_int_equal(o->text.size, 1'000'000);
}

class Collector final : public json::UnknownKeys {
 public:
  Status unknown_key(std::string_view place, std::string_view key) override {
    seen += std::string(place) + "/" + std::string(key) + " ";
    if (key == "bad") return Error::of(ErrorKind::unsupported, "no %s", "bad");
    return {};
  }
  std::string seen;
};

void unknown_keys_are_told_or_skipped(void**) {
  Arena arena;
  Outer outer;
  assert_true(json::read(R"({"x": {"flag": 1, "deep": [{}]}, "i64": 4})", kOuter, &outer, arena).ok());
  assert_int_equal(outer.i64, 4);

  Collector collector;
  Status status =
      json::read(R"({"x": {"inside": 1}, "Flag": true, "inner": {"y": 2, "name": "n"}, "list": [{"z": 1}],
                                 "labels": {"free": "v"}, "i64": 5})",
                 kOuter, &outer, arena, &collector);
  assert_true(status.ok());
  assert_string_equal(collector.seen.c_str(), "/x /Flag inner/y list[0]/z ");
  assert_int_equal(outer.i64, 5);
  assert_false(outer.flag);

  status = json::read(R"({"inner": {"bad": 1}})", kOuter, &outer, arena, &collector);
  assert_false(status.ok());
  assert_true(status.error().kind() == ErrorKind::unsupported);
  assert_string_equal(status.error().text(), "no bad");
}

void what_is_read_is_written(void**) {
  assert_round_trip("{}", "{}");
  assert_round_trip(R"({"flag": false, "i64": 0, "text": "", "list": [], "labels": {}, "pointer": null})",
                    "{}");
  assert_round_trip(R"({"maybe": 0, "maybeInner": {}})", R"({"maybe":0,"maybeInner":{}})");
  const char* all =
      R"({"flag":true,"i32":-1,"i64":-9223372036854775808,"u16":1,"u32":4294967295,"u64":18446744073709551615,)"
      R"("real":0.10000000000000001,"text":"\"\\\n é","maybe":0,"inner":{"name":"n","words":["a","","b"]},)"
      R"("pointer":{},"list":[{},{"name":"x"}],"matrix":[[1,0],[]],"pointers":[{"name":"q"}],)"
      R"("labels":{"z":"1","a":""},"inners":{"i":{}},"raw":{"a":[1,null]}})";
  assert_round_trip(all, all);
}

void a_null_element_can_be_written(void**) {
  assert_round_trip(R"({"pointers": [null, {"name": "x"}]})", R"({"pointers":[null,{"name":"x"}]})");
}

void indented_text_is_for_people(void**) {
  Arena arena;
  json::Writer writer(json::Writer::Style::indented);
  writer.value(kOuter, good(arena, R"({"i64": 1, "inner": {"words": ["a"]}})"));
  const std::string got(writer.text());
  assert_string_equal(got.c_str(),
                      "{\n  \"i64\": 1,\n  \"inner\": {\n    \"words\": [\n      \"a\"\n    ]\n  }\n}\n");
}

void the_writer_repairs_what_is_not_utf8(void**) {
  json::Writer writer;
  writer.begin_array().string("a\xff\xc3z").string("\xe2\x82").string(std::string_view("\0", 1)).end_array();
  const std::string got(writer.text());
  assert_string_equal(got.c_str(),
                      "[\"a\xef\xbf\xbd\xef\xbf\xbdz\",\"\xef\xbf\xbd\xef\xbf\xbd\",\"\\u0000\"]");
}

}  // namespace

namespace {

void other_defaults_are_not_lost(void**) {
  Arena arena;
  Defaults object;
  object.on = false;
  object.number = 0;
  object.word = "";
  json::Writer writer;
  writer.value(json::type<Defaults>, &object);
  const auto text = std::string(writer.text());
  assert_string_equal(text.c_str(), R"({"on":false,"number":0,"word":""})");
  auto again = json::read<Defaults>(text, json::type<Defaults>, arena);
  assert_true(again.ok());
  assert_false((*again)->on);
  assert_int_equal((*again)->number, 0);
  assert_true((*again)->word.empty());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_member_is_filled),
      cmocka_unit_test(absent_and_null_leave_defaults),
      cmocka_unit_test(integers_keep_their_edges),
      cmocka_unit_test(integers_beyond_the_edge_are_refused),
      cmocka_unit_test(reals_are_finite),
      cmocka_unit_test(wrong_types_name_the_place),
      cmocka_unit_test(broken_syntax_names_the_line),
      cmocka_unit_test(every_prefix_of_a_document_is_refused),
      cmocka_unit_test(depth_is_limited),
      cmocka_unit_test(strings_are_utf8_without_nul),
      cmocka_unit_test(of_duplicates_the_last_wins),
      cmocka_unit_test(raw_keeps_any_value),
      cmocka_unit_test(a_large_document_is_read),
      cmocka_unit_test(unknown_keys_are_told_or_skipped),
      cmocka_unit_test(what_is_read_is_written),
      cmocka_unit_test(other_defaults_are_not_lost),
      cmocka_unit_test(a_null_element_can_be_written),
      cmocka_unit_test(indented_text_is_for_people),
      cmocka_unit_test(the_writer_repairs_what_is_not_utf8),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
