#include "src/sys/device_mapper.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>

#include "src/sys/file.h"

namespace slipway::sys {
namespace {

// libdevmapper.h: what udev's rules read from the upper half of the cookie. Nothing but the primary source's event.
constexpr uint32_t kUdevFlags = (0x0002 | 0x0004 | 0x0008 | 0x0040) << 16;

/// One ioctl's argument: the header and what follows it.
class Request {
 public:
  explicit Request(const std::string& name, size_t room = 0) : bytes_(sizeof(dm_ioctl) + room) {
    dm_ioctl& head = header();
    head.version[0] = DM_VERSION_MAJOR;
    head.data_size = static_cast<uint32_t>(bytes_.size());
    head.data_start = sizeof(dm_ioctl);
    strncpy(head.name, name.c_str(), sizeof head.name - 1);
  }
  dm_ioctl& header() { return *reinterpret_cast<dm_ioctl*>(bytes_.data()); }
  char* data() { return bytes_.data() + sizeof(dm_ioctl); }
  int call(int control, unsigned long command) { return ioctl(control, command, bytes_.data()); }

 private:
  std::vector<char> bytes_;
};

DmDevice device_of(const dm_ioctl& header) {
  DmDevice device;
  // The kernel's own encoding of a device number (new_encode_dev).
  device.number = makedev((header.dev & 0xfff00) >> 8, (header.dev & 0xff) | ((header.dev >> 12) & 0xfff00));
  device.path = "/dev/dm-" + std::to_string(minor(device.number));
  device.open_count = header.open_count;
  device.deferred = header.flags & DM_DEFERRED_REMOVE;
  return device;
}

void load_module(const char* name) {
  char* const argv[] = {const_cast<char*>("modprobe"), const_cast<char*>("-q"), const_cast<char*>(name),
                        nullptr};
  pid_t pid = 0;
  int status = 0;
  if (posix_spawnp(&pid, "modprobe", nullptr, nullptr, argv, environ) == 0)
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
}

bool has_target(int control, const char* type) {
  Request request("", 16384);
  if (request.call(control, DM_LIST_VERSIONS) < 0) return false;
  const char* at = request.data();
  for (;;) {
    const auto* versions = reinterpret_cast<const dm_target_versions*>(at);
    if (strcmp(versions->name, type) == 0) return true;
    if (versions->next == 0) return false;
    at += versions->next;
  }
}

Status load_table(int control, const std::string& name, uint64_t sectors, const char* type,
                  const std::string& parameters) {
  const size_t room = (sizeof(dm_target_spec) + parameters.size() + 1 + 7) & ~size_t{7};
  Request request(name, room);
  request.header().target_count = 1;
  auto* target = reinterpret_cast<dm_target_spec*>(request.data());
  target->length = sectors;
  target->next = static_cast<uint32_t>(room);
  strncpy(target->target_type, type, sizeof target->target_type - 1);
  memcpy(request.data() + sizeof(dm_target_spec), parameters.c_str(), parameters.size() + 1);
  if (request.call(control, DM_TABLE_LOAD) < 0)
    return Error::sys(errno, "load the table `%s %s` of device `%s`", type, parameters.c_str(), name.c_str());
  return {};
}

}  // namespace

Result<DeviceMapper> DeviceMapper::open(const char* target_type) {
  DeviceMapper mapper;
  const char* path = "/dev/mapper/control";
  mapper.control_ = Fd(::open(path, O_RDWR | O_CLOEXEC));
  if (!mapper.control_) {
    load_module("dm-mod");
    mapper.control_ = Fd(::open(path, O_RDWR | O_CLOEXEC));
  }
  if (!mapper.control_ && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
    return Error::of(ErrorKind::unsupported, "this kernel has no device-mapper (`%s`)", path);
  if (!mapper.control_) return Error::sys(errno, "open `%s`", path);
  if (has_target(mapper.control_.get(), target_type)) return mapper;
  load_module((std::string("dm-") + target_type).c_str());
  if (has_target(mapper.control_.get(), target_type)) return mapper;
  return Error::of(ErrorKind::unsupported, "this kernel's device-mapper has no target `%s`", target_type);
}

Result<DmDevice> DeviceMapper::find(const std::string& name) const {
  Request request(name);
  if (request.call(control_.get(), DM_DEV_STATUS) < 0) {
    if (errno == ENXIO) return Error::of(ErrorKind::not_found, "no device `%s`", name.c_str());
    return Error::sys(errno, "status of device `%s`", name.c_str());
  }
  return device_of(request.header());
}

Result<DmDevice> DeviceMapper::create(const std::string& name, uint64_t sectors, const char* type,
                                      const std::string& parameters) const {
  Request request(name);
  if (request.call(control_.get(), DM_DEV_CREATE) < 0)
    return Error::sys(errno, "make device `%s`", name.c_str());
  Status made = load_table(control_.get(), name, sectors, type, parameters);
  if (made.ok()) made = resume(name);
  if (!made.ok()) {
    (void)remove(name, false, 200);
    return std::move(made).error();
  }
  DmDevice device = TRY(find(name));
  if (access(device.path.c_str(), F_OK) < 0 &&
      mknod(device.path.c_str(), S_IFBLK | 0600, device.number) < 0 && errno != EEXIST)
    return Error::sys(errno, "make node `%s`", device.path.c_str());
  return device;
}

Status DeviceMapper::suspend(const std::string& name) const {
  Request request(name);
  request.header().flags = DM_SUSPEND_FLAG;
  if (request.call(control_.get(), DM_DEV_SUSPEND) < 0)
    return Error::sys(errno, "suspend device `%s`", name.c_str());
  return {};
}

Status DeviceMapper::resume(const std::string& name) const {
  Request request(name);
  request.header().event_nr = kUdevFlags;
  if (request.call(control_.get(), DM_DEV_SUSPEND) < 0)
    return Error::sys(errno, "resume device `%s`", name.c_str());
  return {};
}

// What was mounted may still be on its way out, or a probe of the machine's own may look at the device.
Status DeviceMapper::remove(const std::string& name, bool deferred, int wait) const {
  for (;; wait -= 10) {
    Request request(name);
    request.header().event_nr = kUdevFlags;
    request.header().flags = deferred ? DM_DEFERRED_REMOVE : 0;
    if (request.call(control_.get(), DM_DEV_REMOVE) == 0 || errno == ENXIO) return {};
    if (errno != EBUSY) return Error::sys(errno, "remove device `%s`", name.c_str());
    if (wait <= 0) break;
    usleep(10'000);
  }
  return Error::of(ErrorKind::in_use, "device `%s` is in use", name.c_str());
}

Status DeviceMapper::message(const std::string& name, const std::string& text) const {
  Request request(name, sizeof(dm_target_msg) + text.size() + 1);
  memcpy(request.data() + offsetof(dm_target_msg, message), text.c_str(), text.size() + 1);
  if (request.call(control_.get(), DM_TARGET_MSG) < 0)
    return Error::sys(errno, "message `%s` to device `%s`", text.c_str(), name.c_str());
  return {};
}

Result<DeviceMapper::Target> DeviceMapper::read_target(const std::string& name, uint32_t flags) const {
  Request request(name, 8192);
  request.header().flags = flags;
  if (request.call(control_.get(), DM_TABLE_STATUS) < 0) {
    if (errno == ENXIO) return Error::of(ErrorKind::not_found, "no device `%s`", name.c_str());
    return Error::sys(errno, "status of device `%s`", name.c_str());
  }
  if (request.header().target_count == 0)
    return Error::of(ErrorKind::failed, "device `%s` has no table", name.c_str());
  const auto* spec = reinterpret_cast<const dm_target_spec*>(request.data());
  Target target;
  target.sectors = spec->length;
  target.type = spec->target_type;
  target.parameters = request.data() + sizeof(dm_target_spec);
  return target;
}

Result<DeviceMapper::Target> DeviceMapper::status(const std::string& name) const {
  return read_target(name, 0);
}
Result<DeviceMapper::Target> DeviceMapper::table(const std::string& name) const {
  return read_target(name, DM_STATUS_TABLE_FLAG);
}

Result<std::string> DeviceMapper::version() const {
  Request request("");
  if (request.call(control_.get(), DM_VERSION) < 0) return Error::sys(errno, "version of device-mapper");
  const uint32_t* version = request.header().version;
  return std::to_string(version[0]) + "." + std::to_string(version[1]) + "." + std::to_string(version[2]);
}

}  // namespace slipway::sys
