// `pause`, and the pauses of commands that read a container's files.
//
// That a container is paused is said by a file, which is there before the container stands still and goes after it
// moves again. In it is the process that has begun the one or the other, or nothing when the pause is complete: what
// a killed command has left half done is undone by the next one.
#pragma once

#include <string_view>

#include "src/manager/observe.h"
#include "src/store/store.h"

namespace slipway::manager {

enum class PauseUntil : uint8_t { unpaused, we_end };

/// Errors: in_use, when it does not run or is paused already.
Status pause_container(store::Store& store, std::string_view id, PauseUntil until);
/// Errors: in_use, when it is not paused.
Status unpause_container(store::Store& store, std::string_view id);

/// Ends the pause of a process that has died.
void end_abandoned_pause(store::Store& store, std::string_view id);

}  // namespace slipway::manager
