#include "src/manager/init_program.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace slipway::manager {

Result<Str> find_init_program(Arena& arena) {
  // Set by MonitorProcess::spawn(): /proc/self/exe is a view without a name.
  if (const char* self = getenv("SLIPWAY_EXE"); self && self[0] == '/') {
    std::string beside(self);
    beside.replace(beside.rfind('/') + 1, std::string::npos, "slip");
    if (access(beside.c_str(), X_OK) == 0) return arena.copy(beside);
  }
  for (const char* path : {"/usr/libexec/docker/docker-init", "/usr/bin/docker-init", "/usr/bin/tini-static",
                           "/usr/libexec/podman/catatonit", "/usr/bin/catatonit", "/usr/bin/tini"})
    if (access(path, X_OK) == 0) return Str::wrap(path);
  return Error::of(ErrorKind::not_found,
                   "--init: neither slip nor docker-init, tini or catatonit is installed");
}

}  // namespace slipway::manager
