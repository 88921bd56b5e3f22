// What the caller of create and exec gets besides the process: pid files, and descriptors sent over sockets.
#pragma once

#include <sys/types.h>

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// All of it for one process.
class HandOver {
 public:
  HandOver() = default;
  /// Checks what is asked for and connects the sockets; before the clone, so that a wrong path costs nothing.
  /// The options must outlive the object.
  static Result<HandOver> plan(const ProcessOptions& options, bool terminal);

  /// The terminal's master: to the console socket, or kept for the caller with the size of the caller's own.
  Status give_terminal(Fd master);
  /// What give_terminal() has kept.
  Fd take_terminal() { return std::move(terminal_); }
  /// The pid file: decimal, without a newline (containerd's go-runc parses it so), complete as soon as it is
  /// there. And the pidfd.
  Status announce(pid_t pid, int pidfd) const;

 private:
  const ProcessOptions* options_ = nullptr;
  Fd console_, pidfd_socket_;
  Fd terminal_;
};

/// Connects to a socket by its path, however long that is.
Result<Fd> connect_socket(const std::string& path);
/// One message with `name` as its payload and one descriptor.
Status send_descriptor(int socket, int fd, const char* name);

/// Gives a terminal the size of the caller's own, if there is one.
void copy_terminal_size(int master);

}  // namespace slipway::runtime
