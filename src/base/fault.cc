#include "src/base/fault.h"

#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace slipway {

void fault_point(const char* name) {
  const char* wanted = getenv("SLIPWAY_FAULT");
  if (!wanted) [[likely]]
    return;
  const size_t length = strcspn(wanted, ":");
  if (!wanted[length]) return;
  const bool any = length == 1 && *wanted == '*';
  if (!any && (strlen(name) != length || memcmp(name, wanted, length) != 0)) return;
  static std::atomic<long> passages;
  char* rest;
  if (++passages == strtol(wanted + length + 1, &rest, 10))
    raise(strcmp(rest, ":stop") == 0 ? SIGSTOP : SIGKILL);
}

}  // namespace slipway
