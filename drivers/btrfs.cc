// btrfs: a subvolume per layer, a snapshot of its parent's. Docker's layout:
//
//   <root>/btrfs/subvolumes/<id>/   the layer's whole tree; read-only once it is committed
//   <root>/btrfs/records/<id>       its parent
//                       /.group-<n>  an empty file: quota group n is left of a deleted layer
//   <root>/btrfs/tmp/
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "drivers/naive_diff.h"
#include "drivers/options.h"
#include "drivers/registry.h"
#include "drivers/table_driver.h"
#include "src/base/fault.h"
#include "src/base/quantity.h"
#include "src/sys/btrfs.h"
#include "src/sys/file.h"

namespace slipway::drivers {
namespace {

constexpr char kTree[] = "tree";  // a stage's subvolume, in its directory in tmp/

// Once quotas are on, each subvolume has a quota group, which does not go with it before Linux 6.10: its number is written
// down before anything else, in `group` of a stage and in the record of a layer. The kernel gives it up some time after the
// subvolume is gone; until then the number is the name of a file in records/, for recover().
constexpr char kGroup[] = "group";
constexpr std::string_view kLeftGroup = ".group-";

Status forget_group(const LayerTable& layers, uint64_t group) {
  if (!group || sys::btrfs_forget_group(layers.dir(), group)) return {};
  const std::string mark = std::string(kLeftGroup) + std::to_string(group);
  (void)TRY(sys::open_at(layers.records().dir(), mark.c_str(), O_WRONLY | O_CREAT, 0600));
  return {};
}

// Deletes the subvolume of a stage, if it is still there, and what belongs to it.
Status drop_tree(const LayerTable& layers, int place) {
  const Result<std::string> text = sys::read_file_at(place, kGroup, 24);
  uint64_t group = text.ok() ? strtoull(text.value().c_str(), nullptr, 10) : 0;
  if (!group) {
    const Result<Fd> tree = sys::open_at(place, kTree, O_RDONLY | O_DIRECTORY);
    if (tree.ok()) group = TRY(sys::btrfs_subvolume_id(tree.value().get()));
  }
  TRY(sys::btrfs_delete_subvolume(place, kTree));
  return forget_group(layers, group);
}

class BtrfsStage : public TableStage {
 public:
  BtrfsStage(const LayerTable& layers, const Staging& staging, StagedDir place)
      : TableStage(staging, std::move(place)), layers_(layers) {}
  ~BtrfsStage() override {
    tree.reset();
    if (!published) (void)drop_tree(layers_, place());
  }

  /// Opens the subvolume, which has been made.
  Status open() {
    tree = TRY(sys::open_at(place(), kTree, O_RDONLY | O_DIRECTORY));
    record.group = TRY(sys::btrfs_subvolume_id(tree.get()));
    return sys::replace_file_at(place(), kGroup, std::to_string(record.group), 0600, false);
  }

  bool published = false;

 private:
  const LayerTable& layers_;
};

class Btrfs : public TableDriver {
 public:
  Btrfs(Home home, LayerTable layers, Staging staging, uint64_t min_space)
      : TableDriver(std::move(home), "subvolumes", std::move(layers), std::move(staging)),
        min_space_(min_space) {}

  const char* name() const override { return "btrfs"; }
  Capabilities capabilities() const override {
    Capabilities can;
    can.native_changes = true;
    can.quota = true;
    return can;
  }
  Whiteouts whiteouts() const override { return Whiteouts::materialised; }

  Result<std::unique_ptr<Stage>> stage(std::string_view parent) override {
    return std::unique_ptr<Stage>(TRY(snapshot_of(parent)));
  }
  Status commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) override;
  Status create_rw(std::string_view id, std::string_view parent, const RwOptions& options) override;

  Result<std::vector<Change>> changes(std::string_view id) override;
  Status remove(std::string_view id) override;
  Status recover() override;

  Result<std::vector<std::pair<std::string, std::string>>> metadata(std::string_view id) override {
    TRY(layers_.record_of(id));
    return std::vector<std::pair<std::string, std::string>>{{"Subvolume", path_of(id)}};
  }
  std::vector<std::pair<std::string, std::string>> status() override {
    return {{"Backing Filesystem", home_.filesystem}, {"Native Diff", "true"}};
  }

 private:
  Result<std::unique_ptr<BtrfsStage>> snapshot_of(std::string_view parent);
  Status publish(BtrfsStage& stage, std::string_view id, bool sync);
  Status forget(std::string_view id) const;
  Result<std::vector<Candidate>> sent_paths(int parent, int tree, const Record& record) const;

  uint64_t min_space_;
};

Result<std::unique_ptr<BtrfsStage>> Btrfs::snapshot_of(std::string_view parent) {
  Fd source;
  if (!parent.empty()) {
    TRY(check_layer_name(parent));
    source = TRY(layers_.open(parent));
  }
  auto stage = std::make_unique<BtrfsStage>(layers_, staging_, TRY(staging_.make(0700)));
  TRY(source ? sys::btrfs_snapshot(stage->place(), kTree, source.get(), false)
             : sys::btrfs_create_subvolume(stage->place(), kTree));
  fault_point("btrfs.stage.snapshot");
  TRY(stage->open());
  if (!source && fchmod(stage->root(), 0755) < 0) return Error::sys(errno, "chmod `tree`");
  stage->record.parent = parent;
  return stage;
}

Status Btrfs::publish(BtrfsStage& stage, std::string_view id, bool sync) {
  TRY(layers_.publish(stage.place(), kTree, id, stage.record, sync));
  stage.published = true;
  return {};
}

// What is left of a layer without its tree.
Status Btrfs::forget(std::string_view id) const {
  Result<Record> record = layers_.records().read(id);
  if (record.ok()) TRY(forget_group(layers_, record->group));
  return layers_.records().remove(id);
}

Status Btrfs::commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) {
  BtrfsStage& staged = static_cast<BtrfsStage&>(*stage);
  if (staged.record.parent != parent)
    return Error::of(ErrorKind::invalid, "btrfs: a stage can be committed onto its own parent only");
  staged.record.committed = true;
  Status published = publish(staged, id, true);
  if (!published.ok()) return published.error().kind() == ErrorKind::exists ? Status() : std::move(published);
  // Now, not before: a read-only subvolume cannot be moved to another directory. This commits a transaction of btrfs.
  TRY(sys::btrfs_set_read_only(staged.root(), true));
  fault_point("btrfs.commit.read_only");
  return {};
}

Status Btrfs::create_rw(std::string_view id, std::string_view parent, const RwOptions& options) {
  TRY(check_layer_name(id));
  if (options.size && options.size < min_space_)
    return Error::of(ErrorKind::invalid, "a size of %llu bytes is below btrfs.min_space",
                     static_cast<unsigned long long>(options.size));
  if (TRY(layers_.exists(id)))
    return Error::of(ErrorKind::exists, "layer `%s` exists", std::string(id).c_str());
  const std::unique_ptr<BtrfsStage> stage = TRY(snapshot_of(parent));
  stage->record.size = options.size;
  if (options.size) TRY(sys::btrfs_limit(stage->root(), options.size));
  return publish(*stage, id, false);
}

// A stream needs two read-only snapshots: a container's layer is snapshotted for it.
Result<std::vector<Candidate>> Btrfs::sent_paths(int parent, int tree, const Record& record) const {
  BtrfsStage frozen(layers_, staging_, TRY(staging_.make(0700)));
  if (!record.committed) {
    TRY(sys::btrfs_snapshot(frozen.place(), kTree, tree, true));
    TRY(frozen.open());
  }
  std::vector<Candidate> candidates;
  for (sys::BtrfsTouched& touched : TRY(sys::btrfs_touched(parent, record.committed ? tree : frozen.root())))
    candidates.push_back({std::move(touched.path), touched.renamed});
  return candidates;
}

Result<std::vector<Change>> Btrfs::changes(std::string_view id) {
  const Record record = TRY(layers_.record_of(id));
  const Fd tree = TRY(layers_.open(id));
  if (record.parent.empty()) return diff_trees(-1, tree.get(), {});
  const Fd parent = TRY(layers_.open(record.parent));
  const TreeOrigin origin = {TreeOrigin::Kind::snapshot, {}};
  // A stream leaves out the subvolumes that a container has made, as any user of btrfs may.
  if (sys::btrfs_has_subvolumes(tree.get())) return diff_trees(parent.get(), tree.get(), origin);
  Result<std::vector<Candidate>> sent = sent_paths(parent.get(), tree.get(), record);
  // Refused without privilege, and when a crash came before a layer was made read-only.
  return sent.ok() ? diff_paths(parent.get(), tree.get(), origin, *sent)
                   : diff_trees(parent.get(), tree.get(), origin);
}

Status Btrfs::remove(std::string_view id) {
  TRY(check_layer_name(id));
  const std::string name(id);
  TRY(sys::btrfs_delete_subvolume(layers_.dir(), name.c_str()));
  fault_point("btrfs.remove.deleted");
  return forget(id);
}

Status Btrfs::recover() {
  const unsigned found = TRY(staging_.recover([this](int dir, const char* name) -> Status {
    const Fd place(openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return place ? drop_tree(layers_, place.get()) : Status();
  }));
  const int records = layers_.records().dir();
  // As many: a layer that was being removed has left its record only, one that has been removed its quota group.
  if (found == 0 && TRY(names_in(records, ".")).size() == TRY(list()).size()) return {};
  return layers_.for_orphans(records, [this](const std::string& name) -> Status {
    if (!name.starts_with(kLeftGroup)) return forget(name);
    const uint64_t group = strtoull(name.c_str() + kLeftGroup.size(), nullptr, 10);
    return sys::btrfs_forget_group(layers_.dir(), group) ? layers_.records().remove(name) : Status();
  });
}

}  // namespace

Result<std::unique_ptr<Driver>> open_btrfs(const std::string& root, const Options& options) {
  uint64_t min_space = 0;
  for (const auto& [key, value] : options) {
    if (key != "btrfs.min_space") return unknown_option("btrfs", key);
    min_space = static_cast<uint64_t>(TRY(parse_size(value).ctx("btrfs.min_space")));
  }
  Home home = TRY(open_home(root, "btrfs"));
  const auto refuse = [&home](const char* why) {
    if (home.fresh) rmdir(home.path.c_str());
    return Error::of(ErrorKind::unsupported, "%s (`%s` is on %s)", why, home.path.c_str(),
                     home.filesystem.c_str());
  };
  if (home.filesystem != "btrfs") return refuse("it takes a btrfs file system");
  if (in_user_namespace()) return refuse("it takes root of the host");
  Fd layers = TRY(home.make_directory("subvolumes", 0710));
  Records records = TRY(Records::open(home.dir.get()));
  Staging staging = TRY(Staging::open(home.dir.get()));
  return std::unique_ptr<Driver>(std::make_unique<Btrfs>(
      std::move(home), LayerTable(std::move(layers), std::move(records)), std::move(staging), min_space));
}

}  // namespace slipway::drivers
