#include "src/cli/version.h"

#include "config.h"
#include "oci/spec.h"

namespace slipway::cli {

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

std::string version_text(const char* name) {
  return std::string(name) + " version " + version() + "\ncommit: " + commit() +
         "\nspec: " + oci::kRuntimeSpecVersion + "\n";
}

}  // namespace slipway::cli
