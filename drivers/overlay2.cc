// overlay2: a directory per layer, stacked by the kernel's overlay file system. Docker's layout:
//
//   <root>/overlay2/<id>/diff/       the layer's own changes, with overlay's whiteouts
//                       /lower       the layers below, nearest first: l/AAA:l/BBB (not in a layer without
//                       parent) /link        the layer's short name /work/ merged/ /committed   an empty
//                       file: the layer is immutable /volatile    RwOptions::disposable: the boot in which it
//                       was made
//   <root>/overlay2/l/<short name>   -> ../<id>/diff, so that the names of many layers fit into a page
//   <root>/overlay2/tmp/
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "drivers/copy_tree.h"
#include "drivers/home.h"
#include "drivers/options.h"
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

constexpr size_t kLongestValue = 255;  // of fsconfig(2), without the NUL
constexpr size_t kSmallFile = 65536;   // `lower` of 500 layers has 14,500 bytes
// A stage without parent has this mode until somebody gives its root one: then its parent's is taken at
// commit.
constexpr mode_t kModeNotSet = 01755;

struct Settings {
  uint64_t size = 0;                                     // overlay2.size
  std::vector<std::pair<std::string, std::string>> set;  // overlay2.mountopt
};

class Overlay2Stage : public Stage {
 public:
  Overlay2Stage(const Staging& staging, StagedDir place) : staging_(staging), place_(std::move(place)) {}
  ~Overlay2Stage() override {
    if (!place_.name.empty()) (void)staging_.remove(place_.name);
  }
  int root() const override { return diff.get(); }
  int dir() const { return place_.dir.get(); }
  const std::string& name() const { return place_.name; }
  /// It has its name now.
  void published() { place_.name.clear(); }

  std::string link;
  std::string parent;
  Fd diff;

 private:
  const Staging& staging_;
  StagedDir place_;
};

class Overlay2 : public Driver {
 public:
  Overlay2(Home home, Fd links, Staging staging, Settings settings)
      : home_(std::move(home)),
        links_(std::move(links)),
        staging_(std::move(staging)),
        settings_(std::move(settings)),
        user_xattr_(in_user_namespace()) {}

  const char* name() const override { return "overlay2"; }
  Capabilities capabilities() const override {
    Capabilities can;
    can.native_changes = true;
    can.rebase = true;
    can.quota = sys::has_project_quota(home_.dir.get());
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
    return open_layer(std::string(id) + "/diff");
  }
  Result<Usage> usage(std::string_view id) override;

  Result<bool> exists(std::string_view id) override {
    TRY(check_layer_name(id));
    return has(std::string(id) + "/link");
  }
  Status remove(std::string_view id) override;
  Result<std::vector<std::string>> list() override;
  Status recover() override;

  Result<std::vector<std::pair<std::string, std::string>>> metadata(std::string_view id) override;
  std::vector<std::pair<std::string, std::string>> status() override {
    return {{"Backing Filesystem", home_.filesystem},
            {"Supports d_type", "true"},
            {"Native Overlay Diff", "true"},
            {"userxattr", user_xattr_ ? "true" : "false"}};
  }

 private:
  // fsconfig(2) takes no value of more than 255 bytes: then there is only mount(2), with relative paths.
  bool has_long_path() const { return home_.path.size() + sizeof "/diff" + 1 + 128 > kLongestValue; }
  bool has(const std::string& path) const { return faccessat(home_.dir.get(), path.c_str(), F_OK, 0) == 0; }
  Result<std::string> read_small(const std::string& path) const {
    return sys::read_file_at(home_.dir.get(), path.c_str(), kSmallFile);
  }
  Result<Fd> open_layer(const std::string& path) const;
  Result<std::vector<std::string>> lower_links(std::string_view id) const;
  Result<std::vector<std::string>> lower_ids(std::string_view id) const;
  Result<std::string> lower_of_child(std::string_view parent) const;

  Result<std::unique_ptr<Overlay2Stage>> new_stage(std::string_view parent);
  Status set_lower(const Overlay2Stage& stage, std::string_view parent, bool sync) const;
  Status limit(const Overlay2Stage& stage, uint64_t bytes) const;
  Status publish(Overlay2Stage& stage, std::string_view id);
  Status set_options(sys::MountSpec& spec, std::string_view id) const;
  Result<bool> is_volatile(std::string_view id) const;
  Status undo(int dir, const char* name) const;

  Home home_;
  Fd links_;
  Staging staging_;
  Settings settings_;
  bool user_xattr_;
};

Error no_layer(std::string_view id) {
  return Error::of(ErrorKind::not_found, "no layer `%.*s`", static_cast<int>(id.size()), id.data());
}

Result<Fd> Overlay2::open_layer(const std::string& path) const {
  Fd fd(openat(home_.dir.get(), path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == ENOENT) return no_layer(std::string_view(path).substr(0, path.find('/')));
  if (!fd) return Error::sys(errno, "open `%s/%s`", home_.path.c_str(), path.c_str());
  return fd;
}

// --- the layers below
// ----------------------------------------------------------------------------------------------

Result<std::vector<std::string>> Overlay2::lower_links(std::string_view id) const {
  std::vector<std::string> links;
  Result<std::string> text = read_small(std::string(id) + "/lower");
  if (!text.ok()) {
    if (text.error().code() != ENOENT) return std::move(text).error();
    if (!has(std::string(id) + "/link")) return no_layer(id);
    return links;
  }
  for (size_t at = 0; at < text->size();) {
    size_t end = text->find(':', at);
    if (end == std::string::npos) end = text->size();
    links.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  if (links.empty())
    return Error::of(ErrorKind::failed, "`lower` of layer `%s` is empty", std::string(id).c_str());
  return links;
}

Result<std::vector<std::string>> Overlay2::lower_ids(std::string_view id) const {
  std::vector<std::string> ids = TRY(lower_links(id));
  for (std::string& link : ids) {
    char target[256];
    const ssize_t length = readlinkat(home_.dir.get(), link.c_str(), target, sizeof target);
    if (length < 0) return Error::sys(errno, "read link `%s/%s`", home_.path.c_str(), link.c_str());
    const std::string_view text(target, static_cast<size_t>(length));
    if (!text.starts_with("../") || !text.ends_with("/diff") || text.size() <= 8)
      return Error::of(ErrorKind::failed, "link `%s/%s` is damaged", home_.path.c_str(), link.c_str());
    link = text.substr(3, text.size() - 8);
  }
  return ids;
}

// What `lower` of a layer on `parent` says. Refuses here what could not be mounted later.
Result<std::string> Overlay2::lower_of_child(std::string_view parent) const {
  TRY(check_layer_name(parent));
  const std::string id(parent);
  if (!has(id + "/link")) return no_layer(parent);
  if (!has(id + "/committed"))
    return Error::of(ErrorKind::invalid, "layer `%s` is not committed", id.c_str());
  std::string lower = "l/" + TRY(read_small(id + "/link"));
  size_t depth = 1;
  for (const std::string& link : TRY(lower_links(parent))) {
    lower += ":" + link;
    ++depth;
  }
  if (depth > kOverlayMaxLowers)
    return Error::of(ErrorKind::invalid, "%zu layers: overlay stacks no more than %u", depth,
                     kOverlayMaxLowers);
  // Beside them a page has to hold the other options, some 200 bytes.
  if (lower.size() <= static_cast<size_t>(sysconf(_SC_PAGESIZE)) - 512) return lower;
  if (has_long_path())
    return Error::of(ErrorKind::unsupported, "%zu layers: the path `%s` is too long for that", depth,
                     home_.path.c_str());
  if (!overlay_has_lowerdir_plus())
    return Error::of(ErrorKind::unsupported, "%zu layers: before Linux 6.7 their names must fit into a page",
                     depth);
  return lower;
}

Status Overlay2::set_lower(const Overlay2Stage& stage, std::string_view parent, bool sync) const {
  const std::string lower = TRY(lower_of_child(parent));
  TRY(sys::replace_file_at(stage.dir(), "lower", lower, 0644, sync));
  for (const char* directory : {"work", "merged"})
    if (mkdirat(stage.dir(), directory, 0700) < 0 && errno != EEXIST)
      return Error::sys(errno, "mkdir `%s`", directory);
  return {};
}

// --- making layers
// -------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Overlay2Stage>> Overlay2::new_stage(std::string_view parent) {
  auto stage = std::make_unique<Overlay2Stage>(staging_, TRY(staging_.make(0710)));
  if (mkdirat(stage->dir(), "diff", 0755) < 0) return Error::sys(errno, "mkdir `diff`");
  stage->diff = TRY(sys::open_at(stage->dir(), "diff", O_RDONLY | O_DIRECTORY));
  stage->link = random_name();
  stage->parent = parent;
  TRY(sys::replace_file_at(stage->dir(), "link", stage->link, 0644, false));
  if (parent.empty()) {
    if (fchmod(stage->root(), kModeNotSet) < 0) return Error::sys(errno, "chmod `diff`");
  } else {
    TRY(set_lower(*stage, parent, false));
    const Fd below = TRY(open_layer(std::string(parent) + "/diff"));
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
    TRY(set_lower(staged, parent, true));
  }
  struct stat info = {};
  if (fstat(staged.root(), &info) < 0) return Error::sys(errno, "stat `diff`");
  if ((info.st_mode & 07777) == kModeNotSet) {
    if (parent.empty()) {
      if (fchmod(staged.root(), 0755) < 0) return Error::sys(errno, "chmod `diff`");
    } else {
      const Fd below = TRY(open_layer(std::string(parent) + "/diff"));
      TRY(copy_directory_metadata(below.get(), staged.root()));
    }
  }
  // No data: the sync of the name below takes it to the disk.
  { const Fd mark = TRY(sys::open_at(staged.dir(), "committed", O_WRONLY | O_CREAT, 0600)); }
  fault_point("overlay2.commit.marked");
  Status published = publish(staged, id);
  if (!published.ok()) return published.error().kind() == ErrorKind::exists ? Status() : std::move(published);
  if (fsync(home_.dir.get()) < 0) return Error::sys(errno, "sync `%s`", home_.path.c_str());
  return {};
}

Status Overlay2::create_rw(std::string_view id, std::string_view parent, const RwOptions& options) {
  TRY(check_layer_name(id));
  if (TRY(exists(id))) return Error::of(ErrorKind::exists, "layer `%s` exists", std::string(id).c_str());
  const std::unique_ptr<Overlay2Stage> stage = TRY(new_stage(parent));
  if (parent.empty() && fchmod(stage->root(), 0755) < 0) return Error::sys(errno, "chmod `diff`");
  TRY(limit(*stage, options.size ? options.size : settings_.size));
  if (options.disposable) {
    const std::string boot = TRY(sys::read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64));
    TRY(sys::replace_file_at(stage->dir(), "volatile", boot, 0600, false));
  }
  return publish(*stage, id);
}

// Both directories, because overlay renames from one to the other. The number is kept for remove().
Status Overlay2::limit(const Overlay2Stage& stage, uint64_t bytes) const {
  if (bytes == 0) return {};
  const int home = home_.dir.get();
  if (!sys::has_project_quota(home))
    return Error::of(
        ErrorKind::unsupported,
        "no limit of a layer's size: `%s` (%s) has no project quotas (mount xfs, or ext4 with the features "
        "quota and project, with prjquota)",
        home_.path.c_str(), home_.filesystem.c_str());
  const uint32_t project = TRY(sys::free_project(home));
  TRY(sys::replace_file_at(stage.dir(), "project", std::to_string(project), 0600, false));
  TRY(sys::set_project(stage.root(), project));
  if (mkdirat(stage.dir(), "work", 0700) < 0 && errno != EEXIST) return Error::sys(errno, "mkdir `work`");
  const Fd work = TRY(sys::open_at(stage.dir(), "work", O_RDONLY | O_DIRECTORY));
  TRY(sys::set_project(work.get(), project));
  return sys::limit_project(home, project, bytes);
}

// The short name first: one that leads nowhere harms nobody, a layer without it cannot be found by its
// children.
Status Overlay2::publish(Overlay2Stage& stage, std::string_view id) {
  const std::string name(id);
  if (symlinkat(("../" + name + "/diff").c_str(), links_.get(), stage.link.c_str()) < 0)
    return Error::sys(errno, "make link `l/%s`", stage.link.c_str());
  fault_point("overlay2.publish.linked");
  // Not onto another: a directory with files in it is never replaced by rename(2).
  if (renameat(staging_.dir(), stage.name().c_str(), home_.dir.get(), name.c_str()) < 0) {
    const int err = errno;
    unlinkat(links_.get(), stage.link.c_str(), 0);
    if (err == EEXIST || err == ENOTEMPTY)
      return Error::of(ErrorKind::exists, "layer `%s` exists", name.c_str());
    return Error::sys(err, "rename layer `%s`", name.c_str());
  }
  stage.published();
  fault_point("overlay2.publish.renamed");
  return {};
}

// --- mounting
// ------------------------------------------------------------------------------------------------------

// A disposable layer is mounted with `volatile`: overlay skips every sync of the upper file system, which at
// the end of a container costs more than all else. It leaves work/work/incompat/volatile behind and refuses
// the next mount, because it cannot know whether the machine crashed in between. We do: the boot is the same
// or it is not.
Result<bool> Overlay2::is_volatile(std::string_view id) const {
  const std::string layer(id);
  Result<std::string> made_in = read_small(layer + "/volatile");
  if (!made_in.ok())
    return made_in.error().code() == ENOENT ? Result<bool>(false) : std::move(made_in).error();
  const std::string mark = layer + "/work/work/incompat/volatile";
  if (!has(mark)) return true;
  if (*made_in != TRY(sys::read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64)))
    return Error::of(ErrorKind::failed, "layer `%s` was disposable and the machine has restarted since",
                     layer.c_str());
  TRY(sys::remove_tree(home_.dir.get(), mark.c_str()));
  return true;
}

Status Overlay2::set_options(sys::MountSpec& spec, std::string_view id) const {
  const std::string layer(id);
  const bool committed = has(layer + "/committed");
  std::vector<std::string> lowers = TRY(lower_links(id));
  if (committed) lowers.insert(lowers.begin(), "l/" + TRY(read_small(layer + "/link")));
  const std::string prefix = home_.path + "/";
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
    spec.legacy += ",upperdir=" + layer + "/diff,workdir=" + layer + "/work";
    spec.options.push_back({"upperdir", prefix + layer + "/diff"});
    spec.options.push_back({"workdir", prefix + layer + "/work"});
    if (TRY(is_volatile(id))) add("volatile", "");
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
  if (has_long_path()) spec.options.clear();
  return {};
}

Result<sys::MountSpec> Overlay2::mounts(std::string_view id) {
  TRY(check_layer_name(id));
  const std::string layer(id);
  const std::string path = home_.path + "/" + layer;
  sys::MountSpec spec;
  spec.read_only = has(layer + "/committed");
  if (!has(layer + "/lower")) {  // one directory: nothing to stack
    if (!has(layer + "/link")) return no_layer(id);
    spec.source = path + "/diff";
    spec.target = spec.source;
    return spec;
  }
  spec.kind = sys::MountSpec::Kind::filesystem;
  spec.type = "overlay";
  spec.source = "overlay";
  spec.target = path + "/merged";
  spec.legacy_cwd = home_.path;
  TRY(set_options(spec, id));
  return spec;
}

// --- what a layer has
// ----------------------------------------------------------------------------------------------

Result<std::vector<Change>> Overlay2::changes(std::string_view id) {
  TRY(check_layer_name(id));
  const Fd upper = TRY(open_layer(std::string(id) + "/diff"));
  std::vector<Fd> lowers;
  for (const std::string& lower : TRY(lower_ids(id))) {
    Fd fd = TRY(open_layer(lower + "/diff"));
    lowers.push_back(std::move(fd));
  }
  return union_changes(upper.get(), lowers, user_xattr_ ? UnionFormat::overlay_user : UnionFormat::overlay);
}

Result<Usage> Overlay2::usage(std::string_view id) {
  TRY(check_layer_name(id));
  const Fd upper = TRY(open_layer(std::string(id) + "/diff"));
  return usage_of_tree(upper.get());
}

Result<std::vector<std::string>> Overlay2::list() {
  std::vector<std::string> names = TRY(names_in(home_.dir.get(), "."));
  std::erase_if(names, [](const std::string& name) { return name == "l" || name == "tmp"; });
  return names;
}

Result<std::vector<std::pair<std::string, std::string>>> Overlay2::metadata(std::string_view id) {
  TRY(check_layer_name(id));
  const std::string path = home_.path + "/" + std::string(id);
  std::string lowers;
  for (const std::string& lower : TRY(lower_ids(id)))
    lowers += (lowers.empty() ? "" : ":") + home_.path + "/" + lower + "/diff";
  std::vector<std::pair<std::string, std::string>> rows;
  if (!lowers.empty()) rows.emplace_back("LowerDir", lowers);
  rows.emplace_back("MergedDir", path + "/merged");
  rows.emplace_back("UpperDir", path + "/diff");
  rows.emplace_back("WorkDir", path + "/work");
  return rows;
}

// --- removing
// ------------------------------------------------------------------------------------------------------

// Takes back the short name and the limit that belong to a directory in tmp/.
Status Overlay2::undo(int dir, const char* name) const {
  const Result<std::string> project = sys::read_file_at(dir, (std::string(name) + "/project").c_str(), 16);
  if (project.ok()) {
    const unsigned long number = strtoul(project.value().c_str(), nullptr, 10);
    if (number) (void)sys::limit_project(home_.dir.get(), static_cast<uint32_t>(number), 0);
  }
  Result<std::string> link = sys::read_file_at(dir, (std::string(name) + "/link").c_str(), 64);
  if (!link.ok() || !check_layer_name(*link).ok()) return {};
  if (unlinkat(links_.get(), link->c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "remove link `l/%s`", link->c_str());
  return {};
}

Status Overlay2::remove(std::string_view id) {
  TRY(check_layer_name(id));
  Result<std::string> dead = staging_.take(home_.dir.get(), std::string(id).c_str());
  if (!dead.ok())
    return dead.error().kind() == ErrorKind::not_found ? Status() : Status(std::move(dead).error());
  TRY(undo(staging_.dir(), dead->c_str()));
  fault_point("overlay2.remove.unlinked");
  return staging_.remove(*dead);
}

Status Overlay2::recover() {
  (void)TRY(staging_.recover([this](int dir, const char* name) { return undo(dir, name); }));
  return {};
}

// --- options
// -------------------------------------------------------------------------------------------------------

Status set_mount_option(Settings& settings, std::string_view option) {
  const size_t equals = option.find('=');
  const std::string key(option.substr(0, equals));
  const std::string value(equals == std::string_view::npos ? "" : option.substr(equals + 1));
  constexpr std::pair<std::string_view, std::string_view> kKnown[] = {
      {"index", "on off"},
      {"metacopy", "on off"},
      {"redirect_dir", "on off follow nofollow"},
      {"xino", "on off auto"},
      {"volatile", ""}};
  for (const auto& [name, values] : kKnown) {
    if (key != name) continue;
    if ((" " + std::string(values) + " ").find(" " + value + " ") == std::string::npos) break;
    if ((key == "metacopy" || key == "redirect_dir") && (value == "on" || value == "follow"))
      return Error::of(
          ErrorKind::unsupported,
          "`%s=%s`: a layer's directory would not hold all that the layer changes, and commit, diff and "
          "save read it alone",
          key.c_str(), value.c_str());
    settings.set.emplace_back(key, value);
    return {};
  }
  return Error::of(ErrorKind::invalid, "`%s` is not an option of overlay that can be set",
                   std::string(option).c_str());
}

Result<Settings> parse(const Options& options) {
  Settings settings;
  for (const auto& [key, value] : options) {
    if (key == "overlay2.size") {
      settings.size = TRY(parse_size(value).ctx("overlay2.size"));
    } else if (key == "overlay2.override_kernel_check") {
      (void)TRY(
          parse_switch(value).ctx("overlay2.override_kernel_check"));  // docker's, without effect there too
    } else if (key == "overlay2.mountopt") {
      for (size_t at = 0; at <= value.size();) {
        const size_t end = std::min(value.find(',', at), value.size());
        TRY(set_mount_option(settings, std::string_view(value).substr(at, end - at))
                .ctx("overlay2.mountopt"));
        at = end + 1;
      }
    } else {
      return unknown_option("overlay2", key);
    }
  }
  return settings;
}

}  // namespace

Result<std::unique_ptr<Driver>> open_overlay2(const std::string& root, const Options& options) {
  Settings settings = TRY(parse(options));
  Home home = TRY(open_home(root, "overlay2"));
  // A mount is tried once, when the directory is made; `l` says that it went well.
  if (faccessat(home.dir.get(), "l", F_OK, 0) < 0) {
    Status probed = probe_overlay(home, in_user_namespace());
    if (!probed.ok()) {
      if (home.fresh) (void)sys::remove_tree(AT_FDCWD, home.path.c_str());
      return std::move(probed).error();
    }
  }
  Fd links = TRY(home.make_directory("l", 0700));
  Staging staging = TRY(Staging::open(home.dir.get()));
  return std::unique_ptr<Driver>(
      std::make_unique<Overlay2>(std::move(home), std::move(links), std::move(staging), std::move(settings)));
}

}  // namespace slipway::drivers
