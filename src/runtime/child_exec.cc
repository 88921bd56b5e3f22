#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "src/runtime/child_steps.h"
#include "src/sys/kernel.h"

namespace slipway::runtime::child {

namespace {

/// 0, or the errno that execve would give for the file itself.
int check_program(const char* path) {
  struct stat info;
  if (stat(path, &info) < 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  if (!S_ISREG(info.st_mode)) return EACCES;
  // With the effective ids and capabilities, as execve: CAP_DAC_OVERRIDE helps only where there is an x at
  // all.
  if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0) return errno;
  return 0;
}

// Engines look for these words, in these letters: exit code 127 or 126.
Outcome not_executed(const char* program, int err) {
  Outcome outcome = {"exec", program, nullptr, nullptr, err, ErrorKind::not_executable};
  switch (err) {
    case ENOENT:
      outcome.reason = "no such file or directory";
      outcome.kind = ErrorKind::command_not_found;
      break;
    case ENOTDIR:
      outcome.reason = "not a directory";
      outcome.kind = ErrorKind::command_not_found;
      break;
    case EACCES:
      outcome.reason = "permission denied";
      break;
    case EPERM:
      outcome.reason = "operation not permitted";
      break;
    case EISDIR:
      outcome.reason = "is a directory";
      break;
    case ENOEXEC:
      outcome.reason = "exec format error";
      break;
    default:
      break;
  }
  return outcome;
}

/// Joins one directory of $PATH with the name; false when it is too long.
bool candidate(const char* directory, size_t size, const char* name, char* path) {
  const size_t length = strlen(name);
  if (size == 0) {  // an empty entry is the working directory
    directory = ".";
    size = 1;
  }
  if (size + length + 2 > kPathRoom) return false;
  memcpy(path, directory, size);
  path[size] = '/';
  memcpy(path + size + 1, name, length + 1);
  return true;
}

}  // namespace

Outcome find_program(const ProcessPlan& process) {
  const char* const name = process.argv[0];
  if (strchr(name, '/')) {
    const size_t size = strlen(name);
    if (size >= kPathRoom) return not_executed(name, ENAMETOOLONG);
    memcpy(process.program, name, size + 1);
    const int err = check_program(name);
    return err ? not_executed(name, err) : kDone;
  }
  int seen = 0;
  for (const char* at = process.search_path; name[0];) {
    const char* const end = strchrnul(at, ':');
    if (candidate(at, static_cast<size_t>(end - at), name, process.program)) {
      const int err = check_program(process.program);
      if (!err) return kDone;
      if (err == EACCES) seen = err;  // as execvp: something was there
    }
    if (!*end) break;
    at = end + 1;
  }
  if (seen) return not_executed(name, seen);
  return {"exec", name, nullptr, "executable file not found in $PATH", ENOENT, ErrorKind::command_not_found};
}

Outcome execute(const ProcessPlan& process) {
  execve(process.program, process.argv, process.env);
  return not_executed(process.argv[0], errno);
}

}  // namespace slipway::runtime::child
