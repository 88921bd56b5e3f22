// The keys that leave a container, or a process in one, running.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::manager {

class DetachKeys final : public runtime::TypedFilter {
 public:
  static constexpr const char* kDefault = "ctrl-p,ctrl-q";
  /// "ctrl-p,ctrl-q" or "a,b"; "" for none. Errors: usage.
  static Result<DetachKeys> parse(std::string_view text);

  /// Keys that may be the beginning of the sequence are held back until they are, or are not.
  bool pass(std::string_view typed, std::string* passed) override;

 private:
  std::string keys_;
  size_t seen_ = 0;  // how many of them were typed
};

}  // namespace slipway::manager
