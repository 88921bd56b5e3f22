// The contract of a graph driver.
//
// A driver keeps LAYERS. A layer is a directory tree: its own changes on top of those of its parent, and so
// on down to a layer without a parent. Layers have names: 64 lower-case hex digits for committed layers (the
// chain ID, as the store uses it) and for read-write layers (the container's ID).
//
// A layer's life:
//
//   stage(parent)  makes an empty, writable layer that nobody can see yet. Its tree is filled through
//   Stage::root()
//                  (only its own changes, in the driver's whiteout format; see whiteouts()).
//   commit(stage)  gives it its name with one rename. From then on it is immutable. A name that exists
//   already is
//                  not an error: the other one has the same content, ours is dropped.
//   create_rw()    makes a container's layer on top of a committed one; it exists until remove().
//
// What a driver does NOT do: it does not mount. mounts() returns, as data, what to mount to see a layer's
// whole tree; whoever needs the tree performs that in a mount namespace of its own (src/sys/mount_spec.h). A
// driver keeps no state in memory that another process would have to know: several processes use one store at
// once, and each call sees what is on disk. It takes no locks but the one on a Stage: the store orders
// create, commit and remove of one name.
//
// Idempotent: remove() of a name that does not exist, mounts(), recover(). A crash between any two system
// calls may leave stages and half-removed layers in the driver's own `tmp/` directory, never a half-made
// layer under its name; recover() collects what no living process holds a lock on.
//
// Errors: not_found (no such layer), exists (create_rw of a name that is there), in_use (remove of a layer
// with children that the driver can see), unsupported (probe, options: the text says exactly what is
// missing), invalid (an option's value), failed with the errno otherwise; ENOSPC and EDQUOT are passed on as
// such in code().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/mount_spec.h"

namespace slipway::drivers {

/// What a driver can do, as data.
struct Capabilities {
  bool native_changes = false;     // changes() reads only what changed
  bool rebase = false;             // stage() without a parent may be committed onto one later
  bool quota = false;              // RwOptions::size works here
  bool page_cache_shared = false;  // containers of one image share the pages of its files
  uint32_t max_depth = 0;          // layers in one stack, the read-write layer not counted
};

/// How a deletion looks in a stage's tree.
enum class Whiteouts : uint8_t {
  overlay,      // character device 0/0; opaque directories carry <prefix>overlay.opaque=y
  aufs,         // .wh.NAME files; opaque directories hold .wh..wh..opq
  materialised  // the tree is the whole layer: what is deleted is really gone
};

struct RwOptions {
  uint64_t size = 0;  // bytes the layer may hold; 0: no limit
};

struct Usage {
  uint64_t bytes = 0;  // allocated to the layer's own changes
  uint64_t inodes = 0;
};

enum class ChangeKind : uint8_t { modified, added, deleted };

/// One path that differs between a layer and its parent; absolute, "/" is the layer's root.
struct Change {
  std::string path;
  ChangeKind kind;
};

/// A layer that is being made. Destroying it uncommitted removes it.
class Stage {
 public:
  virtual ~Stage() = default;
  /// The tree to fill: for drivers with whiteouts the changes alone, else a copy of the parent's whole tree.
  virtual int root() const = 0;
};

class Driver {
 public:
  virtual ~Driver() = default;

  virtual const char* name() const = 0;
  virtual Capabilities capabilities() const = 0;
  virtual Whiteouts whiteouts() const = 0;

  /// A new stage on `parent` ("" for none).
  virtual Result<std::unique_ptr<Stage>> stage(std::string_view parent) = 0;
  /// Publishes a stage as layer `id` on `parent`. The caller has synced the data (syncfs of Stage::root()).
  virtual Status commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) = 0;
  virtual Status create_rw(std::string_view id, std::string_view parent, const RwOptions& options) = 0;

  /// What to mount to see layer `id`: read-write for a read-write layer, read-only for a committed one.
  virtual Result<sys::MountSpec> mounts(std::string_view id) = 0;
  /// Undoes what mounts() had to activate, when nobody has the layer mounted any more. Most drivers: nothing.
  virtual Status release(std::string_view id) = 0;

  /// What layer `id` changes against its parent, sorted by path.
  virtual Result<std::vector<Change>> changes(std::string_view id) = 0;
  virtual Result<Usage> usage(std::string_view id) = 0;
  virtual Result<bool> exists(std::string_view id) = 0;
  virtual Status remove(std::string_view id) = 0;
  /// All layers, in no order.
  virtual Result<std::vector<std::string>> list() = 0;
  /// Collects what crashes left. Cheap when there is nothing.
  virtual Status recover() = 0;

  /// Directories of the layer for people and for `inspect`, such as UpperDir.
  virtual Result<std::vector<std::pair<std::string, std::string>>> metadata(std::string_view id) = 0;
  /// Rows for `info`.
  virtual std::vector<std::pair<std::string, std::string>> status() = 0;
};

using Options = std::vector<std::pair<std::string, std::string>>;  // --storage-opt key=value

/// How the registry knows a driver.
struct DriverEntry {
  const char* name;
  /// Opens the driver on <root>/<name>, making the directory if need be. `root` is the store's root
  /// directory. ErrorKind::unsupported when this kernel or file system cannot carry it.
  Result<std::unique_ptr<Driver>> (*open)(const std::string& root, const Options& options);
};

/// All drivers in the order in which they are tried.
const std::vector<DriverEntry>& registry();

/// The driver called `name`; "" chooses: one whose directory in the store holds layers wins, else the first
/// that works here. Two drivers with layers and no choice is an error that names both.
Result<std::unique_ptr<Driver>> open_driver(std::string_view name, const std::string& root,
                                            const Options& options);

}  // namespace slipway::drivers
