// aufs: a directory per layer, stacked by the aufs file system of kernels that have it. Docker's layout:
//
//   <root>/aufs/diff/<id>/     the layer's own changes, with aufs' whiteouts: .wh.NAME, .wh..wh..opq
//              /layers/<id>    the layers below, one a line, nearest first
//              /mnt/<id>/      where a container has its tree
//              /records/<id>   committed or not
//              /tmp/
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "drivers/aufs_options.h"
#include "drivers/copy_tree.h"
#include "drivers/options.h"
#include "drivers/registry.h"
#include "drivers/table_driver.h"
#include "drivers/union_changes.h"
#include "src/base/fault.h"
#include "src/sys/file.h"
#include "src/sys/mount_spec.h"
#include "src/sys/remove_tree.h"

namespace slipway::drivers {
namespace {

class Aufs : public TableDriver {
 public:
  struct Directories {
    Fd layers, mnt;
  };
  Aufs(Home home, LayerTable diffs, Directories directories, Staging staging)
      : TableDriver(std::move(home), "diff", std::move(diffs), std::move(staging)),
        in_(std::move(directories)) {}

  const char* name() const override { return "aufs"; }
  Capabilities capabilities() const override {
    Capabilities can;
    can.native_changes = true;
    can.rebase = true;
    can.page_cache_shared = true;
    can.max_depth = kAufsMaxBranches - 1;
    return can;
  }
  Whiteouts whiteouts() const override { return Whiteouts::aufs; }

  Result<std::unique_ptr<Stage>> stage(std::string_view parent) override {
    return std::unique_ptr<Stage>(TRY(new_stage(parent)));
  }
  Status commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) override;
  Status create_rw(std::string_view id, std::string_view parent, const RwOptions& options) override;
  Result<sys::MountSpec> mounts(std::string_view id) override;
  Status release(std::string_view id) override;
  Result<std::vector<Change>> changes(std::string_view id) override;
  Status check(std::string_view id, const LayerFacts& is, bool repair) override;
  Status remove(std::string_view id) override;
  Status recover() override;
  Result<std::vector<std::pair<std::string, std::string>>> metadata(std::string_view id) override {
    TRY(layers_.record_of(id));
    return std::vector<std::pair<std::string, std::string>>{{"Diff", path_of(id)}};
  }
  std::vector<std::pair<std::string, std::string>> status() override {
    Result<std::vector<std::string>> layers = list();
    return {{"Root Dir", home_.path},
            {"Backing Filesystem", home_.filesystem},
            {"Dirs", std::to_string(layers.ok() ? layers->size() : 0)},
            {"Dirperm1 Supported", "true"}};
  }

 private:
  Result<std::vector<std::string>> below(std::string_view id) const;
  Result<std::unique_ptr<TableStage>> new_stage(std::string_view parent);
  Result<std::string> chain_on(std::string_view parent) const;
  Status take_metadata(const TableStage& stage, std::string_view parent) const;
  Status publish(TableStage& stage, std::string_view id, std::string_view parent, bool committed);
  void forget(std::string_view id) const;

  Directories in_;
};

// --- layers/<id> ---------------------------------------------------------------------------------------------------

Result<std::vector<std::string>> Aufs::below(std::string_view id) const {
  const std::string text =
      TRY(sys::read_file_at(in_.layers.get(), std::string(id).c_str(), 1 << 16).ctx("`layers`"));
  std::vector<std::string> ids;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    ids.push_back(text.substr(at, end - at));
    TRY(check_layer_name(ids.back()));
    at = end + 1;
  }
  return ids;
}

// What layers/<id> of a layer on `parent` says. Refuses here what could not be mounted later.
Result<std::string> Aufs::chain_on(std::string_view parent) const {
  if (parent.empty()) return std::string();
  const Record record = TRY(layers_.record_of(parent));
  if (!record.committed)
    return Error::of(ErrorKind::invalid, "layer `%s` is not committed", std::string(parent).c_str());
  std::string text = std::string(parent) + "\n";
  const std::vector<std::string> rest = TRY(below(parent));
  for (const std::string& id : rest) text += id + "\n";
  if (rest.size() + 2 > kAufsMaxBranches)
    return Error::of(ErrorKind::invalid, "%zu layers: aufs stacks no more than %u", rest.size() + 1,
                     kAufsMaxBranches - 1);
  return text;
}

// --- making layers -------------------------------------------------------------------------------------------------

// A stage without parent has this mode until somebody gives its root one: then its parent's is taken at commit.
constexpr mode_t kModeNotSet = 01755;

Result<std::unique_ptr<TableStage>> Aufs::new_stage(std::string_view parent) {
  TRY(chain_on(parent));
  auto stage = std::make_unique<TableStage>(staging_, TRY(staging_.make(0700)));
  if (mkdirat(stage->place(), "diff", 0755) < 0) return Error::sys(errno, "mkdir `diff`");
  stage->tree = TRY(sys::open_at(stage->place(), "diff", O_RDONLY | O_DIRECTORY));
  stage->record.parent = parent;
  if (fchmod(stage->root(), kModeNotSet) < 0) return Error::sys(errno, "chmod `diff`");
  if (!parent.empty()) TRY(take_metadata(*stage, parent));
  fault_point("aufs.stage");
  return stage;
}

// The root's mode, owner and attributes, of the parent or the default.
Status Aufs::take_metadata(const TableStage& stage, std::string_view parent) const {
  struct stat info = {};
  if (fstat(stage.root(), &info) < 0) return Error::sys(errno, "stat `diff`");
  if ((info.st_mode & 07777) != kModeNotSet) return {};
  if (parent.empty()) {
    if (fchmod(stage.root(), 0755) < 0) return Error::sys(errno, "chmod `diff`");
    return {};
  }
  const Fd from = TRY(layers_.open(parent));
  return copy_directory_metadata(from.get(), stage.root());
}

Status Aufs::publish(TableStage& stage, std::string_view id, std::string_view parent, bool committed) {
  TRY(check_layer_name(id));
  if (stage.record.parent != parent && !stage.record.parent.empty())
    return Error::of(ErrorKind::invalid, "aufs: a stage with a parent cannot be committed onto another");
  const std::string name(id);
  const std::string chain = TRY(chain_on(parent));
  TRY(take_metadata(stage, parent));
  stage.record.parent = parent;
  stage.record.committed = committed;
  return layers_.publish(stage.place(), "diff", id, stage.record, committed, [&]() -> Status {
    TRY(sys::replace_file_at(in_.layers.get(), name.c_str(), chain, 0644, committed));
    fault_point("aufs.publish.layers");
    if (mkdirat(in_.mnt.get(), name.c_str(), 0755) < 0 && errno != EEXIST)
      return Error::sys(errno, "mkdir `mnt/%s`", name.c_str());
    fault_point("aufs.publish.mnt");
    return {};
  });
}

Status Aufs::commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) {
  Status published = publish(static_cast<TableStage&>(*stage), id, parent, true);
  if (!published.ok() && published.error().kind() == ErrorKind::exists) return {};
  return published;
}

Status Aufs::create_rw(std::string_view id, std::string_view parent, const RwOptions& options) {
  TRY(check_layer_name(id));
  if (options.size) return Error::of(ErrorKind::unsupported, "aufs cannot limit the size of a layer");
  if (TRY(layers_.exists(id)))
    return Error::of(ErrorKind::exists, "layer `%s` exists", std::string(id).c_str());
  const std::unique_ptr<TableStage> stage = TRY(new_stage(parent));
  return publish(*stage, id, parent, false);
}

// --- mounting ------------------------------------------------------------------------------------------------------

Result<sys::MountSpec> Aufs::mounts(std::string_view id) {
  const Record record = TRY(layers_.record_of(id));
  const std::string name(id);
  sys::MountSpec spec;
  spec.read_only = record.committed;
  spec.target = home_.path + "/mnt/" + name;
  std::vector<std::string> branches;
  for (const std::string& layer : TRY(below(id))) branches.push_back(path_of(layer));
  if (branches.empty()) {  // one directory: nothing to stack
    spec.source = path_of(id);
    return spec;
  }
  if (record.committed) branches.insert(branches.begin(), path_of(id));
  // A table for each mount: with one name for all, two mounts at the same time take it from each other.
  const char* const tmpfs = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/run";
  const std::string xino =
      std::string(tmpfs) + "/aufs-" + name.substr(0, 12) + "-" + random_name().substr(0, 6) + ".xino";
  AufsOptions options = aufs_options(static_cast<size_t>(sysconf(_SC_PAGESIZE)), 0,
                                     record.committed ? "" : path_of(id), branches, xino);
  spec.kind = sys::MountSpec::Kind::filesystem;
  spec.type = "aufs";
  spec.source = "none";
  spec.legacy = std::move(options.first);
  spec.legacy_remounts = std::move(options.remounts);
  return spec;
}

// aufs keeps more names of an inode that it has copied up (pseudo links), and files that were deleted while open, in
// directories of its own in the writable branch. Of use while it is mounted only.
Status Aufs::release(std::string_view id) {
  TRY(check_layer_name(id));
  Result<Fd> diff = layers_.open(id);
  if (!diff.ok())
    return diff.error().kind() == ErrorKind::not_found ? Status() : Status(std::move(diff).error());
  for (const char* kept : {".wh..wh.plnk", ".wh..wh.orph"}) {
    const Fd dir(openat(diff->get(), kept, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!dir) continue;
    for (const std::string& name : TRY(names_in(dir.get(), ".")))
      TRY(sys::remove_tree(dir.get(), name.c_str()));
  }
  return {};
}

Result<std::vector<Change>> Aufs::changes(std::string_view id) {
  TRY(layers_.record_of(id));
  const Fd upper = TRY(layers_.open(id));
  std::vector<Fd> lowers;
  for (const std::string& layer : TRY(below(id))) {
    Fd fd = TRY(layers_.open(layer));
    lowers.push_back(std::move(fd));
  }
  return union_changes(upper.get(), lowers, UnionFormat::aufs);
}

Status Aufs::check(std::string_view id, const LayerFacts& is, bool repair) {
  TRY(TableDriver::check(id, is, repair));
  const std::string name(id);
  const std::string chain = TRY(chain_on(is.parent));
  Result<std::string> text = sys::read_file_at(in_.layers.get(), name.c_str(), 1 << 16);
  const bool mount_point = faccessat(in_.mnt.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  if (text.ok() && *text == chain && mount_point) return {};
  if (!repair) return Error::of(ErrorKind::failed, "`layers` or `mnt` does not have it as it should");
  if (mkdirat(in_.mnt.get(), name.c_str(), 0755) < 0 && errno != EEXIST)
    return Error::sys(errno, "mkdir `mnt/%s`", name.c_str());
  return sys::replace_file_at(in_.layers.get(), name.c_str(), chain, 0644, true);
}

// --- removing ------------------------------------------------------------------------------------------------------

void Aufs::forget(std::string_view id) const {
  const std::string name(id);
  unlinkat(in_.layers.get(), name.c_str(), 0);
  unlinkat(in_.mnt.get(), name.c_str(), AT_REMOVEDIR);
  fault_point("aufs.remove.layers");
  (void)layers_.records().remove(id);
}

Status Aufs::remove(std::string_view id) {
  TRY(check_layer_name(id));
  Result<std::string> dead = staging_.take(layers_.dir(), std::string(id).c_str());
  if (!dead.ok() && dead.error().kind() != ErrorKind::not_found) return std::move(dead).error();
  forget(id);
  fault_point("aufs.remove.record");
  return dead.ok() ? staging_.remove(*dead) : Status();
}

Status Aufs::recover() {
  const unsigned found = TRY(staging_.recover([](int, const char*) { return Status(); }));
  if (found == 0) return {};
  for (const int dir : {layers_.records().dir(), in_.layers.get(), in_.mnt.get()})
    TRY(layers_.for_orphans(dir, [&](const std::string& name) -> Status {
      unlinkat(dir, name.c_str(), dir == in_.mnt.get() ? AT_REMOVEDIR : 0);
      return {};
    }));
  return {};
}

// --- opening -------------------------------------------------------------------------------------------------------

bool kernel_has_aufs() {
  const auto known = [] {
    Result<std::string> list = sys::read_file_at(AT_FDCWD, "/proc/filesystems", 1 << 16);
    return list.ok() && list->find("\taufs\n") != std::string::npos;
  };
  if (known()) return true;
  char* const argv[] = {const_cast<char*>("modprobe"), const_cast<char*>("-q"), const_cast<char*>("aufs"),
                        nullptr};
  pid_t pid = 0;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv, environ) != 0) return false;
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return known();
}

}  // namespace

Result<std::unique_ptr<Driver>> open_aufs_layout(const std::string& root, const Options& options) {
  for (const auto& [key, value] : options) return unknown_option("aufs", key);
  TRY(check_aufs_path(root));
  Home home = TRY(open_home(root, "aufs"));
  if (home.filesystem == "aufs" || home.filesystem == "btrfs" || home.filesystem == "ecryptfs" ||
      home.filesystem == "overlay") {
    if (home.fresh) rmdir(home.path.c_str());
    return Error::of(ErrorKind::unsupported, "aufs cannot stack directories of %s (`%s`)",
                     home.filesystem.c_str(), home.path.c_str());
  }
  Aufs::Directories in;
  Fd diff = TRY(home.make_directory("diff", 0710));
  in.layers = TRY(home.make_directory("layers", 0710));
  in.mnt = TRY(home.make_directory("mnt", 0710));
  Records records = TRY(Records::open(home.dir.get()));
  Staging staging = TRY(Staging::open(home.dir.get()));
  return std::unique_ptr<Driver>(std::make_unique<Aufs>(
      std::move(home), LayerTable(std::move(diff), std::move(records)), std::move(in), std::move(staging)));
}

Result<std::unique_ptr<Driver>> open_aufs(const std::string& root, const Options& options) {
  if (in_user_namespace()) return Error::of(ErrorKind::unsupported, "aufs takes root of the host");
  if (!kernel_has_aufs()) return Error::of(ErrorKind::unsupported, "this kernel has no aufs");
  return open_aufs_layout(root, options);
}

}  // namespace slipway::drivers
