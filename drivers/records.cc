#include "drivers/records.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "src/sys/file.h"

namespace slipway::drivers {

Result<Records> Records::open(int home) {
  Records records;
  if (mkdirat(home, "records", 0700) < 0 && errno != EEXIST) return Error::sys(errno, "mkdir `records`");
  records.dir_ = TRY(sys::open_at(home, "records", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return records;
}

Result<Record> Records::read(std::string_view id) const {
  const std::string name(id);
  Result<std::string> text = sys::read_file_at(dir_.get(), name.c_str(), 4096);
  if (!text.ok()) {
    if (text.error().code() == ENOENT) return Error::of(ErrorKind::not_found, "no layer `%s`", name.c_str());
    return std::move(text).error();
  }
  Record record;
  char parent[129] = "", kind[16] = "";
  int64_t seconds = 0, nanoseconds = 0;
  int used = 0;
  if (sscanf(text->c_str(), "kind %15s\nmade %" SCNd64 ".%" SCNd64 "\nsize %" SCNu64 "\n%n", kind, &seconds,
             &nanoseconds, &record.size, &used) < 4)
    return Error::of(ErrorKind::failed, "the record of layer `%s` is damaged", name.c_str());
  const char* rest = text->c_str() + used;
  if (sscanf(rest, "group %" SCNu64 "\n%n", &record.group, &used) == 1) rest += used;
  (void)sscanf(rest, "parent %128s", parent);
  record.parent = parent;
  record.committed = strcmp(kind, "committed") == 0;
  record.made.tv_sec = seconds;
  record.made.tv_nsec = static_cast<long>(nanoseconds);
  return record;
}

Status Records::write(std::string_view id, const Record& record, bool sync) const {
  char head[120];
  snprintf(head, sizeof head, "kind %s\nmade %" PRId64 ".%09ld\nsize %" PRIu64 "\n",
           record.committed ? "committed" : "rw", static_cast<int64_t>(record.made.tv_sec),
           record.made.tv_nsec, record.size);
  std::string text = head;
  if (record.group) text += "group " + std::to_string(record.group) + "\n";
  if (!record.parent.empty()) text += "parent " + record.parent + "\n";
  return sys::replace_file_at(dir_.get(), std::string(id).c_str(), text, 0600, sync);
}

Status Records::remove(std::string_view id) const {
  const std::string name(id);
  if (unlinkat(dir_.get(), name.c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "remove the record of `%s`", name.c_str());
  return {};
}

Result<Fd> Records::lock() const {
  Fd fd = TRY(sys::open_at(dir_.get(), ".", O_RDONLY | O_DIRECTORY));
  while (flock(fd.get(), LOCK_EX) < 0)
    if (errno != EINTR) return Error::sys(errno, "lock `records`");
  return fd;
}

}  // namespace slipway::drivers
