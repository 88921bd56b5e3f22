// The descriptors that this process was born with: a monitor, which outlives the command, must not keep them
// open, or whoever waits for the end of such a pipe, or for such a lock, waits for the container.
#pragma once

#include <bitset>

namespace slipway::manager {

class Inherited {
 public:
  /// To be called before anything is opened.
  static Inherited now();
  /// Closes them, and everything from kCount on. 0, 1 and 2 stay.
  void close_all() const;

 private:
  static constexpr int kCount = 256;
  std::bitset<kCount> open_;
};

}  // namespace slipway::manager
