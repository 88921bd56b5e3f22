#include "drivers/thin_pool.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "drivers/device_fs.h"
#include "drivers/staging.h"
#include "drivers/thin_metadata.h"
#include "src/base/fault.h"
#include "src/sys/file.h"
#include "src/sys/loop.h"
#include "src/sys/mount.h"

namespace slipway::drivers {
namespace {

constexpr uint64_t kSector = 512;
constexpr uint64_t kDefaultBaseSize = 10ULL << 30;
constexpr uint64_t kMostDevices = 0xffffff;  // 24 bits
constexpr char kBase[] = "base";
constexpr char kMark[] = ".deleted-";  // and the number: a device that is to be deleted

std::string mark_of(uint64_t id) {
  return kMark + std::to_string(id);
}

Result<uint64_t> bytes_of(int fd) {
  uint64_t bytes = 0;
  if (ioctl(fd, BLKGETSIZE64, &bytes) < 0) return Error::sys(errno, "read the size of a device");
  return bytes;
}

/// A sparse file and its loop device.
Result<sys::LoopDevice> own_device(int dir, const char* name, uint64_t bytes) {
  const Fd file = TRY(sys::open_at(dir, name, O_RDWR | O_CREAT, 0600));
  struct stat info = {};
  if (fstat(file.get(), &info) < 0) return Error::sys(errno, "stat `%s`", name);
  if (static_cast<uint64_t>(info.st_size) < bytes && ftruncate(file.get(), static_cast<off_t>(bytes)) < 0)
    return Error::sys(errno, "set the size of `%s`", name);
  return sys::attach_loop(file.get(), name);
}

}  // namespace

// --- the pool ------------------------------------------------------------------------------------------------------

Result<ThinPool> ThinPool::open(const Home& home, const ThinPoolOptions& options) {
  sys::DeviceMapper mapper = TRY(sys::DeviceMapper::open("thin-pool"));
  ThinPool pool(std::move(mapper), options);
  pool.metadata_ = TRY(home.make_directory("metadata", 0700));
  struct stat info = {};
  if (fstat(home.dir.get(), &info) < 0) return Error::sys(errno, "stat `%s`", home.path.c_str());
  char prefix[80];
  snprintf(prefix, sizeof prefix, "slipway-%u:%u-%llu-", major(info.st_dev), minor(info.st_dev),
           static_cast<unsigned long long>(info.st_ino));
  pool.prefix_ = prefix;
  pool.own_ = options.pool.empty();
  pool.pool_ = pool.own_ ? pool.prefix_ + "pool" : options.pool.substr(options.pool.rfind('/') + 1);
  const Fd guard = TRY(pool.lock());
  TRY(pool.own_ ? pool.open_own_pool(home) : pool.check_given_pool());
  TRY(pool.roll_back());
  TRY(pool.make_base());
  return pool;
}

ThinPool::~ThinPool() {
  if (!own_ || !metadata_) return;
  Result<Fd> guard = lock();
  if (!guard.ok()) return;
  Result<sys::DmDevice> device = mapper_.find(pool_);
  if (device.ok() && device->open_count == 0) (void)mapper_.remove(pool_, false, 0);
}

Result<Fd> ThinPool::lock() const {
  Fd fd = TRY(sys::open_at(metadata_.get(), ".", O_RDONLY | O_DIRECTORY));
  while (flock(fd.get(), LOCK_EX) < 0)
    if (errno != EINTR) return Error::sys(errno, "lock `metadata`");
  return fd;
}

Status ThinPool::open_own_pool(const Home& home) {
  if (mapper_.find(pool_).ok()) return {};
  const Fd files = TRY(home.make_directory("devicemapper", 0700));
  const sys::LoopDevice data = TRY(own_device(files.get(), "data", options_.data_size));
  const sys::LoopDevice metadata = TRY(own_device(files.get(), "metadata", options_.metadata_size));
  char table[200];
  // Full, it fails writes at once: queued ones would hang the container that waits for them.
  snprintf(table, sizeof table, "%s %s %llu 32768 2 skip_block_zeroing error_if_no_space",
           metadata.path.c_str(), data.path.c_str(),
           static_cast<unsigned long long>(options_.block_size / kSector));
  const uint64_t bytes = TRY(bytes_of(data.fd.get()));
  (void)TRY(mapper_.create(pool_, bytes / kSector, "thin-pool", table));
  return {};
}

Status ThinPool::check_given_pool() {
  Result<sys::DeviceMapper::Target> table = mapper_.table(pool_);
  if (!table.ok()) return Status(std::move(table).error()).ctx("dm.thinpooldev");
  if (table->type != "thin-pool")
    return Error::of(ErrorKind::invalid, "dm.thinpooldev: `%s` is a %s, not a thin-pool", pool_.c_str(),
                     table->type.c_str());
  const PoolStatus pool = TRY(status());
  if (pool.transaction != 0 && faccessat(metadata_.get(), kBase, F_OK, 0) < 0 &&
      !has_transaction(metadata_.get()))
    return Error::of(ErrorKind::in_use,
                     "dm.thinpooldev: somebody else uses `%s` (its transaction id is %" PRIu64 ")",
                     pool_.c_str(), pool.transaction);
  return {};
}

Result<PoolStatus> ThinPool::status() const {
  const sys::DeviceMapper::Target line = TRY(mapper_.status(pool_));
  PoolStatus pool;
  char held[32], state[32] = "";
  if (sscanf(line.parameters.c_str(), "%" SCNu64 " %" SCNu64 "/%" SCNu64 " %" SCNu64 "/%" SCNu64 " %31s %31s",
             &pool.transaction, &pool.metadata_used, &pool.metadata_total, &pool.data_used, &pool.data_total,
             held, state) != 7)
    return Error::of(ErrorKind::failed, "the thin pool `%s` has failed (%s): see thin_check", pool_.c_str(),
                     line.parameters.c_str());
  pool.state = state;
  pool.block_bytes = pool.data_total ? line.sectors * kSector / pool.data_total : 0;
  return pool;
}

std::string ThinPool::backing_device(bool metadata) const {
  const Result<sys::DeviceMapper::Target> table = mapper_.table(pool_);
  unsigned numbers[4] = {};
  if (!table.ok() || sscanf(table.value().parameters.c_str(), "%u:%u %u:%u", &numbers[0], &numbers[1],
                            &numbers[2], &numbers[3]) != 4)
    return "";
  const unsigned* number = metadata ? numbers : numbers + 2;
  return number[0] == 7 ? "/dev/loop" + std::to_string(number[1])
                        : std::to_string(number[0]) + ":" + std::to_string(number[1]);
}

// --- transactions --------------------------------------------------------------------------------------------------

// A file that cannot be read may be that of any device.
Result<bool> ThinPool::is_taken(uint64_t id, const std::string& but_for) const {
  for (const std::string& name : TRY(names_in(metadata_.get(), "."))) {
    if (name == but_for || name.ends_with("-metadata") || name.ends_with(".tmp")) continue;
    Result<ThinDevice> device = read(name);
    if (!device.ok() || device->id == id) return true;
  }
  return false;
}

Status ThinPool::roll_back() const {
  const PoolStatus pool = TRY(status());
  Result<ThinTransaction> pending = read_transaction(metadata_.get());
  // One that cannot be read is none: a device that it was for stays in the pool.
  if (!pending.ok())
    return pending.error().kind() == ErrorKind::failed ? Status(std::move(pending).error()) : Status();
  if (pending->opens == pool.transaction) return {};
  if (pending->opens != pool.transaction + 1)
    return Error::of(ErrorKind::failed,
                     "the pool is at transaction %" PRIu64 ", its metadata/ at %" PRIu64
                     ": they do not belong together",
                     pool.transaction, pending->opens);
  // A number that turns out to be taken is written down before the pool is asked: the device is another's.
  if (TRY(is_taken(pending->device, pending->name))) return {};
  Result<ThinDevice> device = read(pending->name);
  (void)mapper_.remove(device_name(pending->device), false, 200);
  TRY(delete_device(pending->device));
  if (device.ok() && device->id == pending->device) unlinkat(metadata_.get(), pending->name.c_str(), 0);
  return {};
}

template <class Act>
Result<uint64_t> ThinPool::transact(const std::string& name, const Act& act) const {
  const PoolStatus pool = TRY(status());
  TRY(check_free(pool));
  ThinTransaction transaction;
  transaction.opens = pool.transaction + 1;
  transaction.name = name;
  DeviceSet set = TRY(read_device_set(metadata_.get()));
  for (uint64_t tries = 0; tries < kMostDevices; ++tries) {
    transaction.device = set.next_device ? set.next_device : 1;
    set.next_device = transaction.device >= kMostDevices ? 1 : transaction.device + 1;
    // delete_marked() would take it for the one that is to go.
    if (faccessat(metadata_.get(), mark_of(transaction.device).c_str(), F_OK, 0) == 0) continue;
    TRY(write_transaction(metadata_.get(), transaction));
    fault_point("devicemapper.transaction.open");
    Status acted = act(transaction.device);
    if (acted.ok()) {
      TRY(write_device_set(metadata_.get(), set));
      fault_point("devicemapper.transaction.act");
      return transaction.device;
    }
    if (acted.error().code() != EEXIST) return std::move(acted).error();
  }
  return Error::of(ErrorKind::failed, "the thin pool has no free device number");
}

Status ThinPool::finish(uint64_t transaction) const {
  return mapper_.message(
      pool_, "set_transaction_id " + std::to_string(transaction - 1) + " " + std::to_string(transaction));
}

Status ThinPool::check_free(const PoolStatus& pool) const {
  if (pool.state != "rw")
    return Error::sys(ENOSPC, "the thin pool `%s` is %s", pool_.c_str(), pool.state.c_str());
  const uint64_t least = options_.min_free_percent;
  if ((pool.data_total - pool.data_used) * 100 < pool.data_total * least)
    return Error::sys(ENOSPC,
                      "the thin pool has %" PRIu64 " free data blocks, less than dm.min_free_space (%u%%)",
                      pool.data_total - pool.data_used, options_.min_free_percent);
  if ((pool.metadata_total - pool.metadata_used) * 100 < pool.metadata_total * least)
    return Error::sys(
        ENOSPC, "the thin pool has %" PRIu64 " free metadata blocks, less than dm.min_free_space (%u%%)",
        pool.metadata_total - pool.metadata_used, options_.min_free_percent);
  return {};
}

// A device that is gone from the list of devices may not be closed in the pool yet: its removal was deferred, and is
// done in the background.
Status ThinPool::delete_device(uint64_t id) const {
  for (int tries = 0;; ++tries) {
    Status deleted = mapper_.message(pool_, "delete " + std::to_string(id));
    if (deleted.ok() || deleted.error().code() == ENODATA) return {};
    if (deleted.error().code() != EBUSY || tries == 300) return deleted;
    usleep(10'000);
  }
}

// --- devices -------------------------------------------------------------------------------------------------------

Result<ThinDevice> ThinPool::read(const std::string& name) const {
  return read_thin_device(metadata_.get(), name);
}
Status ThinPool::write(const std::string& name, const ThinDevice& device) const {
  return write_thin_device(metadata_.get(), name, device);
}

/// What deviceset-metadata said. The next device gets the first number that is free.
Result<DeviceSet> ThinPool::find_base(const ThinDevice& base) const {
  const sys::DmDevice device = TRY(activate(base));
  Result<DeviceFs> found = probe_device_fs(device.path);
  TRY(deactivate(base, false, 3000));
  DeviceSet set;
  set.base_fs = TRY(std::move(found)).type;
  TRY(write_device_set(metadata_.get(), set));
  return set;
}

/// A larger dm.basesize, as with Docker: for layers that are snapshots of the base device from now on.
Status ThinPool::grow_base(ThinDevice& base, DeviceSet& set) const {
  const uint64_t wanted = options_.base_size / kSector * kSector;
  if (wanted && wanted < base.size)
    return Error::of(ErrorKind::invalid,
                     "dm.basesize: the base device cannot be smaller than its %" PRIu64 " bytes", base.size);
  const bool asked = wanted > base.size;
  if (!asked && !set.growing) return {};
  // The file system is never larger than its device is known to be. What a crash leaves smaller is grown by whoever
  // opens the pool next.
  set.growing = true;
  TRY(write_device_set(metadata_.get(), set));
  base.size = std::max(wanted, base.size);
  TRY(write(kBase, base));
  fault_point("devicemapper.base.growing");
  TRY(deactivate(base, false, 3000));  // it may be active with its old size
  const auto grow = [&]() -> Status {
    const sys::DmDevice device = TRY(activate(base));
    const Fd mounted = TRY(sys::mount_detached(device_fs_mount(fs_, device.path)));
    const Fd root = TRY(sys::open_at(mounted.get(), ".", O_RDONLY | O_DIRECTORY));
    return grow_device_fs(root.get(), fs_, base.size);
  };
  Status grown = grow();
  TRY(deactivate(base, false, 3000));
  // A pool that is full, say, must not keep whoever wants to remove layers from it.
  if (!grown.ok()) return asked ? std::move(grown).ctx("dm.basesize") : Status();
  set.growing = false;
  return write_device_set(metadata_.get(), set);
}

Status ThinPool::make_base() {
  fs_ = options_.fs.empty() ? "" : options_.fs;
  Result<ThinDevice> known = read(kBase);
  DeviceSet set = TRY(read_device_set(metadata_.get()));
  if (known.ok() && known->initialized) {
    if (set.base_fs.empty()) set = TRY(find_base(*known));
    if (!fs_.empty() && fs_ != set.base_fs)
      return Error::of(ErrorKind::invalid, "dm.fs is %s, but the layers here are on %s", fs_.c_str(),
                       set.base_fs.c_str());
    fs_ = set.base_fs;
    TRY(grow_base(*known, set));
    base_size_ = known->size;
    return {};
  }
  if (!known.ok() && known.error().kind() != ErrorKind::not_found) return std::move(known).error();
  if (known.ok()) TRY(remove(kBase));  // a crash came before its file system was made
  if (fs_.empty()) fs_ = TRY(default_device_fs());
  ThinDevice base;
  base.size = (options_.base_size ? options_.base_size : kDefaultBaseSize) / kSector * kSector;
  base.id = TRY(transact(
      kBase, [&](uint64_t id) { return mapper_.message(pool_, "create_thin " + std::to_string(id)); }));
  base.transaction = TRY(status()).transaction + 1;
  TRY(write(kBase, base));
  TRY(finish(base.transaction));
  const sys::DmDevice device = TRY(activate(base));
  Status formatted = make_device_fs(device.path, fs_, options_.mkfs_arguments);
  Result<DeviceFs> found = formatted.ok() ? probe_device_fs(device.path) : std::move(formatted).error();
  TRY(deactivate(base, false, 3000));
  if (!found.ok()) (void)remove(kBase);
  const DeviceFs made = TRY(std::move(found));
  set = TRY(read_device_set(metadata_.get()));
  set.base_fs = made.type;
  set.base_uuid = made.uuid;
  TRY(write_device_set(metadata_.get(), set));
  base.initialized = true;
  TRY(write(kBase, base));
  base_size_ = base.size;
  return {};
}

Result<ThinDevice> ThinPool::snapshot(const std::string& name, const std::string& origin,
                                      ThinDevice device) const {
  const ThinDevice from = TRY(read(origin.empty() ? kBase : origin));
  if (device.size == 0) device.size = from.size;
  // An active origin must be at rest, or the snapshot would be of a file system in the middle of its work.
  const bool rest = is_active(from);
  if (rest) TRY(mapper_.suspend(device_name(from.id)));
  Result<uint64_t> id = transact(name, [&](uint64_t number) {
    return mapper_.message(pool_, "create_snap " + std::to_string(number) + " " + std::to_string(from.id));
  });
  if (rest) TRY(mapper_.resume(device_name(from.id)));
  if (!id.ok()) return std::move(id).error();
  device.id = *id;
  device.transaction = TRY(status()).transaction + 1;
  TRY(write(name, device));
  fault_point("devicemapper.snapshot.recorded");
  TRY(finish(device.transaction));
  fault_point("devicemapper.snapshot.done");
  return device;
}

Status ThinPool::rename(const std::string& from, const std::string& to, const ThinDevice& device) const {
  TRY(write(from, device));
  if (renameat(metadata_.get(), from.c_str(), metadata_.get(), to.c_str()) < 0)
    return Error::sys(errno, "rename `metadata/%s`", from.c_str());
  fault_point("devicemapper.rename");
  if (fsync(metadata_.get()) < 0) return Error::sys(errno, "sync `metadata`");
  return {};
}

Result<sys::DmDevice> ThinPool::activate(const ThinDevice& device) const {
  const std::string name = device_name(device.id);
  for (int tries = 0; tries < 500; ++tries) {
    Result<sys::DmDevice> active = mapper_.find(name);
    if (!active.ok() && active.error().kind() == ErrorKind::not_found) break;
    if (!active.ok() || !active->deferred || mapper_.message(name, "@cancel_deferred_remove").ok())
      return active;
    usleep(10'000);  // too late: it has been closed and is on its way out
  }
  const sys::DmDevice pool = TRY(mapper_.find(pool_));
  return mapper_.create(name, device.size / kSector, "thin", pool.path + " " + std::to_string(device.id));
}

Status ThinPool::deactivate(const ThinDevice& device, bool deferred, int wait) const {
  return mapper_.remove(device_name(device.id), deferred, wait);
}

bool ThinPool::is_active(const ThinDevice& device) const {
  return mapper_.find(device_name(device.id)).ok();
}

// The name goes first: from then on nobody finds the layer, and delete_marked() finishes what a crash interrupts.
Status ThinPool::remove(const std::string& name) const {
  Result<ThinDevice> known = read(name);
  if (!known.ok() && known.error().kind() == ErrorKind::invalid) return remove_damaged(name);
  const ThinDevice device = TRY(std::move(known));
  // What was mounted on it a moment ago may still be on its way out.
  Status idle = deactivate(device, false, 3000);
  if (!idle.ok() && !options_.deferred_deletion) return idle;
  if (renameat(metadata_.get(), name.c_str(), metadata_.get(), mark_of(device.id).c_str()) < 0)
    return Error::sys(errno, "rename `metadata/%s`", name.c_str());
  fault_point("devicemapper.remove.marked");
  return delete_marked();
}

// Whose file says nothing any more: its device is one that no file has.
Status ThinPool::remove_damaged(const std::string& name) const {
  if (unlinkat(metadata_.get(), name.c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "remove `metadata/%s`", name.c_str());
  const DeviceSet set = TRY(read_device_set(metadata_.get()));
  for (uint64_t id = 1; id < set.next_device; ++id) {
    if (TRY(is_taken(id, ""))) continue;
    (void)mapper_.remove(device_name(id), false, 200);
    TRY(delete_device(id));
  }
  return {};
}

Result<size_t> ThinPool::marked() const {
  const std::vector<std::string> names = TRY(names_in(metadata_.get(), "."));
  return std::count_if(names.begin(), names.end(),
                       [](const std::string& name) { return name.starts_with(kMark); });
}

Status ThinPool::delete_marked() const {
  for (const std::string& name : TRY(names_in(metadata_.get(), "."))) {
    if (!name.starts_with(kMark)) continue;
    Result<ThinDevice> known = read(name);
    ThinDevice device = known.ok() ? std::move(*known) : ThinDevice();
    device.id = strtoull(name.c_str() + strlen(kMark), nullptr, 10);
    Status idle = deactivate(device, false, 0);
    if (!idle.ok() && idle.error().kind() == ErrorKind::in_use) {
      (void)deactivate(device, true);
      continue;
    }
    TRY(std::move(idle));
    if (own_ && options_.discard && device.size) TRY(discard(device));
    Status deleted = delete_device(device.id);
    if (!deleted.ok() && deleted.error().code() == EBUSY) continue;  // the mark stays
    TRY(std::move(deleted));
    fault_point("devicemapper.remove.deleted");
    if (unlinkat(metadata_.get(), name.c_str(), 0) < 0 && errno != ENOENT)
      return Error::sys(errno, "remove `metadata/%s`", name.c_str());
  }
  return {};
}

// Else the blocks stay allocated in the sparse file though the pool has them back.
Status ThinPool::discard(const ThinDevice& device) const {
  Result<sys::DmDevice> active = activate(device);
  if (!active.ok()) return active.error().code() == ENODATA ? Status() : Status(std::move(active).error());
  {
    const Fd fd(::open(active->path.c_str(), O_RDWR | O_CLOEXEC));
    const uint64_t range[2] = {0, device.size};
    if (fd) (void)ioctl(fd.get(), BLKDISCARD, range);  // only saves space
  }
  return deactivate(device, false, 3000);
}

}  // namespace slipway::drivers
