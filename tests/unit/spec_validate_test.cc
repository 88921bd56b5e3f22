// What validate_spec() refuses, warns of and lets pass: one line per property.
#include <string>

#include "oci/spec.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::oci;

namespace {

/// A small valid config.json with members added to its parts.
std::string config(const char* process, const char* section, const char* top) {
  std::string text = R"({"ociVersion":"1.2.0","root":{"path":"rootfs"},)";
  text += R"("process":{"cwd":"/","args":["sh"],"user":{"uid":0,"gid":0})";
  text.append(*process ? "," : "").append(process).append("},");
  text.append(R"("linux":{)").append(section).append("}");
  return text.append(*top ? "," : "").append(top).append("}");
}

/// The error of reading and validating, or the first warning after "warning: ", or "".
std::string outcome(const std::string& text) {
  Arena arena;
  Warnings warnings(arena);
  Result<Spec*> spec = parse_spec(text, arena, warnings);
  if (!spec.ok()) return spec.error().text();
  Status status = validate_spec(**spec, warnings);
  if (!status.ok()) return status.error().text();
  return warnings.size() == 0 ? "" : std::string("warning: ") + warnings.list()[0].c_str();
}

struct Case {
  const char* part;  // added to the object that the test is about
  const char* want;  // part of the outcome; "" for none at all
};

void expect(const Case& c, const std::string& got) {
  const bool match = *c.want ? got.find(c.want) != std::string::npos : got.empty();
  if (!match) print_error("for %s\n  want: %s\n  got:  %s\n", c.part, c.want, got.c_str());
  assert_true(match);
}

}  // namespace

static void whole_documents(void**) {
  constexpr Case kCases[] = {
      {"", "parse error"},
      {"[]", "expected an object, found an array"},
      {"{}", "ociVersion: is required"},
      {R"({"ociVersion":"1.0.2-dev"})", "root: is required"},
      {R"({"ociVersion":"x"})", "ociVersion: \"x\" is not a version"},
      {R"({"ociVersion":"1"})", "ociVersion: \"1\" is not a version"},
      {R"({"ociVersion":"1.0."})", "ociVersion: \"1.0.\" is not a version"},
      {R"({"ociVersion":"2.0.0"})", "ociVersion: \"2.0.0\" is not supported"},
      {R"({"ociVersion":"1.0.0","root":{}})", "root.path: is required"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"}})", "process: is required"},
      {R"({"ociVersion":1})", "ociVersion: expected a string, found a number"},
      {R"({"ociVersion":"1.0.0","root":{"path":"r"},"process":{"cwd":"/","args":["x"]}})", ""},
      {R"({"ociVersion":"1.0","root":{"path":"r"},"process":{"cwd":"/","args":["x"]}})", ""},
  };
  for (const Case& c : kCases) expect(c, outcome(c.part));
}

static void top(void**) {
  constexpr Case kCases[] = {
      {R"("colour":1)", "warning: colour: unknown property, ignored"},
      {R"("windows":{"layerFolders":[]})", "warning: windows: is for another system, ignored"},
      {R"("hostname":"a")", "unable to set hostname without a private UTS namespace"},
      {R"("domainname":"a")", "unable to set domainname without a private UTS namespace"},
      {R"("mounts":[{"source":"x"}])", "mounts[0].destination: is required"},
      {R"("mounts":[{"destination":"x"}])", "warning: mounts[0].destination: \"x\" is not an absolute path"},
      {R"("mounts":[{"destination":"/x","uidMappings":[{"containerID":0,"hostID":1,"size":1}]}])",
       "mounts[0]: uidMappings and gidMappings must both be set"},
      {R"("mounts":[{"destination":"/x","mode":1}])", "warning: mounts[0].mode: unknown property"},
      {R"("hooks":{"prestart":[{"args":["x"]}]})", "hooks.prestart[0].path: is required"},
      {R"("hooks":{"createRuntime":[{"path":"x"}]})",
       "hooks.createRuntime[0].path: \"x\" is not an absolute"},
      {R"("hooks":{"poststop":[{"path":"/x"},{"path":"/x","timeout":0}]})",
       "hooks.poststop[1].timeout: must be greater than 0"},
      {R"("hooks":{"startContainer":[{"path":"/x","env":["A"]}]})", "hooks.startContainer[0].env"},
      {R"("annotations":{"":"x"})", "annotations: a key is empty"},
      {R"("annotations":{"a":1})", "annotations.a: expected a string, found a number"},
  };
  for (const Case& c : kCases) expect(c, outcome(config("", "", c.part)));
}

static void process(void**) {
  constexpr Case kCases[] = {
      {R"("cwd":"")", "process.cwd: is required"},
      {R"("cwd":"x")", "process.cwd: not an absolute path: \"x\""},
      {R"("args":[])", "process.args must not be empty"},
      {R"("commandLine":"x")", "warning: process.commandLine: is for Windows, ignored"},
      {R"("env":["A=","B"])", "process.env[1]: invalid environment variable: missing '='"},
      {R"("env":["=x"])", "process.env[0]: invalid environment variable: name cannot be empty"},
      {R"("user":{"username":"x"})", "warning: process.user.username: is for Windows, ignored"},
      {R"("user":{"uid":4294967295})", "process.user.uid"},
      {R"("user":{"uid":4294967296})", "process.user.uid: 4294967296 does not fit"},
      {R"("user":{"uid":-1})", "process.user.uid: -1 does not fit"},
      {R"("user":{"additionalGids":[4294967295]})", "process.user.additionalGids"},
      {R"("capabilities":{"ambient":["CAP_X"]})",
       "warning: process.capabilities.ambient: unknown capability \"CAP_X\""},
      {R"("capabilities":{"bounding":["CAP_KILL"]})", ""},
      {R"("capabilities":["CAP_KILL"])", "process.capabilities: expected an object, found an array"},
      {R"("rlimits":[{"type":"NOFILE","hard":1,"soft":1}])", "process.rlimits[0].type: invalid rlimit type"},
      {R"("rlimits":[{"type":"RLIMIT_NOFILE","hard":1,"soft":2}])", "process.rlimits[0]: soft limit"},
      {R"("rlimits":[{"type":"RLIMIT_AS","hard":1},{"type":"RLIMIT_AS","hard":1}])", "duplicated rlimit"},
      {R"("rlimits":[{"type":"RLIMIT_AS","hard":18446744073709551615,"soft":18446744073709551615}])", ""},
      {R"("oomScoreAdj":1001)", "process.oomScoreAdj: 1001 is not in"},
      {R"("oomScoreAdj":-1000)", ""},
      {R"("consoleSize":{"height":70000})", "process.consoleSize"},
      {R"("scheduler":{"policy":"SCHED_ISO"})", "Linux does not have SCHED_ISO"},
      {R"("scheduler":{"policy":"X"})", "process.scheduler.policy: unknown policy \"X\""},
      {R"("scheduler":{"policy":"SCHED_FIFO","nice":1,"priority":1})", "process.scheduler.nice"},
      {R"("scheduler":{"policy":"SCHED_OTHER","nice":20})", "process.scheduler.nice: 20 is not in"},
      {R"("scheduler":{"policy":"SCHED_BATCH","priority":1})", "process.scheduler.priority"},
      {R"("scheduler":{"policy":"SCHED_RR"})", "process.scheduler.priority: 0 is not in 1..99"},
      {R"("scheduler":{"policy":"SCHED_RR","priority":1,"runtime":5})", "SCHED_DEADLINE only"},
      {R"("scheduler":{"policy":"SCHED_OTHER","flags":["X"]})", "process.scheduler.flags: unknown flag"},
      {R"("scheduler":{"policy":"SCHED_DEADLINE","runtime":1,"deadline":2,"period":3})", ""},
      {R"("ioPriority":{"class":"X","priority":1})", "process.ioPriority.class: unknown class"},
      {R"("ioPriority":{"class":"IOPRIO_CLASS_BE","priority":8})", "process.ioPriority.priority"},
      {R"("ioPriority":{"class":"IOPRIO_CLASS_BE","priority":7})", ""},
      {R"("execCPUAffinity":{"initial":"0-"})", "process.execCPUAffinity.initial: not a list"},
      {R"("execCPUAffinity":{"initial":"0-3,7","final":"1"})", ""},
      {R"("execCPUAffinity":{"final":"a"})", "process.execCPUAffinity.final: not a list"},
      {R"("args":["a\u0000b"])", "process.args[0]: the string contains a NUL character"},
  };
  for (const Case& c : kCases) expect(c, outcome(config(c.part, "", "")));
}

static void namespaces(void**) {
  constexpr Case kCases[] = {
      {R"("namespaces":[{"type":"net"}])", "linux.namespaces[0].type: unknown namespace \"net\""},
      {R"("namespaces":[{"type":"pid"},{"type":"pid"}])", "duplicated namespace \"pid\""},
      {R"("namespaces":[{"type":"pid","path":"x"}])", "linux.namespaces[0].path: \"x\" is not an absolute"},
      {R"("namespaces":[{"type":"user"}])",
       "linux.uidMappings: user namespaces enabled, but no uid mappings"},
      {R"("namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":0,"size":1}])",
       "linux.gidMappings: user namespaces enabled, but no gid mappings"},
      {R"("namespaces":[{"type":"user","path":"/proc/1/ns/user"}])", ""},
      {R"("uidMappings":[{"containerID":0,"hostID":0,"size":1}])",
       "warning: linux.uidMappings: user namespace mappings"},
      {R"("namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":0,"size":0}],
          "gidMappings":[{"containerID":0,"hostID":0,"size":1}])",
       "linux.uidMappings[0].size: must not be 0"},
      {R"("namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":0,"size":1}],
          "gidMappings":[{"containerID":0,"hostID":0,"size":2},{"containerID":1,"hostID":9,"size":2}])",
       "linux.gidMappings: mappings 0 and 1 overlap"},
      {R"("namespaces":[{"type":"user"}],"uidMappings":[{"containerID":4294967295,"hostID":0,"size":2}],
          "gidMappings":[{"containerID":0,"hostID":0,"size":2}])",
       "linux.uidMappings[0]: goes beyond the last ID"},
      {R"("timeOffsets":{"monotonic":{"secs":1}})", "linux.timeOffsets: time namespace offsets specified"},
      {R"("namespaces":[{"type":"time"}],"timeOffsets":{"realtime":{"secs":1}})",
       "unknown clock \"realtime\""},
      {R"("namespaces":[{"type":"time"}],"timeOffsets":{"boottime":{"nanosecs":1000000000}})", "nanosecs"},
      {R"("namespaces":[{"type":"time","path":"/x"}],"timeOffsets":{"boottime":{"secs":1}})",
       "keeps its own"},
      {R"("namespaces":[{"type":"time"}],"timeOffsets":{"boottime":{"secs":-1}})", ""},
      {R"("sysctl":{"kernel.shmmax":"1"})", "\"kernel.shmmax\" is not allowed in the hosts ipc namespace"},
      {R"("namespaces":[{"type":"ipc"}],"sysctl":{"kernel.shmmax":"1","fs.mqueue.msg_max":"1"})", ""},
      {R"("sysctl":{"net.ipv4.ip_forward":"1"})", "not allowed in host network namespace"},
      {R"("namespaces":[{"type":"network"}],"sysctl":{"net/ipv4/conf/eth0.1/rp_filter":"1"})", ""},
      {R"("namespaces":[{"type":"uts"}],"sysctl":{"kernel.hostname":"x"})",
       "conflicts with the OCI \"hostname\""},
      {R"("namespaces":[{"type":"uts"}],"sysctl":{"kernel.domainname":"x"})", ""},
      {R"("sysctl":{"kernel.panic":"1"})", "\"kernel.panic\" is not in a separate kernel namespace"},
      {R"("namespaces":[{"type":"network"}],"sysctl":{"net/../kernel/panic":"1"})", "is not a name"},
      {R"("netDevices":{"eth0":{}})", "unable to move network devices without a private NET namespace"},
      {R"("namespaces":[{"type":"network"}],"netDevices":{"eth0":{"name":"a/b"}})",
       "invalid network device name"},
      {R"("namespaces":[{"type":"network"}],"netDevices":{"eth0":{"name":"a"},"a":{}})", "two devices"},
      {R"("namespaces":[{"type":"network"}],"netDevices":{"eth0":{"name":"ethernet-is-long"}})",
       "invalid network"},
  };
  for (const Case& c : kCases) expect(c, outcome(config("", c.part, "")));
}

static void section(void**) {
  constexpr Case kCases[] = {
      {R"("devices":[{"path":"dev/x","type":"c"}])", "linux.devices[0].path"},
      {R"("devices":[{"path":"/dev/x","type":"x"}])", "linux.devices[0].type: \"x\" is none of"},
      {R"("devices":[{"path":"/dev/x","type":"c","major":-1,"minor":0}])", "is not a device number"},
      {R"("devices":[{"path":"/dev/x","type":"b","minor":0}])", "major and minor are required"},
      {R"("devices":[{"path":"/dev/x","type":"p"}])", ""},
      {R"("rootfsPropagation":"x")", "linux.rootfsPropagation: \"x\" is not supported"},
      {R"("namespaces":[{"type":"mount"}],"rootfsPropagation":"rshared")", ""},
      {R"("rootfsPropagation":"rshared")", "without a private MNT namespace"},
      {R"("readonlyPaths":["/proc"])",
       "linux.readonlyPaths: unable to restrict sys entries without a private MNT"},
      {R"("maskedPaths":["proc"])", "linux.maskedPaths[0]: \"proc\" is not an absolute path"},
      {R"("readonlyPaths":["/proc","x"])", "linux.readonlyPaths[1]: \"x\" is not an absolute path"},
      {R"("personality":{"domain":"X"})", "linux.personality.domain: unknown domain"},
      {R"("personality":{"domain":"LINUX","flags":["X"]})", "warning: linux.personality.flags"},
      {R"("intelRdt":{"closID":"../x"})", "linux.intelRdt.closID"},
      {R"("memoryPolicy":{"mode":"X"})", "linux.memoryPolicy.mode: unknown mode"},
      {R"("memoryPolicy":{"mode":"MPOL_BIND"})", "linux.memoryPolicy.nodes: is required with MPOL_BIND"},
      {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0,1-2"})", ""},
      {R"("memoryPolicy":{"mode":"MPOL_DEFAULT","nodes":"0"})", "MPOL_DEFAULT takes no nodes"},
      {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["X"]})", "linux.memoryPolicy.flags"},
      {R"("resources":{"devices":[{"allow":true,"type":"x"}]})", "linux.resources: devices[0].type"},
      {R"("resources":{"devices":[{"allow":true,"access":"rx"}]})", "linux.resources: devices[0].access"},
      {R"("resources":{"memory":{"limit":-2}})", "memory.limit: -2 is neither a size nor -1"},
      {R"("resources":{"memory":{"limit":10,"swap":5}})", "memory.swap: memory+swap limit should be >="},
      {R"("resources":{"memory":{"limit":10,"swap":-1}})", ""},
      {R"("resources":{"memory":{"swappiness":101}})", "memory.swappiness: 101 is not in"},
      {R"("resources":{"cpu":{"cpus":"0-x"}})", "cpu.cpus: not a list of CPUs"},
      {R"("resources":{"cpu":{"idle":2}})", "cpu.idle"},
      {R"("resources":{"blockIO":{"weight":5}})", "blockIO.weight: 5 is not in"},
      {R"("resources":{"blockIO":{"weight":70000}})", "does not fit into an unsigned 16-bit integer"},
      {R"("resources":{"blockIO":{"weightDevice":[{"major":8,"minor":0}]}})", "blockIO.weightDevice"},
      {R"("resources":{"hugepageLimits":[{"pageSize":"2mb","limit":1}]})", "hugepageLimits[0].pageSize"},
      {R"("resources":{"hugepageLimits":[{"pageSize":"2MB","limit":1},{"pageSize":"2MB","limit":1}]})",
       "duplicated page size"},
      {R"("resources":{"unified":{"memory/max":"1"}})", "must be a file name (no slashes)"},
      {R"("resources":{"unified":{"memory":"1"}})", "must be in the form CONTROLLER.PARAMETER"},
      {R"("resources":{"unified":{"memory.max":"1"}})", ""},
      {R"("resources":{"memory":{"colour":1}})", "warning: linux.resources.memory.colour: unknown property"},
  };
  for (const Case& c : kCases) expect(c, outcome(config("", c.part, "")));
}

static void seccomp(void**) {
  constexpr Case kCases[] = {
      {R"("architectures":["SCMP_ARCH_X86"])", "linux.seccomp.defaultAction: is required"},
      {R"("defaultAction":"X")", "linux.seccomp.defaultAction: unknown action \"X\""},
      {R"("defaultAction":"SCMP_ACT_NOTIFY")", "cannot be used as default action"},
      {R"("defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":5000)", "linux.seccomp.defaultErrnoRet"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1)", "has no meaning for action"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","architectures":["X"])", "unknown architecture \"X\""},
      {R"("defaultAction":"SCMP_ACT_ALLOW","flags":["X"])", "linux.seccomp.flags: unknown flag"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_KILL"}])", "names: is required"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"X"}])", "syscalls.action"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"SCMP_ACT_KILL","errnoRet":1}])",
       "syscalls.errnoRet: has no meaning"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"SCMP_ACT_KILL",
          "args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}])",
       "args.index: 6 is not in"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"SCMP_ACT_KILL",
          "args":[{"index":0,"value":0,"op":"EQ"}]}])",
       "args.op: unknown operator"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["open"],"action":"SCMP_ACT_NOTIFY"}])",
       "listenerPath: is required with SCMP_ACT_NOTIFY"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/x",
          "syscalls":[{"names":["write"],"action":"SCMP_ACT_NOTIFY"}])",
       "cannot be used for the write syscall"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/x")",
       "warning: linux.seccomp.listenerPath: no rule"},
      {R"("defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"x")", "is only allowed with listenerPath"},
      {R"("defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"flags":[],
          "syscalls":[{"names":["openat2","no_such_call"],"action":"SCMP_ACT_ALLOW"}])",
       ""},
  };
  for (const Case& c : kCases)
    expect(c, outcome(config("", (std::string(R"("seccomp":{)") + c.part + "}").c_str(), "")));
}

static void defaults_are_valid_and_survive_writing(void**) {
  for (const bool rootless : {false, true}) {
    Arena arena;
    Warnings warnings(arena);
    DefaultSpec wanted;
    wanted.rootless = rootless;
    wanted.cgroup_namespace = rootless;
    wanted.uid = wanted.gid = 1000;
    const Spec* spec = default_spec(arena, wanted);
    assert_true(validate_spec(*spec, warnings).ok());
    json::Writer first;
    first.value(kSpecType, spec);
    Result<Spec*> again = parse_spec(first.text(), arena, warnings);
    assert_true(again.ok());
    assert_int_equal(warnings.size(), 0);
    json::Writer second;
    second.value(kSpecType, *again);
    assert_true(first.text() == second.text());
    assert_int_equal(has_namespace(**again, "user"), rootless);
    assert_int_equal(has_namespace(**again, "network"), !rootless);
    assert_true(first.text().find(R"("user":{"uid":0,"gid":0})") != std::string_view::npos);
  }
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(whole_documents),
      cmocka_unit_test(top),
      cmocka_unit_test(process),
      cmocka_unit_test(namespaces),
      cmocka_unit_test(section),
      cmocka_unit_test(seccomp),
      cmocka_unit_test(defaults_are_valid_and_survive_writing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
