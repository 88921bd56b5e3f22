// Writing tar archives that are the same for the same input: POSIX pax interchange, where a pax header comes
// only before entries that the ustar header cannot hold (long or large values, fractions of seconds,
// attributes). Owners' names, access times and device numbers of plain files are never written.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "oci/archive.h"

namespace slipway::oci {

/// Where the archive's bytes go.
using ByteSink = std::function<Status(std::string_view)>;

class TarWriter {
 public:
  explicit TarWriter(ByteSink sink) : sink_(std::move(sink)) {}

  /// Begins an entry. A regular one is followed by exactly entry.size bytes of data() calls. A directory's path
  /// gets its "/". Errors: invalid for a name that no tar can hold (with a NUL).
  Status begin(const TarEntry& entry);
  Status data(std::string_view bytes);
  /// The rest of the entry's bytes are zeros.
  Status zeros(uint64_t count);
  /// So many bytes of the entry went where the sink writes to, by other means.
  Status written_elsewhere(uint64_t count);
  /// Pads the entry to full blocks.
  Status end_entry();
  /// An entry with its whole contents.
  Status file(const TarEntry& entry, std::string_view contents);
  /// The two zero blocks.
  Status finish();

  uint64_t size() const { return size_; }

 private:
  Status put(std::string_view bytes);
  Status header(const TarEntry& entry, std::string_view name, std::string_view prefix, char type,
                uint64_t size);
  ByteSink sink_;
  uint64_t size_ = 0;
  uint64_t left_ = 0;  // bytes of the entry that are still to come
};

}  // namespace slipway::oci
