// What is in a directory.
#pragma once

#include <dirent.h>

#include <string>
#include <vector>

#include "src/base/result.h"

namespace slipway::sys {

/// Reads a directory as readdir() does, with a buffer of its own instead of the heap's and one system call for a small
/// one. The open directory `dir` (not O_PATH) stays the caller's; it is read from its own position on.
class DirectoryReader {
 public:
  explicit DirectoryReader(int dir) : dir_(dir) {}

  /// The next entry but "." and "..", valid until the next call; null at the end, or when error() says why.
  const dirent64* next();
  /// An errno; 0: none.
  int error() const { return error_; }
  void rewind();

 private:
  int dir_;
  int error_ = 0;
  size_t next_ = 0, size_ = 0;
  alignas(dirent64) char buffer_[8192];
};

struct DirectoryEntry {
  std::string name;
  unsigned char type;  // DT_DIR and so on; DT_UNKNOWN where the file system does not say
};

/// The entries of the open directory `dir` (not O_PATH) without "." and "..", in no order. The descriptor's
/// own position is not used.
Result<std::vector<DirectoryEntry>> list_directory(int dir);

}  // namespace slipway::sys
