#include "src/sys/proc.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "src/base/fd.h"

namespace slipway::sys {

Result<ProcessStat> read_process_stat(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  const Fd file(open(path, O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t size = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (size < 0) {
    const int err = errno;
    if (err == ENOENT || err == ESRCH) return Error::of(ErrorKind::not_found, "no such process: %d", pid);
    return Error::sys(err, "read `%s`", path);
  }
  text[size] = 0;
  // The command's name, field 2, may hold anything; its closing parenthesis is the last one.
  const char* field = strrchr(text, ')');
  if (!field || field[1] != ' ') return Error::of(ErrorKind::failed, "`%s` is not understood", path);
  field += 2;
  ProcessStat stat;
  stat.state = *field;
  for (int number = 3; number < 22 && field; ++number) {
    field = strchr(field, ' ');
    if (field) ++field;
  }
  if (!field) return Error::of(ErrorKind::failed, "`%s` is not understood", path);
  stat.start_time = strtoull(field, nullptr, 10);
  return stat;
}

}  // namespace slipway::sys
