#include "src/sys/mount.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "src/sys/descriptor_passing.h"
#include "src/sys/file.h"
#include "src/sys/idmap.h"
#include "src/sys/kernel.h"

namespace slipway::sys {
namespace {

/// What the kernel wrote about the failure: "e overlay: lower directories overlap". "" when nothing.
std::string kernel_message(const Fd& context) {
  char text[256];
  const ssize_t size = context ? read(context.get(), text, sizeof text) : -1;
  return size > 2 ? std::string(text + 2, static_cast<size_t>(size) - 2) : "";
}

Error describe(const MountSpec& spec, const MountFailure& failure) {
  const bool bind = spec.kind == MountSpec::Kind::bind;
  Error error = Error::sys(failure.code, "%s `%s`", failure.action,
                           failure.object ? failure.object : (bind ? spec.source : spec.type).c_str());
  if (!bind) error.add_context("mount file system `%s`", spec.type.c_str());
  const std::string message = kernel_message(failure.context);
  if (!message.empty()) error.add_hint(message.c_str());
  if (failure.code == ENODEV && !bind) error.set_kind(ErrorKind::unsupported);
  return error;
}

// --- what only mount(2) can do, or an attached mount ---------------------------------------------------------

/// What the process that mounts sends: where it failed, or nothing and a descriptor.
struct Report {
  char action[32] = "";
  char object[256] = "";
  int code = 0;
};

void copy_text(char* to, size_t size, const char* from) {
  if (!from) return;
  strncpy(to, from, size - 1);
  to[size - 1] = '\0';
}

int send_report(int socket, const Report& report, int fd) {
  return send_with_fds(socket, &report, sizeof report, &fd, fd >= 0 ? 1 : 0) < 0 ? -1 : 0;
}

Result<Fd> receive_report(int socket) {
  Report report;
  int fd;
  const ssize_t size = receive_with_fd(socket, &report, sizeof report, &fd);
  Fd tree(fd);
  if (size != static_cast<ssize_t>(sizeof report))
    return Error::of(ErrorKind::failed, "the process that mounts has died");
  if (!tree) return Error::sys(report.code, "%s `%s`", report.action, report.object);
  return tree;
}

/// Runs in the process that mounts. The mount goes with its namespace; the clone stays with its descriptor.
void mount_and_send(const MountSpec& spec, int idmap, int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Report report;
  MountFailure failure;
  if (mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) < 0) {
    failure.action = "make mounts private";
    failure.code = errno;
  } else {
    const Fd root(mount_at(spec, spec.target.c_str(), idmap, failure));
    if (root) {
      const Fd tree(
          open_tree(root.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE));
      if (tree) _exit(send_report(socket, report, tree.get()) < 0);
      failure.action = "clone";
      failure.object = spec.target.c_str();
      failure.code = errno;
    }
  }
  copy_text(report.action, sizeof report.action, failure.action);
  copy_text(report.object, sizeof report.object, failure.object);
  report.code = failure.code;
  _exit(send_report(socket, report, -1) < 0);
}

Result<Fd> mount_elsewhere(const MountSpec& spec, int idmap) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return Error::sys(errno, "socketpair");
  const Fd ours(pair[0]);
  Fd theirs(pair[1]);
  clone_args args = {};
  args.flags = CLONE_NEWNS;
  const pid_t pid = clone3(args);
  if (pid < 0) return Error::sys(errno, "clone a mount namespace");
  if (pid == 0) mount_and_send(spec, idmap, theirs.get());
  theirs.reset();
  Result<Fd> tree = receive_report(ours.get());
  while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  return tree;
}

}  // namespace

Result<Fd> mount_detached(const MountSpec& spec) {
  Fd idmap;
  if (!spec.uid_map.empty()) idmap = TRY(make_idmap(spec.uid_map, spec.gid_map));
  MountFailure failure;
  Fd tree(open_mount(spec, idmap.get(), failure));
  if (!tree && (!failure.try_legacy || idmap)) return describe(spec, failure);
  // Before 6.15 only a part of a mount that is attached somewhere can be cloned.
  if (tree && !spec.subdirectory.empty())
    tree = Fd(open_tree(tree.get(), spec.subdirectory.c_str(),
                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW));
  if (!tree) tree = TRY(mount_elsewhere(spec, idmap.get()).ctx("mount file system `%s`", spec.type.c_str()));
  for (const auto& [file, text] : spec.settings) TRY(write_file_at(AT_FDCWD, file.c_str(), text));
  return tree;
}

}  // namespace slipway::sys
