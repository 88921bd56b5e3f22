// What is kept of a container: what was asked for (record.json, changed only by rename and update) and what
// became of it (state.json, written by the container's monitor alone). Names in JSON are docker's.
//
// All types are trivially copyable; what they point to lives in the Arena they were read into.
#pragma once

#include "src/base/json.h"

namespace slipway::store {

/// HEALTHCHECK; durations in nanoseconds, 0 means the default.
struct Healthcheck {
  List<Str> test;  // {"NONE"}, {"CMD", args...} or {"CMD-SHELL", command}
  int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;
  int32_t retries = 0;
};

/// What the image and the command line say of the program; what commit writes into an image.
struct ContainerConfig {
  Str hostname;
  Str domainname;
  Str user;
  bool attach_stdin = false, attach_stdout = false, attach_stderr = false;
  List<Str> exposed_ports;  // "80/tcp"
  bool tty = false;
  bool open_stdin = false;
  bool stdin_once = false;
  List<Str> env;
  List<Str> cmd;
  Healthcheck* healthcheck = nullptr;
  Str image;  // as the user named it
  List<Str> volumes;
  Str working_dir;
  List<Str> entrypoint;
  Map<Str> labels;
  Str stop_signal;
  Opt<int32_t> stop_timeout;
};

struct PortBinding {
  Str port;  // the container's: "80/tcp"
  Str host_ip;
  Str host_port;  // "8080", "8000-8010" for the first free one of them, "" for any
};

struct DeviceMapping {
  Str path_on_host;
  Str path_in_container;
  Str cgroup_permissions;  // of r, w, m
};

struct Ulimit {
  Str name;  // "nofile"
  int64_t soft = 0, hard = 0;
};

struct RestartPolicy {
  Str name;  // no, always, unless-stopped, on-failure
  int32_t maximum_retry_count = 0;
};

struct LogConfig {
  Str type;
  Map<Str> config;
};

struct ThrottleRule {
  Str path;
  uint64_t rate = 0;
};

struct MountPoint {
  Str type;  // bind, volume, tmpfs
  Str name;  // of the volume
  Str source;
  Str destination;
  Str mode;           // the options as the user gave them
  Str propagation;    // "" for the default
  List<Str> options;  // for mount(2), with data options of a tmpfs
  bool read_only = false;
  bool no_copy = false;
  List<Str> labels;        // "KEY=VALUE", of a volume that create makes; not kept
  bool anonymous = false;  // a volume that is removed with the container by rm -v and --rm
};

/// What the command line says of the container's surroundings.
struct HostConfig {
  List<Str> binds;
  LogConfig log_config;
  Str network_mode;
  List<PortBinding> port_bindings;
  bool publish_all_ports = false;
  RestartPolicy restart_policy;
  bool auto_remove = false;
  List<Str> volumes_from;
  List<Str> cap_add, cap_drop;
  Str cgroupns_mode;
  List<Str> dns, dns_options, dns_search;
  List<Str> extra_hosts;
  List<Str> group_add;
  Str ipc_mode;
  int32_t oom_score_adj = 0;
  Str pid_mode;
  bool privileged = false;
  bool readonly_rootfs = false;
  List<Str> security_opt;
  Map<Str> storage_opt;
  Map<Str> tmpfs;
  List<MountPoint> mounts;  // of --mount alone; Record::mounts has all
  Str uts_mode;
  Str userns_mode;
  int64_t shm_size = 0;
  Map<Str> sysctls;
  Str runtime;  // "" for the built-in one
  bool init = false;
  Map<Str> annotations;

  // Resources; 0 and "" mean not set.
  int64_t cpu_shares = 0;
  int64_t memory = 0, memory_reservation = 0, memory_swap = 0;
  Opt<int64_t> memory_swappiness;
  int64_t nano_cpus = 0;
  int64_t cpu_period = 0, cpu_quota = 0;
  int64_t cpu_realtime_period = 0, cpu_realtime_runtime = 0;
  Str cpuset_cpus, cpuset_mems;
  Str cgroup_parent;
  uint16_t blkio_weight = 0;
  List<ThrottleRule> blkio_device_read_bps, blkio_device_write_bps, blkio_device_read_iops,
      blkio_device_write_iops, blkio_weight_device;
  List<DeviceMapping> devices;
  List<Str> device_cgroup_rules;
  bool oom_kill_disable = false;
  Opt<int64_t> pids_limit;
  List<Ulimit> ulimits;
};

/// One mount that the user or the image asked for.
/// One bridge network that the container is attached to.
struct Attachment {
  Str network;  // its name
  List<Str> aliases;
  Str address;  // "" for any
  Str mac_address;
};

struct Record {
  Str id;
  Str name;
  Str created;
  Str path;        // the program
  List<Str> args;  // and what follows it
  Str image;       // "sha256:..."
  Str layer;       // chain ID of the image's top layer; "" for an empty image
  Str driver;
  Str platform;
  ContainerConfig config;
  HostConfig host;
  List<MountPoint> mounts;
  List<Attachment> networks;  // bridge networks; empty for every other mode
};

struct HealthResult {
  Str start, end;
  int32_t exit_code = 0;
  Str output;
};

struct Health {
  Str status;  // starting, healthy, unhealthy
  int32_t failing_streak = 0;
  List<HealthResult> log;
};

enum class ContainerStatus : uint8_t { created, running, paused, restarting, removing, exited, dead };
const char* to_string(ContainerStatus status);

struct State {
  Str status;  // created, running, restarting or exited, at the time it was written
  int32_t pid = 0;
  uint64_t pid_start_time = 0;  // clock ticks since boot
  int32_t monitor_pid = 0;
  Str started_at, finished_at;
  int32_t exit_code = 0;
  bool oom_killed = false;
  Str error;
  int32_t restart_count = 0;
  Health* health = nullptr;
};

extern const json::Type kRecordType;
extern const json::Type kStateType;

}  // namespace slipway::store
