// What `pull` and `push` tell of layers while they work.
#pragma once

#include <cstdint>
#include <string>

namespace slipway::manager {

enum class TransferEvent : uint8_t {
  waiting,  // it is not there, and will be fetched or sent
  moving,   // so many of its bytes have come or gone
  arrived,  // all of it is here, and its digest is right
  unpacking,
  unpacked,
  exists,  // nothing was to be done
  pushed,
  mounted  // the registry took it from another repository
};

class TransferObserver {
 public:
  virtual ~TransferObserver() = default;
  /// The image is known; its layers follow.
  virtual void begin() {}
  /// False: what moves may stop, its end is not waited for.
  virtual bool wants_more() const { return true; }
  /// `layer` is what people see of it: 12 digits. `done` and `total` are bytes.
  virtual void layer(const std::string& layer, TransferEvent event, uint64_t done, uint64_t total) = 0;
};

}  // namespace slipway::manager
