#include "src/cli/slip/bundle.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "src/cli/slip/capabilities.h"
#include "src/cli/slip/rootless.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

/// How many descriptors a service manager has passed on to us: LISTEN_FDS, if LISTEN_PID is us.
int count_listen_fds() {
  const char* pid = getenv("LISTEN_PID");
  const char* count = getenv("LISTEN_FDS");
  if (!pid || !count || strtol(pid, nullptr, 10) != getpid()) return 0;
  char* end = nullptr;
  const long value = strtol(count, &end, 10);
  return *count && !*end && value > 0 && value < 1024 ? static_cast<int>(value) : 0;
}

/// Descriptors of our own have close-on-exec; those that came through our own execve have not. One that the
/// caller forgot must not become the log or the state directory.
Status check_preserved(int count) {
  for (int i = 0; i < count; ++i) {
    const int flags = fcntl(3 + i, F_GETFD);
    if (flags < 0 || flags & FD_CLOEXEC)
      return Error::of(ErrorKind::invalid, "unable to stat preserved-fd %d (of %d)", i, count);
  }
  return {};
}

Status check_terminal(bool terminal, bool detached, bool socket) {
  if (detached && terminal && !socket)
    return Error::of(ErrorKind::invalid,
                     "cannot allocate tty if runc will detach without setting console socket");
  if ((!detached || !terminal) && socket)
    return Error::of(ErrorKind::invalid, "cannot use console socket if runc will not detach or allocate tty");
  return {};
}

Result<std::string> real_path(const char* path) {
  char* real = realpath(path, nullptr);
  if (!real) return Error::sys(errno, "bundle `%s`", path);
  std::string out(real);
  free(real);
  return out;
}

}  // namespace

Result<Bundle> read_bundle(const Call& call) {
  Bundle bundle{TRY(real_path(call.args.value("bundle", "."))), {}, nullptr, oci::Warnings(call.arena)};
  const Fd directory = TRY(sys::open_at(AT_FDCWD, bundle.path.c_str(), O_PATH | O_DIRECTORY).ctx("bundle"));
  const char* name = call.args.value("config", "config.json");
  Result<std::string> text = sys::read_file_at(directory.get(), name, kMaxConfig);
  if (!text.ok() && text.error().code() == ENOENT)
    return Error::of(ErrorKind::not_found, "JSON specification file %s not found", name);
  bundle.text = TRY(std::move(text));
  bundle.spec = TRY(oci::parse_spec(bundle.text, call.arena, bundle.warnings).ctx("%s", name));
  add_user_namespace(*bundle.spec, call.arena);
  TRY(oci::validate_spec(*bundle.spec, bundle.warnings).ctx("%s", name));
  leave_out_ungranted(*bundle.spec->process, has_user_namespace(*bundle.spec), call.arena, bundle.warnings);
  return bundle;
}

Status read_process_options(const Call& call, bool terminal, bool detached, runtime::ProcessOptions& out) {
  out.pid_file = call.args.value("pid-file", "");
  out.console_socket = call.args.value("console-socket", "");
  out.pidfd_socket = call.args.value("pidfd-socket", "");
  out.preserve_fds = static_cast<int>(TRY(call.args.number("preserve-fds", 0, 0, 1 << 20)));
  out.listen_fds = count_listen_fds();
  out.preserve_fds += out.listen_fds;
  out.detached = detached;
  TRY(check_terminal(terminal, detached, !out.console_socket.empty()));
  return check_preserved(out.preserve_fds);
}

Result<runtime::CreateOptions> read_create_options(const Call& call, const Bundle& bundle, bool detached) {
  runtime::CreateOptions out;
  TRY(read_process_options(call, bundle.spec->process->terminal, detached, out));
  const Str* const receiver = bundle.spec->annotations.find("run.oci.pidfd_receiver");
  if (receiver && out.pidfd_socket.empty()) out.pidfd_socket = receiver->c_str();
  out.bundle = bundle.path;
  out.no_pivot = call.args.flag("no-pivot");
  out.no_new_keyring = call.args.flag("no-new-keyring");
  return out;
}

void tell_warnings(const Call& call, const oci::Warnings& warnings) {
  const std::string prefix = std::string(call.program.name) + " " + call.verb.name;
  for (Str warning : warnings.list()) call.log.warn(prefix, warning);
}

}  // namespace slipway::cli
