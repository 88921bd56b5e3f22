// What config.json must be, beyond its types: config.md and config-linux.md as far as they can be checked
// without looking at the host.
#include "oci/names.h"
#include "oci/spec.h"
#include "oci/validate.h"

namespace slipway::oci {

namespace {

Error invalid(const char* fmt, std::string_view quoted) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  return Error::of(ErrorKind::invalid, fmt, shown(quoted), quoted.data());
#pragma GCC diagnostic pop
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes "12" off the front; -1 when there is no number.
int64_t take_number(std::string_view& text) {
  int64_t value = 0;
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits]) && value < 1000000000)
    value = value * 10 + (text[digits++] - '0');
  if (digits == 0) return -1;
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

/// MAJOR.MINOR.PATCH with whatever behind it.
Status validate_version(std::string_view version) {
  if (version.empty()) return Error::of(ErrorKind::invalid, "ociVersion: is required");
  std::string_view rest = version;
  const int64_t major = take_number(rest);
  // "1.0" is no version by Semantic Versioning, but old bundles have it.
  const bool well_formed = major >= 0 && take(rest, '.') && take_number(rest) >= 0 &&
                           (rest.empty() || (take(rest, '.') && take_number(rest) >= 0));
  if (!well_formed) return invalid("ociVersion: \"%.*s\" is not a version", version);
  if (major > 1)
    return Error::of(ErrorKind::unsupported, "ociVersion: \"%.*s\" is not supported (up to %s is)",
                     shown(version), version.data(), kRuntimeSpecVersion);
  return {};
}

Status validate_root(const Root* root) {
  if (!root) return Error::of(ErrorKind::invalid, "root: is required");
  if (root->path.empty()) return Error::of(ErrorKind::invalid, "root.path: is required");
  return {};
}

Status validate_names(const Spec& spec) {
  constexpr size_t kMax = 64;  // the kernel's __NEW_UTS_LEN
  if (!spec.hostname.empty() && !has_namespace(spec, "uts"))
    return Error::of(ErrorKind::invalid, "hostname: unable to set hostname without a private UTS namespace");
  if (!spec.domainname.empty() && !has_namespace(spec, "uts"))
    return Error::of(ErrorKind::invalid,
                     "domainname: unable to set domainname without a private UTS namespace");
  if (spec.hostname.size > kMax) return Error::of(ErrorKind::invalid, "hostname: is longer than 64 bytes");
  if (spec.domainname.size > kMax)
    return Error::of(ErrorKind::invalid, "domainname: is longer than 64 bytes");
  return {};
}

Status validate_mappings(const char* property, List<IdMapping> mappings) {
  // 340 extents are what the kernel takes (4.15).
  if (mappings.count > 340) return Error::of(ErrorKind::invalid, "%s: more than 340 mappings", property);
  for (uint32_t i = 0; i < mappings.count; ++i) {
    const IdMapping& a = mappings[i];
    if (a.size == 0) return Error::of(ErrorKind::invalid, "%s[%u].size: must not be 0", property, i);
    const uint64_t last_inside = uint64_t{a.container_id} + a.size;
    const uint64_t last_outside = uint64_t{a.host_id} + a.size;
    if (last_inside > UINT32_MAX || last_outside > UINT32_MAX)
      return Error::of(ErrorKind::invalid, "%s[%u]: goes beyond the last ID", property, i);
    for (uint32_t k = 0; k < i; ++k) {
      const IdMapping& b = mappings[k];
      const bool inside = a.container_id < uint64_t{b.container_id} + b.size && b.container_id < last_inside;
      const bool outside = a.host_id < uint64_t{b.host_id} + b.size && b.host_id < last_outside;
      if (inside || outside)
        return Error::of(ErrorKind::invalid, "%s: mappings %u and %u overlap", property, k, i);
    }
  }
  return {};
}

Status validate_mount(const Mount& mount, uint32_t i, Warnings& warnings) {
  if (mount.destination.empty())
    return Error::of(ErrorKind::invalid, "mounts[%u].destination: is required", i);
  if (!is_absolute(mount.destination))
    warn(warnings, "mounts[%u].destination: \"%.*s\" is not an absolute path; seen from /", i,
         shown(mount.destination), mount.destination.c_str());
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty())
    return Error::of(ErrorKind::invalid, "mounts[%u]: uidMappings and gidMappings must both be set", i);
  TRY(validate_mappings("uidMappings", mount.uid_mappings).ctx("mounts[%u]", i));
  TRY(validate_mappings("gidMappings", mount.gid_mappings).ctx("mounts[%u]", i));
  return {};
}

Status validate_hook_list(const char* kind, List<Hook> hooks) {
  for (uint32_t i = 0; i < hooks.count; ++i) {
    const Hook& hook = hooks[i];
    if (hook.path.empty()) return Error::of(ErrorKind::invalid, "hooks.%s[%u].path: is required", kind, i);
    if (!is_absolute(hook.path))
      return Error::of(ErrorKind::invalid, "hooks.%s[%u].path: \"%.*s\" is not an absolute path", kind, i,
                       shown(hook.path), hook.path.c_str());
    if (hook.timeout && *hook.timeout <= 0)
      return Error::of(ErrorKind::invalid, "hooks.%s[%u].timeout: must be greater than 0", kind, i);
    for (Str variable : hook.env.value)
      if (variable.view().find('=') == std::string_view::npos)
        return Error::of(ErrorKind::invalid, "hooks.%s[%u].env: \"%.*s\" is not NAME=VALUE", kind, i,
                         shown(variable), variable.c_str());
  }
  return {};
}

Status validate_hooks(const Hooks& hooks) {
  TRY(validate_hook_list("prestart", hooks.prestart));
  TRY(validate_hook_list("createRuntime", hooks.create_runtime));
  TRY(validate_hook_list("createContainer", hooks.create_container));
  TRY(validate_hook_list("startContainer", hooks.start_container));
  TRY(validate_hook_list("poststart", hooks.poststart));
  TRY(validate_hook_list("poststop", hooks.poststop));
  return {};
}

Status validate_devices(List<Device> devices) {
  for (uint32_t i = 0; i < devices.count; ++i) {
    const Device& device = devices[i];
    if (!is_absolute(device.path))
      return Error::of(ErrorKind::invalid, "linux.devices[%u].path: \"%.*s\" is not an absolute path", i,
                       shown(device.path), device.path.c_str());
    const std::string_view type = device.type;
    if (type != "c" && type != "u" && type != "b" && type != "p")
      return Error::of(ErrorKind::invalid, "linux.devices[%u].type: \"%.*s\" is none of c, u, b and p", i,
                       shown(type), type.data());
    if (type == "p") continue;
    if (!device.major || !device.minor)
      return Error::of(ErrorKind::invalid, "linux.devices[%u]: major and minor are required", i);
    // dev_t of the kernel: 12 and 20 bits.
    if (*device.major < 0 || *device.major >= 1 << 12 || *device.minor < 0 || *device.minor >= 1 << 20)
      return Error::of(ErrorKind::invalid, "linux.devices[%u]: %ld:%ld is not a device number", i,
                       static_cast<long>(*device.major), static_cast<long>(*device.minor));
  }
  return {};
}

bool is_interface_name(std::string_view name) {
  if (name.empty() || name.size() > 15 || name == "." || name == "..") return false;
  for (char c : name)
    if (c == '/' || c == ':' || c == ' ' || (c >= '\t' && c <= '\r')) return false;
  return true;
}

Status validate_net_devices(const Spec& spec) {
  const Map<NetDevice>& devices = spec.linux_->net_devices;
  if (devices.empty()) return {};
  if (devices.count > 1024) return Error::of(ErrorKind::invalid, "linux.netDevices: more than 1024 devices");
  if (!has_namespace(spec, "network"))
    return Error::of(ErrorKind::invalid,
                     "linux.netDevices: unable to move network devices without a private NET namespace");
  for (uint32_t i = 0; i < devices.count; ++i) {
    const std::string_view host = devices[i].key;
    const std::string_view name = devices[i].value.name.empty() ? host : devices[i].value.name.view();
    if (!is_interface_name(host))
      return invalid("linux.netDevices: invalid network device name \"%.*s\"", host);
    if (!is_interface_name(name))
      return invalid("linux.netDevices: invalid network device name \"%.*s\"", name);
    for (uint32_t k = 0; k < i; ++k) {
      const Str other = devices[k].value.name.empty() ? devices[k].key : devices[k].value.name;
      if (other == name) return invalid("linux.netDevices: two devices are to be called \"%.*s\"", name);
    }
  }
  return {};
}

Status validate_paths(const char* property, List<Str> paths) {
  for (uint32_t i = 0; i < paths.count; ++i)
    if (!is_absolute(paths[i]))
      return Error::of(ErrorKind::invalid, "linux.%s[%u]: \"%.*s\" is not an absolute path", property, i,
                       shown(paths[i]), paths[i].c_str());
  return {};
}

Status validate_time_offsets(const Spec& spec) {
  const Map<TimeOffset>& offsets = spec.linux_->time_offsets;
  if (offsets.empty()) return {};
  const Namespace* time = nullptr;
  for (const Namespace& ns : spec.linux_->namespaces)
    if (ns.type == "time") time = &ns;
  if (!time)
    return Error::of(ErrorKind::invalid,
                     "linux.timeOffsets: time namespace offsets specified, but time namespace isn't enabled");
  if (!time->path.empty())
    return Error::of(ErrorKind::invalid,
                     "linux.timeOffsets: an existing time namespace (path) keeps its own offsets");
  for (const Entry<TimeOffset>& offset : offsets) {
    if (offset.key != "monotonic" && offset.key != "boottime")
      return invalid("linux.timeOffsets: unknown clock \"%.*s\" (monotonic or boottime)", offset.key);
    if (offset.value.nanosecs >= 1000000000)
      return invalid("linux.timeOffsets.%.*s.nanosecs: must be less than 1000000000", offset.key);
  }
  return {};
}

Status validate_personality(const Personality* personality, Warnings& warnings) {
  if (!personality) return {};
  if (!find_name(kPersonalities, personality->domain))
    return invalid("linux.personality.domain: unknown domain \"%.*s\" (LINUX or LINUX32)",
                   personality->domain);
  if (!personality->flags.empty())
    warn(warnings, "linux.personality.flags: the specification defines none yet, ignored");
  return {};
}

Status validate_memory_policy(const MemoryPolicy* policy) {
  if (!policy) return {};
  if (!find_name(kMemoryPolicyModes, policy->mode))
    return invalid("linux.memoryPolicy.mode: unknown mode \"%.*s\"", policy->mode);
  for (Str flag : policy->flags)
    if (!find_name(kMemoryPolicyFlags, flag))
      return invalid("linux.memoryPolicy.flags: unknown flag \"%.*s\"", flag);
  const bool takes_nodes = policy->mode != "MPOL_DEFAULT" && policy->mode != "MPOL_LOCAL";
  if (!takes_nodes && !policy->nodes.empty())
    return invalid("linux.memoryPolicy.nodes: %.*s takes no nodes", policy->mode);
  if (takes_nodes && policy->mode != "MPOL_PREFERRED" && policy->nodes.empty())
    return invalid("linux.memoryPolicy.nodes: is required with %.*s", policy->mode);
  if (!policy->nodes.empty() && !is_number_list(policy->nodes))
    return invalid("linux.memoryPolicy.nodes: \"%.*s\" is not a list of numbers", policy->nodes);
  return {};
}

Status validate_intel_rdt(const IntelRdt* rdt) {
  if (!rdt) return {};
  const std::string_view id = rdt->clos_id;
  if (id == "." || id == ".." || id.find('/') != std::string_view::npos ||
      id.find('\n') != std::string_view::npos)
    return invalid("linux.intelRdt.closID: \"%.*s\" is not the name of a directory", id);
  for (Str line : rdt->schemata)
    if (line.view().find('\n') != std::string_view::npos)
      return Error::of(ErrorKind::invalid, "linux.intelRdt.schemata: a line break inside a line");
  return {};
}

Status validate_linux(const Spec& spec, Warnings& warnings) {
  const Linux& section = *spec.linux_;
  TRY(validate_namespaces(spec, warnings));
  TRY(validate_mappings("linux.uidMappings", section.uid_mappings));
  TRY(validate_mappings("linux.gidMappings", section.gid_mappings));
  TRY(validate_time_offsets(spec));
  TRY(validate_devices(section.devices));
  TRY(validate_net_devices(spec));
  TRY(validate_sysctl(spec));
  if (section.resources) TRY(validate_resources(*section.resources, warnings).ctx("linux.resources"));
  if (section.seccomp) TRY(validate_seccomp(*section.seccomp, warnings));
  if (!section.rootfs_propagation.empty() && !find_name(kRootPropagations, section.rootfs_propagation))
    return invalid("linux.rootfsPropagation: \"%.*s\" is not supported", section.rootfs_propagation);
  TRY(validate_paths("maskedPaths", section.masked_paths));
  TRY(validate_paths("readonlyPaths", section.readonly_paths));
  TRY(validate_mount_namespace(section));
  TRY(validate_intel_rdt(section.intel_rdt));
  TRY(validate_memory_policy(section.memory_policy));
  TRY(validate_personality(section.personality, warnings));
  return {};
}

}  // namespace

bool is_number_list(std::string_view text) {
  do {
    const int64_t first = take_number(text);
    if (first < 0) return false;
    if (!take(text, '-')) continue;
    const int64_t last = take_number(text);
    if (last < first) return false;
    if (!take(text, ':')) continue;
    const int64_t used = take_number(text);
    if (used < 1 || !take(text, '/') || take_number(text) < used) return false;
  } while (take(text, ','));
  return text.empty();
}

Status validate_spec(const Spec& spec, Warnings& warnings) {
  TRY(validate_version(spec.oci_version));
  TRY(validate_root(spec.root));
  if (!spec.process) return Error::of(ErrorKind::invalid, "process: is required");
  TRY(validate_process(*spec.process, warnings));
  TRY(validate_names(spec));
  for (uint32_t i = 0; i < spec.mounts.count; ++i) TRY(validate_mount(spec.mounts[i], i, warnings));
  if (spec.hooks) TRY(validate_hooks(*spec.hooks));
  TRY(validate_annotations(spec, warnings));
  if (spec.linux_) TRY(validate_linux(spec, warnings));
  return {};
}

}  // namespace slipway::oci
