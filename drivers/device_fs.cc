#include "drivers/device_fs.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "src/base/fd.h"
#include "src/sys/file.h"

namespace slipway::drivers {
namespace {

// From the kernel's fs/xfs/libxfs/xfs_fs.h and fs/ext4/ext4.h, whose headers are not among linux/*.
struct XfsGrow {
  uint64_t blocks;
  uint32_t most_inodes_percent;
};
struct XfsGeometryV1 {
  uint32_t blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, imaxpct;
  uint64_t datablocks, rtblocks, rtextents, logstart;
  unsigned char uuid[16];
  uint32_t sunit, swidth;
  int32_t version;
  uint32_t flags, logsectsize, rtsectsize, dirblocksize;
};
constexpr unsigned long kXfsGeometry = _IOR('X', 100, XfsGeometryV1);
constexpr unsigned long kXfsGrow = _IOW('X', 110, XfsGrow);
constexpr unsigned long kExt4Resize = _IOW('f', 16, uint64_t);

bool has_program(const char* name) {
  for (const char* dir : {"/sbin/", "/usr/sbin/", "/bin/", "/usr/bin/"})
    if (access((std::string(dir) + name).c_str(), X_OK) == 0) return true;
  return false;
}

std::string uuid_text(const unsigned char* bytes) {
  std::string text;
  for (int i = 0; i < 16; ++i) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", bytes[i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits;
  }
  return text;
}

Status run(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // What it says is for an error's text only: mkfs.xfs comments on small devices.
  const Fd said(memfd_create("mkfs", MFD_CLOEXEC));
  if (!said) return Error::sys(errno, "make a memory file");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, said.get(), 2);
  pid_t pid = 0;
  const int err = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (err) return Error::sys(err, "run %s", argv[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) return {};
  char text[200] = "";
  (void)!pread(said.get(), text, sizeof text - 1, 0);
  text[strcspn(text, "\n")] = 0;
  return Error::of(ErrorKind::failed, "%s failed (status %d): %s", argv[0], WEXITSTATUS(status), text);
}

}  // namespace

Result<std::string> default_device_fs() {
  if (has_program("mkfs.xfs")) return std::string("xfs");
  if (has_program("mkfs.ext4")) return std::string("ext4");
  return Error::of(ErrorKind::unsupported, "neither mkfs.xfs nor mkfs.ext4 is installed");
}

Status make_device_fs(const std::string& device, const std::string& type, const std::string& arguments) {
  if (!has_program(("mkfs." + type).c_str()))
    return Error::of(ErrorKind::unsupported, "mkfs.%s is not installed", type.c_str());
  std::vector<std::string> words = {"mkfs." + type};
  if (type == "ext4")
    words.insert(words.end(), {"-q", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"});
  if (type == "xfs") words.insert(words.end(), {"-q", "-K"});
  for (size_t at = 0; at < arguments.size();) {
    const size_t end = std::min(arguments.find(' ', at), arguments.size());
    if (end > at) words.push_back(arguments.substr(at, end - at));
    at = end + 1;
  }
  words.push_back(device);
  return run(words);
}

Result<DeviceFs> probe_device_fs(const std::string& device) {
  const Fd fd = TRY(sys::open_at(AT_FDCWD, device.c_str(), O_RDONLY));
  unsigned char head[2048];
  if (pread(fd.get(), head, sizeof head, 0) != sizeof head)
    return Error::sys(errno, "read `%s`", device.c_str());
  DeviceFs found;
  if (memcmp(head, "XFSB", 4) == 0) {
    found.type = "xfs";
    found.uuid = uuid_text(head + 32);
  } else if (head[1024 + 0x38] == 0x53 && head[1024 + 0x39] == 0xef) {
    found.type = "ext4";
    found.uuid = uuid_text(head + 1024 + 0x68);
  } else {
    return Error::of(ErrorKind::not_found, "`%s` has no file system", device.c_str());
  }
  return found;
}

sys::MountSpec device_fs_mount(const std::string& type, const std::string& device) {
  sys::MountSpec spec;
  spec.kind = sys::MountSpec::Kind::filesystem;
  spec.type = type;
  spec.source = device;
  if (type == "xfs") spec.options.push_back({"nouuid", ""});  // all snapshots have the base's UUID
  return spec;
}

Status grow_device_fs(int mounted, const std::string& type, uint64_t device_bytes) {
  if (type == "xfs") {
    XfsGeometryV1 geometry = {};
    if (ioctl(mounted, kXfsGeometry, &geometry) < 0) return Error::sys(errno, "read the geometry of xfs");
    XfsGrow grow = {device_bytes / geometry.blocksize, geometry.imaxpct};
    if (grow.blocks <= geometry.datablocks) return {};
    if (ioctl(mounted, kXfsGrow, &grow) < 0) return Error::sys(errno, "grow xfs");
    return {};
  }
  struct statfs info = {};
  if (fstatfs(mounted, &info) < 0) return Error::sys(errno, "statfs");
  uint64_t blocks = device_bytes / static_cast<uint64_t>(info.f_bsize);
  if (ioctl(mounted, kExt4Resize, &blocks) < 0) return Error::sys(errno, "grow ext4");
  return {};
}

}  // namespace slipway::drivers
