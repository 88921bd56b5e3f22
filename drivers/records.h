// What a driver must know of a layer and its tree cannot say: one small file per layer,
// <driver>/records/<id>.
//
// overlay2 does without: Docker's layout has room for it (lower, committed).
#pragma once

#include <time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::drivers {

struct Record {
  std::string parent;
  bool committed = false;
  timespec made = {};  // when the tree was as its parent's
  uint64_t size = 0;   // RwOptions::size
  uint64_t group = 0;  // btrfs: the number of its quota group
};

class Records {
 public:
  static Result<Records> open(int home);

  /// not_found without a record.
  Result<Record> read(std::string_view id) const;
  /// Replaces the record; on disk when it returns if `sync`.
  Status write(std::string_view id, const Record& record, bool sync) const;
  /// No record is no error.
  Status remove(std::string_view id) const;
  /// Guards "look whether a name is there, write its record, rename its tree" against others that do the
  /// same.
  Result<Fd> lock() const;

  int dir() const { return dir_.get(); }

 private:
  Fd dir_;
};

}  // namespace slipway::drivers
