// The verbs of slip; each has a file of its own name. main.cc has the list.
#pragma once

#include "src/cli/program.h"

namespace slipway::cli {

extern const Verb kSpecVerb;

}  // namespace slipway::cli
