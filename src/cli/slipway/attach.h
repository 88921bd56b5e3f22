// `attach`, and `start -a` of a container that runs already.
#pragma once

#include "src/cli/slipway/session.h"
#include "src/manager/conversation.h"
#include "src/store/record.h"

namespace slipway::cli {

/// Until the container ends, or the user detaches. The verb has the options --sig-proxy and --detach-keys. `input`: give
/// it standard input, if it takes any.
Result<manager::Ending> attach_to_running(const Call& call, store::Store& store, const store::Record& record,
                                          bool input);

}  // namespace slipway::cli
