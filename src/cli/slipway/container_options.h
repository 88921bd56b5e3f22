// The options of `run` and `create`: one table, and what they mean as a record.
#pragma once

#include "src/cli/program.h"
#include "src/manager/create.h"

namespace slipway::cli {

inline constexpr auto kContainerOptions = std::to_array<Option>({
    list("attach", 'a', "STREAM", "attach to stdin, stdout or stderr"),
    flag("interactive", 'i', "keep stdin open even if not attached"),
    flag("tty", 't', "allocate a pseudo-terminal"),
    flag("rm", 0, "remove the container when it exits"),
    value("name", 0, "NAME", "the container's name"),
    list("env", 'e', "KEY=VALUE", "set an environment variable; KEY alone takes it from here"),
    list("env-file", 0, "FILE", "read environment variables from a file"),
    value("workdir", 'w', "PATH_IN", "working directory inside the container"),
    value("user", 'u', "USER[:GROUP]", "name or number"),
    list("group-add", 0, "GROUP", "a further group"),
    value("entrypoint", 0, "COMMAND", "instead of the image's entrypoint"),
    value("hostname", 'h', "NAME", "host name (default: the short id)"),
    value("domainname", 0, "NAME", "NIS domain name"),
    list("add-host", 0, "HOST:IP", "a line for /etc/hosts"),
    list("dns", 0, "ADDRESS", "a name server for /etc/resolv.conf"),
    list("dns-search", 0, "DOMAIN", "a search domain"),
    list("dns-option", 0, "OPTION", "an option for /etc/resolv.conf"),
    list("dns-opt", 0, "OPTION", "the same as --dns-option"),
    list("network", 0, "MODE",
         "none, host, bridge, container:ID, ns:PATH, NAME; or name=NAME,alias=,ip=,mac-address="),
    list("network-alias", 0, "NAME", "a further name of the container on its first network"),
    value("ip", 0, "ADDRESS", "the container's address on its first network"),
    value("mac-address", 0, "ADDRESS", "the container's hardware address"),
    list("net", 0, "MODE", "the same as --network"),
    list("publish", 'p', "[[IP:]PORT:]PORT", "publish a port; of a range for one port, the first free one"),
    flag("publish-all", 'P', "publish all exposed ports"),
    list("expose", 0, "PORT[-PORT]", "a port that the container listens on"),
    list("volume", 'v', "SRC:DST[:OPT]", "bind a directory or a volume"),
    list("mount", 0, "KEY=VALUE,...", "a mount in detail"),
    list("tmpfs", 0, "PATH_IN[:OPT]", "mount a tmpfs"),
    list("volumes-from", 0, "CONTAINER", "mount the volumes of another container"),
    flag("read-only", 0, "make the root file system read-only"),
    value("memory", 'm', "BYTES", "memory limit"),
    value("memory-swap", 0, "BYTES", "limit of memory and swap together; -1: none"),
    value("memory-reservation", 0, "BYTES", "soft memory limit"),
    value("memory-swappiness", 0, "0-100", "how readily pages are swapped out"),
    value("cpus", 0, "NUMBER", "how many CPUs at most"),
    value("cpu-shares", 'c', "NUMBER", "relative weight"),
    value("cpu-period", 0, "MICROSECONDS", "period of the scheduler's quota"),
    value("cpu-quota", 0, "MICROSECONDS", "CPU time per period"),
    value("cpu-rt-period", 0, "MICROSECONDS", "period of the real-time scheduler"),
    value("cpu-rt-runtime", 0, "MICROSECONDS", "real-time CPU time per period"),
    value("cpuset-cpus", 0, "LIST", "which CPUs"),
    value("cpuset-mems", 0, "LIST", "which memory nodes"),
    value("pids-limit", 0, "NUMBER", "how many processes; -1: no limit"),
    value("blkio-weight", 0, "10-1000", "relative weight of block I/O"),
    list("blkio-weight-device", 0, "DEVICE:WEIGHT", "relative weight on one device"),
    list("device-read-bps", 0, "DEVICE:RATE", "limit reads, bytes a second"),
    list("device-write-bps", 0, "DEVICE:RATE", "limit writes, bytes a second"),
    list("device-read-iops", 0, "DEVICE:RATE", "limit reads a second"),
    list("device-write-iops", 0, "DEVICE:RATE", "limit writes a second"),
    list("ulimit", 0, "NAME=SOFT[:HARD]", "a resource limit"),
    value("shm-size", 0, "BYTES", "size of /dev/shm (default 64m)"),
    value("oom-score-adj", 0, "-1000-1000", "preference of the out-of-memory killer"),
    flag("oom-kill-disable", 0, "no out-of-memory killer"),
    list("cap-add", 0, "NAME", "add a capability, or ALL"),
    list("cap-drop", 0, "NAME", "drop a capability, or ALL"),
    flag("privileged", 0, "all capabilities, all devices, no confinement"),
    list("security-opt", 0, "OPTION", "seccomp=, apparmor=, label=, no-new-privileges, systempaths="),
    list("device", 0, "HOST[:IN[:rwm]]", "a device of the host"),
    list("device-cgroup-rule", 0, "RULE", "\"c 10:200 rwm\""),
    list("sysctl", 0, "KEY=VALUE", "a kernel parameter of the container's namespaces"),
    value("pid", 0, "MODE", "host or container:ID"),
    value("ipc", 0, "MODE", "none, private, shareable, host or container:ID"),
    value("uts", 0, "MODE", "host"),
    value("userns", 0, "MODE", "host"),
    value("cgroupns", 0, "MODE", "host or private"),
    value("cgroup-parent", 0, "CGROUP", "the cgroup that holds the container's"),
    flag("init", 0, "run an init that forwards signals and reaps processes"),
    value("restart", 0, "POLICY", "no, on-failure[:N], always or unless-stopped"),
    value("stop-signal", 0, "SIGNAL", "what `stop` sends (default: the image's, else TERM)"),
    value("stop-timeout", 0, "SECONDS", "how long `stop` waits before it kills"),
    value("health-cmd", 0, "COMMAND", "the command that tells whether the container is healthy"),
    value("health-interval", 0, "DURATION", "time between two checks"),
    value("health-retries", 0, "NUMBER", "failures until it is unhealthy"),
    value("health-timeout", 0, "DURATION", "how long a check may take"),
    value("health-start-period", 0, "DURATION", "failures in this time do not count"),
    value("health-start-interval", 0, "DURATION", "time between checks in the start period"),
    flag("no-healthcheck", 0, "no health check, not even the image's"),
    value("log-driver", 0, "NAME", "json-file, syslog, journald or none"),
    list("log-opt", 0, "KEY=VALUE", "max-size, max-file, tag, syslog-address, ..."),
    list("label", 'l', "KEY=VALUE", "a label"),
    list("label-file", 0, "FILE", "read labels from a file"),
    list("annotation", 0, "KEY=VALUE", "an annotation for the OCI runtime"),
    value("cidfile", 0, "FILE", "write the container's id to a new file"),
    value("pull", 0, "WHEN", "when to pull the image: always, missing or never (default missing)"),
    value("platform", 0, "OS/ARCH", "of the image"),
    value("runtime", 0, "PATH", "another OCI runtime"),
    list("storage-opt", 0, "KEY=VALUE", "size=BYTES: how much the container may write"),
    value("isolation", 0, "KIND", "default: there is one only"),
    value("volume-driver", 0, "NAME", "local: there is one only"),
    flag("quiet", 'q', "no progress of a pull"),
    ignored_flag("disable-content-trust", "for docker's callers"),
    // Refused, each with its reason.
    Option{"link", 0, "CONTAINER", "", Option::Kind::hidden_value},
    Option{"gpus", 0, "GPUS", "", Option::Kind::hidden_value},
    Option{"kernel-memory", 0, "BYTES", "", Option::Kind::hidden_value},
    Option{"link-local-ip", 0, "ADDRESS", "", Option::Kind::hidden_value},
});

/// What the options and the words after the image ask for. Checks all that needs no store.
Status read_container_options(const Call& call, manager::CreateRequest& request);

/// --volume, --mount, --tmpfs into request.record->mounts; in container_mounts.cc.
Status read_mounts(const Call& call, manager::CreateRequest& request);
/// --network, --dns and --add-host into the record; in container_network.cc.
Status read_network(const Call& call, store::Record& record);
/// Resources, devices and limits into request.record->host; in container_resources.cc.
Status read_resources(const Call& call, store::HostConfig& host);
/// The same for the options that `update` has, and the restart policy.
Status read_update(const Call& call, store::HostConfig& host);
/// --restart.
Status read_restart_policy(const Call& call, store::HostConfig& host);

}  // namespace slipway::cli
