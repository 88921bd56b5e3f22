// slip features: what this program can do on this machine, for engines to ask (features.md, features-linux.md).
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <span>

#include "oci/names.h"
#include "oci/spec.h"
#include "src/base/version.h"
#include "src/cli/slip/verbs.h"
#include "src/runtime/checkpoint.h"
#include "src/runtime/mount_options.h"
#include "src/sys/file.h"
#include "src/sys/seccomp.h"

namespace slipway::cli {

namespace {

constexpr std::string_view kHooks[] = {"prestart",       "createRuntime", "createContainer",
                                       "startContainer", "poststart",     "poststop"};

/// What a caller should think about before it passes annotations of its users on.
constexpr std::string_view kUnsafeAnnotations[] = {
    "org.criu.config",
    "org.systemd.property.",
    "run.oci.",
};

class Document {
 public:
  explicit Document(const char* criu) : out_(json::Writer::Style::indented), criu_(criu) {}

  std::string text() {
    out_.begin_object();
    out_.key("ociVersionMin").string("1.0.0");
    out_.key("ociVersionMax").string(oci::kRuntimeSpecVersion);
    strings("hooks", kHooks);
    const runtime::MountOptionNames options = runtime::mount_option_names();
    strings("mountOptions", {options.names, options.count});
    linux_section();
    annotations();
    strings("potentiallyUnsafeConfigAnnotations", kUnsafeAnnotations);
    out_.end_object();
    return std::string(out_.text());
  }

 private:
  void strings(const char* key, std::span<const std::string_view> list) {
    out_.key(key).begin_array();
    for (std::string_view item : list) out_.string(item);
    out_.end_array();
  }
  /// Those names of a table that `works` says yes to.
  template <class F>
  void names(const char* key, std::span<const oci::Name> table, F works) {
    out_.key(key).begin_array();
    for (const oci::Name& name : table)
      if (works(name)) out_.string(name.name);
    out_.end_array();
  }
  void enabled(const char* key) { out_.key(key).begin_object().key("enabled").boolean(true).end_object(); }

  void linux_section() {
    out_.key("linux").begin_object();
    names("namespaces", oci::kNamespaceNames, [](const oci::Name& name) { return has_namespace(name.name); });
    const uint64_t last = last_capability();
    names("capabilities", oci::kCapabilityNames, [&](const oci::Name& name) { return name.value <= last; });
    out_.key("cgroup").begin_object();
    for (const char* key : {"v1", "v2", "systemd", "systemdUser", "rdma"}) out_.key(key).boolean(true);
    out_.end_object();
    seccomp();
    enabled("apparmor");
    enabled("selinux");
    out_.key("intelRdt").begin_object();
    for (const char* key : {"enabled", "schemata", "monitoring"}) out_.key(key).boolean(true);
    out_.end_object();
    out_.key("memoryPolicy").begin_object();
    names("modes", oci::kMemoryPolicyModes, [](const oci::Name&) { return true; });
    names("flags", oci::kMemoryPolicyFlags, [](const oci::Name&) { return true; });
    out_.end_object();
    out_.key("mountExtensions").begin_object();
    enabled("idmap");
    out_.end_object();
    enabled("netDevices");
    out_.end_object();
  }

  void seccomp() {
    out_.key("seccomp").begin_object();
    out_.key("enabled").boolean(true);
    names("actions", oci::kSeccompActions, [](const oci::Name& name) {
      return sys::kernel_has_seccomp_action(static_cast<uint32_t>(name.value));
    });
    names("operators", oci::kSeccompOperators, [](const oci::Name&) { return true; });
    names("archs", oci::kSeccompArchitectures,
          [](const oci::Name& name) { return sys::is_seccomp_architecture(name.name); });
    names("knownFlags", oci::kSeccompFlags, [](const oci::Name&) { return true; });
    names("supportedFlags", oci::kSeccompFlags, [](const oci::Name& name) { return has_filter_flag(name); });
    out_.end_object();
  }

  void annotations() {
    out_.key("annotations").begin_object();
    out_.key("org.slipway.slip.version").string(version());
    out_.key("org.slipway.slip.commit").string(commit());
    out_.key("io.github.seccomp.libseccomp.version").string(sys::seccomp_library_version());
    out_.key("org.opencontainers.runc.checkpoint.enabled")
        .string(runtime::find_criu(criu_).empty() ? "false" : "true");
    out_.end_object();
  }

  static bool has_namespace(std::string_view type) {
    std::string path = "/proc/self/ns/";
    path += type == "network" ? "net" : type == "mount" ? "mnt" : type;
    return access(path.c_str(), F_OK) == 0;
  }

  /// What this kernel has; all that we know where /proc does not tell.
  static uint64_t last_capability() {
    Result<std::string> text = sys::read_file_at(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", 64);
    return text.ok() ? strtoul(text->c_str(), nullptr, 10) : oci::kCapabilityNames.size();
  }

  static bool has_filter_flag(const oci::Name& name) {
    const auto flag = static_cast<uint32_t>(name.value);
    return sys::kernel_has_seccomp_flag(flag) ||
           sys::kernel_has_seccomp_flag(flag | SECCOMP_FILTER_FLAG_NEW_LISTENER);
  }

  json::Writer out_;
  const char* criu_;
};

Result<int> run(const Call& call) {
  TRY(print(Document(call.globals.value("criu", "criu")).text()));
  return 0;
}

}  // namespace

const Verb kFeaturesVerb = {
    .name = "features",
    .arguments = "",
    .summary = "Print what slip can do here, as JSON",
    .options = {},
    .min_args = 0,
    .max_args = 0,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
