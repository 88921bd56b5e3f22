#include "src/manager/container_tree.h"

#include <algorithm>

#include "src/sys/mount.h"

namespace slipway::manager {

namespace {

/// An overlay whose upper directory is one more lower one. Mounting it as an upper directory twice would have
/// the second mount clean up the work directory under the first.
void make_read_only(sys::MountSpec& spec) {
  spec.read_only = true;
  if (spec.type != "overlay") return;
  const auto upper = std::find_if(spec.options.begin(), spec.options.end(),
                                  [](const auto& option) { return option.key == "upperdir"; });
  if (upper == spec.options.end()) return;
  const std::string path = upper->value;
  std::erase_if(spec.options, [](const auto& option) {
    return option.key == "upperdir" || option.key == "workdir" || option.key == "volatile";
  });
  spec.options.insert(spec.options.begin(), {"lowerdir+", path});
  spec.legacy.clear();  // says the same as the options did
}

}  // namespace

Result<Fd> open_container_tree(store::Store& store, std::string_view id) {
  drivers::Driver* driver = TRY(store.driver());
  sys::MountSpec spec = TRY(driver->mounts(id));
  make_read_only(spec);
  return sys::mount_detached(spec);
}

}  // namespace slipway::manager
