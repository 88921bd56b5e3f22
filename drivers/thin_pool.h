// The thin pool of the devicemapper driver: its devices, their numbers, and transactions that survive a crash.
//
//   <home>/devicemapper/{data,metadata}   sparse files, when the pool is our own on loop devices
//   <home>/metadata/<id>                  one device: {"device_id":7,"size":...,"transaction_id":9,...}
//   <home>/metadata/base                  the empty file system that all others are snapshots of
//   <home>/metadata/deviceset-metadata    the next number to try, and what `base` holds
//   <home>/metadata/transaction-metadata  what is being done: the pool's transaction id after it, the device, its number
//
// These are Docker's files. A change of the pool is: write transaction-metadata, send the message to the pool, write
// the device's file, set the pool's transaction id. After a crash the pool's id says how far it came: if it is not yet
// the one in transaction-metadata, the device is taken back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/home.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/device_mapper.h"

namespace slipway::drivers {

struct DeviceSet;  // thin_metadata.h

struct ThinPoolOptions {
  uint64_t base_size = 0;               // dm.basesize; 0: what the base device has, or 10 GiB
  uint64_t data_size = 100ULL << 30;    // dm.loopdatasize
  uint64_t metadata_size = 2ULL << 30;  // dm.loopmetadatasize
  uint64_t block_size = 64 << 10;       // dm.blocksize
  std::string pool;                     // dm.thinpooldev; "": our own on loop devices
  std::string fs;                       // dm.fs; "": what can be made here
  std::string mkfs_arguments;           // dm.mkfsarg
  std::string mount_options;            // dm.mountopt
  std::string nospace_retries;          // dm.xfs_nospace_max_retries; "": the kernel's
  unsigned min_free_percent = 10;       // dm.min_free_space
  bool deferred_removal = true;         // dm.use_deferred_removal
  bool deferred_deletion = true;        // dm.use_deferred_deletion
  bool discard = true;                  // dm.blkdiscard: deleted devices give the file's space back
};

/// One device's file in metadata/. "parent" and "committed" are ours, the rest Docker's.
struct ThinDevice {
  uint64_t id = 0;    // in the pool, 24 bits
  uint64_t size = 0;  // bytes
  uint64_t transaction = 0;
  bool initialized = false;
  bool committed = false;
  std::string parent;
};

struct PoolStatus {
  uint64_t transaction = 0;
  uint64_t metadata_used = 0, metadata_total = 0;  // blocks of 4 KiB
  uint64_t data_used = 0, data_total = 0;          // blocks of the pool
  uint64_t block_bytes = 0;
  std::string state;  // "rw", "ro", "out_of_data_space"
};

class ThinPool {
 public:
  /// Activates the pool, makes it and the base device if need be, and takes back what a crash left half-done.
  static Result<ThinPool> open(const Home& home, const ThinPoolOptions& options);
  ThinPool(ThinPool&&) = default;
  /// Our own pool goes when no device of it is active any more.
  ~ThinPool();

  /// Whoever changes the pool, or activates or removes a device, holds this.
  Result<Fd> lock() const;

  Result<ThinDevice> read(const std::string& name) const;
  /// Needs the lock.
  Status write(const std::string& name, const ThinDevice& device) const;
  /// A snapshot of `origin`'s device ("" for the base device), recorded under `name`. Needs the lock.
  Result<ThinDevice> snapshot(const std::string& name, const std::string& origin, ThinDevice device) const;
  /// Gives a recorded device another name, with new contents. Needs the lock.
  Status rename(const std::string& from, const std::string& to, const ThinDevice& device) const;
  /// Deletes the device recorded under `name`; in use, it is marked and deleted later. Needs the lock.
  Status remove(const std::string& name) const;
  /// How many are marked.
  Result<size_t> marked() const;
  /// Deletes what is marked, if nobody uses it any more. Needs the lock.
  Status delete_marked() const;

  /// Needs the lock. An active device whose removal was deferred is kept; `deferred` of what is returned says that
  /// it was.
  Result<sys::DmDevice> activate(const ThinDevice& device) const;
  Status deactivate(const ThinDevice& device, bool deferred, int wait = 200) const;
  bool is_active(const ThinDevice& device) const;

  Result<PoolStatus> status() const;
  const ThinPoolOptions& options() const { return options_; }
  bool own() const { return own_; }
  std::string name_of(const ThinDevice& device) const { return device_name(device.id); }
  const std::string& name() const { return pool_; }
  const std::string& fs() const { return fs_; }
  uint64_t base_size() const { return base_size_; }
  int metadata() const { return metadata_.get(); }
  Result<std::string> version() const { return mapper_.version(); }
  std::string backing_device(bool metadata) const;

 private:
  ThinPool(sys::DeviceMapper mapper, const ThinPoolOptions& options)
      : mapper_(std::move(mapper)), options_(options) {}
  Status open_own_pool(const Home& home);
  Status check_given_pool();
  Status roll_back() const;
  /// Whether a device is recorded with this number, under another name than `but_for`.
  Result<bool> is_taken(uint64_t id, const std::string& but_for) const;
  Status make_base();
  Result<DeviceSet> find_base(const ThinDevice& base) const;
  Status grow_base(ThinDevice& base, DeviceSet& set) const;
  Status check_free(const PoolStatus& pool) const;
  Status delete_device(uint64_t id) const;
  Status remove_damaged(const std::string& name) const;
  Status discard(const ThinDevice& device) const;
  /// Begins a transaction: finds a free number for the device of `name` and calls `act` with it.
  template <class Act>
  Result<uint64_t> transact(const std::string& name, const Act& act) const;
  /// Ends it: the pool's id becomes that of the transaction.
  Status finish(uint64_t transaction) const;
  std::string device_name(uint64_t id) const { return prefix_ + std::to_string(id); }

  sys::DeviceMapper mapper_;
  ThinPoolOptions options_;
  Fd metadata_;
  std::string pool_, prefix_, fs_;
  uint64_t base_size_ = 0;
  bool own_ = false;
};

}  // namespace slipway::drivers
