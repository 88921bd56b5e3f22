// The security modules that labels and profiles are for.
#pragma once

namespace slipway::sys {

/// AppArmor is the kernel's, and switched on.
bool has_apparmor();
/// selinuxfs is mounted, and so SELinux is on.
bool has_selinux();

}  // namespace slipway::sys
