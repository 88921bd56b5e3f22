#include "src/cli/slip/criu_options.h"

#include "src/cli/slip/globals.h"

namespace slipway::cli {

namespace {

Result<runtime::CgroupMode> read_cgroup_mode(std::string_view name) {
  if (name == "soft") return runtime::CgroupMode::soft;
  if (name == "full") return runtime::CgroupMode::full;
  if (name == "strict") return runtime::CgroupMode::strict;
  if (name == "ignore") return runtime::CgroupMode::ignore;
  return Error::of(ErrorKind::usage, "invalid manage-cgroups-mode value `%s`: soft, full, strict or ignore",
                   name.data());
}

Result<runtime::NetworkLock> read_network_lock(std::string_view name) {
  if (name.empty()) return runtime::NetworkLock::unset;
  if (name == "iptables") return runtime::NetworkLock::iptables;
  if (name == "nftables") return runtime::NetworkLock::nftables;
  return Error::of(ErrorKind::usage, "invalid network-lock value `%s`: iptables or nftables", name.data());
}

}  // namespace

Status read_criu_options(const Call& call, runtime::CriuOptions& out) {
  const Arguments& args = call.args;
  out.program = call.globals.value("criu", "criu");
  out.images = TRY(absolute_path(args.value("image-path", "checkpoint")));
  if (args.given("work-path")) out.work = TRY(absolute_path(args.value("work-path")));
  out.tcp_established = args.flag("tcp-established");
  out.tcp_close = args.flag("tcp-close");
  out.external_unix_sockets = args.flag("ext-unix-sk");
  out.shell_job = args.flag("shell-job");
  out.file_locks = args.flag("file-locks");
  out.auto_dedup = args.flag("auto-dedup");
  out.lazy_pages = args.flag("lazy-pages");
  out.link_remap = args.flag("link-remap");
  out.cgroups = TRY(read_cgroup_mode(args.value("manage-cgroups-mode", "soft")));
  out.network_lock = TRY(read_network_lock(args.value("network-lock", "")));
  for (const char* const name : args.values("empty-ns", call.arena)) {
    if (std::string_view(name) != "network")
      return Error::of(ErrorKind::usage, "empty-ns: namespace `%s` cannot be left empty: only network can",
                       name);
    out.empty_network = true;
  }
  return {};
}

}  // namespace slipway::cli
