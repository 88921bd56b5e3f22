// The OCI runtime specification 1.3 (config.json) as plain structs.
//
// Everything a Spec points to lives in the Arena it was read into; all types are trivially copyable. Members
// carry the specification's names in snake case. Absent values: Opt<> not set, pointer null, Str and List
// empty.
#pragma once

#include "src/base/json.h"

namespace slipway::oci {

inline constexpr char kRuntimeSpecVersion[] = "1.3.0";

// --- config.md: process ------------------------------------------------------------------------------------

struct ConsoleSize {
  uint32_t height = 0;
  uint32_t width = 0;
};

struct User {
  uint32_t uid = 0;
  uint32_t gid = 0;
  Opt<uint32_t> umask;
  List<uint32_t> additional_gids;
  Str username;  // Windows only
};

struct Capabilities {
  List<Str> bounding, effective, inheritable, permitted, ambient;
};

struct Rlimit {
  Str type;
  uint64_t hard = 0;
  uint64_t soft = 0;
};

struct Scheduler {
  Str policy;
  int32_t nice = 0;
  int32_t priority = 0;
  List<Str> flags;
  uint64_t runtime = 0, deadline = 0, period = 0;  // nanoseconds, SCHED_DEADLINE
};

struct IoPriority {
  Str io_class;
  int32_t priority = 0;
};

struct ExecCpuAffinity {
  Str initial, final;  // cpu lists, "0-3,7"
};

struct Process {
  bool terminal = false;
  ConsoleSize* console_size = nullptr;
  User user;
  List<Str> args;
  Str command_line;  // Windows only
  List<Str> env;
  Str cwd;
  Capabilities* capabilities = nullptr;
  List<Rlimit> rlimits;
  bool no_new_privileges = false;
  Str apparmor_profile;
  Opt<int32_t> oom_score_adj;
  Scheduler* scheduler = nullptr;
  Str selinux_label;
  IoPriority* io_priority = nullptr;
  ExecCpuAffinity* exec_cpu_affinity = nullptr;
};

// --- config.md: root, mounts, hooks ------------------------------------------------------------------------

struct Root {
  Str path;
  bool readonly = false;
};

struct IdMapping {
  uint32_t container_id = 0;
  uint32_t host_id = 0;
  uint32_t size = 0;
};

struct Mount {
  Str destination;
  Str type;
  Str source;
  List<Str> options;
  List<IdMapping> uid_mappings, gid_mappings;
};

struct Hook {
  Str path;
  List<Str> args;
  Opt<List<Str>> env;    // an empty list differs from an absent one
  Opt<int32_t> timeout;  // seconds
};

struct Hooks {
  List<Hook> prestart, create_runtime, create_container, start_container, poststart, poststop;
};

// --- config-linux.md ---------------------------------------------------------------------------------------

struct Namespace {
  Str type;
  Str path;
};

struct Device {
  Str path;
  Str type;                   // c, u, b or p
  Opt<int64_t> major, minor;  // of all but p
  Opt<uint32_t> file_mode;
  Opt<uint32_t> uid, gid;
};

struct NetDevice {
  Str name;
};

struct DeviceRule {
  bool allow = false;
  Str type;                   // a, c or b; "" means a
  Opt<int64_t> major, minor;  // not set or -1: all
  Str access;                 // of r, w, m
};

struct MemoryResources {
  Opt<int64_t> limit, reservation, swap, kernel, kernel_tcp;  // bytes; -1: unlimited
  Opt<uint64_t> swappiness;
  Opt<bool> disable_oom_killer, use_hierarchy, check_before_update;
};

struct CpuResources {
  Opt<uint64_t> shares;
  Opt<int64_t> quota;    // microseconds per period; -1: unlimited
  Opt<uint64_t> burst;   // microseconds
  Opt<uint64_t> period;  // microseconds
  Opt<int64_t> realtime_runtime;
  Opt<uint64_t> realtime_period;
  Str cpus, mems;
  Opt<int64_t> idle;
};

struct PidsResources {
  Opt<int64_t> limit;
};

struct WeightDevice {
  int64_t major = 0, minor = 0;
  Opt<uint16_t> weight, leaf_weight;
};

struct ThrottleDevice {
  int64_t major = 0, minor = 0;
  uint64_t rate = 0;
};

struct BlockIoResources {
  Opt<uint16_t> weight, leaf_weight;
  List<WeightDevice> weight_device;
  List<ThrottleDevice> throttle_read_bps_device, throttle_write_bps_device;
  List<ThrottleDevice> throttle_read_iops_device, throttle_write_iops_device;
};

struct HugepageLimit {
  Str page_size;
  uint64_t limit = 0;
};

struct InterfacePriority {
  Str name;
  uint32_t priority = 0;
};

struct NetworkResources {
  Opt<uint32_t> class_id;
  List<InterfacePriority> priorities;
};

struct RdmaLimit {
  Opt<uint32_t> hca_handles, hca_objects;
};

struct Resources {
  List<DeviceRule> devices;
  MemoryResources* memory = nullptr;
  CpuResources* cpu = nullptr;
  PidsResources* pids = nullptr;
  BlockIoResources* block_io = nullptr;
  List<HugepageLimit> hugepage_limits;
  NetworkResources* network = nullptr;
  Map<RdmaLimit> rdma;
  Map<Str> unified;
};

struct SeccompArg {
  uint32_t index = 0;
  uint64_t value = 0;
  uint64_t value_two = 0;
  Str op;
};

struct SeccompSyscall {
  List<Str> names;
  Str action;
  Opt<uint32_t> errno_ret;
  List<SeccompArg> args;
};

struct Seccomp {
  Str default_action;
  Opt<uint32_t> default_errno_ret;
  List<Str> architectures;
  Opt<List<Str>> flags;  // an empty list differs from an absent one
  Str listener_path;
  Str listener_metadata;
  List<SeccompSyscall> syscalls;
};

struct IntelRdt {
  Str clos_id;
  List<Str> schemata;
  Str l3_cache_schema;
  Str mem_bw_schema;
  bool enable_monitoring = false;
};

struct MemoryPolicy {
  Str mode;
  Str nodes;
  List<Str> flags;
};

struct Personality {
  Str domain;
  List<Str> flags;
};

struct TimeOffset {
  int64_t secs = 0;
  uint32_t nanosecs = 0;
};

struct Linux {
  List<IdMapping> uid_mappings, gid_mappings;
  Map<Str> sysctl;
  Resources* resources = nullptr;
  Str cgroups_path;
  List<Namespace> namespaces;
  List<Device> devices;
  Map<NetDevice> net_devices;
  Seccomp* seccomp = nullptr;
  Str rootfs_propagation;
  List<Str> masked_paths, readonly_paths;
  Str mount_label;
  IntelRdt* intel_rdt = nullptr;
  MemoryPolicy* memory_policy = nullptr;
  Personality* personality = nullptr;
  Map<TimeOffset> time_offsets;
};

/// A whole config.json.
struct Spec {
  Str oci_version;
  Process* process = nullptr;
  Root* root = nullptr;
  Str hostname;
  Str domainname;
  List<Mount> mounts;
  Hooks* hooks = nullptr;
  Map<Str> annotations;
  Linux* linux_ = nullptr;  // "linux" is a macro of g++
};

extern const json::Type kSpecType;
extern const json::Type kProcessType;    // for exec --process
extern const json::Type kResourcesType;  // for update --resources

// --- reading -----------------------------------------------------------------------------------------------

/// What reading and validation found worth telling without refusing; the caller logs it. Text lives in the
/// arena.
using Warnings = ListBuilder<Str>;

/// Reads config.json text. Unknown keys are added to the warnings: the specification lets a runtime ignore
/// them, but never silently. So are the sections for other systems (windows, solaris, vm, zos, freebsd).
Result<Spec*> parse_spec(std::string_view text, Arena& arena, Warnings& warnings);
Result<Process*> parse_process(std::string_view text, Arena& arena, Warnings& warnings);
Result<Resources*> parse_resources(std::string_view text, Arena& arena, Warnings& warnings);

/// Checks all that can be checked without looking at the host: required properties, absolute paths, known
/// names (namespaces, rlimits, actions, policies), duplicates, ranges, mutually exclusive properties, sysctls
/// against the namespaces that they belong to. ErrorKind::invalid or ErrorKind::unsupported; the text names
/// the property.
Status validate_spec(const Spec& spec, Warnings& warnings);
Status validate_process(const Process& process, Warnings& warnings);
Status validate_resources(const Resources& resources, Warnings& warnings);

/// True when a namespace of this type is listed (new or joined).
bool has_namespace(const Spec& spec, std::string_view type);

/// A sysctl's name as a path below /proc/sys. The first separator tells how it is spelled: the same are
/// "net/ipv4/conf/eth0.1/rp_filter" and "net.ipv4.conf.eth0/1.rp_filter".
Str sysctl_path(std::string_view name, Arena& arena);

/// What default_spec() is to be made for.
struct DefaultSpec {
  bool rootless = false;          // a user namespace that maps the caller, and nothing that needs real root
  bool cgroup_namespace = false;  // the host has only cgroup v2, where hiding the host's tree costs nothing
  uint32_t uid = 0, gid = 0;      // rootless: the caller
};

/// What `spec` prints.
Spec* default_spec(Arena& arena, const DefaultSpec& wanted);

}  // namespace slipway::oci
