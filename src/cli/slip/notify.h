// NOTIFY_SOCKET: a container's word to the service manager that it is ready (sd_notify(3)).
//
// The container gets a socket of its own, in a directory that is bound over /run/notify: it can neither reach
// the host's nor say more than READY=1. Whoever starts the container stays until that has been said, passes it
// on with the container's process ID as the host knows it, and goes.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "oci/spec.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::cli {

class NotifySocket {
 public:
  /// For `create` and `run`, where NOTIFY_SOCKET is set: makes the directory and adds the mount and the
  /// variable to the spec. Nothing without the variable.
  static Result<std::optional<NotifySocket>> prepare(const runtime::Context& context, std::string_view id,
                                                     oci::Spec& spec, Arena& arena);
  /// For `start`: of a container that was created so, where NOTIFY_SOCKET is set.
  static std::optional<NotifySocket> find(const runtime::Context& context, std::string_view id);
  /// Removes the directory, if there is one.
  static void remove(const runtime::Context& context, std::string_view id);

  /// Listens; before the container runs.
  Status bind();
  /// Until the container is ready or has ended.
  void relay(pid_t pid, int pidfd) const;
  /// The same in a child, for a caller who has more to do. It dies with the caller.
  void relay_beside(pid_t pid, int pidfd) const;

 private:
  NotifySocket(std::string directory, std::string host)
      : directory_(static_cast<std::string&&>(directory)), host_(static_cast<std::string&&>(host)) {}

  std::string directory_;
  std::string host_;  // a path, or an abstract name after @
  Fd socket_;
};

/// After a create() that failed: not when the ID is another container's.
inline void forget_notify_socket(const runtime::Context& context, std::string_view id, const Error& error) {
  if (error.kind() != ErrorKind::exists) NotifySocket::remove(context, id);
}

}  // namespace slipway::cli
