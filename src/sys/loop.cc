#include "src/sys/loop.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>

#include "src/sys/file.h"

namespace slipway::sys {

Result<LoopDevice> attach_loop(int file, const char* file_name) {
  const Fd control = TRY(open_at(AT_FDCWD, "/dev/loop-control", O_RDWR));
  for (int tries = 0; tries < 100; ++tries) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return Error::sys(errno, "find a free loop device");
    LoopDevice device;
    device.path = "/dev/loop" + std::to_string(number);
    device.fd = Fd(open(device.path.c_str(), O_RDWR | O_CLOEXEC));
    if (!device.fd && errno == ENOENT &&
        mknod(device.path.c_str(), S_IFBLK | 0600, makedev(7, static_cast<unsigned>(number))) == 0)
      device.fd = Fd(open(device.path.c_str(), O_RDWR | O_CLOEXEC));
    if (!device.fd) return Error::sys(errno, "open `%s`", device.path.c_str());
    loop_config config = {};
    config.fd = static_cast<uint32_t>(file);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    strncpy(reinterpret_cast<char*>(config.info.lo_file_name), file_name, LO_NAME_SIZE - 1);
    if (ioctl(device.fd.get(), LOOP_CONFIGURE, &config) == 0) return device;  // Linux 5.8
    if (errno != EBUSY) return Error::sys(errno, "attach `%s` to `%s`", file_name, device.path.c_str());
    // Somebody was faster.
  }
  return Error::sys(EBUSY, "attach `%s` to a loop device", file_name);
}

}  // namespace slipway::sys
