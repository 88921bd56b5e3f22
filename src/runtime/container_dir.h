// The directory of a container, <root>/<id>: making it reserves the name, removing it ends the container.
#pragma once

#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// "container with given ID already exists".
Error already_exists(std::string_view id);
Status check_container_is_new(const Context& context, std::string_view id);
Result<Fd> make_container_directory(const Context& context, std::string_view id);

/// Removes it with everything in it. In one step it is no container any more: it goes to .pending first, so that a removal
/// that is cut short is finished by whoever collects next.
Status remove_container_directory(const Context& context, std::string_view id);

/// The same, if it is there and has no state. The caller holds the record of that name: see pending.h.
Status remove_stateless_directory(const Context& context, std::string_view id);

}  // namespace slipway::runtime
