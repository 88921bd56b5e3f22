// What is in a directory.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"

namespace slipway::sys {

struct DirectoryEntry {
  std::string name;
  unsigned char type;  // DT_DIR and so on; DT_UNKNOWN where the file system does not say
};

/// The entries of the open directory `dir` (not O_PATH) without "." and "..", in no order. The descriptor's
/// own position is not used.
Result<std::vector<DirectoryEntry>> list_directory(int dir);

}  // namespace slipway::sys
