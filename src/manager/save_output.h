// Where saved images go: into an archive, or into a directory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "oci/byte_stream.h"
#include "src/base/result.h"

namespace slipway::manager {

class SaveOutput {
 public:
  virtual ~SaveOutput() = default;
  virtual Status directory(const std::string& path) = 0;
  virtual Status text(const std::string& path, std::string_view contents) = 0;
  /// All of a file, copied inside the kernel where that is possible.
  virtual Status file(const std::string& path, int fd) = 0;
  /// All of a stream whose size is known.
  virtual Status stream(const std::string& path, oci::ByteSource& source, uint64_t size) = 0;
  virtual Status finish() = 0;
};

/// A tar archive; every entry is root's and as old as time. `out` is borrowed.
std::unique_ptr<SaveOutput> archive_output(int out);
/// `dir` is borrowed.
std::unique_ptr<SaveOutput> directory_output(int dir);

}  // namespace slipway::manager
