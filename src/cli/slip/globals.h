// The global options of slip, and what they say about where containers are.
#pragma once

#include <array>

#include "src/cli/program.h"
#include "src/runtime/runtime.h"

namespace slipway::cli {

inline constexpr auto kSlipOptions =
    join(kProgramOptions,
         std::to_array<Option>({
             value("root", 0, "DIR", "where the state of containers is kept"),
             value("log", 0, "FILE", "write errors to this file too, as engines read them"),
             value("log-format", 0, "FORMAT", "format of the log: text or json (default: text)"),
             value("log-level", 0, "LEVEL", "what to log: error, warning, info or debug (default: warning)"),
             flag("debug", 0, "log everything: --log-level debug"),
             flag("systemd-cgroup", 0, "let systemd manage the cgroups: cgroupsPath is slice:prefix:name"),
             value("cgroup-manager", 0, "NAME",
                   "who manages the cgroups: cgroupfs, systemd or disabled (default: cgroupfs)"),
             value("criu", 0, "FILE", "the program that checkpoints and restores (default: criu)"),
             value("rootless", 0, "BOOL", "accepted for callers of runc, without effect"),
         }));

/// The Context that the options (and, without --root, the environment) describe. `explicit_root` of the
/// result tells whether --root was given.
struct Globals {
  runtime::Context context;
  bool explicit_root = false;
};
/// For those who make containers: the default root of an ordinary user gets the sticky bit, by which those who
/// clean $XDG_RUNTIME_DIR know what is in use.
Status keep_default_root(const Globals& globals);
Result<Globals> read_globals(const Call& call);
/// A path that is seen from the current directory.
Result<std::string> absolute_path(std::string_view path);

}  // namespace slipway::cli
