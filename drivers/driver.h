// The contract of a graph driver.
//
// A driver keeps LAYERS. A layer is a directory tree: its own changes on top of those of its parent, and so
// on down to a layer without a parent. Layers have names: 64 lower-case hex digits for committed layers (the
// chain ID, as the store uses it) and for read-write layers (the container's ID). A name that is not one file
// name of letters, digits, `_`, `.` and `-` is refused everywhere (CVE-2014-9358).
//
// A layer's life:
//
//   stage(parent)  makes a writable layer that nobody can see yet. Its tree is filled through Stage::root(),
//                  in the driver's whiteout format; see whiteouts().
//   commit(stage)  gives it its name with one rename. From then on it is immutable. A name that exists is
//                  not an error: the other one has the same content, ours is dropped.
//   create_rw()    makes a container's layer on top of a committed one; it exists until remove().
//
// A stage made without a parent may be committed onto one, where Capabilities::rebase says so: the layers of
// an image can then be unpacked side by side. Elsewhere the parent of stage() and commit() must be the same.
//
// What a driver does NOT do: it does not mount. mounts() returns, as data, what to mount to see a layer's
// whole tree; whoever needs the tree performs that in a mount namespace of its own, or detached
// (src/sys/mount_spec.h). A driver keeps no state in memory that another process would have to know: several
// processes use one store at once, and each call sees what is on disk. It takes no locks but those that guard
// its own staging and its own pool. Who else uses a layer, and in which order create, commit and remove of
// one name come, is the store's business: a driver removes a parent whose children live, and they are broken.
//
// Idempotent: remove() of a name that does not exist, mounts(), release(), recover(). A crash between any two
// system calls may leave stages and half-removed layers in the driver's own `tmp/` directory, never a
// half-made layer under its name; recover() collects what no living process holds a lock on. What a crash of
// the machine may take: read-write layers made in the last seconds, never a committed layer.
//
// Errors: not_found (no such layer), exists (create_rw of a name that is there), in_use (release or remove
// while the kernel holds the layer), unsupported (open, options: the text says exactly what is missing),
// invalid (a name, an option's value), failed with the errno otherwise; ENOSPC and EDQUOT are passed on as
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
  bool user_xattr = false;         // whiteouts(): opaque marks are user.overlay.opaque, not trusted.
  uint32_t max_depth = 0;          // layers in one stack, the read-write layer not counted; 0: no limit
};

/// How a deletion looks in a stage's tree.
enum class Whiteouts : uint8_t {
  overlay,      // character device 0/0; opaque directories carry trusted.overlay.opaque=y (or user.)
  aufs,         // .wh.NAME files; opaque directories hold .wh..wh..opq
  materialised  // the tree is the whole layer: what is deleted is really gone
};

struct RwOptions {
  uint64_t size = 0;        // bytes the layer may hold; 0: no limit, or the driver's own default
  bool disposable = false;  // nobody needs the layer after a crash of the machine: it is never synced
  bool places =
      false;  // a driver may show, below all else, empty places for what a container mounts (/etc/hosts, /proc ...)
};

/// What a layer's own changes take. An inode with several names counts once.
struct Usage {
  uint64_t bytes = 0;      // the sizes of its files and symbolic links: what `docker ps -s` shows
  uint64_t allocated = 0;  // on disk, directories too
  uint64_t inodes = 0;
};

enum class ChangeKind : uint8_t { modified, added, deleted };

/// One path that differs between a layer and its parent; absolute, "/" is the layer's root.
///
/// As docker lists them: every entry of a new directory is `added`; of a deleted directory only the top is
/// `deleted`; a directory in which something changed is `modified`, also if its own metadata did not change;
/// what replaced an entry of another type is `modified`. "/" is listed only if its own mode, owner or
/// attributes changed. A file that was copied up and is the same as before is not a change.
struct Change {
  std::string path;
  ChangeKind kind;
};

/// A layer that is being made. Destroying it uncommitted removes it. Holds a lock for the life of the
/// process, by which recover() knows it from what a crash left.
class Stage {
 public:
  virtual ~Stage() = default;
  /// The tree to fill: for drivers with whiteouts the changes alone, else a copy of the parent's whole tree.
  /// Its own mode, owner and attributes become those of the layer's root. Valid until commit.
  virtual int root() const = 0;
};

/// What the store knows of a layer.
struct LayerFacts {
  std::string_view parent;  // "" for none
  bool committed = false;
};

class Driver {
 public:
  virtual ~Driver() = default;

  virtual const char* name() const = 0;
  virtual Capabilities capabilities() const = 0;
  virtual Whiteouts whiteouts() const = 0;

  /// A new stage on `parent` ("" for none).
  virtual Result<std::unique_ptr<Stage>> stage(std::string_view parent) = 0;
  /// Publishes a stage as layer `id` on `parent`. The caller has synced the data (syncfs of Stage::root());
  /// the name is on disk when it returns.
  virtual Status commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) = 0;
  /// A read-write layer on `parent` ("" for none). Too deep a stack is refused here, not when it is mounted.
  virtual Status create_rw(std::string_view id, std::string_view parent, const RwOptions& options) = 0;

  /// What to mount to see layer `id`: read-write for a read-write layer, read-only for a committed one.
  /// Activates the layer's device where there is one (devicemapper). For one mount: a disposable layer that has been mounted
  /// since is refused by the kernel until this is asked again.
  virtual Result<sys::MountSpec> mounts(std::string_view id) = 0;
  /// Undoes what mounts() had to activate, when nobody has the layer mounted any more. Most drivers: nothing.
  virtual Status release(std::string_view id) = 0;

  /// What layer `id` changes against its parent, sorted by path.
  virtual Result<std::vector<Change>> changes(std::string_view id) = 0;
  /// A directory under which every path that changes() lists as added or modified can be read: the layer's
  /// own directory where there is one, else its tree, mounted for this descriptor alone. It may hold more
  /// than the changes (whiteouts, unchanged entries, the driver's own attributes `*.overlay.*`).
  virtual Result<Fd> contents(std::string_view id) = 0;
  virtual Result<Usage> usage(std::string_view id) = 0;
  virtual Result<bool> exists(std::string_view id) = 0;
  virtual Status remove(std::string_view id) = 0;
  /// Whether what the driver itself notes of the layer (its files and short names, not its tree) is whole and says the same;
  /// the parent's must be. The error says what is wrong. With `repair` it is written anew: an error is what cannot be
  /// mended so. Errors: not_found when there is no tree.
  virtual Status check(std::string_view id, const LayerFacts& is, bool repair) = 0;
  /// All layers, in no order.
  virtual Result<std::vector<std::string>> list() = 0;
  /// Collects what crashes left. Cheap when there is nothing.
  virtual Status recover() = 0;

  /// Directories of the layer for people and for `inspect`, such as UpperDir.
  virtual Result<std::vector<std::pair<std::string, std::string>>> metadata(std::string_view id) = 0;
  /// Rows for `info`, below the driver's name.
  virtual std::vector<std::pair<std::string, std::string>> status() = 0;
};

using Options = std::vector<std::pair<std::string, std::string>>;  // --storage-opt key=value

/// How the registry knows a driver.
struct DriverEntry {
  const char* name;
  /// Probes and opens the driver on <root>/<name>, making the directory if need be. `root` is the store's
  /// root directory, an absolute path. ErrorKind::unsupported when this kernel or file system cannot carry
  /// it; the text says what is missing. Nothing is left behind when it fails.
  Result<std::unique_ptr<Driver>> (*open)(const std::string& root, const Options& options);
  /// Whether a store under `root` has layers of this driver.
  bool (*in_use)(const std::string& root);
};

/// All drivers in the order in which they are tried.
const std::vector<DriverEntry>& registry();

/// What becomes of options that are another driver's (`dm.fs` for vfs).
enum class ForeignOptions : uint8_t { refuse, leave_out };

/// The driver called `name`; "" chooses: one whose directory in the store holds layers wins, else the first
/// that works here. Layers of two drivers and no choice is an error that names both.
Result<std::unique_ptr<Driver>> open_driver(std::string_view name, const std::string& root,
                                            const Options& options,
                                            ForeignOptions foreign = ForeignOptions::refuse);

/// The options of one container (`--storage-opt size=10G`).
Result<RwOptions> parse_rw_options(const Options& options);

}  // namespace slipway::drivers
