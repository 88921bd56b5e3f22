// slipway: containers and images, with docker's commands and without a daemon.
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "src/base/version.h"
#include "src/cli/program.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/monitor_process.h"

namespace slipway::cli {

namespace {

constexpr auto kGlobals =
    join(kProgramOptions,
         std::to_array<Option>({
             value("root", 0, "DIR", "where images and containers are kept (default /var/lib/slipway)"),
             value("run-root", 0, "DIR", "what a reboot may lose (default /run/slipway)"),
             value("storage-driver", 's', "NAME", "overlay2, aufs, btrfs, devicemapper or vfs"),
             list("storage-opt", 0, "KEY=VALUE", "an option of the storage driver"),
             value("log-level", 'l', "LEVEL", "error, warning, info or debug (default warning)"),
             flag("debug", 'D', "the same as --log-level debug"),
             value("config", 0, "DIR", "where the credentials for registries are (default ~/.docker)"),
             // For docker's callers: of whose daemons there is one only, and that is not there.
             Option{"host", 'H', "ADDRESS", "", Option::Kind::hidden_value},
             Option{"context", 'c', "NAME", "", Option::Kind::hidden_value},
             ignored_flag("tls", "docker"),
             ignored_flag("tlsverify", "docker"),
             ignored_value("tlscacert", "FILE", "docker"),
             ignored_value("tlscert", "FILE", "docker"),
             ignored_value("tlskey", "FILE", "docker"),
         }));

constexpr const Verb* kVerbs[] = {
    // Containers.
    &kAttach,
    &kCp,
    &kCreate,
    &kDiff,
    &kExec,
    &kInspect,
    &kKill,
    &kLogs,
    &kPause,
    &kPort,
    &kPs,
    &kRename,
    &kRestart,
    &kRm,
    &kRun,
    &kStart,
    &kStats,
    &kStop,
    &kTop,
    &kUnpause,
    &kUpdate,
    &kWait,
    &kContainerAttach,
    &kContainerCp,
    &kContainerCreate,
    &kContainerDiff,
    &kContainerExec,
    &kContainerInspect,
    &kContainerKill,
    &kContainerList,
    &kContainerLogs,
    &kContainerLs,
    &kContainerPause,
    &kContainerPort,
    &kContainerPrune,
    &kContainerPs,
    &kContainerRename,
    &kContainerRestart,
    &kContainerRm,
    &kContainerRun,
    &kContainerStart,
    &kContainerStats,
    &kContainerStop,
    &kContainerTop,
    &kContainerUnpause,
    &kContainerUpdate,
    &kContainerWait,
    // Volumes.
    &kVolumeCreate,
    &kVolumeInspect,
    &kVolumeList,
    &kVolumeLs,
    &kVolumePrune,
    &kVolumeRemove,
    &kVolumeRm,
    // Networks.
    &kNetworkConnect,
    &kNetworkCreate,
    &kNetworkDisconnect,
    &kNetworkInspect,
    &kNetworkList,
    &kNetworkLs,
    &kNetworkPrune,
    &kNetworkRemove,
    &kNetworkRm,
    // The system.
    &kEvents,
    &kInfo,
    &kVersion,
    &kSystemEvents,
    &kSystemBoot,
    &kSystemCheck,
    &kSystemDf,
    &kSystemInfo,
    &kSystemMigrate,
    &kSystemPrune,
    // Images.
    &kBuild,
    &kCommit,
    &kExport,
    &kHistory,
    &kImages,
    &kImport,
    &kLoad,
    &kLogin,
    &kLogout,
    &kPull,
    &kPush,
    &kRmi,
    &kSave,
    &kSearch,
    &kTag,
    &kContainerCommit,
    &kImageBuild,
    &kContainerExport,
    &kImageHistory,
    &kImageImport,
    &kImageInspect,
    &kImageLoad,
    &kImageList,
    &kImageLs,
    &kImagePrune,
    &kImagePull,
    &kImagePush,
    &kImageRemove,
    &kImageRm,
    &kImageSave,
    &kImageTag,
};

/// docker's: 125 when the tool failed before the container's program had a say; 126 and 127 as a shell has
/// them; and that of a RUN that fails.
int exit_code(const Verb* verb, const Error& error) {
  switch (error.kind()) {
    case ErrorKind::not_executable:
      return 126;
    case ErrorKind::command_not_found:
      return 127;
    case ErrorKind::command_failed:
      return error.code();
    case ErrorKind::usage:
      return verb ? 125 : 1;
    default:
      break;
  }
  const std::string_view name(verb ? verb->name : "");
  return name == "run" || name == "container run" ? 125 : 1;
}

std::string version_line() {
  return std::string("slipway version ") + version() + ", build " + commit() + "\n";
}

/// In docker's words.
Error miscounted(const Verb& verb, size_t) {
  const unsigned min = verb.min_args;
  const unsigned max = verb.max_args;
  const auto plural = [](unsigned number) { return number == 1 ? "" : "s"; };
  if (max == 0) return Error::of(ErrorKind::usage, "\"%s\" accepts no arguments", verb.name);
  if (min == max)
    return Error::of(ErrorKind::usage, "\"%s\" requires exactly %u argument%s", verb.name, min, plural(min));
  if (max == kNoLimit)
    return Error::of(ErrorKind::usage, "\"%s\" requires at least %u argument%s", verb.name, min, plural(min));
  if (min == 0)
    return Error::of(ErrorKind::usage, "\"%s\" requires at most %u argument%s", verb.name, max, plural(max));
  return Error::of(ErrorKind::usage, "\"%s\" requires at least %u and at most %u arguments", verb.name, min,
                   max);
}

Status heed(const Arguments& globals) {
  static constexpr std::pair<const char*, const char*> kDefaults[] = {{"host", "unix:///var/run/docker.sock"},
                                                                      {"context", "default"}};
  for (const auto& [option, usual] : kDefaults)
    if (const std::string_view named = globals.value(option, ""); !named.empty() && named != usual)
      return Error::of(ErrorKind::usage, "slipway has no daemon: --%s %s is nothing to connect to", option,
                       named.data());
  // As the variable: the helpers for credentials are told, too.
  if (const char* config = globals.value("config"); config && setenv("DOCKER_CONFIG", config, 1) < 0)
    return Error::sys(errno, "--config");
  return {};
}

constexpr Program kProgram = {
    "slipway", "Containers and images, without a daemon",
    kGlobals,  kVerbs,
    "ps -aq",  version_line,
    exit_code, miscounted,
    heed,
};

}  // namespace

}  // namespace slipway::cli

int main(int argc, char** argv, char** envp) {
  if (slipway::manager::called_as_monitor(argv[0])) return slipway::manager::run_monitor_process(argc, argv);
  return slipway::cli::run_program(slipway::cli::kProgram, argc, argv, envp);
}
