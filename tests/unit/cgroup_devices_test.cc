// Device rules: the v1 table with its transitions, and the v2 program, run by an interpreter against the
// meaning of the rules.
#include "src/runtime/cgroup_devices.h"

#include <vector>

#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::runtime;

/// What device_program() uses of BPF. -1: the program did what the verifier would refuse.
static int run(const std::vector<bpf_insn>& code, const bpf_cgroup_dev_ctx& context) {
  uint64_t reg[11] = {};
  for (size_t pc = 0, steps = 0; pc < code.size() && steps < 100'000; ++steps) {
    const bpf_insn& insn = code[pc++];
    const uint64_t imm = static_cast<uint64_t>(static_cast<int64_t>(insn.imm));
    uint64_t& to = reg[insn.dst_reg];
    switch (insn.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        if (insn.off == 0)
          to = context.access_type;
        else if (insn.off == 4)
          to = context.major;
        else if (insn.off == 8)
          to = context.minor;
        else
          return -1;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        to = static_cast<uint32_t>(to & imm);
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        to = static_cast<uint32_t>(to) >> imm;
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        to = static_cast<uint32_t>(reg[insn.src_reg]);
        break;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        to = imm;
        break;
      case BPF_JMP | BPF_JNE | BPF_K:
        if (to != imm) pc += static_cast<size_t>(insn.off);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        if (to == imm) pc += static_cast<size_t>(insn.off);
        break;
      case BPF_JMP | BPF_EXIT:
        return static_cast<int>(reg[0]);
      default:
        return -1;
    }
  }
  return -1;
}

/// The meaning: for each kind of access the last rule that matches decides.
static bool allowed(const std::vector<sys::DeviceMatch>& rules, char type, int64_t major, int64_t minor,
                    uint32_t access) {
  for (uint32_t bit = 1; bit <= sys::kDeviceAll; bit <<= 1) {
    if (!(access & bit)) continue;
    bool answer = false;
    for (const sys::DeviceMatch& rule : rules)
      if ((rule.type == 'a' || rule.type == type) && (rule.major < 0 || rule.major == major) &&
          (rule.minor < 0 || rule.minor == minor) && (rule.access & bit))
        answer = rule.allow;
    if (!answer) return false;
  }
  return true;
}

static bool ask(const std::vector<bpf_insn>& code, char type, uint32_t major, uint32_t minor,
                uint32_t access) {
  bpf_cgroup_dev_ctx context = {};
  context.access_type = (access << 16) | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  context.major = major;
  context.minor = minor;
  const int answer = run(code, context);
  assert_true(answer == 0 || answer == 1);
  return answer == 1;
}

static void check_program(const std::vector<sys::DeviceMatch>& rules) {
  const std::vector<bpf_insn> code = sys::device_program(rules);
  for (const char type : {'b', 'c'})
    for (uint32_t major = 0; major < 4; ++major)
      for (uint32_t minor = 0; minor < 4; ++minor)
        for (uint32_t access = 1; access <= sys::kDeviceAll; ++access)
          assert_int_equal(ask(code, type, major, minor, access), allowed(rules, type, major, minor, access));
}

static void program_follows_rules(void**) {
  check_program({});
  check_program({{true, 'a'}});
  check_program({{false, 'a'}, {true, 'c', 1, 3}, {true, 'b', 2, -1, sys::kDeviceRead}});
  check_program({{true, 'a'}, {false, 'c', 1, 3, sys::kDeviceWrite}, {false, 'b', -1, 2}});
  check_program({{true, 'c', 1, 3, sys::kDeviceRead}, {true, 'c', 1, 3, sys::kDeviceWrite}});
  // Each of the last three settles one kind of access only.
  check_program({{true, 'a'}, {false, 'c', 1, -1, sys::kDeviceMknod}, {true, 'c', 1, 1, sys::kDeviceRead}});
}

static void program_follows_any_rules(void**) {
  uint32_t seed = 12345;
  const auto next = [&](uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<sys::DeviceMatch> rules;
    for (uint32_t i = next(8); i > 0; --i)
      rules.push_back({next(2) == 1, "abc"[next(3)], static_cast<int64_t>(next(4)) - 1,
                       static_cast<int64_t>(next(4)) - 1, 1 + next(7)});
    check_program(rules);
  }
}

static void nothing_unreachable(void**) {
  // The verifier refuses instructions behind an unconditional answer.
  const std::vector<bpf_insn> code =
      sys::device_program(std::vector<sys::DeviceMatch>{{true, 'c', 1, 3}, {false, 'a'}, {true, 'c', 1, 5}});
  assert_int_equal(code.size(), 6 + 5 + 2);
}

static DeviceTable table_of(const char* list) {
  Result<DeviceTable> table = DeviceTable::parse(list);
  assert_true(table.ok());
  return std::move(table).value();
}

static void check_way(const char* from, const DeviceTable& to, std::vector<std::string> want) {
  const auto way = table_of(from).way_to(to);
  assert_int_equal(way.size(), want.size());
  for (size_t i = 0; i < way.size(); ++i)
    assert_string_equal((std::string(way[i].first + 8) + " " + way[i].second).c_str(), want[i].c_str());
}

static void shortest_transition(void**) {
  DeviceTable target;
  assert_true(target.apply({false, 'a'}).ok());
  assert_true(target.apply({true, 'c', 1, 3}).ok());
  assert_true(target.apply({true, 'b', 8, -1, sys::kDeviceRead}).ok());
  check_way("a *:* rwm\n", target, {"deny a", "allow b 8:* r", "allow c 1:3 rwm"});
  check_way("c 1:3 rwm\nb 8:* r\n", target, {});
  check_way("c 1:3 rw\nc 1:5 rwm\nb 8:* r\n", target, {"allow c 1:3 m", "deny c 1:5 rwm"});

  DeviceTable open;
  assert_true(open.apply({true, 'a'}).ok());
  check_way("c 1:3 rwm\n", open, {"allow a"});
  assert_true(open.apply({false, 'b', 8, 0}).ok());
  check_way("a *:* rwm\n", open, {"allow a", "deny b 8:0 rwm"});
}

static void last_rule_wins_in_table(void**) {
  DeviceTable table;
  assert_true(table.apply({true, 'c', 1, 3}).ok());
  assert_true(table.apply({false, 'c', 1, -1, sys::kDeviceWrite}).ok());
  assert_int_equal(table.exceptions().at({'c', 1, 3}), sys::kDeviceRead | sys::kDeviceMknod);
  assert_true(table.apply({false, 'a', 1, 3}).ok());
  assert_int_equal(table.exceptions().size(), 0);
  assert_true(table.apply({true, 'c', 1, -1}).ok());
  assert_false(table.apply({false, 'c', 1, 3}).ok());  // a hole
}

static void broken_lists(void**) {
  for (const char* bad : {"x 1:3 rwm\n", "c 1:3\n", "c 1 rwm\n", "c x:y rwm\n", "c 1:3 z\n", "c\n"})
    assert_false(DeviceTable::parse(bad).ok());
}

static void rules_from_config(void**) {
  oci::DeviceRule rules[2];
  rules[0].access = "rwm";
  rules[1].allow = true;
  rules[1].type = "c";
  rules[1].major = int64_t{10};
  rules[1].access = "r";
  Result<std::vector<sys::DeviceMatch>> all = device_rules({rules, 2});
  assert_true(all.ok());
  const std::vector<bpf_insn> code = sys::device_program(*all);
  assert_true(ask(code, 'c', 1, 3, sys::kDeviceAll));
  assert_true(ask(code, 'c', 136, 7, sys::kDeviceRead));
  assert_true(ask(code, 'b', 8, 0, sys::kDeviceMknod));
  assert_false(ask(code, 'b', 8, 0, sys::kDeviceRead));
  assert_true(ask(code, 'c', 10, 1, sys::kDeviceRead));
  assert_false(ask(code, 'c', 10, 1, sys::kDeviceWrite));
  assert_false(ask(code, 'c', 5, 1, sys::kDeviceRead));

  rules[1].type = "x";
  assert_false(device_rules({rules, 2}).ok());
  rules[1].type = "c";
  rules[1].access = "rx";
  assert_false(device_rules({rules, 2}).ok());
  rules[1].access = "r";
  rules[1].major = int64_t{-2};
  assert_false(device_rules({rules, 2}).ok());
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(program_follows_rules),   cmocka_unit_test(program_follows_any_rules),
      cmocka_unit_test(nothing_unreachable),     cmocka_unit_test(shortest_transition),
      cmocka_unit_test(last_rule_wins_in_table), cmocka_unit_test(broken_lists),
      cmocka_unit_test(rules_from_config),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
