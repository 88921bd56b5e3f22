// Compiled seccomp programs by profile: <root>/.seccomp/<hash of the profile>.
//
// libseccomp needs some 17 ms for the profile of an engine; reading the program back takes 0.05 ms. An entry
// is trusted because of who could have written it: the directory and the file must belong to the caller, and
// nobody else may have write permission. And because it holds the profile that it was made from, whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/sys/seccomp.h"

namespace slipway::runtime {

class SeccompCache {
 public:
  /// Opens the directory, or makes it (0700) where `root` exists. One that others may write is not used.
  explicit SeccompCache(const std::string& root);

  /// Everything that a program depends on: the profile, and what compiles it.
  static std::string key(const sys::SeccompProfile& profile);

  /// The code of an equal profile; the flags are the caller's to set.
  std::optional<sys::SeccompProgram> find(std::string_view key) const;
  /// Keeps it for others; failing to is no error.
  void store(std::string_view key, const sys::SeccompProgram& program) const;

 private:
  Fd directory_;
};

}  // namespace slipway::runtime
