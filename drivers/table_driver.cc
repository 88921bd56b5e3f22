#include "drivers/table_driver.h"

#include "drivers/tree_usage.h"

namespace slipway::drivers {

Result<sys::MountSpec> TableDriver::mounts(std::string_view id) {
  const Record record = TRY(layers_.record_of(id));
  sys::MountSpec spec;
  spec.source = path_of(id);
  spec.target = spec.source;
  spec.read_only = record.committed;
  return spec;
}

Result<Fd> TableDriver::contents(std::string_view id) {
  TRY(layers_.record_of(id));
  return layers_.open(id);
}

Result<Usage> TableDriver::usage(std::string_view id) {
  const std::vector<Change> changed = TRY(changes(id));
  const Fd tree = TRY(layers_.open(id));
  return usage_of(tree.get(), changed);
}

}  // namespace slipway::drivers
