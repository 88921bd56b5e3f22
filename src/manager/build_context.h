// The directory that COPY and ADD see, where it comes as a tar archive.
#pragma once

#include <memory>
#include <string_view>

#include "drivers/driver.h"
#include "oci/byte_stream.h"
#include "src/base/result.h"

namespace slipway::manager {

/// Is it a tar archive, or something compressed, by its beginning? A Dockerfile is neither.
bool is_archive(std::string_view head);

/// Unpacks the archive, compressed or not, into a stage of the driver, which goes when it is dropped.
Result<std::unique_ptr<drivers::Stage>> unpack_context(drivers::Driver& driver, oci::ByteSource& archive);

}  // namespace slipway::manager
