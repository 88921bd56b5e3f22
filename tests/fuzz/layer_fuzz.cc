// Any bytes as a layer's tar, unpacked into a directory: refused or contained, never outside it. The first byte
// chooses how deletions are written. Checksums of headers are put right, or no change of a header would be seen.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "oci/layer_apply.h"
#include "src/sys/directory.h"
#include "src/sys/remove_tree.h"

using namespace slipway;

namespace {

/// A directory with `root`, which is unpacked into, and a file that must stay as it is.
struct Room {
  std::string path = "/tmp/layer_fuzz.XXXXXX";
  int dir = -1;

  Room() {
    if (access("/dev/shm", W_OK) == 0) path = "/dev/shm/layer_fuzz.XXXXXX";
    if (!mkdtemp(path.data())) abort();
    dir = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int canary = openat(dir, "canary", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (dir < 0 || canary < 0) abort();
    close(canary);
  }
  ~Room() {
    (void)sys::remove_tree(AT_FDCWD, path.c_str());
    close(dir);
  }

  void check() const {
    Result<std::vector<sys::DirectoryEntry>> entries = sys::list_directory(dir);
    struct stat info;
    if (!entries.ok() || entries->size() != 2 || fstatat(dir, "canary", &info, 0) < 0) abort();
    if (info.st_size != 0 || info.st_nlink != 1 || (info.st_mode & 07777) != 0640) abort();
  }
};

constexpr size_t kBlock = 512, kSize = 124, kChecksum = 148, kMagic = 257;

void mend_checksums(std::string& tar) {
  for (size_t at = 0; at + kBlock <= tar.size(); at += kBlock) {
    if (tar.compare(at + kMagic, 5, "ustar") != 0) continue;
    tar.replace(at + kChecksum, 8, 8, ' ');
    unsigned sum = 0;
    for (size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(tar[at + i]);
    char digits[8];
    snprintf(digits, sizeof digits, "%06o", sum);
    tar.replace(at + kChecksum, 7, digits, 7);
    // Past the contents, so that a tar in a tar stays as it is.
    const unsigned long size = strtoul(tar.substr(at + kSize, 11).c_str(), nullptr, 8);
    if (size < tar.size()) at += (size + kBlock - 1) / kBlock * kBlock;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Room room;
  if (size == 0) return 0;
  if (mkdirat(room.dir, "root", 0755) < 0) abort();
  const int root = openat(room.dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  oci::ApplyOptions options;
  options.style = static_cast<oci::WhiteoutStyle>(data[0] % 4);
  std::string tar(reinterpret_cast<const char*>(data) + 1, size - 1);
  mend_checksums(tar);
  oci::TextSource source(tar);
  (void)oci::apply_layer(source, root, options);
  close(root);
  room.check();
  if (!sys::remove_tree(room.dir, "root").ok()) abort();
  return 0;
}
