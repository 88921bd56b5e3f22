// What the drivers whose layers are a directory each (aufs, btrfs, vfs) have in common: the answers that a LayerTable can
// give, and a stage whose tree is a directory in tmp/.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/driver.h"
#include "drivers/home.h"
#include "drivers/layer_table.h"
#include "drivers/records.h"
#include "drivers/staging.h"

namespace slipway::drivers {

class TableStage : public Stage {
 public:
  TableStage(const Staging& staging, StagedDir place) : staging_(staging), place_(std::move(place)) {}
  ~TableStage() override { (void)staging_.remove(place_.name); }
  int root() const override { return tree.get(); }
  /// The directory in tmp/ that holds the tree.
  int place() const { return place_.dir.get(); }

  Fd tree;        // becomes the layer's directory
  Record record;  // becomes the layer's

 private:
  const Staging& staging_;
  StagedDir place_;
};

class TableDriver : public Driver {
 public:
  /// A bind of the layer's directory.
  Result<sys::MountSpec> mounts(std::string_view id) override;
  Status release(std::string_view id) override { return check_layer_name(id); }
  Result<Fd> contents(std::string_view id) override;
  Result<Usage> usage(std::string_view id) override;
  Result<bool> exists(std::string_view id) override { return layers_.exists(id); }
  Status check(std::string_view id, const LayerFacts& is, bool repair) override;
  Result<std::vector<std::string>> list() override { return layers_.list(); }

 protected:
  /// `room` is the name of the layers' directory in `home`.
  TableDriver(Home home, const char* room, LayerTable layers, Staging staging)
      : home_(std::move(home)),
        layers_(std::move(layers)),
        staging_(std::move(staging)),
        prefix_(home_.path + "/" + room + "/") {}

  std::string path_of(std::string_view id) const { return prefix_ + std::string(id); }

  Home home_;
  LayerTable layers_;
  Staging staging_;

 private:
  std::string prefix_;
};

}  // namespace slipway::drivers
