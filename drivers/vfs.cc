// vfs: every layer is a full copy of its parent. Works on every file system, needs no mount and no privilege,
// and is what the other drivers are compared with.
//
//   <root>/vfs/dir/<id>/       the layer's whole tree (Docker's place for it)
//   <root>/vfs/records/<id>    its parent, and when it was copied
//   <root>/vfs/tmp/
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "drivers/copy_tree.h"
#include "drivers/naive_diff.h"
#include "drivers/options.h"
#include "drivers/registry.h"
#include "drivers/table_driver.h"
#include "src/base/fault.h"
#include "src/sys/file.h"

namespace slipway::drivers {
namespace {

constexpr char kTree[] = "tree";  // of a stage, in its directory in tmp/

class Vfs : public TableDriver {
 public:
  Vfs(Home home, LayerTable layers, Staging staging)
      : TableDriver(std::move(home), "dir", std::move(layers), std::move(staging)) {}

  const char* name() const override { return "vfs"; }
  Capabilities capabilities() const override { return {}; }
  Whiteouts whiteouts() const override { return Whiteouts::materialised; }

  Result<std::unique_ptr<Stage>> stage(std::string_view parent) override {
    return std::unique_ptr<Stage>(TRY(copy_of(parent)));
  }

  Status commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) override {
    TableStage& staged = static_cast<TableStage&>(*stage);
    if (staged.record.parent != parent)
      return Error::of(ErrorKind::invalid, "vfs: a stage can be committed onto its own parent only");
    staged.record.committed = true;
    Status published = layers_.publish(staged.place(), kTree, id, staged.record, true);
    if (!published.ok() && published.error().kind() == ErrorKind::exists) return {};
    return published;
  }

  Status create_rw(std::string_view id, std::string_view parent, const RwOptions& options) override {
    if (options.size)
      return Error::of(ErrorKind::unsupported,
                       "vfs cannot limit the size of a layer: use overlay2 on xfs or ext4 with "
                       "project quotas, btrfs or devicemapper");
    TRY(check_layer_name(id));
    if (TRY(layers_.exists(id)))
      return Error::of(ErrorKind::exists, "layer `%s` exists", std::string(id).c_str());
    std::unique_ptr<TableStage> stage = TRY(copy_of(parent));
    return layers_.publish(stage->place(), kTree, id, stage->record, false);
  }

  Result<std::vector<Change>> changes(std::string_view id) override {
    const Record record = TRY(layers_.record_of(id));
    const Fd tree = TRY(layers_.open(id));
    if (record.parent.empty()) return diff_trees(-1, tree.get(), {});
    const Fd parent = TRY(layers_.open(record.parent));
    return diff_trees(parent.get(), tree.get(), {TreeOrigin::Kind::copy, record.made});
  }

  Status remove(std::string_view id) override {
    TRY(check_layer_name(id));
    Result<std::string> dead = staging_.take(layers_.dir(), std::string(id).c_str());
    if (!dead.ok() && dead.error().kind() != ErrorKind::not_found) return std::move(dead).error();
    TRY(layers_.records().remove(id));
    fault_point("vfs.remove.record");
    return dead.ok() ? staging_.remove(*dead) : Status();
  }

  Status recover() override {
    const unsigned found = TRY(staging_.recover([](int, const char*) { return Status(); }));
    if (found == 0) return {};
    const Records& records = layers_.records();
    return layers_.for_orphans(records.dir(), [&](const std::string& name) { return records.remove(name); });
  }

  Result<std::vector<std::pair<std::string, std::string>>> metadata(std::string_view id) override {
    TRY(layers_.record_of(id));
    return std::vector<std::pair<std::string, std::string>>{{"Dir", path_of(id)}};
  }
  std::vector<std::pair<std::string, std::string>> status() override {
    return {{"Backing Filesystem", home_.filesystem}};
  }

 private:
  Result<std::unique_ptr<TableStage>> copy_of(std::string_view parent) {
    Fd source;
    if (!parent.empty()) {
      TRY(check_layer_name(parent));
      source = TRY(layers_.open(parent));
    }
    auto stage = std::make_unique<TableStage>(staging_, TRY(staging_.make(0700)));
    if (mkdirat(stage->place(), kTree, 0755) < 0) return Error::sys(errno, "mkdir `tree`");
    stage->tree = TRY(sys::open_at(stage->place(), kTree, O_RDONLY | O_DIRECTORY));
    if (fchmod(stage->root(), 0755) < 0) return Error::sys(errno, "chmod `tree`");
    if (source)
      TRY(copy_tree(source.get(), stage->root()).ctx("copy layer `%s`", std::string(parent).c_str()));
    fault_point("vfs.stage.copied");
    struct stat info = {};
    if (fstat(stage->root(), &info) < 0) return Error::sys(errno, "stat");
    stage->record.parent = parent;
    stage->record.made = info.st_ctim;
    return stage;
  }
};

}  // namespace

Result<std::unique_ptr<Driver>> open_vfs(const std::string& root, const Options& options) {
  for (const auto& [key, value] : options) return unknown_option("vfs", key);
  Home home = TRY(open_home(root, "vfs"));
  Fd layers = TRY(home.make_directory("dir", 0700));
  Records records = TRY(Records::open(home.dir.get()));
  Staging staging = TRY(Staging::open(home.dir.get()));
  return std::unique_ptr<Driver>(std::make_unique<Vfs>(
      std::move(home), LayerTable(std::move(layers), std::move(records)), std::move(staging)));
}

}  // namespace slipway::drivers
