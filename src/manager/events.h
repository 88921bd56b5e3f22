// What happens in the store, as `events` tells it: one line of JSON for each event, in <run-root>/events. Who
// acts writes; there is nobody else who could.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include "src/base/value.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

using EventAttributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// An event of a container; its image, name and labels go with it. Never fails: what happened has happened.
void container_event(const store::Store& store, std::string_view action, const store::Record& record,
                     EventAttributes more = {});

/// An event of a volume, a network or an image.
void object_event(const store::Store& store, std::string_view type, std::string_view action,
                  std::string_view id, EventAttributes attributes = {});

/// Of the image with this id (64 hex digits); `name` is what it was called.
void image_event(const store::Store& store, std::string_view action, std::string_view id,
                 std::string_view name);

/// The events file of the store; a longer one becomes events.1.
inline constexpr char kEventsFile[] = "events";

}  // namespace slipway::manager
