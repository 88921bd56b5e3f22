#include "src/manager/container_tree.h"

#include <algorithm>

#include "src/sys/mount.h"

namespace slipway::manager {

namespace {

/// "lowerdir=A:B,upperdir=U,workdir=W,REST" becomes "lowerdir=U:A:B,REST".
std::string without_upper(const std::string& legacy) {
  std::string lower, upper, rest;
  for (size_t at = 0; at < legacy.size();) {
    const size_t end = std::min(legacy.find(',', at), legacy.size());
    const std::string option = legacy.substr(at, end - at);
    at = end + 1;
    if (option.starts_with("lowerdir="))
      lower = option.substr(9);
    else if (option.starts_with("upperdir="))
      upper = option.substr(9);
    else if (!option.starts_with("workdir=") && option != "volatile")
      rest += "," + option;
  }
  return upper.empty() ? legacy : "lowerdir=" + upper + ":" + lower + rest;
}

}  // namespace

void make_read_only(sys::MountSpec& spec) {
  spec.read_only = true;
  if (spec.type != "overlay") return;
  spec.legacy = without_upper(spec.legacy);
  const auto upper = std::find_if(spec.options.begin(), spec.options.end(),
                                  [](const auto& option) { return option.key == "upperdir"; });
  if (upper == spec.options.end()) return;
  const std::string path = upper->value;
  std::erase_if(spec.options, [](const auto& option) {
    return option.key == "upperdir" || option.key == "workdir" || option.key == "volatile";
  });
  spec.options.insert(spec.options.begin(), {"lowerdir+", path});
}

Result<drivers::RwOptions> layer_options(const store::Record& record) {
  drivers::Options given;
  for (const Entry<Str>& entry : record.host.storage_opt)
    given.emplace_back(entry.key.view(), entry.value.view());
  drivers::RwOptions options = TRY(drivers::parse_rw_options(given));
  options.disposable = options.places = record.host.auto_remove;
  return options;
}

Result<Fd> open_container_tree(store::Store& store, std::string_view id) {
  drivers::Driver* driver = TRY(store.driver());
  sys::MountSpec spec = TRY(driver->mounts(id));
  make_read_only(spec);
  return sys::mount_detached(spec);
}

}  // namespace slipway::manager
