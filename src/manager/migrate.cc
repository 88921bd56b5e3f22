#include "src/manager/migrate.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <set>

#include "oci/layer_apply.h"
#include "oci/piece_ring.h"
#include "oci/tree_archive.h"
#include "src/manager/container_tree.h"
#include "src/manager/image_users.h"
#include "src/manager/layer_diff.h"
#include "src/manager/layer_restore.h"
#include "src/store/containers.h"
#include "src/store/work.h"
#include "src/sys/file.h"
#include "src/sys/mount.h"

namespace slipway::manager {

namespace {

Result<Fd> open_tree(drivers::Driver& driver, const std::string& id) {
  const sys::MountSpec spec = TRY(driver.mounts(id));
  const Fd mount = TRY(sys::mount_detached(spec));
  return sys::open_at(mount.get(), ".", O_RDONLY | O_DIRECTORY);
}

/// A tree's digest: of the tar that has all of it. The root counts with its mode and owner; its time is that of
/// whoever unpacked a layer which does not name it.
Result<Digest> tree_digest(drivers::Driver& driver, const std::string& id) {
  const Fd tree = TRY(open_tree(driver, id));
  struct stat root;
  if (fstat(tree.get(), &root) < 0) return Error::sys(errno, "stat");
  Sha256 hash;
  const uint32_t own[] = {root.st_mode, root.st_uid, root.st_gid};
  hash.update(own, sizeof own);
  oci::TarWriter writer([&](std::string_view bytes) -> Status {
    hash.update(bytes.data(), bytes.size());
    return {};
  });
  TRY(oci::TreeArchiver(writer, tree.get()).add_contents_of_root());
  TRY(writer.finish());
  return hash.finish();
}

class Migration {
 public:
  Migration(store::ImageStore& images, store::Store& store, drivers::Driver& from, drivers::Driver& to,
            const MigrateProgress& progress)
      : images_(images), store_(store), from_(from), to_(to), progress_(progress) {}

  Status copy() {
    users_ = TRY(image_users(store_));
    for (const ImageUser& user : users_)
      if (user.running)
        return Error::of(ErrorKind::in_use, "container %.12s is running", user.container.c_str());
    TRY(copy_layers());
    for (const ImageUser& user : users_) TRY(copy_container(user));
    return clear_remains();
  }

  Status compare() {
    for (const std::string& id : layers_) TRY(compare(id));
    for (const ImageUser& user : users_) TRY(compare(user.container));
    // What was looked at need not stay active; nobody runs on it.
    for (const std::string& id : layers_) (void)to_.release(id);
    for (const ImageUser& user : users_) (void)to_.release(user.container);
    return {};
  }

 private:
  Status copy_layers() {
    Arena arena;
    for (const store::Image& image : TRY(images_.images.list(arena)))
      for (const LayerSource& layer : TRY(layer_sources(images_, image).ctx("image %.12s", image.id.c_str())))
        TRY(copy_layer(layer));
    // Layers of images that were removed by force while a container used them.
    for (const ImageUser& user : users_) TRY(copy_chain(user.layer));
    return {};
  }

  Status copy_chain(const std::string& id) {
    if (id.empty() || layers_.contains(id)) return {};
    Arena arena;
    const store::Layer* record = TRY(images_.layers.get(id, arena));
    TRY(copy_chain(std::string(record->parent.view())));
    LayerSource layer;
    layer.chain = TRY(Digest::from_hex(id));
    if (!record->parent.empty()) layer.parent = TRY(Digest::from_hex(record->parent));
    layer.diff_id = TRY(Digest::parse(record->diff_id));
    layer.blob = TRY(Digest::parse(record->blob));
    layer.media_type = record->media_type.view();
    return copy_layer(layer);
  }

  Status copy_layer(const LayerSource& layer) {
    const std::string id = layer.chain.hex();
    if (!layers_.insert(id).second) return {};
    progress_("layer", id);
    return restore_layer({images_, to_}, layer);
  }

  /// What the target has of a migration that was killed, and what has been removed from the store since.
  Status clear_remains() {
    std::set<std::string> wanted = layers_;
    for (const ImageUser& user : users_) wanted.insert(user.container);
    for (const std::string& id : TRY(to_.list()))
      if (!wanted.contains(id)) TRY(to_.remove(id));
    return {};
  }

  /// Made anew each time: a half-filled one from a migration that was killed looks like any other.
  Status copy_container(const ImageUser& user) {
    progress_("container", user.container);
    TRY(to_.remove(user.container));
    Arena arena;
    store::Containers containers(store_);
    const store::Record* record = TRY(containers.load(user.container, arena));
    drivers::RwOptions making = TRY(layer_options(*record));
    if (!to_.capabilities().quota) making.size = 0;  // a limit that the driver cannot keep
    TRY(to_.create_rw(user.container, user.layer, making));
    const std::vector<drivers::Change> changes = TRY(from_.changes(user.container));
    const Fd contents = TRY(from_.contents(user.container));
    const Fd tree = TRY(open_tree(to_, user.container));
    oci::ProducerSource source([&](const oci::ByteSink& sink) {
      oci::TarWriter writer(sink);
      return write_layer_diff(contents.get(), changes, writer);
    });
    // The mounted tree has the parent's files: what is deleted is deleted, the file system writes the whiteouts.
    oci::ApplyOptions options;
    options.style = oci::WhiteoutStyle::materialised;
    TRY(oci::apply_layer(source, tree.get(), options).ctx("container %.12s", user.container.c_str()));
    const Fd old = TRY(open_tree(from_, user.container));
    struct stat root;
    if (fstat(old.get(), &root) < 0) return Error::sys(errno, "stat");
    const timespec times[2] = {root.st_atim, root.st_mtim};
    if (futimens(tree.get(), times) < 0) return Error::sys(errno, "set the times of the root");
    if (syncfs(tree.get()) < 0) return Error::sys(errno, "sync");
    return {};
  }

  Status compare(const std::string& id) {
    progress_("compare", id);
    const Digest before = TRY(tree_digest(from_, id).ctx("%s", from_.name()));
    const Digest after = TRY(tree_digest(to_, id).ctx("%s", to_.name()));
    if (before != after)
      return Error::of(ErrorKind::failed, "layer %.12s is not the same in %s as in %s: nothing was switched",
                       id.c_str(), to_.name(), from_.name());
    return {};
  }

  store::ImageStore& images_;
  store::Store& store_;
  drivers::Driver& from_;
  drivers::Driver& to_;
  const MigrateProgress& progress_;
  std::vector<ImageUser> users_;
  std::set<std::string> layers_;
};

// The options may be those of the drivers at both ends.
constexpr drivers::ForeignOptions kForeign = drivers::ForeignOptions::leave_out;

/// Nobody uses a driver that was not chosen: what it has is of before a switch, or of a migration that was killed.
Status clear_others(store::Store& store, const std::string& chosen, const MigrateProgress& progress) {
  for (const drivers::DriverEntry& entry : drivers::registry()) {
    if (chosen == entry.name || !entry.in_use(store.root())) continue;
    const std::unique_ptr<drivers::Driver> old =
        TRY(drivers::open_driver(entry.name, store.root(), store.options().driver_options, kForeign));
    // Children before their parents are not needed: drivers do not ask.
    for (const std::string& id : TRY(old->list())) {
      progress("remove", id);
      TRY(old->remove(id));
    }
    TRY(old->recover());
  }
  return {};
}

}  // namespace

Status migrate_store(store::ImageStore& images, store::Store& store, const std::string& to,
                     const MigrateProgress& progress) {
  const store::Lock work = TRY(store::lock_out_work(images.root));
  const store::Lock collect = TRY(images.root.lock_collect(store::Root::Mode::exclusive));
  drivers::Driver* from = TRY(store.driver(kForeign));
  if (to == from->name()) {  // perhaps the end of one that was killed behind its switch
    TRY(store.choose_driver(to));
    return clear_others(store, to, progress);
  }
  const std::unique_ptr<drivers::Driver> target =
      TRY(drivers::open_driver(to, store.root(), store.options().driver_options, kForeign));
  // From here on there are layers of two drivers, and the choice must be written down.
  TRY(store.choose_driver(from->name()));
  TRY(target->recover());
  Migration migration(images, store, *from, *target, progress);
  TRY(migration.copy());
  TRY(migration.compare());
  TRY(store.choose_driver(to));
  return clear_others(store, to, progress).ctx("the store is in %s now; what others had of it", to.c_str());
}

}  // namespace slipway::manager
