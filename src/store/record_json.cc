// How records look in JSON.
#include "src/store/record.h"

JSON_OBJECT(slipway::store::Healthcheck, JSON_FIELD(slipway::store::Healthcheck, test, "Test"),
            JSON_FIELD(slipway::store::Healthcheck, interval, "Interval"),
            JSON_FIELD(slipway::store::Healthcheck, timeout, "Timeout"),
            JSON_FIELD(slipway::store::Healthcheck, start_period, "StartPeriod"),
            JSON_FIELD(slipway::store::Healthcheck, start_interval, "StartInterval"),
            JSON_FIELD(slipway::store::Healthcheck, retries, "Retries"));

JSON_OBJECT(slipway::store::ContainerConfig,
            JSON_FIELD(slipway::store::ContainerConfig, hostname, "Hostname"),
            JSON_FIELD(slipway::store::ContainerConfig, domainname, "Domainname"),
            JSON_FIELD(slipway::store::ContainerConfig, user, "User"),
            JSON_FIELD(slipway::store::ContainerConfig, attach_stdin, "AttachStdin"),
            JSON_FIELD(slipway::store::ContainerConfig, attach_stdout, "AttachStdout"),
            JSON_FIELD(slipway::store::ContainerConfig, attach_stderr, "AttachStderr"),
            JSON_FIELD(slipway::store::ContainerConfig, exposed_ports, "ExposedPorts"),
            JSON_FIELD(slipway::store::ContainerConfig, tty, "Tty"),
            JSON_FIELD(slipway::store::ContainerConfig, open_stdin, "OpenStdin"),
            JSON_FIELD(slipway::store::ContainerConfig, stdin_once, "StdinOnce"),
            JSON_FIELD(slipway::store::ContainerConfig, env, "Env"),
            JSON_FIELD(slipway::store::ContainerConfig, cmd, "Cmd"),
            JSON_FIELD(slipway::store::ContainerConfig, healthcheck, "Healthcheck"),
            JSON_FIELD(slipway::store::ContainerConfig, image, "Image"),
            JSON_FIELD(slipway::store::ContainerConfig, volumes, "Volumes"),
            JSON_FIELD(slipway::store::ContainerConfig, working_dir, "WorkingDir"),
            JSON_FIELD(slipway::store::ContainerConfig, entrypoint, "Entrypoint"),
            JSON_FIELD(slipway::store::ContainerConfig, labels, "Labels"),
            JSON_FIELD(slipway::store::ContainerConfig, stop_signal, "StopSignal"),
            JSON_FIELD(slipway::store::ContainerConfig, stop_timeout, "StopTimeout"));

JSON_OBJECT(slipway::store::PortBinding, JSON_FIELD(slipway::store::PortBinding, port, "Port"),
            JSON_FIELD(slipway::store::PortBinding, host_ip, "HostIp"),
            JSON_FIELD(slipway::store::PortBinding, host_port, "HostPort"));

JSON_OBJECT(slipway::store::DeviceMapping,
            JSON_FIELD(slipway::store::DeviceMapping, path_on_host, "PathOnHost"),
            JSON_FIELD(slipway::store::DeviceMapping, path_in_container, "PathInContainer"),
            JSON_FIELD(slipway::store::DeviceMapping, cgroup_permissions, "CgroupPermissions"));

JSON_OBJECT(slipway::store::Ulimit, JSON_FIELD(slipway::store::Ulimit, name, "Name"),
            JSON_FIELD(slipway::store::Ulimit, soft, "Soft"),
            JSON_FIELD(slipway::store::Ulimit, hard, "Hard"));

JSON_OBJECT(slipway::store::RestartPolicy, JSON_FIELD(slipway::store::RestartPolicy, name, "Name"),
            JSON_FIELD(slipway::store::RestartPolicy, maximum_retry_count, "MaximumRetryCount"));

JSON_OBJECT(slipway::store::LogConfig, JSON_FIELD(slipway::store::LogConfig, type, "Type"),
            JSON_FIELD(slipway::store::LogConfig, config, "Config"));

JSON_OBJECT(slipway::store::ThrottleRule, JSON_FIELD(slipway::store::ThrottleRule, path, "Path"),
            JSON_FIELD(slipway::store::ThrottleRule, rate, "Rate"));

JSON_OBJECT(slipway::store::MountPoint, JSON_FIELD(slipway::store::MountPoint, type, "Type"),
            JSON_FIELD(slipway::store::MountPoint, name, "Name"),
            JSON_FIELD(slipway::store::MountPoint, source, "Source"),
            JSON_FIELD(slipway::store::MountPoint, destination, "Destination"),
            JSON_FIELD(slipway::store::MountPoint, mode, "Mode"),
            JSON_FIELD(slipway::store::MountPoint, propagation, "Propagation"),
            JSON_FIELD(slipway::store::MountPoint, options, "Options"),
            JSON_FIELD(slipway::store::MountPoint, read_only, "ReadOnly"),
            JSON_FIELD(slipway::store::MountPoint, no_copy, "NoCopy"),
            JSON_FIELD(slipway::store::MountPoint, anonymous, "Anonymous"));

JSON_OBJECT(slipway::store::HostConfig, JSON_FIELD(slipway::store::HostConfig, binds, "Binds"),
            JSON_FIELD(slipway::store::HostConfig, log_config, "LogConfig"),
            JSON_FIELD(slipway::store::HostConfig, network_mode, "NetworkMode"),
            JSON_FIELD(slipway::store::HostConfig, port_bindings, "PortBindings"),
            JSON_FIELD(slipway::store::HostConfig, publish_all_ports, "PublishAllPorts"),
            JSON_FIELD(slipway::store::HostConfig, restart_policy, "RestartPolicy"),
            JSON_FIELD(slipway::store::HostConfig, auto_remove, "AutoRemove"),
            JSON_FIELD(slipway::store::HostConfig, volumes_from, "VolumesFrom"),
            JSON_FIELD(slipway::store::HostConfig, cap_add, "CapAdd"),
            JSON_FIELD(slipway::store::HostConfig, cap_drop, "CapDrop"),
            JSON_FIELD(slipway::store::HostConfig, cgroupns_mode, "CgroupnsMode"),
            JSON_FIELD(slipway::store::HostConfig, dns, "Dns"),
            JSON_FIELD(slipway::store::HostConfig, dns_options, "DnsOptions"),
            JSON_FIELD(slipway::store::HostConfig, dns_search, "DnsSearch"),
            JSON_FIELD(slipway::store::HostConfig, extra_hosts, "ExtraHosts"),
            JSON_FIELD(slipway::store::HostConfig, group_add, "GroupAdd"),
            JSON_FIELD(slipway::store::HostConfig, ipc_mode, "IpcMode"),
            JSON_FIELD(slipway::store::HostConfig, oom_score_adj, "OomScoreAdj"),
            JSON_FIELD(slipway::store::HostConfig, pid_mode, "PidMode"),
            JSON_FIELD(slipway::store::HostConfig, privileged, "Privileged"),
            JSON_FIELD(slipway::store::HostConfig, readonly_rootfs, "ReadonlyRootfs"),
            JSON_FIELD(slipway::store::HostConfig, security_opt, "SecurityOpt"),
            JSON_FIELD(slipway::store::HostConfig, storage_opt, "StorageOpt"),
            JSON_FIELD(slipway::store::HostConfig, tmpfs, "Tmpfs"),
            JSON_FIELD(slipway::store::HostConfig, mounts, "Mounts"),
            JSON_FIELD(slipway::store::HostConfig, uts_mode, "UTSMode"),
            JSON_FIELD(slipway::store::HostConfig, userns_mode, "UsernsMode"),
            JSON_FIELD(slipway::store::HostConfig, shm_size, "ShmSize"),
            JSON_FIELD(slipway::store::HostConfig, sysctls, "Sysctls"),
            JSON_FIELD(slipway::store::HostConfig, runtime, "Runtime"),
            JSON_FIELD(slipway::store::HostConfig, init, "Init"),
            JSON_FIELD(slipway::store::HostConfig, annotations, "Annotations"),
            JSON_FIELD(slipway::store::HostConfig, cpu_shares, "CpuShares"),
            JSON_FIELD(slipway::store::HostConfig, memory, "Memory"),
            JSON_FIELD(slipway::store::HostConfig, memory_reservation, "MemoryReservation"),
            JSON_FIELD(slipway::store::HostConfig, memory_swap, "MemorySwap"),
            JSON_FIELD(slipway::store::HostConfig, memory_swappiness, "MemorySwappiness"),
            JSON_FIELD(slipway::store::HostConfig, nano_cpus, "NanoCpus"),
            JSON_FIELD(slipway::store::HostConfig, cpu_period, "CpuPeriod"),
            JSON_FIELD(slipway::store::HostConfig, cpu_quota, "CpuQuota"),
            JSON_FIELD(slipway::store::HostConfig, cpu_realtime_period, "CpuRealtimePeriod"),
            JSON_FIELD(slipway::store::HostConfig, cpu_realtime_runtime, "CpuRealtimeRuntime"),
            JSON_FIELD(slipway::store::HostConfig, cpuset_cpus, "CpusetCpus"),
            JSON_FIELD(slipway::store::HostConfig, cpuset_mems, "CpusetMems"),
            JSON_FIELD(slipway::store::HostConfig, cgroup_parent, "CgroupParent"),
            JSON_FIELD(slipway::store::HostConfig, blkio_weight, "BlkioWeight"),
            JSON_FIELD(slipway::store::HostConfig, blkio_device_read_bps, "BlkioDeviceReadBps"),
            JSON_FIELD(slipway::store::HostConfig, blkio_device_write_bps, "BlkioDeviceWriteBps"),
            JSON_FIELD(slipway::store::HostConfig, blkio_device_read_iops, "BlkioDeviceReadIops"),
            JSON_FIELD(slipway::store::HostConfig, blkio_device_write_iops, "BlkioDeviceWriteIops"),
            JSON_FIELD(slipway::store::HostConfig, blkio_weight_device, "BlkioWeightDevice"),
            JSON_FIELD(slipway::store::HostConfig, devices, "Devices"),
            JSON_FIELD(slipway::store::HostConfig, device_cgroup_rules, "DeviceCgroupRules"),
            JSON_FIELD(slipway::store::HostConfig, oom_kill_disable, "OomKillDisable"),
            JSON_FIELD(slipway::store::HostConfig, pids_limit, "PidsLimit"),
            JSON_FIELD(slipway::store::HostConfig, ulimits, "Ulimits"));

JSON_OBJECT(slipway::store::Attachment, JSON_FIELD(slipway::store::Attachment, network, "Network"),
            JSON_FIELD(slipway::store::Attachment, aliases, "Aliases"),
            JSON_FIELD(slipway::store::Attachment, address, "IPAddress"),
            JSON_FIELD(slipway::store::Attachment, mac_address, "MacAddress"));

JSON_OBJECT(slipway::store::Record, JSON_FIELD(slipway::store::Record, id, "Id"),
            JSON_FIELD(slipway::store::Record, name, "Name"),
            JSON_FIELD(slipway::store::Record, created, "Created"),
            JSON_FIELD(slipway::store::Record, path, "Path"),
            JSON_FIELD(slipway::store::Record, args, "Args"),
            JSON_FIELD(slipway::store::Record, image, "Image"),
            JSON_FIELD(slipway::store::Record, layer, "Layer"),
            JSON_FIELD(slipway::store::Record, driver, "Driver"),
            JSON_FIELD(slipway::store::Record, platform, "Platform"),
            JSON_FIELD(slipway::store::Record, config, "Config"),
            JSON_FIELD(slipway::store::Record, host, "HostConfig"),
            JSON_FIELD(slipway::store::Record, mounts, "Mounts"),
            JSON_FIELD(slipway::store::Record, networks, "Networks"));

JSON_OBJECT(slipway::store::HealthResult, JSON_FIELD(slipway::store::HealthResult, start, "Start"),
            JSON_FIELD(slipway::store::HealthResult, end, "End"),
            JSON_FIELD(slipway::store::HealthResult, exit_code, "ExitCode"),
            JSON_FIELD(slipway::store::HealthResult, output, "Output"));

JSON_OBJECT(slipway::store::Health, JSON_FIELD(slipway::store::Health, status, "Status"),
            JSON_FIELD(slipway::store::Health, failing_streak, "FailingStreak"),
            JSON_FIELD(slipway::store::Health, log, "Log"));

JSON_OBJECT(slipway::store::State, JSON_FIELD(slipway::store::State, status, "Status"),
            JSON_FIELD(slipway::store::State, pid, "Pid"),
            JSON_FIELD(slipway::store::State, pid_start_time, "PidStartTime"),
            JSON_FIELD(slipway::store::State, monitor_pid, "MonitorPid"),
            JSON_FIELD(slipway::store::State, started_at, "StartedAt"),
            JSON_FIELD(slipway::store::State, finished_at, "FinishedAt"),
            JSON_FIELD(slipway::store::State, exit_code, "ExitCode"),
            JSON_FIELD(slipway::store::State, oom_killed, "OOMKilled"),
            JSON_FIELD(slipway::store::State, error, "Error"),
            JSON_FIELD(slipway::store::State, restart_count, "RestartCount"),
            JSON_FIELD(slipway::store::State, health, "Health"));

namespace slipway::store {

const json::Type kRecordType = json::type<Record>;
const json::Type kStateType = json::type<State>;

const char* to_string(ContainerStatus status) {
  static constexpr const char* kNames[] = {"created",  "running", "paused", "restarting",
                                           "removing", "exited",  "dead"};
  return kNames[static_cast<size_t>(status)];
}

}  // namespace slipway::store
