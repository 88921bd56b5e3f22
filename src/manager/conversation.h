// The client's side of being attached to a container: this process's standard streams and terminal on one
// side, the container's monitor on the other.
#pragma once

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/manager/detach_keys.h"
#include "src/manager/wire.h"
#include "src/store/store.h"

namespace slipway::manager {

struct ConversationOptions {
  bool input = false;  // pass standard input on
  bool out = true, err = true;
  bool terminal = false;  // the container has one: ours becomes raw
  bool proxy_signals = false;
  std::string detach_keys = DetachKeys::kDefault;
};

struct Ending {
  enum class How : uint8_t {
    exited,
    detached,
    unread  // whoever read our output has gone; exit_code says so
  } how = How::exited;
  int exit_code = 0;
};

/// Blocks the signals that a conversation is going to handle. Before start_container(), so that none is lost;
/// the monitor unblocks its own.
class SignalGuard {
 public:
  static Result<SignalGuard> begin();
  SignalGuard(SignalGuard&& other) noexcept;
  SignalGuard& operator=(SignalGuard&&) = delete;
  ~SignalGuard();
  int fd() const { return signals_.get(); }

 private:
  SignalGuard() = default;
  Fd signals_;
  bool active_ = false;
};

/// Until the container ends, or the user detaches. `id` is the container's, for signals. failed: its monitor was killed.
Result<Ending> converse(store::Store& store, std::string_view id, const Fd& socket,
                        const SignalGuard& signals, const ConversationOptions& options);

/// The size of the terminal on standard input or output; zeros when there is none.
wire::WindowSize terminal_size();

}  // namespace slipway::manager
