// `import`: a file system tree becomes an image of one layer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/manager/layer_import.h"

namespace slipway::manager {

struct ImportRequest {
  std::string source;  // a tar archive of any compression, a directory, or "-" for standard input
  std::optional<oci::Reference> name;
  std::vector<std::string> changes;  // Dockerfile instructions
  std::string message;
  std::string platform;  // "linux/arm64"; "" for this machine's
};

/// Returns the image's ID.
Result<std::string> import_image(Stores stores, const ImportRequest& request);

}  // namespace slipway::manager
