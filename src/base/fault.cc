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
  const char* colon = strrchr(wanted, ':');
  if (!colon) return;
  const size_t length = static_cast<size_t>(colon - wanted);
  const bool any = length == 1 && *wanted == '*';
  if (!any && (strlen(name) != length || memcmp(name, wanted, length) != 0)) return;
  static std::atomic<long> passages;
  if (++passages == atol(colon + 1)) raise(SIGKILL);
}

}  // namespace slipway
