// supervise SECONDS PROGRAM [ARGUMENT...]: runs a test and answers for all its processes.
//
// As a child subreaper it inherits every orphan, also daemons and the init processes of containers. What is
// still alive two seconds after the test has ended is named, killed, and makes the test fail. A test that
// takes longer than SECONDS is killed with everything that it started (exit status 124).
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

namespace {

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

/// The text of /proc/PID/NAME; "" when the process has gone.
std::string proc_file(pid_t pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  FILE* file = fopen(path.c_str(), "re");
  if (!file) return "";
  char text[4096];
  const size_t size = fread(text, 1, sizeof text, file);
  fclose(file);
  return {text, size};
}

/// State and parent of a process, out of /proc/PID/stat, where the command name may hold blanks and brackets.
bool parse_stat(const std::string& stat, char* state, pid_t* parent) {
  const size_t end_of_name = stat.rfind(')');
  return end_of_name != std::string::npos &&
         sscanf(stat.c_str() + end_of_name + 1, " %c %d", state, parent) == 2;
}

/// The living processes below this one, children before grandchildren.
std::vector<pid_t> descendants() {
  std::multimap<pid_t, pid_t> children;
  DIR* proc = opendir("/proc");
  if (!proc) return {};
  while (const dirent* entry = readdir(proc)) {
    const pid_t pid = atoi(entry->d_name);
    char state = 0;
    pid_t parent = 0;
    if (pid <= 0 || !parse_stat(proc_file(pid, "stat"), &state, &parent)) continue;
    if (state != 'Z') children.emplace(parent, pid);
  }
  closedir(proc);
  std::vector<pid_t> found = {getpid()};
  for (size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

/// Collects what has died; true when that includes `wanted`.
bool reap(pid_t wanted, int* status) {
  bool found = false;
  int child_status = 0;
  for (pid_t pid; (pid = waitpid(-1, &child_status, WNOHANG)) > 0;) {
    if (pid != wanted) continue;
    *status = child_status;
    found = true;
  }
  return found;
}

void nap() {
  const timespec t = {0, 5'000'000};
  nanosleep(&t, nullptr);
}

void kill_all() {
  int ignored;
  for (const double end = now() + 10; now() < end; nap()) {
    reap(-1, &ignored);
    const std::vector<pid_t> left = descendants();
    if (left.empty()) return;
    for (const pid_t pid : left) kill(pid, SIGKILL);
  }
}

/// Names what outlived the test and ends it. False when there was nothing.
bool end_survivors() {
  int ignored;
  std::vector<pid_t> left;
  for (const double end = now() + 2; now() < end; nap()) {
    reap(-1, &ignored);
    left = descendants();
    if (left.empty()) return false;
  }
  for (const pid_t pid : left) {
    std::string command = proc_file(pid, "cmdline");
    for (char& c : command)
      if (c == '\0') c = ' ';
    fprintf(stderr, "supervise: the test left process %d: %s\n", pid, command.c_str());
  }
  kill_all();
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const double end = now() + atof(argv[1]);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, nullptr);

  const pid_t test = fork();
  if (test == 0) {
    sigprocmask(SIG_UNBLOCK, &child_signal, nullptr);
    execv(argv[2], argv + 2);
    fprintf(stderr, "supervise: %s: %s\n", argv[2], strerror(errno));
    _exit(127);
  }
  int status = 0;
  while (!reap(test, &status)) {
    const double rest = end - now();
    if (rest <= 0) {
      fprintf(stderr, "supervise: the test took longer than %s s\n", argv[1]);
      kill_all();
      return 124;
    }
    const timespec wait = {static_cast<time_t>(rest), 100'000'000};
    sigtimedwait(&child_signal, nullptr, &wait);
  }
  if (end_survivors()) return 1;
  if (WIFSIGNALED(status)) {
    fprintf(stderr, "supervise: the test died of signal %d (%s)\n", WTERMSIG(status),
            strsignal(WTERMSIG(status)));
    return 128 + WTERMSIG(status);
  }
  return WEXITSTATUS(status);
}
