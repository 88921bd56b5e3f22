// The verbs of slip; each has a file of its own name. main.cc has the list.
#pragma once

#include "src/cli/program.h"

namespace slipway::cli {

extern const Verb kCheckpointVerb;
extern const Verb kCreateVerb;
extern const Verb kDeleteVerb;
extern const Verb kEventsVerb;
extern const Verb kExecVerb;
extern const Verb kFeaturesVerb;
extern const Verb kKillVerb;
extern const Verb kListVerb;
extern const Verb kMountsVerb;
extern const Verb kPauseVerb;
extern const Verb kPsVerb;
extern const Verb kRestoreVerb;
extern const Verb kResumeVerb;
extern const Verb kRunVerb;
extern const Verb kSpecVerb;
extern const Verb kStartVerb;
extern const Verb kStateVerb;
extern const Verb kUpdateVerb;

}  // namespace slipway::cli
