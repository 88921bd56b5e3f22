// `system check`: whether the store is what it says it is.
//
//   blobs       have the digests of their names; everything that images need is there
//   images      configs, manifests, names; layers with their records and their trees
//   containers  have their read-write layers, and the layers below
//   the rest    is needed by somebody: blobs, records and trees that nobody needs are what crashes leave
#pragma once

#include <string>
#include <vector>

#include "src/manager/layer_import.h"
#include "src/store/store.h"

namespace slipway::manager {

struct Problem {
  std::string text;
  bool repaired = false;
};

struct CheckOptions {
  bool repair = false;  // unpack layers again, remove what nobody needs and names that lead nowhere
  bool quick = false;   // do not read the blobs
};

/// Waits until no command is making images.
Result<std::vector<Problem>> check_store(Stores stores, store::Store& store, const CheckOptions& options);

}  // namespace slipway::manager
