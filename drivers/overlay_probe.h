// What overlay of this kernel, on this file system, can do.
#pragma once

#include "drivers/home.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// The most layers that overlay stacks below the upper one (OVL_MAX_STACK).
constexpr unsigned kOverlayMaxLowers = 500;

/// Tries a mount of overlay on `home`, and leaves nothing. ErrorKind::unsupported says what is missing.
Status probe_overlay(const Home& home, bool user_xattr);

/// Whether lower directories can be given one by one (`lowerdir+`, Linux 6.7), so that their names need not
/// fit into a page.
bool overlay_has_lowerdir_plus();

/// Whether overlay has a module parameter, and so the mount option of this name (index, metacopy,
/// redirect_dir).
bool overlay_has_option(const char* name);

}  // namespace slipway::drivers
