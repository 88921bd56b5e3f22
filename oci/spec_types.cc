// How config.json looks: one table per struct of oci/spec.h. This is the whole of the mapping: a property
// that is not named here is unknown to the program, and told so.
#include "oci/spec.h"

using namespace slipway;
using namespace slipway::oci;

JSON_OBJECT(ConsoleSize, JSON_REQUIRED(ConsoleSize, height, "height"),
            JSON_REQUIRED(ConsoleSize, width, "width"));

JSON_OBJECT(User, JSON_REQUIRED(User, uid, "uid"), JSON_REQUIRED(User, gid, "gid"),
            JSON_FIELD(User, umask, "umask"), JSON_FIELD(User, additional_gids, "additionalGids"),
            JSON_FIELD(User, username, "username"));

JSON_OBJECT(Capabilities, JSON_FIELD(Capabilities, bounding, "bounding"),
            JSON_FIELD(Capabilities, effective, "effective"),
            JSON_FIELD(Capabilities, inheritable, "inheritable"),
            JSON_FIELD(Capabilities, permitted, "permitted"), JSON_FIELD(Capabilities, ambient, "ambient"));

JSON_OBJECT(Rlimit, JSON_REQUIRED(Rlimit, type, "type"), JSON_REQUIRED(Rlimit, hard, "hard"),
            JSON_REQUIRED(Rlimit, soft, "soft"));

JSON_OBJECT(Scheduler, JSON_REQUIRED(Scheduler, policy, "policy"), JSON_FIELD(Scheduler, nice, "nice"),
            JSON_FIELD(Scheduler, priority, "priority"), JSON_FIELD(Scheduler, flags, "flags"),
            JSON_FIELD(Scheduler, runtime, "runtime"), JSON_FIELD(Scheduler, deadline, "deadline"),
            JSON_FIELD(Scheduler, period, "period"));

JSON_OBJECT(IoPriority, JSON_REQUIRED(IoPriority, io_class, "class"),
            JSON_REQUIRED(IoPriority, priority, "priority"));

JSON_OBJECT(ExecCpuAffinity, JSON_FIELD(ExecCpuAffinity, initial, "initial"),
            JSON_FIELD(ExecCpuAffinity, final, "final"));

JSON_OBJECT(Process, JSON_FIELD(Process, terminal, "terminal"),
            JSON_FIELD(Process, console_size, "consoleSize"), JSON_REQUIRED(Process, user, "user"),
            JSON_FIELD(Process, args, "args"), JSON_FIELD(Process, command_line, "commandLine"),
            JSON_FIELD(Process, env, "env"), JSON_REQUIRED(Process, cwd, "cwd"),
            JSON_FIELD(Process, capabilities, "capabilities"), JSON_FIELD(Process, rlimits, "rlimits"),
            JSON_FIELD(Process, no_new_privileges, "noNewPrivileges"),
            JSON_FIELD(Process, apparmor_profile, "apparmorProfile"),
            JSON_FIELD(Process, oom_score_adj, "oomScoreAdj"), JSON_FIELD(Process, scheduler, "scheduler"),
            JSON_FIELD(Process, selinux_label, "selinuxLabel"),
            JSON_FIELD(Process, io_priority, "ioPriority"),
            JSON_FIELD(Process, exec_cpu_affinity, "execCPUAffinity"));

JSON_OBJECT(Root, JSON_REQUIRED(Root, path, "path"), JSON_FIELD(Root, readonly, "readonly"));

JSON_OBJECT(IdMapping, JSON_REQUIRED(IdMapping, container_id, "containerID"),
            JSON_REQUIRED(IdMapping, host_id, "hostID"), JSON_REQUIRED(IdMapping, size, "size"));

JSON_OBJECT(Mount, JSON_REQUIRED(Mount, destination, "destination"), JSON_FIELD(Mount, type, "type"),
            JSON_FIELD(Mount, source, "source"), JSON_FIELD(Mount, options, "options"),
            JSON_FIELD(Mount, uid_mappings, "uidMappings"), JSON_FIELD(Mount, gid_mappings, "gidMappings"));

JSON_OBJECT(Hook, JSON_REQUIRED(Hook, path, "path"), JSON_FIELD(Hook, args, "args"),
            JSON_FIELD(Hook, env, "env"), JSON_FIELD(Hook, timeout, "timeout"));

JSON_OBJECT(Hooks, JSON_FIELD(Hooks, prestart, "prestart"),
            JSON_FIELD(Hooks, create_runtime, "createRuntime"),
            JSON_FIELD(Hooks, create_container, "createContainer"),
            JSON_FIELD(Hooks, start_container, "startContainer"), JSON_FIELD(Hooks, poststart, "poststart"),
            JSON_FIELD(Hooks, poststop, "poststop"));

JSON_OBJECT(Namespace, JSON_REQUIRED(Namespace, type, "type"), JSON_FIELD(Namespace, path, "path"));

JSON_OBJECT(Device, JSON_REQUIRED(Device, path, "path"), JSON_REQUIRED(Device, type, "type"),
            JSON_FIELD(Device, major, "major"), JSON_FIELD(Device, minor, "minor"),
            JSON_FIELD(Device, file_mode, "fileMode"), JSON_FIELD(Device, uid, "uid"),
            JSON_FIELD(Device, gid, "gid"));

JSON_OBJECT(NetDevice, JSON_FIELD(NetDevice, name, "name"));

JSON_OBJECT(DeviceRule, JSON_REQUIRED(DeviceRule, allow, "allow"), JSON_FIELD(DeviceRule, type, "type"),
            JSON_FIELD(DeviceRule, major, "major"), JSON_FIELD(DeviceRule, minor, "minor"),
            JSON_FIELD(DeviceRule, access, "access"));

JSON_OBJECT(MemoryResources, JSON_FIELD(MemoryResources, limit, "limit"),
            JSON_FIELD(MemoryResources, reservation, "reservation"),
            JSON_FIELD(MemoryResources, swap, "swap"), JSON_FIELD(MemoryResources, kernel, "kernel"),
            JSON_FIELD(MemoryResources, kernel_tcp, "kernelTCP"),
            JSON_FIELD(MemoryResources, swappiness, "swappiness"),
            JSON_FIELD(MemoryResources, disable_oom_killer, "disableOOMKiller"),
            JSON_FIELD(MemoryResources, use_hierarchy, "useHierarchy"),
            JSON_FIELD(MemoryResources, check_before_update, "checkBeforeUpdate"));

JSON_OBJECT(CpuResources, JSON_FIELD(CpuResources, shares, "shares"),
            JSON_FIELD(CpuResources, quota, "quota"), JSON_FIELD(CpuResources, burst, "burst"),
            JSON_FIELD(CpuResources, period, "period"),
            JSON_FIELD(CpuResources, realtime_runtime, "realtimeRuntime"),
            JSON_FIELD(CpuResources, realtime_period, "realtimePeriod"),
            JSON_FIELD(CpuResources, cpus, "cpus"), JSON_FIELD(CpuResources, mems, "mems"),
            JSON_FIELD(CpuResources, idle, "idle"));

JSON_OBJECT(PidsResources, JSON_FIELD(PidsResources, limit, "limit"));

JSON_OBJECT(WeightDevice, JSON_REQUIRED(WeightDevice, major, "major"),
            JSON_REQUIRED(WeightDevice, minor, "minor"), JSON_FIELD(WeightDevice, weight, "weight"),
            JSON_FIELD(WeightDevice, leaf_weight, "leafWeight"));

JSON_OBJECT(ThrottleDevice, JSON_REQUIRED(ThrottleDevice, major, "major"),
            JSON_REQUIRED(ThrottleDevice, minor, "minor"), JSON_REQUIRED(ThrottleDevice, rate, "rate"));

JSON_OBJECT(BlockIoResources, JSON_FIELD(BlockIoResources, weight, "weight"),
            JSON_FIELD(BlockIoResources, leaf_weight, "leafWeight"),
            JSON_FIELD(BlockIoResources, weight_device, "weightDevice"),
            JSON_FIELD(BlockIoResources, throttle_read_bps_device, "throttleReadBpsDevice"),
            JSON_FIELD(BlockIoResources, throttle_write_bps_device, "throttleWriteBpsDevice"),
            JSON_FIELD(BlockIoResources, throttle_read_iops_device, "throttleReadIOPSDevice"),
            JSON_FIELD(BlockIoResources, throttle_write_iops_device, "throttleWriteIOPSDevice"));

JSON_OBJECT(HugepageLimit, JSON_REQUIRED(HugepageLimit, page_size, "pageSize"),
            JSON_REQUIRED(HugepageLimit, limit, "limit"));

JSON_OBJECT(InterfacePriority, JSON_REQUIRED(InterfacePriority, name, "name"),
            JSON_REQUIRED(InterfacePriority, priority, "priority"));

JSON_OBJECT(NetworkResources, JSON_FIELD(NetworkResources, class_id, "classID"),
            JSON_FIELD(NetworkResources, priorities, "priorities"));

JSON_OBJECT(RdmaLimit, JSON_FIELD(RdmaLimit, hca_handles, "hcaHandles"),
            JSON_FIELD(RdmaLimit, hca_objects, "hcaObjects"));

JSON_OBJECT(Resources, JSON_FIELD(Resources, devices, "devices"), JSON_FIELD(Resources, memory, "memory"),
            JSON_FIELD(Resources, cpu, "cpu"), JSON_FIELD(Resources, pids, "pids"),
            JSON_FIELD(Resources, block_io, "blockIO"),
            JSON_FIELD(Resources, hugepage_limits, "hugepageLimits"),
            JSON_FIELD(Resources, network, "network"), JSON_FIELD(Resources, rdma, "rdma"),
            JSON_FIELD(Resources, unified, "unified"));

JSON_OBJECT(SeccompArg, JSON_REQUIRED(SeccompArg, index, "index"), JSON_REQUIRED(SeccompArg, value, "value"),
            JSON_FIELD(SeccompArg, value_two, "valueTwo"), JSON_REQUIRED(SeccompArg, op, "op"));

JSON_OBJECT(SeccompSyscall, JSON_REQUIRED(SeccompSyscall, names, "names"),
            JSON_REQUIRED(SeccompSyscall, action, "action"),
            JSON_FIELD(SeccompSyscall, errno_ret, "errnoRet"), JSON_FIELD(SeccompSyscall, args, "args"));

JSON_OBJECT(Seccomp, JSON_REQUIRED(Seccomp, default_action, "defaultAction"),
            JSON_FIELD(Seccomp, default_errno_ret, "defaultErrnoRet"),
            JSON_FIELD(Seccomp, architectures, "architectures"), JSON_FIELD(Seccomp, flags, "flags"),
            JSON_FIELD(Seccomp, listener_path, "listenerPath"),
            JSON_FIELD(Seccomp, listener_metadata, "listenerMetadata"),
            JSON_FIELD(Seccomp, syscalls, "syscalls"));

JSON_OBJECT(IntelRdt, JSON_FIELD(IntelRdt, clos_id, "closID"), JSON_FIELD(IntelRdt, schemata, "schemata"),
            JSON_FIELD(IntelRdt, l3_cache_schema, "l3CacheSchema"),
            JSON_FIELD(IntelRdt, mem_bw_schema, "memBwSchema"),
            JSON_FIELD(IntelRdt, enable_monitoring, "enableMonitoring"));

JSON_OBJECT(MemoryPolicy, JSON_REQUIRED(MemoryPolicy, mode, "mode"), JSON_FIELD(MemoryPolicy, nodes, "nodes"),
            JSON_FIELD(MemoryPolicy, flags, "flags"));

JSON_OBJECT(Personality, JSON_REQUIRED(Personality, domain, "domain"),
            JSON_FIELD(Personality, flags, "flags"));

JSON_OBJECT(TimeOffset, JSON_FIELD(TimeOffset, secs, "secs"), JSON_FIELD(TimeOffset, nanosecs, "nanosecs"));

JSON_OBJECT(Linux, JSON_FIELD(Linux, uid_mappings, "uidMappings"),
            JSON_FIELD(Linux, gid_mappings, "gidMappings"), JSON_FIELD(Linux, sysctl, "sysctl"),
            JSON_FIELD(Linux, resources, "resources"), JSON_FIELD(Linux, cgroups_path, "cgroupsPath"),
            JSON_FIELD(Linux, namespaces, "namespaces"), JSON_FIELD(Linux, devices, "devices"),
            JSON_FIELD(Linux, net_devices, "netDevices"), JSON_FIELD(Linux, seccomp, "seccomp"),
            JSON_FIELD(Linux, rootfs_propagation, "rootfsPropagation"),
            JSON_FIELD(Linux, masked_paths, "maskedPaths"),
            JSON_FIELD(Linux, readonly_paths, "readonlyPaths"), JSON_FIELD(Linux, mount_label, "mountLabel"),
            JSON_FIELD(Linux, intel_rdt, "intelRdt"), JSON_FIELD(Linux, memory_policy, "memoryPolicy"),
            JSON_FIELD(Linux, personality, "personality"), JSON_FIELD(Linux, time_offsets, "timeOffsets"));

JSON_OBJECT(Spec, JSON_REQUIRED(Spec, oci_version, "ociVersion"), JSON_FIELD(Spec, process, "process"),
            JSON_FIELD(Spec, root, "root"), JSON_FIELD(Spec, hostname, "hostname"),
            JSON_FIELD(Spec, domainname, "domainname"), JSON_FIELD(Spec, mounts, "mounts"),
            JSON_FIELD(Spec, hooks, "hooks"), JSON_FIELD(Spec, annotations, "annotations"),
            JSON_FIELD(Spec, linux_, "linux"));

const json::Type slipway::oci::kSpecType = json::type<Spec>;
const json::Type slipway::oci::kProcessType = json::type<Process>;
const json::Type slipway::oci::kResourcesType = json::type<Resources>;
