// A driver's tmp/ directory: where layers are made before they get their name and where they die after they
// lost it.
//
// Each entry is a directory. One that is in use is locked (flock) by the process that uses it, so that a
// later process can tell it from what a crash left. Nothing in tmp/ is ever needed: recover() may take all of
// it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// A locked directory in tmp/. Whoever has it removes it or renames it away.
struct StagedDir {
  std::string name;  // in tmp/
  Fd dir;            // holds the lock
};

class Staging {
 public:
  Staging() = default;
  /// `home` is the driver's directory; tmp/ is made in it.
  static Result<Staging> open(int home);

  /// The descriptor of tmp/.
  int dir() const { return tmp_.get(); }
  Result<StagedDir> make(mode_t mode) const;
  /// Gives `name` of the directory `from` a new name in tmp/ and returns it; not_found when it is not there.
  /// The entry is not locked: who is killed here has left it to recover().
  Result<std::string> take(int from, const char* name) const;
  Status remove(const std::string& name) const;

  /// Removes all that nobody holds. `undo` is called for each such entry first, to take back what else
  /// belongs to it; it may be called again for the same entry after a crash. Returns how many there were.
  Result<unsigned> recover(const std::function<Status(int dir, const char* name)>& undo) const;

 private:
  Result<Fd> lock(int operation) const;
  Fd tmp_;
};

/// Whether `id` can be the name of a layer (and so a file name): 1 to 128 of [A-Za-z0-9_.-], first a letter
/// or a digit.
Status check_layer_name(std::string_view id);

/// 128 random bits in lower-case base 32 (26 characters).
std::string random_name();

/// The names in a directory, without "." and "..", sorted.
Result<std::vector<std::string>> names_in(int dir, const char* path);

}  // namespace slipway::drivers
