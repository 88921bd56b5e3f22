// The log of a container in docker's json-file format: a line of JSON for each line of output.
//
//   {"log":"hello\n","stream":"stdout","time":"2024-01-02T03:04:05.678901234Z"}
//
// Lines longer than 16 KiB are cut, as docker does; a cut part has no newline at its end.
#pragma once

#include "src/base/fd.h"
#include "src/manager/container_log.h"

namespace slipway::manager {

class LogFile final : public ContainerLog {
 public:
  struct Rotation {
    uint64_t max_size = 0;  // bytes; 0: no limit
    unsigned max_files = 1;
  };

  LogFile() = default;
  /// `dir` is the container's directory, borrowed; the file is called `log`, older ones `log.1` and so on. It is made for
  /// the first output.
  static Result<LogFile> open(int dir, Rotation rotation);

  Status add(Stream stream, std::string_view text) override;
  Status flush() override;

 private:
  Status write(std::string_view entries);
  Status open_file();
  Status rotate();

  Fd file_;
  int dir_ = -1;
  Rotation rotation_;
  uint64_t size_ = 0;
  LineSplitter lines_[2];
};

}  // namespace slipway::manager
