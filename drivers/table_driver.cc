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

Status TableDriver::check(std::string_view id, const LayerFacts& is, bool repair) {
  const Fd tree = TRY(layers_.open(id));
  Result<Record> record = layers_.record_of(id);
  if (record.ok() && record->parent == is.parent && record->committed == is.committed) return {};
  if (!repair)
    return Error::of(ErrorKind::failed, record.ok() ? "its record says something else than the store"
                                                    : "its record is missing or damaged");
  // When it was made is not known: changes() will compare all bytes.
  Record anew;
  anew.parent = is.parent;
  anew.committed = is.committed;
  return layers_.records().write(id, anew, true);
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
