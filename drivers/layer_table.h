// Layers that are a directory each, with a record of their own: what aufs, btrfs and vfs have in common.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/records.h"
#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::drivers {

class LayerTable {
 public:
  /// `layers` is the directory of the layers' trees.
  LayerTable(Fd layers, Records records) : layers_(std::move(layers)), records_(std::move(records)) {}

  int dir() const { return layers_.get(); }
  const Records& records() const { return records_; }

  /// All of them check the name. Errors: invalid, and not_found of the first two.
  Result<Record> record_of(std::string_view id) const;
  Result<Fd> open(std::string_view id) const;
  Result<bool> exists(std::string_view id) const;
  Result<std::vector<std::string>> list() const;

  /// Gives the tree `name` in the directory `place` its name: the record first, then what `before` does, then the rename.
  /// On disk when it returns if `sync`. Errors: exists.
  Status publish(int place, const char* name, std::string_view id, const Record& record, bool sync,
                 const std::function<Status()>& before = nullptr) const;

  /// Calls `forget` for each name in the directory `kept` (the records, or others that go with a layer) that has no tree:
  /// for recover(), which has found that somebody was killed.
  Status for_orphans(int kept, const std::function<Status(const std::string&)>& forget) const;

 private:
  Fd layers_;
  Records records_;
};

}  // namespace slipway::drivers
