#include "src/runtime/container_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "src/base/fault.h"
#include "src/runtime/pending.h"
#include "src/runtime/state_file.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"

namespace slipway::runtime {

Error already_exists(std::string_view id) {
  return Error::of(ErrorKind::exists, "container with given ID already exists: `%.*s`",
                   static_cast<int>(id.size()), id.data());
}

Status check_container_is_new(const Context& context, std::string_view id) {
  const std::string path = context.root + "/" + std::string(id);
  if (faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) return {};
  return already_exists(id);
}

Result<Fd> make_container_directory(const Context& context, std::string_view id) {
  const std::string path = context.root + "/" + std::string(id);
  if (mkdir(path.c_str(), 0711) < 0) {
    if (errno == EEXIST) return already_exists(id);
    return Error::sys(errno, "mkdir `%s`", path.c_str());
  }
  return sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Status remove_container_directory(const Context& context, std::string_view id) {
  const std::string path = context.root + "/" + std::string(id);
  const std::string rubbish = rubbish_path(context);
  while (rename(path.c_str(), rubbish.c_str()) < 0) {
    const int err = errno;
    if (err == ENOENT && faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) < 0) return {};
    if (err == ENOENT)
      TRY(sys::make_directories(context.root + "/.pending", 0700));
    else if (err == ENOTEMPTY || err == EEXIST)  // of one that had our pid
      TRY(sys::remove_tree(AT_FDCWD, rubbish.c_str()));
    else
      return Error::sys(err, "remove `%s`", path.c_str());
  }
  fault_point("runtime.remove.renamed");
  return sys::remove_tree(AT_FDCWD, rubbish.c_str());
}

Status remove_stateless_directory(const Context& context, std::string_view id) {
  const std::string state = context.root + "/" + std::string(id) + "/" + kStateFile;
  if (access(state.c_str(), F_OK) == 0 || errno != ENOENT) return {};
  return remove_container_directory(context, id);
}

}  // namespace slipway::runtime
