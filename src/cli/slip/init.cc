#include "src/cli/slip/init.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace slipway::cli {

namespace {

constexpr std::string_view kName = "docker-init";

/// Signals of faults of our own stay; all others are for the command.
sigset_t passed_signals() {
  sigset_t set;
  sigfillset(&set);
  for (const int number : {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU})
    sigdelset(&set, number);
  return set;
}

/// In the child: a process group of its own, in the foreground of the terminal if there is one.
[[noreturn]] void execute(char* const* command, const sigset_t& old_mask) {
  setpgid(0, 0);
  signal(SIGTTOU, SIG_IGN);
  tcsetpgrp(STDIN_FILENO, getpid());
  signal(SIGTTOU, SIG_DFL);
  sigprocmask(SIG_SETMASK, &old_mask, nullptr);
  execvp(command[0], command);
  fprintf(stderr, "docker-init: exec %s: %s\n", command[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

/// Reaps everything that has ended; true when the command is among it.
bool reap(pid_t command, int& exit_code) {
  bool ended = false;
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != command) continue;
    ended = true;
    exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return ended;
}

}  // namespace

bool called_as_init(const char* program) {
  const std::string_view path(program ? program : "");
  return path.substr(path.rfind('/') + 1) == kName;
}

int run_init(int argc, char* const* argv) {
  int first = 1;
  if (first < argc && std::string_view(argv[first]) == "--") ++first;
  if (first >= argc) {
    fprintf(stderr, "docker-init: no command\n");
    return 125;
  }
  const sigset_t signals = passed_signals();
  sigset_t old_mask;
  sigprocmask(SIG_BLOCK, &signals, &old_mask);
  const pid_t command = fork();
  if (command < 0) {
    fprintf(stderr, "docker-init: fork: %s\n", strerror(errno));
    return 125;
  }
  if (command == 0) execute(argv + first, old_mask);
  for (int exit_code = 0;;) {
    const int number = sigwaitinfo(&signals, nullptr);
    if (number == SIGCHLD) {
      if (reap(command, exit_code)) return exit_code;
    } else if (number > 0) {
      kill(command, number);
    }
  }
}

}  // namespace slipway::cli
