// Where the output of a container goes besides those who are attached: one kind of log for each log driver.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/store/record.h"

namespace slipway::manager {

class ContainerLog {
 public:
  enum Stream : uint8_t { kStdout, kStderr };
  virtual ~ContainerLog() = default;

  /// Adds output. A line that has no end yet waits for it.
  virtual Status add(Stream stream, std::string_view text) = 0;
  /// Writes lines that will never have an end.
  virtual Status flush() = 0;

  /// The log that the record asks for; null for none. `dir` is the container's directory, borrowed. Errors: where the log
  /// is somebody else's, who is not there.
  static Result<std::unique_ptr<ContainerLog>> open(const store::Record& record, int dir);
};

/// Checks a log driver and its options as far as they can be before the start. Errors: usage, unsupported.
Status check_log_config(const store::LogConfig& config);

/// Output as lines, of 16 KiB at most: docker cuts longer ones.
class LineSplitter {
 public:
  /// Calls line(text) for each; a cut one has no newline at its end.
  template <class F>
  void add(std::string_view text, F&& line) {
    while (!text.empty()) {
      const size_t newline = text.find('\n');
      const size_t room = kLongest - partial_.size();
      size_t length = newline == std::string_view::npos ? text.size() : newline + 1;
      const bool cut = length > room;
      if (cut) length = room;
      if (!cut && newline == std::string_view::npos) {
        partial_.append(text);
        return;
      }
      if (partial_.empty()) {
        line(text.substr(0, length));
      } else {
        partial_.append(text.substr(0, length));
        line(std::string_view(partial_));
        partial_.clear();
      }
      text.remove_prefix(length);
    }
  }
  template <class F>
  void flush(F&& line) {
    if (!partial_.empty()) line(std::string_view(partial_));
    partial_.clear();
  }

 private:
  static constexpr size_t kLongest = 16 << 10;
  std::string partial_;
};

}  // namespace slipway::manager
