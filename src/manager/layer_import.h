// Taking a layer's tar into the store: its blob into the content store, its tree into the driver, its record
// into the graph.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "drivers/driver.h"
#include "oci/layer_stream.h"
#include "src/store/image_store.h"

namespace slipway::manager {

/// Both, with the driver open.
struct Stores {
  store::ImageStore& images;
  drivers::Driver& driver;
};

/// What is known of a layer before it is read.
struct LayerOrigin {
  Digest parent;   // chain ID of the layer below; none: the lowest
  Digest diff_id;  // what the tar must be; none: whatever it is
  Digest blob;     // of the bytes, when they are in the content store or `staged`; none: they are kept
  oci::BlobWriter* staged = nullptr;  // the sealed blob that the source reads; it is published with the layer
  std::string media_type;             // "": by its compression
  std::string created, created_by, author;
};

struct ImportedLayer {
  Digest chain;
  Digest diff_id;
  Digest blob;
  std::string media_type;
  uint64_t blob_size = 0;
  int64_t size = 0;  // of its files
};

/// Reads the layer and publishes it. One that is there already is read all the same: ask find_layer() first.
/// Nothing is left when it fails.
Result<ImportedLayer> import_layer(Stores stores, oci::ByteSource& source, const LayerOrigin& origin);

/// The layer, if its record, its blob and its tree are there. Else its chain ID is none.
Result<ImportedLayer> find_layer(Stores stores, const Digest& chain);

}  // namespace slipway::manager
