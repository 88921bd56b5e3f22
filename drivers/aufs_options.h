// The option strings of aufs, whose branches may not fit into one.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"

namespace slipway::drivers {

/// The most branches of a mount that a kernel of the default configuration takes (AUFS_BRANCH_MAX_127).
constexpr unsigned kAufsMaxBranches = 127;

struct AufsOptions {
  std::string first;                  // of mount(2)
  std::vector<std::string> remounts;  // each of a further mount(2) with MS_REMOUNT
};

/// `writable` is the upper directory, "" for a read-only view of `branches`. mount(2) takes no more than a page, with
/// the NUL at its end; `reserved` bytes of it are left for others (a security label). Branches that do not fit are
/// appended by remounts, in their order.
AufsOptions aufs_options(size_t page, size_t reserved, const std::string& writable,
                         const std::vector<std::string>& branches, const std::string& xino);

/// invalid if aufs would read a path as something else: it has no way to quote.
Status check_aufs_path(const std::string& path);

}  // namespace slipway::drivers
