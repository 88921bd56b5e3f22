// `search`: Docker Hub's search, or the catalog of another registry.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"

namespace slipway::manager {

struct FoundRepository {
  std::string name, description;
  int64_t stars = 0;
  bool official = false, automated = false;
};

/// `term` is what people write: words for Docker Hub, or HOST/words for the registry HOST, whose repositories are those
/// that contain the words. At most `limit`.
Result<std::vector<FoundRepository>> search_registry(const std::string& term, size_t limit,
                                                     const std::vector<std::string>& insecure);

}  // namespace slipway::manager
