#include "src/base/version.h"

#include "config.h"

namespace slipway {

const char* version() {
  return PACKAGE_VERSION;
}

const char* commit() {
#ifdef SLIPWAY_COMMIT
  return SLIPWAY_COMMIT;
#else
  return "unknown";
#endif
}

}  // namespace slipway
