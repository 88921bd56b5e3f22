// systemd's side without systemd: D-Bus messages, and limits and annotations as unit properties.
#include "src/runtime/systemd_properties.h"
#include "src/sys/cgroup_systemd.h"
#include "src/sys/dbus.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::runtime;
using sys::DbusProperty;
using sys::DbusValue;

static void bodies_are_aligned(void**) {
  sys::DbusWriter body;
  body.string("abc");
  body.properties({{"A", uint64_t{7}}, {"B", std::vector<std::string>{"x"}}, {"C", true}});
  sys::DbusReader reader(body.data(), false);
  assert_string_equal(std::string(reader.string()).c_str(), "abc");
  const uint32_t size = reader.u32();
  reader.align(8);
  assert_int_equal(reader.at() + size, body.size());
  assert_string_equal(std::string(reader.string()).c_str(), "A");
  assert_string_equal(std::string(reader.signature()).c_str(), "t");
  assert_int_equal(reader.u64(), 7);
  reader.align(8);
  assert_string_equal(std::string(reader.string()).c_str(), "B");
  assert_string_equal(std::string(reader.signature()).c_str(), "as");
  assert_int_equal(reader.u32(), 6);
  assert_string_equal(std::string(reader.string()).c_str(), "x");
  reader.align(8);
  assert_string_equal(std::string(reader.string()).c_str(), "C");
  assert_string_equal(std::string(reader.signature()).c_str(), "b");
  assert_int_equal(reader.u32(), 1);
  assert_true(reader.ok() && reader.at_end());
}

static void messages_round(void**) {
  sys::DbusWriter body;
  body.string("a.scope");
  const std::string call =
      sys::build_dbus_call(5, false, "org.x", "/org/x", "org.x.Y", "Z", "s", body.data());
  assert_int_equal(sys::dbus_message_size(call), call.size());
  auto parsed = sys::parse_dbus_message(call);
  assert_true(parsed.ok());
  assert_int_equal(parsed->type, sys::DbusMessage::call);
  assert_int_equal(parsed->serial, 5);
  assert_string_equal(parsed->path.c_str(), "/org/x");
  assert_string_equal(parsed->interface.c_str(), "org.x.Y");
  assert_string_equal(parsed->member.c_str(), "Z");
  assert_string_equal(parsed->signature.c_str(), "s");
  assert_string_equal(std::string(parsed->reader().string()).c_str(), "a.scope");

  // Every cut and every changed byte is refused or read, and nothing else happens.
  for (size_t size = 0; size < call.size(); ++size)
    assert_false(sys::parse_dbus_message(std::string_view(call).substr(0, size)).ok());
  for (size_t at = 0; at < call.size(); ++at)
    for (const int bit : {0, 3, 7}) {
      std::string broken = call;
      broken[at] = static_cast<char>(broken[at] ^ (1 << bit));
      auto message = sys::parse_dbus_message(broken);
      if (message.ok()) message->reader().string();
    }
}

static std::string show(const DbusValue& value) {
  std::string text = sys::dbus_signature(value);
  text += ' ';
  if (const auto* string = std::get_if<std::string>(&value)) return text + *string;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& item : *list) text += item + ";";
    return text;
  }
  if (const auto* bytes = std::get_if<std::vector<uint8_t>>(&value)) {
    for (const uint8_t item : *bytes) text += std::to_string(item) + ";";
    return text;
  }
  if (const auto* pairs = std::get_if<std::vector<std::pair<std::string, std::string>>>(&value)) {
    for (const auto& [first, second] : *pairs) text += first + "=" + second + ";";
    return text;
  }
  std::visit(
      [&](const auto& item) {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(item)>>) text += std::to_string(item);
      },
      value);
  return text;
}

static void gvariant_text(void**) {
  const char* cases[][2] = {{"'x'", "s x"},         {"\"it's\"", "s it's"}, {"'a\\'b'", "s a'b"},
                            {"true", "b 1"},        {"false", "b 0"},       {"5", "i 5"},
                            {"-5", "i -5"},         {"uint64 10", "t 10"},  {"uint32 7", "u 7"},
                            {"int64 -1", "x -1"},   {"byte 0x1f", "y 31"},  {"['a', 'b']", "as a;b;"},
                            {"@as []", "as "},      {"[]", "as "},          {"[byte 1, 2]", "ay 1;2;"},
                            {" uint64 10 ", "t 10"}};
  for (const auto& [in, out] : cases) {
    auto value = parse_gvariant(in);
    if (!value.ok()) fail_msg("%s: %s", in, value.error().text());
    assert_string_equal(show(*value).c_str(), out);
  }
  for (const char* bad :
       {"", "x", "'x", "uint64", "uint64 x", "['a'", "['a' 'b']", "['a', 5]", "1 2", "[1, 2]", "@x []"})
    assert_false(parse_gvariant(bad).ok());
}

static void annotations_become_properties(void**) {
  Entry<Str> entries[] = {{"org.systemd.property.TimeoutStopSec", "uint64 10"},
                          {"org.systemd.property.CollectMode", "'inactive-or-failed'"},
                          {"other", "x"}};
  Map<Str> map;
  map.items = entries;
  map.count = 3;
  auto properties = annotation_properties(map);
  assert_true(properties.ok());
  assert_int_equal(properties->size(), 2);
  assert_string_equal((*properties)[0].first.c_str(), "TimeoutStopUSec");
  assert_string_equal(show((*properties)[0].second).c_str(), "t 10000000");
  assert_string_equal((*properties)[1].first.c_str(), "CollectMode");
  map.count = 1;
  for (const char* bad : {"org.systemd.property.", "org.systemd.property.a", "org.systemd.property.A b"}) {
    entries[0] = {Str::wrap(bad), "uint64 1"};
    assert_false(annotation_properties(map).ok());
  }
  entries[0] = {"org.systemd.property.TimeoutStopSec", "'x'"};
  assert_false(annotation_properties(map).ok());
}

static std::string property(const std::vector<DbusProperty>& all, const char* name) {
  for (const auto& [its, value] : all)
    if (its == name) return show(value);
  return "";
}

static void limits_become_properties(void**) {
  oci::MemoryResources memory;
  memory.limit = int64_t{1000};
  memory.swap = int64_t{3000};
  memory.reservation = int64_t{500};
  oci::CpuResources cpu;
  cpu.shares = uint64_t{1024};
  cpu.quota = int64_t{50000};
  cpu.period = uint64_t{100000};
  cpu.cpus = "0-1,9";
  oci::PidsResources pids;
  pids.limit = int64_t{-1};
  oci::Resources resources;
  resources.memory = &memory;
  resources.cpu = &cpu;
  resources.pids = &pids;
  auto all = resource_properties(resources, true);
  assert_true(all.ok());
  assert_string_equal(property(*all, "MemoryMax").c_str(), "t 1000");
  assert_string_equal(property(*all, "MemorySwapMax").c_str(), "t 2000");
  assert_string_equal(property(*all, "MemoryLow").c_str(), "t 500");
  assert_string_equal(property(*all, "CPUWeight").c_str(), "t 100");
  assert_string_equal(property(*all, "CPUQuotaPerSecUSec").c_str(), "t 500000");
  assert_string_equal(property(*all, "CPUQuotaPeriodUSec").c_str(), "t 100000");
  assert_string_equal(property(*all, "TasksMax").c_str(), "t 18446744073709551615");
  assert_string_equal(property(*all, "AllowedCPUs").c_str(), "ay 3;2;");
  pids.limit = int64_t{0};
  cpu.cpus = "1-x";
  assert_false(resource_properties(resources, true).ok());
  cpu.cpus = "";
  assert_string_equal(property(*resource_properties(resources, false).operator->(), "TasksMax").c_str(),
                      "t 1");

  Entry<Str> unified[] = {{"memory.high", "max"},
                          {"cpu.max", "20000 40000"},
                          {"memory.oom.group", "1"},
                          {"io.weight", "default 222"},
                          {"x.y", "z"}};
  oci::Resources raw;
  raw.unified.items = unified;
  raw.unified.count = 5;
  auto from_files = resource_properties(raw, true);
  assert_true(from_files.ok());
  assert_string_equal(property(*from_files, "MemoryHigh").c_str(), "t 18446744073709551615");
  assert_string_equal(property(*from_files, "CPUQuotaPerSecUSec").c_str(), "t 500000");
  assert_string_equal(property(*from_files, "OOMPolicy").c_str(), "s kill");
  assert_string_equal(property(*from_files, "IOWeight").c_str(), "t 222");
  unified[3].value = "8:0 50";
  assert_string_equal(property(*resource_properties(raw, true).operator->(), "IOWeight").c_str(), "");
  unified[0].value = "many";
  assert_false(resource_properties(raw, true).ok());
}

static void device_rules_become_properties(void**) {
  constexpr char kAlways[] =
      "char-*=m;block-*=m;/dev/char/1:3=rwm;/dev/char/1:5=rwm;/dev/char/1:7=rwm;/dev/char/1:8=rwm;"
      "/dev/char/1:9=rwm;/dev/char/5:0=rwm;/dev/char/5:2=rwm;char-136=rwm;/dev/char/10:200=rwm;";
  auto none = device_properties({});
  assert_true(none.ok());
  assert_int_equal(none->size(), 3);
  assert_string_equal(property(*none, "DevicePolicy").c_str(), "s strict");
  assert_string_equal(show((*none)[1].second).c_str(), "a(ss) ");
  assert_string_equal(show((*none)[2].second).c_str(), (std::string("a(ss) ") + kAlways).c_str());

  oci::DeviceRule rules[4];
  rules[0].access = "rwm";  // deny all
  rules[1].allow = true;
  rules[1].type = "b";
  rules[1].major = int64_t{8};
  rules[1].access = "rw";
  rules[2].allow = true;  // any major: more than is asked for
  rules[2].type = "c";
  rules[2].minor = int64_t{4};
  rules[2].access = "r";
  rules[3].type = "b";  // what was allowed, and less of it
  rules[3].major = int64_t{8};
  rules[3].access = "w";
  List<oci::DeviceRule> list;
  list.items = rules;
  list.count = 4;
  auto some = device_properties(list);
  assert_true(some.ok());
  const std::string text = show((*some)[2].second);
  assert_non_null(strstr(text.c_str(), "block-8=r;char-*=rm;block-*=m;"));

  rules[0].allow = true;
  list.count = 1;
  auto all = device_properties(list);
  assert_true(all.ok());
  assert_int_equal(all->size(), 2);
  assert_string_equal(property(*all, "DevicePolicy").c_str(), "s auto");
}

static void unknown_properties(void**) {
  const std::vector<DbusProperty> all = {{"AllowedCPUs", true}, {"Allowed", true}};
  assert_string_equal(
      sys::unknown_property("Cannot set property AllowedCPUs, or unknown property.", all).c_str(),
      "AllowedCPUs");
  assert_string_equal(sys::unknown_property("Unknown property Allowed", all).c_str(), "Allowed");
  assert_string_equal(sys::unknown_property("no such unit AllowedCPUs", all).c_str(), "");
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(bodies_are_aligned),
      cmocka_unit_test(messages_round),
      cmocka_unit_test(gvariant_text),
      cmocka_unit_test(annotations_become_properties),
      cmocka_unit_test(limits_become_properties),
      cmocka_unit_test(device_rules_become_properties),
      cmocka_unit_test(unknown_properties),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
