#include "drivers/registry.h"

#include <fcntl.h>

#include <algorithm>

#include "drivers/driver.h"
#include "drivers/overlay_layers.h"
#include "src/base/fd.h"
#include "src/sys/directory.h"

namespace slipway::drivers {
namespace {

/// Stops at the first: a store may have ten thousands of layers.
bool has_entries(const std::string& directory, bool (*ours)(std::string_view)) {
  const Fd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return false;
  sys::DirectoryReader reader(fd.get());
  while (const dirent64* entry = reader.next())
    if (ours(entry->d_name)) return true;
  return false;
}

bool any(std::string_view) {
  return true;
}
bool overlay2_layer(std::string_view name) {
  return name != "l" && name != "tmp" && name != kInitLayer;
}

bool overlay2_in_use(const std::string& root) {
  return has_entries(root + "/overlay2", overlay2_layer);
}
bool aufs_in_use(const std::string& root) {
  return has_entries(root + "/aufs/diff", any);
}
bool btrfs_in_use(const std::string& root) {
  return has_entries(root + "/btrfs/subvolumes", any);
}
bool devicemapper_in_use(const std::string& root) {
  const auto layer = [](std::string_view name) {
    return name != "base" && name[0] != '.' && !name.ends_with("-metadata");
  };
  return has_entries(root + "/devicemapper/metadata", layer);
}
bool vfs_in_use(const std::string& root) {
  return has_entries(root + "/vfs/dir", any);
}

}  // namespace

// Order: what shares the page cache between containers and makes a layer at no cost comes first, full copies
// last.
const std::vector<DriverEntry>& registry() {
  static const std::vector<DriverEntry> kDrivers = {

      {"overlay2", open_overlay2, overlay2_in_use},
      {"btrfs", open_btrfs, btrfs_in_use},
      {"aufs", open_aufs, aufs_in_use},
      {"devicemapper", open_devicemapper, devicemapper_in_use},
      {"vfs", open_vfs, vfs_in_use},
  };
  return kDrivers;
}

namespace {

bool is_option_of(const DriverEntry& entry, std::string_view key) {
  const std::string_view name = entry.name;
  return key.substr(0, key.find('.')) == (name == "devicemapper" ? "dm" : name);
}

Result<std::unique_ptr<Driver>> open_entry(const DriverEntry& entry, const std::string& root, Options options,
                                           ForeignOptions foreign) {
  if (foreign == ForeignOptions::leave_out)
    std::erase_if(options, [&](const auto& option) {
      return std::any_of(registry().begin(), registry().end(), [&](const DriverEntry& other) {
        return &other != &entry && is_option_of(other, option.first);
      });
    });
  return entry.open(root, options);
}

Result<std::unique_ptr<Driver>> open_named(std::string_view name, const std::string& root,
                                           const Options& options, ForeignOptions foreign) {
  std::string known;
  for (const DriverEntry& entry : registry()) {
    if (name == entry.name)
      return open_entry(entry, root, options, foreign).ctx("storage driver %s", entry.name);
    known += known.empty() ? "" : ", ";
    known += entry.name;
  }
  return Error::of(ErrorKind::invalid, "unknown storage driver `%.*s` (there are %s)",
                   static_cast<int>(name.size()), name.data(), known.c_str());
}

Result<std::unique_ptr<Driver>> open_first(const std::string& root, const Options& options,
                                           ForeignOptions foreign) {
  std::string reasons;
  for (const DriverEntry& entry : registry()) {
    Result<std::unique_ptr<Driver>> driver = open_entry(entry, root, options, foreign);
    if (driver.ok() || driver.error().kind() != ErrorKind::unsupported)
      return std::move(driver).ctx("storage driver %s", entry.name);
    reasons += reasons.empty() ? "" : "; ";
    reasons += std::string(entry.name) + ": " + driver.error().text();
  }
  return Error::of(ErrorKind::unsupported, "no storage driver works here (%s)", reasons.c_str());
}

}  // namespace

Result<std::unique_ptr<Driver>> open_driver(std::string_view name, const std::string& root,
                                            const Options& options, ForeignOptions foreign) {
  if (!name.empty()) return open_named(name, root, options, foreign);
  const DriverEntry* prior = nullptr;
  for (const DriverEntry& entry : registry()) {
    if (!entry.in_use(root)) continue;
    if (prior)
      return Error::of(ErrorKind::invalid, "`%s` has layers of %s and of %s: choose with --storage-driver",
                       root.c_str(), prior->name, entry.name);
    prior = &entry;
  }
  return prior ? open_named(prior->name, root, options, foreign) : open_first(root, options, foreign);
}

}  // namespace slipway::drivers
