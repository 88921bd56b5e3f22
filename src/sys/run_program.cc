#include "src/sys/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "src/base/fd.h"

namespace slipway::sys {

namespace {

struct Stream {
  Fd ours, theirs;
};

/// A socket pair and no pipe: a write to a program that does not read must not raise SIGPIPE here.
Result<Stream> make_stream() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) return Error::sys(errno, "socketpair");
  return Stream{Fd(fds[0]), Fd(fds[1])};
}

/// Reads what is there; false at the end of the stream. What is beyond the limit is read and dropped.
bool take(int fd, std::string& out, size_t limit) {
  char buffer[4096];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  out.append(buffer, std::min(static_cast<size_t>(got), limit - std::min(limit, out.size())));
  return got > 0;
}

void converse(Stream& in, Stream& out, Stream& err, std::string_view input, size_t limit,
              ProgramResult& result) {
  while (out.ours || err.ours) {
    pollfd polls[] = {{in.ours.get(), POLLOUT, 0}, {out.ours.get(), POLLIN, 0}, {err.ours.get(), POLLIN, 0}};
    if (poll(polls, 3, -1) < 0) continue;
    if (in.ours && polls[0].revents) {
      const ssize_t put = send(in.ours.get(), input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put > 0) input.remove_prefix(static_cast<size_t>(put));
      if (input.empty() || (put < 0 && errno != EAGAIN && errno != EINTR)) in.ours.reset();
    }
    if (polls[1].revents && !take(out.ours.get(), result.output, limit)) out.ours.reset();
    if (polls[2].revents && !take(err.ours.get(), result.errors, limit)) err.ours.reset();
  }
}

/// In the child, until execve: only what may be called between fork and it.
[[noreturn]] void become_program(char* const* argv, char* const* envp, const Stream& in, const Stream& out,
                                 const Stream& err, pid_t parent, int report) {
  // What it is doing is undone by whoever finds that we were killed: it must not go on meanwhile.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == parent && dup2(in.theirs.get(), STDIN_FILENO) >= 0 &&
      dup2(out.theirs.get(), STDOUT_FILENO) >= 0 && dup2(err.theirs.get(), STDERR_FILENO) >= 0)
    execvpe(argv[0], argv, envp);
  const int error = errno;
  _exit(write(report, &error, sizeof error) == sizeof error ? 127 : 126);
}

}  // namespace

Result<ProgramResult> run_program(std::span<const std::string> argv, std::string_view input, size_t limit,
                                  std::span<const std::string> environment) {
  Stream in = TRY(make_stream());
  Stream out = TRY(make_stream());
  Stream err = TRY(make_stream());
  Stream report = TRY(make_stream());
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::vector<char*> variables;
  for (char** variable = environ; *variable; ++variable) variables.push_back(*variable);
  for (const std::string& variable : environment) variables.push_back(const_cast<char*>(variable.c_str()));
  variables.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return Error::sys(errno, "fork");
  if (pid == 0) become_program(words.data(), variables.data(), in, out, err, parent, report.theirs.get());
  in.theirs.reset();
  out.theirs.reset();
  err.theirs.reset();
  report.theirs.reset();
  ProgramResult result;
  converse(in, out, err, input, limit, result);
  while (waitpid(pid, &result.status, 0) < 0 && errno == EINTR) continue;
  int failed = 0;
  if (read(report.ours.get(), &failed, sizeof failed) == sizeof failed)
    return Error::sys(failed, "run `%s`", words[0]);
  return result;
}

}  // namespace slipway::sys
