// From a container's record to its config.json.
//
// All look-ups on the host happen here, before anything is cloned: users, devices, bind sources, the
// namespaces of other containers.
#pragma once

#include <string>

#include "oci/spec.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// What only the start knows.
struct SpecInputs {
  store::Store& store;
  const store::Record& record;
  const oci::User& user;
  Str home;          // of the user, for HOME
  std::string dir;   // the container's directory: hosts, hostname, resolv.conf
  Str network_path;  // of a namespace that is made already; "" to make one where the mode asks for it
  Str init_path;     // of an init program on the host, for --init; ""
  Arena& arena;
};

Result<oci::Spec*> build_spec(const SpecInputs& inputs);

// Its parts, in spec_*.cc.
Result<List<oci::Mount>> spec_mounts(const SpecInputs& inputs, bool own_cgroup_namespace);
Result<oci::Linux*> spec_linux(const SpecInputs& inputs);
Result<oci::Resources*> spec_resources(const store::HostConfig& host, Arena& arena);
/// Adds --device and, for --privileged, all devices of the host.
Status spec_devices(const store::HostConfig& host, oci::Linux& out, Arena& arena);

/// The paths that are hidden from the container, and those that it cannot write to.
List<Str> masked_paths(const store::HostConfig& host, Arena& arena);
List<Str> read_only_paths(const store::HostConfig& host, Arena& arena);
/// "c 10:200 rwm", "b *:* m". Errors: usage.
Result<oci::DeviceRule> parse_device_rule(Str text, Arena& arena);

/// The container's cgroup, below the hierarchies' roots.
std::string container_cgroup(std::string_view parent, std::string_view id);
/// Whether the container gets a cgroup namespace of its own: asked for, or docker's default for this host.
bool has_cgroup_namespace(const store::HostConfig& host);
/// Where a namespace of another container is. Errors: in_use when it does not run.
Result<Str> namespace_of(store::Store& store, std::string_view mode, const char* name, Arena& arena);

}  // namespace slipway::manager
