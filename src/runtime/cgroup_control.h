// One cgroup's control files.
#pragma once

#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cgroup.h"

namespace slipway::runtime {

/// An open cgroup directory. What is written names the property of config.json that it comes from.
class ControlDirectory {
 public:
  ControlDirectory() = default;
  /// Errors: not_found; invalid for a directory that is on no cgroup file system.
  static Result<ControlDirectory> open(const std::string& path);

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
};

/// The value after `key` in a file of "key value" lines; `fallback` when it is not there.
uint64_t flat_keyed(std::string_view text, std::string_view key, uint64_t fallback);

}  // namespace slipway::runtime
