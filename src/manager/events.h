// What happens in the store, as `events` tells it: one line of JSON for each event, in <run-root>/events. Who
// acts writes; there is nobody else who could.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include "oci/reference.h"
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

/// Of the image with this id (64 hex digits). `name`: of "tag"; the others have docker tell the digest once more.
void image_event(const store::Store& store, std::string_view action, std::string_view id,
                 std::string_view name = {});
/// "pull" and "push": docker knows the image by its name only.
void transfer_event(const store::Store& store, std::string_view action, const oci::Reference& name);

/// "connect" or "disconnect": of all networks in `networks`, which is network_status()'s; without any, of "host" or "none".
void network_events(const store::Store& store, std::string_view action, const store::Record& record,
                    const Value& networks);
/// "mount" or "unmount": of all volumes of the container.
void volume_events(const store::Store& store, std::string_view action, const store::Record& record);
/// "prune", of a type of objects.
void prune_event(const store::Store& store, std::string_view type, int64_t reclaimed);

/// The events file of the store; a longer one becomes events.1.
inline constexpr char kEventsFile[] = "events";

}  // namespace slipway::manager
