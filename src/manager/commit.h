// `commit`: a container's changes become a layer, and its state an image.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/manager/layer_import.h"
#include "src/store/store.h"

namespace slipway::manager {

struct CommitRequest {
  std::string container;  // ID
  std::string author, message;
  std::vector<std::string> changes;  // Dockerfile instructions
  bool pause = true;                 // a running container stands still meanwhile
  std::optional<oci::Reference> name;
  std::string created_by;  // "": the container's command
};

/// Returns the image's ID. A container that changed nothing gives an image with the layers of its own.
Result<std::string> commit_container(Stores stores, store::Store& store, const CommitRequest& request);

}  // namespace slipway::manager
