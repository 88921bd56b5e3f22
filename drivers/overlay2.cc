// overlay2: a directory per layer, stacked by the kernel's overlay file system. Docker's layout:
//
//   <root>/overlay2/<id>/diff/      the layer's own changes, with overlay's whiteouts
//                       /lower      the layers below, nearest first: l/AAA:l/BBB; none in a layer without parent
//                       /link       the layer's short name
//                       /work/ /merged/
//                       /committed  an empty file: the layer is immutable
//                       /project    RwOptions::size: the number of the project whose quota it is
//   <root>/overlay2/l/<short name>  -> ../<id>/diff, so that the names of many layers fit into a page
//   <root>/overlay2/tmp/
//   <root>/overlay2/init/       RwOptions::places: a layer of empty places for mounts, one for all containers
//
// RwOptions::disposable: a read-write layer is never below another and so needs no short name, and nobody mounts on
// merged/. Each inode costs a container's start and its removal up to 0.4 ms (ext4 without a journal): a layer that goes with
// its container has neither, and its work/ is called work-<boot id>/.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "drivers/copy_tree.h"
#include "drivers/overlay_layers.h"
#include "drivers/overlay_options.h"
#include "drivers/overlay_probe.h"
#include "drivers/registry.h"
#include "drivers/staging.h"
#include "drivers/tree_usage.h"
#include "drivers/union_changes.h"
#include "src/base/fault.h"
#include "src/sys/file.h"
#include "src/sys/mount_spec.h"
#include "src/sys/project_quota.h"
#include "src/sys/remove_tree.h"

namespace slipway::drivers {
namespace {

// A stage without parent has this mode until somebody gives its root one: then its parent's is taken at commit.
constexpr mode_t kModeNotSet = 01755;

constexpr char kWork[] = "work", kMerged[] = "merged";

/// Of a disposable layer: the name says in which boot it was made.
Result<std::string> disposable_work() {
  const std::string boot = TRY(sys::read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64));
  return "work-" + boot.substr(0, boot.find('\n'));
}

// Takes back the short name and the limit that belong to a directory in tmp/.
Status undo(const OverlayLayers& layers, int dir, const char* name) {
  const Result<std::string> project = sys::read_file_at(dir, (std::string(name) + "/project").c_str(), 16);
  if (project.ok()) {
    const unsigned long number = strtoul(project.value().c_str(), nullptr, 10);
    if (number) (void)sys::limit_project(layers.dir(), static_cast<uint32_t>(number), 0);
  }
  Result<std::string> link = sys::read_file_at(dir, (std::string(name) + "/link").c_str(), 64);
  if (!link.ok() || !check_layer_name(*link).ok()) return {};
  if (unlinkat(layers.links(), link->c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "remove link `l/%s`", link->c_str());
  return {};
}

class Overlay2Stage : public Stage {
 public:
  Overlay2Stage(const OverlayLayers& layers, const Staging& staging, StagedDir place)
      : layers_(layers), staging_(staging), place_(std::move(place)) {}
  ~Overlay2Stage() override {
    if (place_.name.empty()) return;
    (void)undo(layers_, staging_.dir(), place_.name.c_str());
    (void)staging_.remove(place_.name);
  }
  int root() const override { return diff.get(); }
  int dir() const { return place_.dir.get(); }
  const std::string& name() const { return place_.name; }
  /// It has its name now.
  void published() { place_.name.clear(); }

  std::string parent;
  Fd diff;

 private:
  const OverlayLayers& layers_;
  const Staging& staging_;
  StagedDir place_;
};

class Overlay2 : public Driver {
 public:
  Overlay2(OverlayLayers layers, Staging staging, OverlaySettings settings)
      : layers_(std::move(layers)),
        staging_(std::move(staging)),
        settings_(std::move(settings)),
        user_xattr_(in_user_namespace()) {}

  const char* name() const override { return "overlay2"; }
  Capabilities capabilities() const override {
    Capabilities can;
    can.native_changes = true;
    can.rebase = true;
    can.quota = sys::has_project_quota(layers_.dir());
    can.page_cache_shared = true;
    can.user_xattr = user_xattr_;
    can.max_depth = overlay_has_lowerdir_plus() ? kOverlayMaxLowers : 128;
    return can;
  }
  Whiteouts whiteouts() const override { return Whiteouts::overlay; }

  Result<std::unique_ptr<Stage>> stage(std::string_view parent) override {
    return std::unique_ptr<Stage>(TRY(new_stage(parent)));
  }
  Status commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) override;
  Status create_rw(std::string_view id, std::string_view parent, const RwOptions& options) override;

  Result<sys::MountSpec> mounts(std::string_view id) override;
  Status release(std::string_view id) override { return check_layer_name(id); }

  Result<std::vector<Change>> changes(std::string_view id) override;
  Result<Fd> contents(std::string_view id) override {
    TRY(check_layer_name(id));
    return layers_.open_below(std::string(id) + "/diff");
  }
  Result<Usage> usage(std::string_view id) override;

  Result<bool> exists(std::string_view id) override {
    TRY(check_layer_name(id));
    return layers_.has(std::string(id) + "/diff");
  }
  Status check(std::string_view id, const LayerFacts& is, bool repair) override;
  Status remove(std::string_view id) override;
  Result<std::vector<std::string>> list() override;
  Status recover() override;

  Result<std::vector<std::pair<std::string, std::string>>> metadata(std::string_view id) override;
  std::vector<std::pair<std::string, std::string>> status() override {
    return {{"Backing Filesystem", layers_.home().filesystem},
            {"Supports d_type", "true"},
            {"Native Overlay Diff", "true"},
            {"userxattr", user_xattr_ ? "true" : "false"}};
  }

 private:
  Result<std::unique_ptr<Overlay2Stage>> new_stage(std::string_view parent, bool init = false);
  Status set_lower(const Overlay2Stage& stage, std::string_view parent, bool init, bool sync) const;
  Status make_init_layer();
  Status limit(const Overlay2Stage& stage, int work, uint64_t bytes) const;
  Status make_directories(const Overlay2Stage& stage) const;
  Status name_short(const Overlay2Stage& stage, std::string_view id) const;
  Status publish(Overlay2Stage& stage, std::string_view id);
  Status set_options(sys::MountSpec& spec, std::string_view id) const;
  Result<std::string> work_directory(std::string_view id) const;

  OverlayLayers layers_;
  Staging staging_;
  OverlaySettings settings_;
  bool user_xattr_;
};

// --- making layers -----------------------------------------------------------------------------------------

Status Overlay2::set_lower(const Overlay2Stage& stage, std::string_view parent, bool init, bool sync) const {
  const std::string lower = TRY(layers_.lower_of_child(parent, init));
  return sync ? sys::replace_file_at(stage.dir(), "lower", lower, 0644, true)
              : sys::write_new_file_at(stage.dir(), "lower", lower, 0644);
}

Result<std::unique_ptr<Overlay2Stage>> Overlay2::new_stage(std::string_view parent, bool init) {
  auto stage = std::make_unique<Overlay2Stage>(layers_, staging_, TRY(staging_.make(0710)));
  if (mkdirat(stage->dir(), "diff", 0755) < 0) return Error::sys(errno, "mkdir `diff`");
  stage->diff = TRY(sys::open_at(stage->dir(), "diff", O_RDONLY | O_DIRECTORY));
  stage->parent = parent;
  if (parent.empty()) {
    if (fchmod(stage->root(), kModeNotSet) < 0) return Error::sys(errno, "chmod `diff`");
  } else {
    TRY(set_lower(*stage, parent, init, false));
    const Fd below = TRY(layers_.open_below(std::string(parent) + "/diff"));
    TRY(copy_directory_metadata(below.get(), stage->root()));
  }
  fault_point("overlay2.stage");
  return stage;
}

Status Overlay2::commit(std::unique_ptr<Stage> stage, std::string_view id, std::string_view parent) {
  TRY(check_layer_name(id));
  Overlay2Stage& staged = static_cast<Overlay2Stage&>(*stage);
  if (staged.parent != parent) {
    if (!staged.parent.empty())
      return Error::of(ErrorKind::invalid,
                       "overlay2: a stage with a parent cannot be committed onto another");
    TRY(set_lower(staged, parent, false, true));
  }
  struct stat info = {};
  if (fstat(staged.root(), &info) < 0) return Error::sys(errno, "stat `diff`");
  if ((info.st_mode & 07777) == kModeNotSet) {
    if (parent.empty()) {
      if (fchmod(staged.root(), 0755) < 0) return Error::sys(errno, "chmod `diff`");
    } else {
      const Fd below = TRY(layers_.open_below(std::string(parent) + "/diff"));
      TRY(copy_directory_metadata(below.get(), staged.root()));
    }
  }
  // No data: the sync of the name below takes it to the disk.
  { const Fd mark = TRY(sys::open_at(staged.dir(), "committed", O_WRONLY | O_CREAT, 0600)); }
  fault_point("overlay2.commit.marked");
  if (!parent.empty()) TRY(make_directories(staged));
  TRY(name_short(staged, id));
  Status published = publish(staged, id);
  if (!published.ok()) return published.error().kind() == ErrorKind::exists ? Status() : std::move(published);
  if (fsync(layers_.dir()) < 0) return Error::sys(errno, "sync `%s`", layers_.home().path.c_str());
  return {};
}

// Made in the upper directory of each container whose image has none, these seven inodes cost its start and its removal
// 1 ms of 27 together (ext4 without a journal). An image's own /etc lies above, with its mode and its files.
Status Overlay2::make_init_layer() {
  const std::string link = std::string("l/") + kInitLayer;
  if (layers_.has(link)) return {};
  const std::unique_ptr<Overlay2Stage> stage = TRY(new_stage(""));
  for (const char* directory : {".", "dev", "etc", "proc", "sys"}) {
    if ((mkdirat(stage->root(), directory, 0755) < 0 && errno != EEXIST) ||
        fchmodat(stage->root(), directory, 0755, 0) < 0)
      return Error::sys(errno, "make `%s/%s`", kInitLayer, directory);
  }
  for (const char* file : {"etc/hostname", "etc/hosts", "etc/resolv.conf"})
    TRY(sys::write_new_file_at(stage->root(), file, "", 0644));
  fault_point("overlay2.init");
  Status published = publish(*stage, kInitLayer);
  if (!published.ok() && published.error().kind() != ErrorKind::exists) return published;
  if (symlinkat((std::string("../") + kInitLayer + "/diff").c_str(), layers_.dir(), link.c_str()) < 0 &&
      errno != EEXIST)
    return Error::sys(errno, "make link `%s`", link.c_str());
  return {};
}

Status Overlay2::create_rw(std::string_view id, std::string_view parent, const RwOptions& options) {
  TRY(check_layer_name(id));
  if (TRY(exists(id))) return Error::of(ErrorKind::exists, "layer `%s` exists", std::string(id).c_str());
  const bool init = options.places && !parent.empty();
  if (init) TRY(make_init_layer());
  const std::unique_ptr<Overlay2Stage> stage = TRY(new_stage(parent, init));
  if (parent.empty() && fchmod(stage->root(), 0755) < 0) return Error::sys(errno, "chmod `diff`");
  const std::string name = options.disposable ? TRY(disposable_work()) : kWork;
  if (options.disposable) {
    if (mkdirat(stage->dir(), name.c_str(), 0700) < 0) return Error::sys(errno, "mkdir `%s`", name.c_str());
  } else {
    TRY(make_directories(*stage));
    TRY(name_short(*stage, id));
  }
  const Fd work = TRY(sys::open_at(stage->dir(), name.c_str(), O_RDONLY | O_DIRECTORY));
  TRY(limit(*stage, work.get(), options.size ? options.size : settings_.size));
  return publish(*stage, id);
}

// Both directories, because overlay renames from one to the other. The number is kept for remove().
Status Overlay2::limit(const Overlay2Stage& stage, int work, uint64_t bytes) const {
  if (bytes == 0) return {};
  const int home = layers_.dir();
  if (!sys::has_project_quota(home))
    return Error::of(
        ErrorKind::unsupported,
        "no limit of a layer's size: `%s` (%s) has no project quotas (mount xfs, or ext4 with the features "
        "quota and project, with prjquota)",
        layers_.home().path.c_str(), layers_.home().filesystem.c_str());
  const uint32_t project = TRY(sys::free_project(home));
  TRY(sys::write_new_file_at(stage.dir(), "project", std::to_string(project), 0600));
  TRY(sys::set_project(stage.root(), project));
  TRY(sys::set_project(work, project));
  return sys::limit_project(home, project, bytes);
}

Status Overlay2::make_directories(const Overlay2Stage& stage) const {
  for (const char* directory : {kWork, kMerged})
    if (mkdirat(stage.dir(), directory, 0700) < 0) return Error::sys(errno, "mkdir `%s`", directory);
  return {};
}

// Before the layer has its name: a short one that leads nowhere harms nobody, a layer without it cannot be found by its
// children.
Status Overlay2::name_short(const Overlay2Stage& stage, std::string_view id) const {
  const std::string link = random_name();
  TRY(sys::write_new_file_at(stage.dir(), "link", link, 0644));
  if (symlinkat(("../" + std::string(id) + "/diff").c_str(), layers_.links(), link.c_str()) < 0)
    return Error::sys(errno, "make link `l/%s`", link.c_str());
  fault_point("overlay2.linked");
  return {};
}

Status Overlay2::publish(Overlay2Stage& stage, std::string_view id) {
  const std::string name(id);
  // Not onto another: a directory with files in it is never replaced by rename(2).
  if (renameat(staging_.dir(), stage.name().c_str(), layers_.dir(), name.c_str()) < 0) {
    const int err = errno;
    if (err == EEXIST || err == ENOTEMPTY)
      return Error::of(ErrorKind::exists, "layer `%s` exists", name.c_str());
    return Error::sys(err, "rename layer `%s`", name.c_str());
  }
  stage.published();
  fault_point("overlay2.publish.renamed");
  return {};
}

// --- mounting ----------------------------------------------------------------------------------------------

// A disposable layer is mounted with `volatile`: overlay skips every sync of the upper file system, which at
// the end of a container costs more than all else. It leaves work/incompat/volatile behind and refuses
// the next mount, because it cannot know whether the machine crashed in between. We do: the boot is the same
// or it is not.
Result<std::string> Overlay2::work_directory(std::string_view id) const {
  const std::string layer(id);
  if (layers_.has(layer + "/" + kWork)) return std::string(kWork);
  const std::string work = TRY(disposable_work());
  if (!layers_.has(layer + "/" + work))
    return Error::of(ErrorKind::failed, "layer `%s` was disposable and the machine has restarted since",
                     layer.c_str());
  const std::string mark = layer + "/" + work + "/work/incompat/volatile";
  if (layers_.has(mark)) TRY(sys::remove_tree(layers_.dir(), mark.c_str()));
  return work;
}

Status Overlay2::set_options(sys::MountSpec& spec, std::string_view id) const {
  const std::string layer(id);
  const bool committed = layers_.has(layer + "/committed");
  std::vector<std::string> lowers = TRY(layers_.lower_links(id));
  if (committed) lowers.insert(lowers.begin(), "l/" + TRY(layers_.link_of(id)));
  const std::string prefix = layers_.home().path + "/";
  spec.legacy = "lowerdir=";
  for (const std::string& lower : lowers) {
    spec.options.push_back({"lowerdir+", prefix + lower});
    spec.legacy += &lower == &lowers[0] ? lower : ":" + lower;
  }
  const auto add = [&](const std::string& key, const std::string& value) {
    spec.options.push_back({key, value});
    spec.legacy += "," + key + (value.empty() ? "" : "=" + value);
  };
  if (!committed) {
    const std::string work = TRY(work_directory(id));
    spec.legacy += ",upperdir=" + layer + "/diff,workdir=" + layer + "/" + work;
    spec.options.push_back({"upperdir", prefix + layer + "/diff"});
    spec.options.push_back({"workdir", prefix + layer + "/" + work});
    if (work != kWork) add("volatile", "");
  }
  if (user_xattr_) add("userxattr", "");
  // A kernel's own defaults may differ: an upper directory must be complete, and hold no redirects that a
  // foreign archive could have put there. index=off, because upper directories move between stacks.
  constexpr std::pair<const char*, const char*> kDefaults[] = {
      {"index", "off"}, {"metacopy", "off"}, {"redirect_dir", "nofollow"}};
  for (const auto& [key, value] : kDefaults) {
    bool given = false;
    for (const auto& option : settings_.set) given = given || option.first == key;
    if (!given && overlay_has_option(key)) add(key, value);
  }
  for (const auto& [key, value] : settings_.set) add(key, value);
  if (spec.legacy.size() >= static_cast<size_t>(sysconf(_SC_PAGESIZE))) spec.legacy.clear();
  if (layers_.has_long_path()) spec.options.clear();
  return {};
}

Result<sys::MountSpec> Overlay2::mounts(std::string_view id) {
  TRY(check_layer_name(id));
  const std::string layer(id);
  const std::string path = layers_.home().path + "/" + layer;
  sys::MountSpec spec;
  spec.read_only = layers_.has(layer + "/committed");
  // In the mount namespace of whoever mounts it, the union covers the layer itself: no directory is made for it.
  spec.target = path + "/diff";
  if (!layers_.has(layer + "/lower")) {  // one directory: nothing to stack
    if (!layers_.has(layer + "/diff")) return OverlayLayers::missing(id);
    spec.source = spec.target;
    return spec;
  }
  spec.kind = sys::MountSpec::Kind::filesystem;
  spec.type = "overlay";
  spec.source = "overlay";
  spec.legacy_cwd = layers_.home().path;
  TRY(set_options(spec, id));
  return spec;
}

// --- what a layer has --------------------------------------------------------------------------------------

Result<std::vector<Change>> Overlay2::changes(std::string_view id) {
  TRY(check_layer_name(id));
  const Fd upper = TRY(layers_.open_below(std::string(id) + "/diff"));
  std::vector<Fd> lowers;
  for (const std::string& lower : TRY(layers_.lower_ids(id))) {
    Fd fd = TRY(layers_.open_below(lower + "/diff"));
    lowers.push_back(std::move(fd));
  }
  return union_changes(upper.get(), lowers, user_xattr_ ? UnionFormat::overlay_user : UnionFormat::overlay);
}

Result<Usage> Overlay2::usage(std::string_view id) {
  TRY(check_layer_name(id));
  const Fd upper = TRY(layers_.open_below(std::string(id) + "/diff"));
  return usage_of_tree(upper.get());
}

Result<std::vector<std::string>> Overlay2::list() {
  std::vector<std::string> names = TRY(names_in(layers_.dir(), "."));
  std::erase_if(names,
                [](const std::string& name) { return name == "l" || name == "tmp" || name == kInitLayer; });
  return names;
}

Result<std::vector<std::pair<std::string, std::string>>> Overlay2::metadata(std::string_view id) {
  TRY(check_layer_name(id));
  const std::string path = layers_.home().path + "/" + std::string(id);
  std::string lowers;
  for (const std::string& lower : TRY(layers_.lower_ids(id)))
    lowers += (lowers.empty() ? "" : ":") + layers_.home().path + "/" + lower + "/diff";
  std::vector<std::pair<std::string, std::string>> rows;
  if (!lowers.empty()) rows.emplace_back("LowerDir", lowers);
  rows.emplace_back("MergedDir", path + "/merged");
  rows.emplace_back("UpperDir", path + "/diff");
  const bool disposable =
      !layers_.has(std::string(id) + "/" + kWork) && !layers_.has(std::string(id) + "/committed");
  rows.emplace_back("WorkDir", path + "/" + (disposable ? TRY(disposable_work()) : kWork));
  return rows;
}

Status Overlay2::check(std::string_view id, const LayerFacts& is, bool repair) {
  TRY(check_layer_name(id));
  const std::string layer(id);
  if (!layers_.has(layer + "/diff")) return OverlayLayers::missing(id);
  const std::vector<std::string> names = TRY(names_in(layers_.dir(), layer.c_str()));
  const auto is_work = [](const std::string& name) { return name.starts_with(kWork); };
  const bool works = std::any_of(names.begin(), names.end(), is_work);
  const bool disposable = works && !layers_.has(layer + "/" + kWork);
  if (!disposable) TRY(layers_.check_link(id, repair));
  if (layers_.has(layer + "/committed") != is.committed) {
    if (!is.committed) return Error::of(ErrorKind::failed, "it is committed");
    if (!repair) return Error::of(ErrorKind::failed, "`committed` is missing");
    TRY(sys::replace_file_at(layers_.dir(), (layer + "/committed").c_str(), "", 0600, true));
  }
  if (!is.committed && !works) {
    if (!repair) return Error::of(ErrorKind::failed, "`work` is missing");
    if (mkdirat(layers_.dir(), (layer + "/" + kWork).c_str(), 0700) < 0)
      return Error::sys(errno, "mkdir `%s/%s`", layer.c_str(), kWork);
  }
  if (is.parent.empty()) return {};
  Result<std::string> lower = layers_.read_small(layer + "/lower");
  const bool init = disposable && lower.ok() && lower->ends_with(std::string(":l/") + kInitLayer);
  if (init && repair) TRY(make_init_layer());
  if (init && !layers_.has(std::string("l/") + kInitLayer))
    return Error::of(ErrorKind::failed, "the layer `%s` is missing", kInitLayer);
  const std::string wanted = TRY(layers_.lower_of_child(is.parent, init));
  if (lower.ok() && *lower == wanted) return {};
  if (!repair) return Error::of(ErrorKind::failed, "`lower` does not say what lies below");
  return sys::replace_file_at(layers_.dir(), (layer + "/lower").c_str(), wanted, 0644, true);
}

// --- removing ----------------------------------------------------------------------------------------------

Status Overlay2::remove(std::string_view id) {
  TRY(check_layer_name(id));
  Result<std::string> dead = staging_.take(layers_.dir(), std::string(id).c_str());
  if (!dead.ok())
    return dead.error().kind() == ErrorKind::not_found ? Status() : Status(std::move(dead).error());
  TRY(undo(layers_, staging_.dir(), dead->c_str()));
  fault_point("overlay2.remove.unlinked");
  return staging_.remove(*dead);
}

Status Overlay2::recover() {
  (void)TRY(staging_.recover([this](int dir, const char* name) { return undo(layers_, dir, name); }));
  return {};
}

}  // namespace

Result<std::unique_ptr<Driver>> open_overlay2(const std::string& root, const Options& options) {
  OverlaySettings settings = TRY(parse_overlay_options(options));
  Home home = TRY(open_home(root, "overlay2"));
  // A mount is tried once, when the directory is made; `l` says that it went well.
  if (faccessat(home.dir.get(), "l", F_OK, 0) < 0) {
    Status probed = probe_overlay(home, in_user_namespace());
    if (!probed.ok()) {
      if (home.fresh) (void)sys::remove_tree(AT_FDCWD, home.path.c_str());
      return std::move(probed).error();
    }
  }
  OverlayLayers layers = TRY(OverlayLayers::open(std::move(home)));
  Staging staging = TRY(Staging::open(layers.dir()));
  return std::unique_ptr<Driver>(
      std::make_unique<Overlay2>(std::move(layers), std::move(staging), std::move(settings)));
}

}  // namespace slipway::drivers
