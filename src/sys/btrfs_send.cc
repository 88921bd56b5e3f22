// The send stream of btrfs, without file data: read for the paths in it, not to be replayed.
#include <fcntl.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string_view>

#include "src/sys/btrfs.h"

namespace slipway::sys {
namespace {

// The stream format, fs/btrfs/send.h; all numbers little-endian.
constexpr char kMagic[] = "btrfs-stream";  // with its NUL
constexpr size_t kHeaderSize = sizeof kMagic + 4;
constexpr size_t kCommandSize = 4 + 2 + 4;  // length of the attributes, command, checksum
enum : uint16_t { kRename = 9, kSubvolume = 1, kSnapshot = 2, kEnd = 21 };
enum : uint16_t { kPath = 15, kPathTo = 16 };

uint16_t number16(std::string_view at) {
  return static_cast<uint16_t>(static_cast<unsigned char>(at[0]) | static_cast<unsigned char>(at[1]) << 8);
}
uint32_t number32(std::string_view at) {
  return number16(at) | static_cast<uint32_t>(number16(at.substr(2))) << 16;
}

Error damaged() {
  return Error::of(ErrorKind::failed, "the btrfs send stream is damaged");
}

Status read_command(uint16_t command, std::string_view attributes, std::map<std::string, bool>& touched) {
  while (attributes.size() >= 4) {
    const uint16_t type = number16(attributes), length = number16(attributes.substr(2));
    attributes.remove_prefix(4);
    if (length > attributes.size()) return damaged();
    if (type == kPath || type == kPathTo) {
      bool& renamed = touched.try_emplace(std::string(attributes.substr(0, length)), false).first->second;
      renamed = renamed || command == kRename;
    }
    attributes.remove_prefix(length);
  }
  return {};
}

Result<std::vector<BtrfsTouched>> parse(std::string_view stream) {
  if (stream.size() < kHeaderSize || memcmp(stream.data(), kMagic, sizeof kMagic) != 0) return damaged();
  stream.remove_prefix(kHeaderSize);
  std::map<std::string, bool> touched;
  while (stream.size() >= kCommandSize) {
    const uint32_t length = number32(stream);
    const uint16_t command = number16(stream.substr(4));
    stream.remove_prefix(kCommandSize);
    if (length > stream.size()) return damaged();
    if (command != kSubvolume && command != kSnapshot && command != kEnd)
      TRY(read_command(command, stream.substr(0, length), touched));
    stream.remove_prefix(length);
  }
  std::vector<BtrfsTouched> list;
  for (const auto& [path, renamed] : touched)
    if (!path.empty()) list.push_back({path, renamed});
  return list;
}

}  // namespace

Result<std::vector<BtrfsTouched>> btrfs_touched(int parent, int child) {
  // In memory: without file data it is small, and a pipe would need a second thread.
  const Fd memory(memfd_create("btrfs-stream", MFD_CLOEXEC));
  if (!memory) return Error::sys(errno, "make a memory file");
  btrfs_ioctl_send_args args = {};
  args.send_fd = memory.get();
  args.parent_root = TRY(btrfs_subvolume_id(parent));
  args.flags = BTRFS_SEND_FLAG_NO_FILE_DATA;
  if (ioctl(child, BTRFS_IOC_SEND, &args) < 0) return Error::sys(errno, "send a snapshot");
  struct stat info = {};
  if (fstat(memory.get(), &info) < 0) return Error::sys(errno, "stat");
  if (info.st_size == 0) return std::vector<BtrfsTouched>();
  const size_t size = static_cast<size_t>(info.st_size);
  void* text = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, memory.get(), 0);
  if (text == MAP_FAILED) return Error::sys(errno, "map");
  Result<std::vector<BtrfsTouched>> touched = parse({static_cast<const char*>(text), size});
  munmap(text, size);
  return touched;
}

}  // namespace slipway::sys
