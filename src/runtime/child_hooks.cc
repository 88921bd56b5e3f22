#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "src/runtime/child_steps.h"
#include "src/runtime/hooks.h"
#include "src/sys/kernel.h"

namespace slipway::runtime {

void set_hook_pid(const HookStatePlan& state, pid_t pid) {
  if (!state.text) return;
  char* const room = state.text + state.pid_offset;
  char digits[kPidRoom];
  uint32_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + pid % 10);
    pid /= 10;
  } while (pid > 0 && count < kPidRoom);
  // At the left, for hooks that look for "pid":[0-9]+ by a pattern.
  memset(room, ' ', kPidRoom);
  for (uint32_t i = 0; i < count; ++i) room[i] = digits[count - 1 - i];
}

namespace child {

namespace {

struct Streams {
  int in = -1, out = -1, err = -1;

  void close_all() const {
    if (in >= 0) close(in);
    if (err >= 0 && err != out) close(err);
    if (out >= 0) close(out);
  }
};

struct Ending {
  int err = 0;     // errno of execve
  int status = 0;  // as waitpid has it
  bool timed_out = false;
};

int append_to(const char* path) {
  return open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0700);
}

/// A hook reads the state from a file in memory, so that one that does not read it blocks nobody; what it
/// prints goes into another, for the error text.
Outcome open_streams(const HookListPlan& list, const HookStatePlan& state, Streams* streams) {
  streams->in = memfd_create("state", MFD_CLOEXEC);
  if (streams->in < 0 || pwrite(streams->in, state.text, state.size, 0) != static_cast<ssize_t>(state.size))
    return failed("write the state for a hook");
  streams->out = list.output ? append_to(list.output) : memfd_create("output", MFD_CLOEXEC);
  if (streams->out < 0) return failed("open the output of hooks", list.output);
  streams->err = list.errors ? append_to(list.errors) : streams->out;
  if (streams->err < 0) return failed("open the output of hooks", list.errors);
  return kDone;
}

[[noreturn]] void become_hook(const HookPlan& hook, char* const* env, const Streams& streams, int report) {
  reset_signals();
  if (!hook.outlives_us) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (dup2(streams.in, 0) == 0 && dup2(streams.out, 1) == 1 && dup2(streams.err, 2) == 2) {
    sys::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(hook.path, hook.argv, hook.env ? hook.env : env);
  }
  const int err = errno;
  _exit(write(report, &err, sizeof err) == sizeof err ? 127 : 126);
}

Outcome run_hook(const HookPlan& hook, char* const* env, const Streams& streams, Ending* ending) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return failed("run the hook", hook.path);
  int pidfd = -1;
  clone_args args = {};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const pid_t pid = sys::clone3(args);
  if (pid == 0) become_hook(hook, env, streams, report[1]);
  const int err = errno;
  close(report[1]);
  if (pid > 0 && read(report[0], &ending->err, sizeof ending->err) < 0) ending->err = errno;
  close(report[0]);
  errno = err;
  if (pid < 0) return failed("run the hook", hook.path);
  pollfd ended = {pidfd, POLLIN, 0};
  if (hook.timeout_ms >= 0 && poll(&ended, 1, hook.timeout_ms) == 0) {
    ending->timed_out = true;
    sys::pidfd_send_signal(pidfd, SIGKILL);
  }
  close(pidfd);
  while (waitpid(pid, &ending->status, 0) < 0 && errno == EINTR) continue;
  return kDone;
}

char* append(char* at, const char* end, const char* text) {
  while (*text && at < end) *at++ = *text++;
  *at = 0;
  return at;
}

char* append_number(char* at, const char* end, int number) {
  char digits[12];
  char* first = digits + sizeof digits - 1;
  *first = 0;
  do {
    *--first = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  return append(at, end, first);
}

/// What the hook printed last, on one line.
char* append_output(char* at, const char* end, int out) {
  const off_t size = lseek(out, 0, SEEK_END);
  char text[400];
  const off_t begin = size > static_cast<off_t>(sizeof text) ? size - static_cast<off_t>(sizeof text) : 0;
  ssize_t got = pread(out, text, sizeof text - 1, begin);
  while (got > 0 && (text[got - 1] == '\n' || text[got - 1] == ' ')) --got;
  if (got <= 0) return at;
  text[got] = 0;
  for (char* c = text; *c; ++c)
    if (*c == '\n' || *c == '\r' || *c == '\t') *c = ' ';
  return append(append(at, end, ": "), end, text);
}

Outcome judge(const HookListPlan& list, const HookPlan& hook, const Ending& ending, const Streams& streams) {
  if (ending.err) {
    Outcome outcome = {list.action, hook.path, nullptr, nullptr, ending.err, ErrorKind::failed};
    return outcome;
  }
  if (ending.status == 0 && !ending.timed_out) return kDone;
  char* at = list.message;
  const char* const end = list.message + kHookMessageRoom - 1;
  if (ending.timed_out) {
    at = append(at, end, "timed out");
  } else if (WIFSIGNALED(ending.status)) {
    at = append_number(append(at, end, "signal "), end, WTERMSIG(ending.status));
  } else {
    at = append_number(append(at, end, "exit status "), end, WEXITSTATUS(ending.status));
  }
  if (!list.errors) append_output(at, end, streams.err);
  return {list.action, hook.path, nullptr, list.message, 0, ErrorKind::failed};
}

}  // namespace

Outcome run_hooks(const HookListPlan& list, const HookStatePlan& state) {
  for (uint32_t i = 0; i < list.count; ++i) {
    const HookPlan& hook = list.hooks[i];
    Streams streams;
    Ending ending;
    Outcome outcome = open_streams(list, state, &streams);
    if (outcome.ok()) outcome = run_hook(hook, list.env ? list.env : environ, streams, &ending);
    if (outcome.ok()) outcome = judge(list, hook, ending, streams);
    streams.close_all();
    if (!outcome.ok()) return outcome;
  }
  return kDone;
}

}  // namespace child
}  // namespace slipway::runtime
