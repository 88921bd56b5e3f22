// The child: what runs between clone and exec. It walks a plan that the parent made before the clone.
//
// Rules of this side (files child_*.cc; an allow list of `nm -u` checks them at build time): no allocation,
// no locks, no stdio, nothing that needs destruction; only system calls, string functions and the plan. The
// plan and every string in it were made before the clone, so their addresses mean the same on both sides: an
// Outcome is sent to the parent as it is.
#pragma once

#include <cerrno>
#include <cstdint>
#include <type_traits>

#include "src/base/error.h"

namespace slipway::runtime::child {

/// How a step ended. Its pointers are literals or point into the plan.
struct [[nodiscard]] Outcome {
  const char* action = nullptr;  // "mount"; null: the step succeeded
  const char* object = nullptr;  // what it was done to: shown in backquotes; or null
  const char* place = nullptr;   // where: " on `place`"; or null
  const char* reason = nullptr;  // instead of the errno's text; or null
  int32_t code = 0;              // errno, 0 when only `reason` tells
  ErrorKind kind = ErrorKind::failed;

  bool ok() const { return !action; }
};
static_assert(std::is_trivially_copyable_v<Outcome>);

constexpr Outcome kDone{};

/// A failed system call: takes errno.
inline Outcome failed(const char* action, const char* object = nullptr, const char* place = nullptr) {
  return {action, object, place, nullptr, errno, ErrorKind::failed};
}
/// A refusal that has no errno.
inline Outcome refused(const char* action, const char* object, const char* reason,
                       ErrorKind kind = ErrorKind::failed) {
  return {action, object, nullptr, reason, 0, kind};
}

}  // namespace slipway::runtime::child

/// Passes a failed Outcome on.
#define STEP(...)                                                   \
  do {                                                              \
    const ::slipway::runtime::child::Outcome step_ = (__VA_ARGS__); \
    if (!step_.ok()) [[unlikely]]                                   \
      return step_;                                                 \
  } while (0)
