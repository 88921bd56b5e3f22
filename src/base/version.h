// The release and the commit that the programs say they are.
#pragma once

namespace slipway {

const char* version();

/// The commit that was built, or "unknown" outside a git checkout.
const char* commit();

}  // namespace slipway
