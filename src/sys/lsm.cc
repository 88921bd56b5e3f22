#include "src/sys/lsm.h"

#include <fcntl.h>
#include <unistd.h>

#include "src/base/fd.h"

namespace slipway::sys {

bool has_apparmor() {
  const Fd file(open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC));
  char answer = 0;
  return file && read(file.get(), &answer, 1) == 1 && answer == 'Y';
}

bool has_selinux() {
  return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

}  // namespace slipway::sys
