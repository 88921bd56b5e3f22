// Annotations that mean something to a runtime: crun's, since the specification has none. What cannot be done is refused
// here, so that no container runs otherwise than its annotations say; the others are read where they belong, and in
// spec_annotations.cc.
#include <algorithm>
#include <array>

#include "oci/spec.h"
#include "oci/validate.h"

namespace slipway::oci {

namespace {

constexpr std::string_view kPrefix = "run.oci.";

enum class Value : uint8_t { any, path, cgroup, context_type };

struct Known {
  std::string_view name;
  Value value;
};
constexpr auto kKnown = std::to_array<Known>({
    {"run.oci.delegate-cgroup", Value::cgroup},
    {"run.oci.hooks.stderr", Value::any},
    {"run.oci.hooks.stdout", Value::any},
    {"run.oci.keep_original_groups", Value::any},
    {"run.oci.mount_context_type", Value::context_type},
    {"run.oci.pidfd_receiver", Value::path},
    {"run.oci.seccomp.receiver", Value::path},
    {"run.oci.seccomp_fail_unknown_syscall", Value::any},
    {"run.oci.systemd.force_cgroup_v1", Value::path},
    {"run.oci.systemd.subgroup", Value::cgroup},
    {"run.oci.timens_offset", Value::any},
});

struct Refused {
  std::string_view name;
  const char* reason;
};
constexpr auto kRefused = std::to_array<Refused>({
    {"run.oci.handler", "only Linux processes are run: neither virtual machines nor WebAssembly"},
    {"run.oci.seccomp.plugins", "plugins are not supported: linux.seccomp.listenerPath names an agent"},
    {"run.oci.seccomp_bpf_data", "compiled filters are not supported: linux.seccomp describes one"},
});

/// One directory: nothing that leads elsewhere.
bool is_name(std::string_view text) {
  return text.find('/') == std::string_view::npos && text.find('\n') == std::string_view::npos &&
         text != "." && text != "..";
}

/// What is wrong with the value; null when nothing is.
const char* fault_of(Value kind, std::string_view value) {
  switch (kind) {
    case Value::any:
      return nullptr;
    case Value::path:
      return is_absolute(value) ? nullptr : "not an absolute path";
    case Value::cgroup:
      return is_name(value) ? nullptr : "not the name of a cgroup";
    case Value::context_type:
      return value == "context" || value == "fscontext" || value == "defcontext" || value == "rootcontext"
                 ? nullptr
                 : "none of context, fscontext, defcontext and rootcontext";
  }
  return nullptr;
}

Error wrong(ErrorKind kind, const Entry<Str>& annotation, const char* reason) {
  return Error::of(kind, "annotations[%.*s]: \"%.*s\": %s", shown(annotation.key), annotation.key.c_str(),
                   shown(annotation.value), annotation.value.c_str(), reason);
}

/// crun's handlers for WebAssembly: "compat" is for all programs, "compat-smart" for those that are such modules.
Status validate_wasm(const Spec& spec, const Entry<Str>& annotation) {
  const std::string_view program =
      spec.process && !spec.process->args.empty() ? spec.process->args[0].view() : "";
  const bool is_module = program.ends_with(".wasm") || program.ends_with(".wat");
  if (annotation.value == "compat-smart" && !is_module) return {};
  return wrong(ErrorKind::unsupported, annotation, "WebAssembly is not supported");
}

Status validate_annotation(const Spec& spec, const Entry<Str>& annotation, Warnings& warnings) {
  const std::string_view name = annotation.key;
  if (name == "module.wasm.image/variant") return validate_wasm(spec, annotation);
  if (!name.starts_with(kPrefix)) return {};
  for (const Refused& refused : kRefused)
    if (refused.name == name) return wrong(ErrorKind::unsupported, annotation, refused.reason);
  for (const Known& known : kKnown) {
    if (known.name != name) continue;
    const char* const fault = fault_of(known.value, annotation.value);
    return fault ? Status(wrong(ErrorKind::invalid, annotation, fault)) : Status();
  }
  warn(warnings, "annotations[%.*s]: unknown annotation of crun, ignored", shown(name), name.data());
  return {};
}

bool has_cgroup_mount_on(const Spec& spec, std::string_view destination) {
  return std::any_of(spec.mounts.begin(), spec.mounts.end(), [&](const Mount& mount) {
    return mount.destination == destination && (mount.type == "cgroup" || mount.type == "cgroup2");
  });
}

}  // namespace

Status validate_annotations(const Spec& spec, Warnings& warnings) {
  for (const Entry<Str>& annotation : spec.annotations) {
    if (annotation.key.empty()) return Error::of(ErrorKind::invalid, "annotations: a key is empty");
    TRY(validate_annotation(spec, annotation, warnings));
    if (annotation.key == "run.oci.systemd.force_cgroup_v1" && !has_cgroup_mount_on(spec, annotation.value))
      return wrong(ErrorKind::invalid, annotation, "no cgroup file system is mounted there");
  }
  return {};
}

}  // namespace slipway::oci
