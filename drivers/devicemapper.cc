// devicemapper: a thin block device per layer, a snapshot of its parent's, with a file system on it whose directory
// rootfs/ is the layer's tree. What is in the pool, and how a crash is taken back: thin_pool.h.
//
//   <root>/devicemapper/metadata/<id>   the layer's device
//   <root>/devicemapper/mnt/<id>/       where a container has its tree
//   <root>/devicemapper/tmp/<name>/     locks of stages; the device of one is metadata/.stage-<name>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "drivers/device_fs.h"
#include "drivers/home.h"
#include "drivers/naive_diff.h"
#include "drivers/options.h"
#include "drivers/registry.h"
#include "drivers/staging.h"
#include "drivers/thin_pool.h"
#include "drivers/tree_usage.h"
#include "src/base/fault.h"
#include "src/base/quantity.h"
#include "src/sys/file.h"
#include "src/sys/mount.h"
#include "src/sys/remove_tree.h"

namespace slipway::drivers {
namespace {

constexpr char kTree[] = "rootfs";

// Names in metadata/ that are no layers.
Status check_name(std::string_view id) {
  if (id == "base" || id == "deviceset-metadata" || id == "transaction-metadata")
    return Error::of(ErrorKind::invalid, "`%s` is not a layer's name", std::string(id).c_str());
  return check_layer_name(id);
}

std::string stage_name(const StagedDir& place) {
  return ".stage-" + place.name;
}

class DeviceStage : public Stage {
 public:
  DeviceStage(const Staging& staging, const ThinPool& pool, StagedDir place)
      : staging_(staging), pool_(pool), place_(std::move(place)) {}
  ~DeviceStage() override {
    unmount();
    if (!published) {
      Result<Fd> guard = pool_.lock();
      if (guard.ok()) (void)pool_.remove(stage_name(place_));
    }
    (void)staging_.remove(place_.name);
  }
  int root() const override { return tree.get(); }
  std::string name() const { return stage_name(place_); }
  void unmount() {
    tree.reset();
    filesystem.reset();
  }

  ThinDevice device;
  Fd filesystem, tree;  // its root, and rootfs/ in it
  bool published = false;

 private:
  const Staging& staging_;
  const ThinPool& pool_;
  StagedDir place_;
};

class Devicemapper : public Driver {
 public:
  Devicemapper(Home home, ThinPool pool, Fd mounts, Staging staging)
      : home_(std::move(home)),
        pool_(std::move(pool)),
        mounts_(std::move(mounts)),
        staging_(std::move(staging)) {}

  const char* name() const override { return "devicemapper"; }
  Capabilities capabilities() const override {
    Capabilities can;
    can.quota = true;
    return can;
  }
  Whiteouts whiteouts() const override { return Whiteouts::materialised; }

  Result<std::unique_ptr<Stage>> stage(std::string_view parent) override;
  Status commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) override;
  Status create_rw(std::string_view id, std::string_view parent, const RwOptions& options) override;
  Result<sys::MountSpec> mounts(std::string_view id) override;
  Status release(std::string_view id) override;
  Result<std::vector<Change>> changes(std::string_view id) override;
  Result<Fd> contents(std::string_view id) override;
  Result<Usage> usage(std::string_view id) override;
  Result<bool> exists(std::string_view id) override {
    TRY(check_name(id));
    return faccessat(pool_.metadata(), std::string(id).c_str(), F_OK, 0) == 0;
  }
  Status check(std::string_view id, const LayerFacts& is, bool repair) override;
  Status remove(std::string_view id) override;
  Result<std::vector<std::string>> list() override {
    std::vector<std::string> names = TRY(names_in(pool_.metadata(), "."));
    std::erase_if(names, [](const std::string& name) { return !check_name(name).ok(); });
    return names;
  }
  Status recover() override;
  Result<std::vector<std::pair<std::string, std::string>>> metadata(std::string_view id) override;
  std::vector<std::pair<std::string, std::string>> status() override;

 private:
  Result<ThinDevice> device_of(std::string_view id) const {
    TRY(check_name(id));
    return pool_.read(std::string(id));
  }
  Result<std::unique_ptr<DeviceStage>> snapshot_of(std::string_view parent, uint64_t size);
  sys::MountSpec spec_of(const sys::DmDevice& device, bool read_only) const;
  Result<Fd> mount(const ThinDevice& device, bool read_only) const;
  Status prepare(DeviceStage& stage);

  Home home_;
  ThinPool pool_;
  Fd mounts_;
  Staging staging_;
};

// --- devices and mounts --------------------------------------------------------------------------------------------

sys::MountSpec Devicemapper::spec_of(const sys::DmDevice& device, bool read_only) const {
  sys::MountSpec spec = device_fs_mount(pool_.fs(), device.path);
  spec.read_only = read_only;
  const std::string& more = pool_.options().mount_options;
  for (size_t at = 0; at < more.size();) {
    const size_t end = std::min(more.find(',', at), more.size());
    const std::string option = more.substr(at, end - at);
    const size_t equals = std::min(option.find('='), option.size());
    if (!option.empty())
      spec.options.push_back(
          {option.substr(0, equals), equals < option.size() ? option.substr(equals + 1) : ""});
    at = end + 1;
  }
  if (pool_.fs() == "xfs" && !pool_.options().nospace_retries.empty())
    spec.settings.emplace_back("/sys/fs/xfs/" + device.path.substr(device.path.rfind('/') + 1) +
                                   "/error/metadata/ENOSPC/max_retries",
                               pool_.options().nospace_retries);
  return spec;
}

// The root of a device's file system, mounted for this descriptor. A device that nobody else had active goes with it,
// however we end: its removal is deferred until it is closed.
Result<Fd> Devicemapper::mount(const ThinDevice& device, bool read_only) const {
  const Fd guard = TRY(pool_.lock());
  const bool was_active = pool_.is_active(device);
  const sys::DmDevice active = TRY(pool_.activate(device));
  const bool ours = !was_active || active.deferred;
  Result<Fd> mounted = sys::mount_detached(spec_of(active, read_only));
  if (ours) TRY(pool_.deactivate(device, true));
  const Fd root = TRY(std::move(mounted));
  return sys::open_at(root.get(), ".", O_RDONLY | O_DIRECTORY);
}

Result<sys::MountSpec> Devicemapper::mounts(std::string_view id) {
  const ThinDevice device = TRY(device_of(id));
  const std::string layer(id);
  const Fd guard = TRY(pool_.lock());
  const sys::DmDevice active = TRY(pool_.activate(device));
  sys::MountSpec spec = spec_of(active, device.committed);
  if (mkdirat(mounts_.get(), layer.c_str(), 0755) < 0 && errno != EEXIST)
    return Error::sys(errno, "mkdir `%s/mnt/%s`", home_.path.c_str(), layer.c_str());
  spec.target = home_.path + "/mnt/" + layer;
  spec.subdirectory = kTree;
  return spec;
}

Status Devicemapper::release(std::string_view id) {
  TRY(check_name(id));
  Result<ThinDevice> device = pool_.read(std::string(id));
  if (!device.ok())
    return device.error().kind() == ErrorKind::not_found ? Status() : Status(std::move(device).error());
  const Fd guard = TRY(pool_.lock());
  TRY(pool_.deactivate(*device, pool_.options().deferred_removal));
  unlinkat(mounts_.get(), std::string(id).c_str(), AT_REMOVEDIR);
  return {};
}

// --- making layers -------------------------------------------------------------------------------------------------

Result<std::unique_ptr<DeviceStage>> Devicemapper::snapshot_of(std::string_view parent, uint64_t size) {
  if (!parent.empty()) {
    const ThinDevice below = TRY(device_of(parent));
    if (!below.committed)
      return Error::of(ErrorKind::invalid, "layer `%s` is not committed", std::string(parent).c_str());
    if (size && size < below.size)
      return Error::of(ErrorKind::invalid,
                       "a size of %" PRIu64 " bytes is less than the %" PRIu64
                       " of the layers below (dm.basesize)",
                       size, below.size);
  } else if (size && size < pool_.base_size()) {
    return Error::of(ErrorKind::invalid, "a size of %" PRIu64 " bytes is less than dm.basesize", size);
  }
  auto stage = std::make_unique<DeviceStage>(staging_, pool_, TRY(staging_.make(0700)));
  stage->device.parent = parent;
  stage->device.size = size / 512 * 512;
  const Fd guard = TRY(pool_.lock());
  stage->device = TRY(pool_.snapshot(stage->name(), std::string(parent), stage->device));
  return stage;
}

// Mounts a stage's device, and makes rootfs/ if it is a snapshot of the base device.
Status Devicemapper::prepare(DeviceStage& stage) {
  stage.filesystem = TRY(mount(stage.device, false));
  if (mkdirat(stage.filesystem.get(), kTree, 0755) < 0) {
    if (errno != EEXIST) return Error::sys(errno, "mkdir `%s`", kTree);
  } else if (fchmodat(stage.filesystem.get(), kTree, 0755, 0) < 0) {
    return Error::sys(errno, "chmod `%s`", kTree);
  }
  stage.tree = TRY(sys::open_at(stage.filesystem.get(), kTree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return {};
}

Result<std::unique_ptr<Stage>> Devicemapper::stage(std::string_view parent) {
  std::unique_ptr<DeviceStage> stage = TRY(snapshot_of(parent, 0));
  TRY(prepare(*stage));
  return std::unique_ptr<Stage>(std::move(stage));
}

Status Devicemapper::commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) {
  TRY(check_name(id));
  DeviceStage& staged = static_cast<DeviceStage&>(*stage);
  if (staged.device.parent != parent)
    return Error::of(ErrorKind::invalid, "devicemapper: a stage can be committed onto its own parent only");
  if (TRY(exists(id))) return {};
  // As Docker does: the name of the first layer, handed on to all snapshots.
  if (faccessat(staged.filesystem.get(), "id", F_OK, 0) < 0)
    TRY(sys::replace_file_at(staged.filesystem.get(), "id", id, 0600, false));
  staged.unmount();  // writes all and flushes the device: the pool's own metadata are on disk
  const Fd guard = TRY(pool_.lock());
  if (TRY(exists(id))) return {};
  staged.device.committed = true;
  TRY(pool_.rename(staged.name(), std::string(id), staged.device));
  staged.published = true;
  return {};
}

Status Devicemapper::create_rw(std::string_view id, std::string_view parent, const RwOptions& options) {
  TRY(check_name(id));
  if (TRY(exists(id))) return Error::of(ErrorKind::exists, "layer `%s` exists", std::string(id).c_str());
  const std::unique_ptr<DeviceStage> stage = TRY(snapshot_of(parent, options.size));
  const uint64_t below = parent.empty() ? pool_.base_size() : TRY(device_of(parent)).size;
  if (parent.empty() || stage->device.size > below) {
    TRY(prepare(*stage));
    if (stage->device.size > below)
      TRY(grow_device_fs(stage->filesystem.get(), pool_.fs(), stage->device.size));
    stage->unmount();
  }
  const Fd guard = TRY(pool_.lock());
  // Somebody may have been faster.
  if (TRY(exists(id))) return Error::of(ErrorKind::exists, "layer `%s` exists", std::string(id).c_str());
  TRY(pool_.rename(stage->name(), std::string(id), stage->device));
  stage->published = true;
  return {};
}

// --- what a layer has ----------------------------------------------------------------------------------------------

Result<Fd> Devicemapper::contents(std::string_view id) {
  const ThinDevice device = TRY(device_of(id));
  const Fd root = TRY(mount(device, device.committed));
  return sys::open_at(root.get(), kTree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Result<std::vector<Change>> Devicemapper::changes(std::string_view id) {
  const ThinDevice device = TRY(device_of(id));
  const Fd tree = TRY(contents(id));
  if (device.parent.empty()) return diff_trees(-1, tree.get(), {});
  const Fd parent = TRY(contents(device.parent));
  return diff_trees(parent.get(), tree.get(), {TreeOrigin::Kind::snapshot, {}});
}

Result<Usage> Devicemapper::usage(std::string_view id) {
  const std::vector<Change> changed = TRY(changes(id));
  const Fd tree = TRY(contents(id));
  return usage_of(tree.get(), changed);
}

Result<std::vector<std::pair<std::string, std::string>>> Devicemapper::metadata(std::string_view id) {
  const ThinDevice device = TRY(device_of(id));
  return std::vector<std::pair<std::string, std::string>>{{"DeviceId", std::to_string(device.id)},
                                                          {"DeviceName", pool_.name_of(device)},
                                                          {"DeviceSize", std::to_string(device.size)}};
}

// Which device is a layer's is said by its file alone: without that there is nothing to mend.
Status Devicemapper::check(std::string_view id, const LayerFacts& is, bool repair) {
  ThinDevice device = TRY(device_of(id));
  if (device.parent == is.parent && device.committed == is.committed) return {};
  if (!repair)
    return Error::of(ErrorKind::failed, "its file in `metadata` says something else than the store");
  device.parent = is.parent;
  device.committed = is.committed;
  const Fd guard = TRY(pool_.lock());
  return pool_.write(std::string(id), device);
}

// --- removing ------------------------------------------------------------------------------------------------------

Status Devicemapper::remove(std::string_view id) {
  TRY(check_name(id));
  const std::string layer(id);
  const Fd guard = TRY(pool_.lock());
  Status removed = pool_.remove(layer);
  unlinkat(mounts_.get(), layer.c_str(), AT_REMOVEDIR);
  if (!removed.ok() && removed.error().kind() == ErrorKind::not_found) return {};
  return removed;
}

Status Devicemapper::recover() {
  const auto undo = [this](int, const char* name) -> Status {
    const Fd guard = TRY(pool_.lock());
    Status removed = pool_.remove(std::string(".stage-") + name);
    if (!removed.ok() && removed.error().kind() == ErrorKind::not_found) return {};
    return removed;
  };
  (void)TRY(staging_.recover(undo));
  const Fd guard = TRY(pool_.lock());
  return pool_.delete_marked();
}

// --- info ----------------------------------------------------------------------------------------------------------

// "67.57MB", as docker info shows sizes.
std::string size_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1000 && unit < 5; ++unit) value /= 1000;
  char text[32];
  snprintf(text, sizeof text, "%.4g%s", value, kUnits[unit]);
  return text;
}

std::vector<std::pair<std::string, std::string>> Devicemapper::status() {
  std::vector<std::pair<std::string, std::string>> rows = {{"Pool Name", pool_.name()}};
  Result<PoolStatus> pool = pool_.status();
  if (!pool.ok()) {
    rows.emplace_back("Pool State", pool.error().text());
    return rows;
  }
  constexpr uint64_t kMetadataBlock = 4096;
  const uint64_t data = pool->block_bytes;
  rows.insert(rows.end(), {{"Pool Blocksize", size_text(data)},
                           {"Pool State", pool->state},
                           {"Base Device Size", size_text(pool_.base_size())},
                           {"Backing Filesystem", pool_.fs()}});
  if (pool_.own())
    rows.insert(rows.end(), {{"Data file", pool_.backing_device(false)},
                             {"Metadata file", pool_.backing_device(true)},
                             {"Data loop file", home_.path + "/devicemapper/data"},
                             {"Metadata loop file", home_.path + "/devicemapper/metadata"}});
  rows.insert(
      rows.end(),
      {{"Data Space Used", size_text(pool->data_used * data)},
       {"Data Space Total", size_text(pool->data_total * data)},
       {"Data Space Available", size_text((pool->data_total - pool->data_used) * data)},
       {"Metadata Space Used", size_text(pool->metadata_used * kMetadataBlock)},
       {"Metadata Space Total", size_text(pool->metadata_total * kMetadataBlock)},
       {"Metadata Space Available", size_text((pool->metadata_total - pool->metadata_used) * kMetadataBlock)},
       {"Thin Pool Minimum Free Space",
        size_text(pool->data_total * data / 100 * pool_.options().min_free_percent)},
       {"Deferred Removal Enabled", pool_.options().deferred_removal ? "true" : "false"},
       {"Deferred Deletion Enabled", pool_.options().deferred_deletion ? "true" : "false"}});
  Result<size_t> marked = pool_.marked();
  if (marked.ok()) rows.emplace_back("Deferred Deleted Device Count", std::to_string(*marked));
  const Result<std::string> version = pool_.version();
  if (version.ok()) rows.emplace_back("Kernel Driver Version", version.value());
  return rows;
}

// --- options -------------------------------------------------------------------------------------------------------

Status set_option(ThinPoolOptions& options, const std::string& key, const std::string& value) {
  const struct {
    const char* key;
    uint64_t* size;
  } sizes[] = {{"dm.basesize", &options.base_size},
               {"dm.loopdatasize", &options.data_size},
               {"dm.loopmetadatasize", &options.metadata_size},
               {"dm.blocksize", &options.block_size}};
  for (const auto& known : sizes) {
    if (key != known.key) continue;
    *known.size = static_cast<uint64_t>(TRY(parse_size(value).ctx("%s", known.key)));
    if (known.size == &options.block_size &&
        (options.block_size % (64 << 10) != 0 || options.block_size == 0 || options.block_size > 1 << 30))
      return Error::of(ErrorKind::invalid, "`%s` is not a multiple of 64k up to 1g", value.c_str());
    if (known.size == &options.metadata_size && options.metadata_size < 2 << 20)
      return Error::of(ErrorKind::invalid, "`%s` is less than 2m", value.c_str());
    return {};
  }
  const struct {
    const char* key;
    std::string* text;
  } texts[] = {{"dm.thinpooldev", &options.pool},
               {"dm.mkfsarg", &options.mkfs_arguments},
               {"dm.mountopt", &options.mount_options}};
  for (const auto& known : texts) {
    if (key != known.key) continue;
    *known.text = value;
    return {};
  }
  const struct {
    const char* key;
    bool* on;
  } switches[] = {{"dm.use_deferred_removal", &options.deferred_removal},
                  {"dm.use_deferred_deletion", &options.deferred_deletion},
                  {"dm.blkdiscard", &options.discard}};
  for (const auto& known : switches) {
    if (key != known.key) continue;
    *known.on = TRY(parse_switch(value));
    return {};
  }
  if (key == "dm.fs") {
    if (value != "ext4" && value != "xfs")
      return Error::of(ErrorKind::invalid, "`%s` is neither ext4 nor xfs", value.c_str());
    options.fs = value;
    return {};
  }
  if (key == "dm.min_free_space") {
    unsigned percent = 0;
    char sign = 0, more = 0;
    if (sscanf(value.c_str(), "%u%c%c", &percent, &sign, &more) != 2 || sign != '%' || percent >= 100)
      return Error::of(ErrorKind::invalid, "`%s` is not a percentage", value.c_str());
    options.min_free_percent = percent;
    return {};
  }
  if (key == "dm.xfs_nospace_max_retries") {
    int times = 0;
    char more = 0;
    if (sscanf(value.c_str(), "%d%c", &times, &more) != 1 || times < -1)
      return Error::of(ErrorKind::invalid, "`%s` is not a number of times", value.c_str());
    options.nospace_retries = std::to_string(times);
    return {};
  }
  // Without libdevmapper there are no udev cookies to wait for, and no log of it.
  if (key == "dm.override_udev_sync_check" || key == "dm.libdm_log_level") return {};
  if (key == "dm.datadev" || key == "dm.metadatadev" || key.starts_with("dm.directlvm_") ||
      key.starts_with("dm.thinp_"))
    return Error::of(ErrorKind::unsupported, "make the pool with lvcreate(8) and give it by dm.thinpooldev");
  return unknown_option("devicemapper", key);
}

}  // namespace

Result<std::unique_ptr<Driver>> open_devicemapper(const std::string& root, const Options& options) {
  ThinPoolOptions parsed;
  for (const auto& [key, value] : options) TRY(set_option(parsed, key, value).ctx("%s", key.c_str()));
  // Before a directory is made: most kernels that are tried have none.
  (void)TRY(sys::DeviceMapper::open("thin-pool"));
  Home home = TRY(open_home(root, "devicemapper"));
  Fd mounts = TRY(home.make_directory("mnt", 0755));
  Staging staging = TRY(Staging::open(home.dir.get()));
  Result<ThinPool> opened = ThinPool::open(home, parsed);
  if (!opened.ok() && home.fresh) (void)sys::remove_tree(AT_FDCWD, home.path.c_str());
  ThinPool pool = TRY(std::move(opened));
  return std::unique_ptr<Driver>(std::make_unique<Devicemapper>(std::move(home), std::move(pool),
                                                                std::move(mounts), std::move(staging)));
}

}  // namespace slipway::drivers
