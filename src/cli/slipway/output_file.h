// Where a verb's long output goes: a file that is there only when it is whole, or standard output.
#pragma once

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::cli {

/// The file of -o. Written under another name and renamed by publish(); without that, nothing is left. What is
/// not a regular file (a pipe, /dev/null) is written as it is.
class OutputFile {
 public:
  /// `path` null: standard output, which may not be a terminal (usage).
  static Result<OutputFile> open(const char* path, const char* verb);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  int fd() const { return fd_.get(); }
  Status publish();

 private:
  OutputFile() = default;
  Fd fd_;
  std::string path_, temporary_;
};

}  // namespace slipway::cli
