// The store's root directory, its rooms, and the locks in it.
//
// Locks are flocks on files in locks/, which are never removed. Their order: collect, then an image's, a
// layer's, a container's. Nobody holds `collect` while unpacking, hashing or copying.
#pragma once

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::store {

/// A held lock; let go when it goes.
class Lock {
 public:
  Lock() = default;
  explicit Lock(Fd file) : file_(std::move(file)) {}
  explicit operator bool() const { return static_cast<bool>(file_); }

 private:
  Fd file_;
};

class Root {
 public:
  enum class Mode : bool { shared, exclusive };

  /// Opens the root, making it and its rooms (mode 0700; the root 0711) when they are missing.
  static Result<Root> open(const std::string& path);

  const std::string& path() const { return path_; }
  int dir() const { return dir_.get(); }
  /// A room such as "graph", made if need be.
  Result<Fd> room(const char* name) const;

  /// Waits for locks/NAME.
  Result<Lock> lock(const std::string& name, Mode mode) const;
  /// The same without waiting: an empty Lock when somebody else has it.
  Result<Lock> try_lock(const std::string& name, Mode mode) const;

  /// The lock that orders making references to images and layers (shared: writing an image's or a container's
  /// record after checking that what it names is there) against removing what nobody names (exclusive).
  Result<Lock> lock_collect(Mode mode) const { return lock("collect", mode); }

 private:
  std::string path_;
  Fd dir_, locks_;
};

}  // namespace slipway::store
