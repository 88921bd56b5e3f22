// Devices of the host in a container: --device and --privileged.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "src/manager/spec.h"
#include "src/sys/directory.h"

namespace slipway::manager {

namespace {

class Devices {
 public:
  Devices(oci::Linux& out, Arena& arena) : arena_(arena), devices_(arena), rules_(arena) {
    for (const oci::DeviceRule& rule : out.resources->devices) rules_.add(rule);
  }

  void node(const std::string& inside, const struct stat& info, Str access) {
    oci::Device device;
    device.path = arena_.copy(inside);
    device.type = S_ISBLK(info.st_mode) ? "b" : "c";
    device.major = static_cast<int64_t>(major(info.st_rdev));
    device.minor = static_cast<int64_t>(minor(info.st_rdev));
    device.file_mode = info.st_mode & 07777;
    device.uid = info.st_uid;
    device.gid = info.st_gid;
    devices_.add(device);
    if (access.empty()) return;
    oci::DeviceRule rule;
    rule.allow = true;
    rule.type = device.type;
    rule.major = device.major;
    rule.minor = device.minor;
    rule.access = access;
    rules_.add(rule);
  }

  /// All devices below a directory of the host. Those that a container has of its own are left out.
  void tree(const std::string& outside, const std::string& inside, Str access) {
    const Fd dir(open(outside.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir) return;
    sys::DirectoryReader reader(dir.get());
    while (const dirent64* entry = reader.next()) {
      const char* name = entry->d_name;
      if (name[0] == '.') continue;
      struct stat info = {};
      if (fstatat(dir.get(), name, &info, AT_SYMLINK_NOFOLLOW) < 0) continue;
      const std::string child_outside = outside + "/" + name;
      const std::string child_inside = inside + "/" + name;
      if (S_ISDIR(info.st_mode)) {
        if (child_outside == "/dev/pts" || child_outside == "/dev/shm" || child_outside == "/dev/mqueue")
          continue;
        tree(child_outside, child_inside, access);
      } else if ((S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) && child_outside != "/dev/console" &&
                 child_outside != "/dev/ptmx") {
        node(child_inside, info, access);
      }
    }
  }

  Status mapping(const store::DeviceMapping& mapping) {
    struct stat info = {};
    if (stat(mapping.path_on_host.c_str(), &info) < 0)
      return Error::of(
          ErrorKind::not_found, "error gathering device information while adding custom device \"%s\": %s",
          mapping.path_on_host.c_str(), errno == ENOENT ? "no such file or directory" : strerror(errno));
    if (S_ISDIR(info.st_mode)) {
      tree(std::string(mapping.path_on_host.view()), std::string(mapping.path_in_container.view()),
           mapping.cgroup_permissions);
      return {};
    }
    if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode))
      return Error::of(
          ErrorKind::invalid,
          "error gathering device information while adding custom device \"%s\": not a device node",
          mapping.path_on_host.c_str());
    node(std::string(mapping.path_in_container.view()), info, mapping.cgroup_permissions);
    return {};
  }

  void finish(oci::Linux& out) {
    out.devices = devices_.list();
    out.resources->devices = rules_.list();
  }

 private:
  Arena& arena_;
  ListBuilder<oci::Device> devices_;
  ListBuilder<oci::DeviceRule> rules_;
};

}  // namespace

Status spec_devices(const store::HostConfig& host, oci::Linux& out, Arena& arena) {
  if (host.devices.empty() && !host.privileged) return {};
  Devices devices(out, arena);
  if (host.privileged) devices.tree("/dev", "/dev", "");  // all are allowed already
  for (const store::DeviceMapping& mapping : host.devices) TRY(devices.mapping(mapping));
  devices.finish(out);
  return {};
}

}  // namespace slipway::manager
