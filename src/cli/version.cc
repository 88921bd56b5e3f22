#include "src/cli/version.h"

#include "oci/spec.h"

namespace slipway::cli {

std::string version_text(const char* name) {
  return std::string(name) + " version " + version() + "\ncommit: " + commit() +
         "\nspec: " + oci::kRuntimeSpecVersion + "\n";
}

}  // namespace slipway::cli
