// The files of overlay2's layers, as Docker lays them out: which layers lie below which.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/home.h"
#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// Of the layer that overlay2.cc puts below all others of a container, and its short name.
constexpr char kInitLayer[] = "init";

class OverlayLayers {
 public:
  static Result<OverlayLayers> open(Home home);

  const Home& home() const { return home_; }
  int dir() const { return home_.dir.get(); }
  /// The directory `l`.
  int links() const { return links_.get(); }

  /// fsconfig(2) takes no value of more than 255 bytes: then there is only mount(2), with relative paths.
  bool has_long_path() const;
  /// Paths are <id>/NAME.
  bool has(const std::string& path) const;
  Result<std::string> read_small(const std::string& path) const;
  /// Opens the directory. Errors: not_found (no such layer).
  Result<Fd> open_below(const std::string& path) const;

  /// Its short name: what `link` says.
  Result<std::string> link_of(std::string_view id) const;
  /// Whether `link` has a name, and that in `l` leads to the layer. With `repair` they are written anew.
  Status check_link(std::string_view id, bool repair) const;

  /// What `lower` says: l/AAA, nearest first. Errors: not_found.
  Result<std::vector<std::string>> lower_links(std::string_view id) const;
  /// The layers that those are.
  Result<std::vector<std::string>> lower_ids(std::string_view id) const;
  /// What `lower` of a layer on `parent` says, with the layer `init` as the lowest if that is wanted and there is room.
  /// Refuses here what could not be mounted later.
  Result<std::string> lower_of_child(std::string_view parent, bool init = false) const;

  static Error missing(std::string_view id);

 private:
  Home home_;
  Fd links_;
};

}  // namespace slipway::drivers
