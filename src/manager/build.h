// `build`: a Dockerfile's instructions, one after the other, each an image of its own, so that a later build finds
// the steps that have not changed.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "src/manager/build_ignore.h"
#include "src/manager/dockerfile.h"
#include "src/manager/layer_import.h"
#include "src/store/store.h"

namespace slipway::manager {

struct BuildRequest {
  int context = -1;  // the directory that COPY and ADD see; borrowed. -1: there is none
  std::string dockerfile;
  IgnoreList ignore;
  std::vector<oci::Reference> names;
  std::map<std::string, std::string> arguments;  // --build-arg
  std::map<std::string, std::string> labels;
  std::string target;                    // the stage to stop after; "": the last
  std::string network;                   // of RUN; "": the default
  std::vector<std::string> run_options;  // further ones of the `run` that RUN is
  bool cache = true;
  bool always_pull = false;                        // images of FROM, even those that are here
  std::function<Status(const std::string&)> pull;  // fetches an image that is not here
  /// The program and its global options: RUN is a `run` of its own.
  std::vector<std::string> program;
  /// A line of the log. Unset: what RUN prints is kept from sight, too, unless it fails.
  std::function<Status(const std::string&)> say;
};

/// Returns the image's ID.
Result<std::string> build_image(Stores stores, store::Store& store, const BuildRequest& request);

}  // namespace slipway::manager
