// `create`: from what the user asked for and what the image says to a container's record and its layer.
#pragma once

#include <string>

#include "src/store/containers.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

struct CreateRequest {
  store::Record* record = nullptr;  // config, host and mounts as asked for; completed by create_container()
  std::string name;                 // "" for a random one
  std::string platform;             // "os/arch", or ""
  bool entrypoint_given = false;    // --entrypoint: the image's command does not count then
  bool detach = false;
  bool starts = false;  // the caller is going to start it at once
};

struct NewContainer {
  std::string id;
  Fd dir;  // the container's directory, locked
};

/// Makes the container. Errors: not_found "No such image: X", exists (the name), invalid, unsupported.
Result<NewContainer> create_container(store::Store& store, CreateRequest& request, Arena& arena);

/// The command line that the image and the user make together; docker's matrix: an entrypoint on the command
/// line drops the image's command, words after the image replace its command.
/// Errors: invalid "no command specified".
Status merge_command(store::ContainerConfig& config, const List<Str>& image_entrypoint,
                     const List<Str>& image_cmd, bool entrypoint_given);

/// The variables of `first` with those of `second` put in their place or after them. A name without a value takes the
/// variable away.
List<Str> merge_environment(const List<Str>& first, const List<Str>& second, Arena& arena);

}  // namespace slipway::manager
