// seccomp programs by what they answer: the code is run by a small interpreter, call by call.
#include "src/runtime/seccomp.h"

#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kPerm = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kNoSys = SECCOMP_RET_ERRNO | ENOSYS;

/// The classic BPF that seccomp takes.
uint32_t interpret(const std::vector<sock_filter>& code, const seccomp_data& data) {
  uint32_t a = 0;
  for (size_t pc = 0; pc < code.size(); ++pc) {
    const sock_filter& i = code[pc];
    const auto jump = [&](bool yes) { pc += yes ? i.jt : i.jf; };
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        memcpy(&a, reinterpret_cast<const char*>(&data) + i.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= i.k;
        break;
      case BPF_JMP | BPF_JA:
        pc += i.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(a == i.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        jump(a > i.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        jump(a >= i.k);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        jump(a & i.k);
        break;
      case BPF_RET | BPF_K:
        return i.k;
      default:
        print_error("instruction 0x%x at %zu\n", i.code, pc);
        assert_true(false);
    }
  }
  assert_true(false);
  return 0;
}

struct Fixture {
  Arena arena;
  std::string root;
  Fixture() {
    char path[] = "/tmp/spec_seccomp_test.XXXXXX";
    root = mkdtemp(path);
  }
  ~Fixture() { assert_int_equal(system(("rm -rf " + root).c_str()), 0); }

  oci::Seccomp* profile(const std::string& text) {
    oci::Warnings warnings(arena);
    Result<oci::Spec*> spec = oci::parse_spec(
        R"({"ociVersion":"1.0.0","root":{"path":"r"},"process":{"cwd":"/","args":["x"]},"linux":{"seccomp":)" +
            text + "}}",
        arena, warnings);
    assert_true(spec.ok());
    Status valid = validate_spec(**spec, warnings);
    if (!valid.ok()) print_error("%s\n", valid.error().text());
    assert_true(valid.ok());
    return (*spec)->linux_->seccomp;
  }
  sys::SeccompProgram program(const std::string& text) {
    Result<sys::SeccompProgram> program = runtime::seccomp_program(*profile(text), root);
    if (!program.ok()) print_error("%s\n", program.error().text());
    assert_true(program.ok());
    return std::move(program).value();
  }
};

uint32_t answer(const sys::SeccompProgram& program, long number, std::initializer_list<uint64_t> args = {},
                uint32_t arch = AUDIT_ARCH_X86_64) {
  seccomp_data data = {};
  data.nr = static_cast<int>(number);
  data.arch = arch;
  std::copy(args.begin(), args.end(), data.args);
  return interpret(program.code, data);
}

}  // namespace

#ifdef __x86_64__

static void actions_and_enosys(void**) {
  Fixture fixture;
  const sys::SeccompProgram program = fixture.program(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
      {"names":["read","write","no_such_call","openat2"],"action":"SCMP_ACT_ALLOW"},
      {"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":13},
      {"names":["rmdir"],"action":"SCMP_ACT_ERRNO","errnoRet":1},
      {"names":["chroot"],"action":"SCMP_ACT_KILL"},
      {"names":["mount"],"action":"SCMP_ACT_KILL_PROCESS"},
      {"names":["umount2"],"action":"SCMP_ACT_TRAP"},
      {"names":["swapon"],"action":"SCMP_ACT_LOG"},
      {"names":["swapoff"],"action":"SCMP_ACT_TRACE","errnoRet":7}]})");
  assert_int_equal(answer(program, SYS_read), kAllow);
  assert_int_equal(answer(program, 437), kAllow);  // openat2
  assert_int_equal(answer(program, SYS_mkdir), SECCOMP_RET_ERRNO | EACCES);
  assert_int_equal(answer(program, SYS_rmdir), kPerm);
  assert_int_equal(answer(program, SYS_chroot), SECCOMP_RET_KILL_THREAD);
  assert_int_equal(answer(program, SYS_mount), SECCOMP_RET_KILL_PROCESS);
  assert_int_equal(answer(program, SYS_umount2), SECCOMP_RET_TRAP);
  assert_int_equal(answer(program, SYS_swapon), SECCOMP_RET_LOG);
  assert_int_equal(answer(program, SYS_swapoff), SECCOMP_RET_TRACE | 7);
  assert_int_equal(answer(program, SYS_unlink), kPerm);
  assert_int_equal(answer(program, 436), kPerm);   // older than the newest named
  assert_int_equal(answer(program, 438), kNoSys);  // younger
  assert_int_equal(answer(program, 9999), kNoSys);
  assert_int_equal(answer(program, 9999, {}, AUDIT_ARCH_I386),
                   SECCOMP_RET_KILL_THREAD);                                   // not in the profile
  assert_int_equal(answer(program, 1 | 0x40000000), SECCOMP_RET_KILL_THREAD);  // nor is x32
  assert_int_equal(program.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  assert_false(program.notify);
}

static void architectures(void**) {
  Fixture fixture;
  const sys::SeccompProgram program = fixture.program(R"({"defaultAction":"SCMP_ACT_KILL_PROCESS",
      "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
      "syscalls":[{"names":["read","close_range","socketcall"],"action":"SCMP_ACT_ALLOW"}]})");
  assert_int_equal(answer(program, SYS_read), kAllow);
  assert_int_equal(answer(program, 3, {}, AUDIT_ARCH_I386), kAllow);        // read
  assert_int_equal(answer(program, 102, {}, AUDIT_ARCH_I386), kAllow);      // socketcall
  assert_int_equal(answer(program, 0x40000000), kAllow);                    // read
  assert_int_equal(answer(program, 0x40000001), SECCOMP_RET_KILL_PROCESS);  // write
  assert_int_equal(answer(program, 0x40000000 | 437), kNoSys);
  assert_int_equal(answer(program, 437), kNoSys);
  assert_int_equal(answer(program, 437, {}, AUDIT_ARCH_I386), kNoSys);
  assert_int_equal(answer(program, 4, {}, AUDIT_ARCH_I386), SECCOMP_RET_KILL_PROCESS);
  assert_int_equal(answer(program, 9999, {}, AUDIT_ARCH_AARCH64), SECCOMP_RET_KILL_THREAD);
}

static void permissive_profiles_get_no_enosys(void**) {
  Fixture fixture;
  for (const char* action : {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"}) {
    const sys::SeccompProgram program =
        fixture.program(std::string(R"({"defaultAction":")") + action +
                        R"(","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]})");
    assert_int_equal(answer(program, SYS_mkdir), kPerm);
    assert_int_not_equal(answer(program, 9999), kNoSys);
  }
  const sys::SeccompProgram explicit_errno = fixture.program(
      R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]})");
  assert_int_equal(answer(explicit_errno, SYS_mkdir), kNoSys);
}

static void arguments(void**) {
  Fixture fixture;
  const auto with = [&](const char* args) {
    return fixture.program(std::string(R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[)") +
                           args + "]}]}");
  };
  const auto allows = [](const sys::SeccompProgram& program, std::initializer_list<uint64_t> args) {
    return answer(program, SYS_personality, args) == kAllow;
  };
  sys::SeccompProgram program = with(R"({"index":0,"value":8,"op":"SCMP_CMP_EQ"})");
  assert_true(allows(program, {8}));
  assert_false(allows(program, {9}));
  assert_false(allows(program, {0x100000008}));
  program = with(R"({"index":1,"value":8,"op":"SCMP_CMP_NE"})");
  assert_true(allows(program, {8, 9}));
  assert_false(allows(program, {9, 8}));
  program = with(R"({"index":0,"value":8,"op":"SCMP_CMP_LT"})");
  assert_true(allows(program, {7}));
  assert_false(allows(program, {8}));
  program = with(R"({"index":0,"value":8,"op":"SCMP_CMP_LE"})");
  assert_true(allows(program, {8}));
  assert_false(allows(program, {9}));
  program = with(R"({"index":0,"value":8,"op":"SCMP_CMP_GE"})");
  assert_true(allows(program, {8}));
  assert_false(allows(program, {7}));
  program = with(R"({"index":5,"value":8,"op":"SCMP_CMP_GT"})");
  assert_true(allows(program, {0, 0, 0, 0, 0, 9}));
  assert_false(allows(program, {9, 9, 9, 9, 9, 8}));
  program = with(R"({"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"})");
  assert_true(allows(program, {0x11}));
  assert_false(allows(program, {0x20000011}));
  // Different arguments: all must hold. The same argument twice: any of them.
  program = with(R"({"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":1,"value":2,"op":"SCMP_CMP_EQ"})");
  assert_true(allows(program, {1, 2}));
  assert_false(allows(program, {1, 3}));
  program = with(R"({"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"})");
  assert_true(allows(program, {1}));
  assert_true(allows(program, {2}));
  assert_false(allows(program, {3}));
}

static void flags(void**) {
  Fixture fixture;
  const auto of = [&](const char* more) {
    return fixture.program(std::string(R"({"defaultAction":"SCMP_ACT_ALLOW",)") + more + "}").flags;
  };
  assert_int_equal(of(R"("flags":[])"), 0);
  assert_int_equal(of(R"("flags":["SECCOMP_FILTER_FLAG_LOG"])"), SECCOMP_FILTER_FLAG_LOG);
  const char* notify = R"("listenerPath":"/x","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}])";
  assert_int_equal(of(notify), SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER);
  const sys::SeccompProgram program =
      fixture.program(std::string(R"({"defaultAction":"SCMP_ACT_ALLOW",)") + notify + "}");
  assert_true(program.notify);
  assert_int_equal(answer(program, SYS_mkdir), SECCOMP_RET_USER_NOTIF);
}

static void cache(void**) {
  Fixture fixture;
  const std::string text =
      R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]})";
  const auto file = [&] {
    FILE* names = popen(("ls " + fixture.root + "/.seccomp").c_str(), "r");
    char name[64] = {};
    assert_int_equal(fscanf(names, "%63s", name), 1);
    pclose(names);
    return fixture.root + "/.seccomp/" + name;
  };
  fixture.program(text);
  struct stat stat;
  assert_int_equal(lstat((fixture.root + "/.seccomp").c_str(), &stat), 0);
  assert_int_equal(stat.st_mode & 07777, 0700);
  const std::string path = file();
  // An entry is used: what it says is what we get.
  std::fstream entry(path, std::ios::in | std::ios::out | std::ios::binary);
  entry.seekg(0, std::ios::end);
  const auto size = entry.tellg();
  assert_int_equal(answer(fixture.program(text), SYS_read), kAllow);
  // Damaged code is not loaded, and replaced.
  entry.seekp(size - std::streamoff(2));
  entry.put(1);
  entry.close();
  assert_int_equal(answer(fixture.program(text), SYS_read), kAllow);
  // Nor is a file or a directory that others may write.
  assert_int_equal(chmod(path.c_str(), 0666), 0);
  assert_int_equal(answer(fixture.program(text), SYS_read), kAllow);
  assert_int_equal(lstat(path.c_str(), &stat), 0);
  assert_int_equal(stat.st_mode & 07777, 0600);  // compiled again and replaced
  assert_int_equal(chmod((fixture.root + "/.seccomp").c_str(), 0777), 0);
  assert_int_equal(unlink(path.c_str()), 0);
  fixture.program(text);
  assert_int_equal(lstat(path.c_str(), &stat), -1);
  // An entry under the right name for another profile does not match.
  assert_int_equal(chmod((fixture.root + "/.seccomp").c_str(), 0700), 0);
  fixture.program(text);
  const std::string other =
      R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["write"],"action":"SCMP_ACT_ALLOW"}]})";
  const std::string copy = fixture.root + "/copy";
  assert_int_equal(system(("cp " + path + " " + copy + " && rm " + path).c_str()), 0);
  fixture.program(other);
  assert_int_equal(system(("cp " + copy + " " + file()).c_str()), 0);
  assert_int_equal(answer(fixture.program(other), SYS_read), kPerm);
  assert_int_equal(answer(fixture.program(other), SYS_write), kAllow);
}

#endif  // __x86_64__

int main() {
  const CMUnitTest tests[] = {
#ifdef __x86_64__
      cmocka_unit_test(actions_and_enosys),
      cmocka_unit_test(architectures),
      cmocka_unit_test(permissive_profiles_get_no_enosys),
      cmocka_unit_test(arguments),
      cmocka_unit_test(flags),
      cmocka_unit_test(cache),
#endif
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
