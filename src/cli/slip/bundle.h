// A bundle as `create` and `run` read it, and what both say about the new process.
#pragma once

#include <array>
#include <string>

#include "oci/spec.h"
#include "src/cli/program.h"
#include "src/runtime/runtime.h"

namespace slipway::cli {

/// More is not read: no configuration needs it, and it must fit into memory several times.
inline constexpr size_t kMaxConfig = 32 << 20;

/// The options of all verbs that make a process.
inline constexpr auto kProcessOptions = std::to_array<Option>({
    value("console-socket", 0, "SOCKET", "the AF_UNIX socket that gets the terminal's master"),
    value("pidfd-socket", 0, "SOCKET", "the AF_UNIX socket that gets a pidfd of the process"),
    value("pid-file", 0, "FILE", "write the process ID to this file"),
    value("preserve-fds", 0, "N", "keep N more descriptors, from 3 on, open in the container"),
});

/// The options of `create`; `run` has them, too.
inline constexpr auto kCreateOptions =
    join(kProcessOptions,
         std::to_array<Option>({
             value("bundle", 'b', "DIR", "the bundle's directory (default: the current one)"),
             value("config", 'f', "FILE", "the configuration, seen from the bundle (default: config.json)"),
             flag("no-pivot", 0, "enter the root by MS_MOVE and chroot, for systems that run from a ramdisk"),
             flag("no-new-keyring", 0, "keep the caller's session keyring"),
         }));

struct Bundle {
  std::string path;  // absolute, without symbolic links
  std::string text;  // of config.json
  oci::Spec* spec;   // valid
  oci::Warnings warnings;
};
Result<Bundle> read_bundle(const Call& call);

/// Fills in what kProcessOptions say. `detached`: the caller will not wait for the process.
Status read_process_options(const Call& call, bool terminal, bool detached, runtime::ProcessOptions& out);
Result<runtime::CreateOptions> read_create_options(const Call& call, const Bundle& bundle, bool detached);

/// Tells the warnings, once nothing can fail any more: after a failure, podman expects one line in the log.
void tell_warnings(const Call& call, const oci::Warnings& warnings);

}  // namespace slipway::cli
