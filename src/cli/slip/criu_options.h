// The options that `checkpoint` and `restore` share: those of runc, and crun's.
#pragma once

#include <array>

#include "src/cli/program.h"
#include "src/runtime/checkpoint.h"

namespace slipway::cli {

inline constexpr auto kCriuOptions = std::to_array<Option>({
    value("image-path", 0, "DIR", "where the images are (default: checkpoint)"),
    value("work-path", 0, "DIR", "where criu works and has its log (default: the images)"),
    flag("tcp-established", 0, "established TCP connections, too"),
    flag("tcp-close", 0, "TCP connections are closed"),
    flag("ext-unix-sk", 0, "UNIX sockets whose other end is not in the container, too"),
    flag("shell-job", 0, "processes that share the session and terminal of a shell, too"),
    flag("file-locks", 0, "file locks, too"),
    flag("auto-dedup", 0, "punch holes into images where a later one has the memory"),
    flag("lazy-pages", 0, "move memory when it is asked for, by userfaultfd"),
    flag("link-remap", 0, "files that have been removed but are open, too, by new links to them"),
    value("manage-cgroups-mode", 0, "MODE",
          "what becomes of cgroups: soft, full, strict or ignore (default: soft)"),
    value("empty-ns", 0, "network", "leave out what is in the network namespace"),
    value("network-lock", 0, "METHOD",
          "hold connections meanwhile by iptables or nftables (default: iptables)"),
});

/// What they, and the global --criu, say.
Status read_criu_options(const Call& call, runtime::CriuOptions& out);

}  // namespace slipway::cli
