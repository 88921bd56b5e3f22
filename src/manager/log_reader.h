// Reads what LogFile writes, older files first.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::manager {

struct LogEntry {
  std::string text;  // with its newline, unless the line was cut
  std::string_view time;
  int64_t time_ns = 0;
  bool is_stderr = false;
};

class LogReader {
 public:
  using Visit = std::function<bool(const LogEntry&)>;  // false: no more

  /// `dir` is the container's directory, borrowed.
  explicit LogReader(int dir) : dir_(dir) {}

  /// The last `tail` entries (-1: all) of what is there now; sets the place from which more() goes on.
  Status existing(int64_t tail, const Visit& visit);
  /// What has come since; follows the log when it is rotated.
  Status more(const Visit& visit);
  /// Waits until the log has changed, at most for this long.
  void wait(int milliseconds);

 private:
  Status open_current();
  /// How many rotations ago it was the newest file; -1: it is deleted.
  int age(const Fd& file) const;
  /// What comes after a rotated file_; none when it is not there yet.
  Fd next_file() const;
  bool visit_lines(std::string_view lines, const Visit& visit);

  int dir_;
  Fd file_;
  bool rotated_ = false;  // file_ is, and nobody writes to it any more
  std::string unread_;    // a line that is not complete yet
  Fd watch_;
};

}  // namespace slipway::manager
