// One cgroup's control files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cgroup.h"

namespace slipway::runtime {

/// What stood in control files before an update wrote to them, so that a failure half-way leaves nothing
/// changed. The kernel is asked, not the state on disk: it may have been changed by others.
class ControlJournal {
 public:
  void remember(std::string path, std::string file, std::string old);
  /// Writes the old values back, the last first. What the kernel refuses stays as it is.
  void undo();

 private:
  struct Entry {
    std::string path, file, old;
  };
  std::vector<Entry> entries_;
};

/// What to write to get back to `current`, the file's text, after `written` was. Files with a line for each
/// device ("8:0 rbps=...") are told by the line's key. Pure.
std::string undo_text(std::string_view file, std::string_view current, std::string_view written);

/// An open cgroup directory. What is written names the property of config.json that it comes from.
class ControlDirectory {
 public:
  ControlDirectory() = default;
  /// Errors: not_found; invalid for a directory that is on no cgroup file system.
  static Result<ControlDirectory> open(const std::string& path);
  /// From now on set() remembers there what was.
  void keep_journal(ControlJournal* journal) { journal_ = journal; }

  explicit operator bool() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  sys::CgroupVersion version() const { return version_; }

  bool has(const char* file) const;
  Result<std::string> read(const char* file) const;
  /// Opens an existing file (never creates one) and writes in one go.
  Status write(const char* file, std::string_view value) const;
  /// As write(); an error is prefixed with the property, and says so when the controller is not there.
  Status set(const char* property, const char* file, std::string_view value) const;

 private:
  Fd fd_;
  std::string path_;
  sys::CgroupVersion version_ = sys::CgroupVersion::none;
  ControlJournal* journal_ = nullptr;
};

/// The value after `key` in a file of "key value" lines; `fallback` when it is not there.
uint64_t flat_keyed(std::string_view text, std::string_view key, uint64_t fallback);

}  // namespace slipway::runtime
