// Apart from store.cc: only commands that touch layers pay for the drivers.
#include "src/store/store.h"

namespace slipway::store {

Result<drivers::Driver*> Store::driver() {
  if (!driver_) driver_ = TRY(drivers::open_driver(options_.driver, options_.root, options_.driver_options));
  return driver_.get();
}

}  // namespace slipway::store
