#include "src/runtime/seccomp_listener.h"

#include <cerrno>

#include "src/runtime/hand_over.h"
#include "src/sys/kernel.h"

namespace slipway::runtime {

namespace {

std::string process_state(const oci::Seccomp& seccomp, const State& state, pid_t pid) {
  json::Writer out;
  out.begin_object();
  out.key("ociVersion").string(static_cast<const char*>(oci::kRuntimeSpecVersion));
  out.key("fds").begin_array().string("seccompFd").end_array();
  out.key("pid").integer(pid);
  out.key("metadata").string(seccomp.listener_metadata);
  out.key("state").begin_object();
  out.key("ociVersion").string(static_cast<const char*>(oci::kRuntimeSpecVersion));
  out.key("id").string(state.id);
  out.key("status").string(pid == state.pid ? "creating" : "running");
  out.key("pid").integer(state.pid);
  out.key("bundle").string(state.bundle);
  out.key("annotations").begin_object();
  for (const auto& [name, value] : state.annotations) out.key(name).string(value);
  out.end_object().end_object().end_object();
  return std::string(out.text());
}

}  // namespace

Result<Fd> fetch_seccomp_listener(int pidfd, int number) {
  Fd listener(static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, number, 0)));  // 5.6
  if (!listener && errno != EPERM && errno != ENOSYS) return Error::sys(errno, "fetch the seccomp listener");
  return listener;
}

Status send_seccomp_listener(const oci::Seccomp& seccomp, const State& state, pid_t pid, int listener) {
  const Fd socket =
      TRY(connect_socket(std::string(seccomp.listener_path.view())).ctx("linux.seccomp.listenerPath"));
  return send_descriptor(socket.get(), listener, process_state(seccomp, state, pid).c_str())
      .ctx("linux.seccomp.listenerPath");
}

}  // namespace slipway::runtime
