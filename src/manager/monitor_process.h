// The process of a monitor, as the command that starts a container sees it: the program itself, executed once more
// with argv[0] = "slipway-monitor", from a view of the binary that no container can write (CVE-2019-5736). It opens the
// store while the command is still making the container, and then waits for the order; if the command ends before
// that, so does it.
#pragma once

#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/manager/wire.h"
#include "src/store/store.h"

namespace slipway::manager {

/// What the command wants to be started: the payload of wire::kLaunch, with the container's locked directory.
struct LaunchOrder {
  char id[72] = {};
  uint8_t attach = 0;       // wire::kWantInput, wire::kWantOutput: for the conversation
  wire::WindowSize window;  // of the terminal that will be attached; 0: unknown
};

class MonitorProcess {
 public:
  /// For a container of this store.
  static Result<MonitorProcess> spawn(const store::Store& store);

  /// Once. `dir` stays the caller's, and the lock on it is shared.
  Status launch(const LaunchOrder& order, int dir);
  /// The monitor's end answers there: wire::kStarted or kFailed, and so on.
  Fd conversation() && { return static_cast<Fd&&>(conversation_); }
  int socket() const { return conversation_.get(); }

 private:
  MonitorProcess(Fd conversation, Fd program)
      : conversation_(static_cast<Fd&&>(conversation)), program_(static_cast<Fd&&>(program)) {}

  Fd conversation_;
  Fd program_;  // a mount of its own: its last close takes a grace period, which passes while the monitor works
};

/// Whether the program was executed as a monitor.
bool called_as_monitor(const char* program);
/// The main function, then. Returns only when it was called by someone else than spawn().
int run_monitor_process(int argc, char* const* argv);

}  // namespace slipway::manager
