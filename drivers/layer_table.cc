#include "drivers/layer_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "drivers/staging.h"
#include "src/base/fault.h"

namespace slipway::drivers {

Result<Record> LayerTable::record_of(std::string_view id) const {
  TRY(check_layer_name(id));
  return records_.read(id);
}

Result<Fd> LayerTable::open(std::string_view id) const {
  TRY(check_layer_name(id));
  const std::string name(id);
  Fd fd(openat(dir(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == ENOENT) return Error::of(ErrorKind::not_found, "no layer `%s`", name.c_str());
  if (!fd) return Error::sys(errno, "open layer `%s`", name.c_str());
  return fd;
}

Result<bool> LayerTable::exists(std::string_view id) const {
  TRY(check_layer_name(id));
  return faccessat(dir(), std::string(id).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<std::vector<std::string>> LayerTable::list() const {
  return names_in(dir(), ".");
}

Status LayerTable::publish(int place, const char* name, std::string_view id, const Record& record, bool sync,
                           const std::function<Status()>& before) const {
  TRY(check_layer_name(id));
  const std::string layer(id);
  const Fd guard = TRY(records_.lock());
  if (TRY(exists(id))) return Error::of(ErrorKind::exists, "layer `%s` exists", layer.c_str());
  TRY(records_.write(id, record, sync));
  fault_point("layers.publish.record");
  if (before) TRY(before());
  if (renameat(place, name, dir(), layer.c_str()) < 0)
    return Error::sys(errno, "rename layer `%s`", layer.c_str());
  fault_point("layers.publish.renamed");
  if (sync && fsync(dir()) < 0) return Error::sys(errno, "sync the directory of layer `%s`", layer.c_str());
  return {};
}

Status LayerTable::for_orphans(int kept, const std::function<Status(const std::string&)>& forget) const {
  const Fd guard = TRY(records_.lock());
  for (const std::string& name : TRY(names_in(kept, ".")))
    if (faccessat(dir(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) < 0) TRY(forget(name));
  return {};
}

}  // namespace slipway::drivers
