// What `pull` and the verbs that need an image share.
#pragma once

#include <string>

#include "src/cli/slipway/image_session.h"
#include "src/manager/pull.h"

namespace slipway::cli {

/// Pulls one image, whose name has a tag or a digest, and shows the progress on `fd` (-1: nowhere).
Result<manager::PulledImage> pull_and_show(const store::Store& store, manager::Stores stores,
                                           const oci::Reference& name, const oci::PlatformChoice& platform,
                                           int fd);

}  // namespace slipway::cli
