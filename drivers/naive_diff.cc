#include "drivers/naive_diff.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>

#include "drivers/entry.h"
#include "drivers/staging.h"

namespace slipway::drivers {
namespace {

bool before(const timespec& one, const timespec& other) {
  return one.tv_sec != other.tv_sec ? one.tv_sec < other.tv_sec : one.tv_nsec < other.tv_nsec;
}

class TreeDiff {
 public:
  TreeDiff(int old_tree, int new_tree, const TreeOrigin& origin)
      : old_tree_(old_tree), new_tree_(new_tree), origin_(origin) {}

  Result<std::vector<Change>> run() {
    if (old_tree_ >= 0) TRY(root());
    pending_.push_back({"", old_tree_ >= 0});
    TRY(walk());
    complete_changes(changes_);
    return std::move(changes_);
  }

  Result<std::vector<Change>> run(const std::vector<Candidate>& candidates) {
    TRY(root());
    std::string walked;  // with "/" at its end: what is below has been seen
    for (const Candidate& candidate : candidates) {
      if (!walked.empty() && candidate.path.starts_with(walked)) continue;
      TRY(look_at(candidate));
      if (!pending_.empty()) walked = candidate.path + "/";
      TRY(walk());
    }
    complete_changes(changes_);
    return std::move(changes_);
  }

 private:
  struct Pair {
    std::string path;  // of a directory in the new tree, without the first "/"
    bool in_old;       // it is a directory in the old tree, too
  };

  Status root() {
    struct stat old_info = {}, new_info = {};
    if (fstat(old_tree_, &old_info) < 0 || fstat(new_tree_, &new_info) < 0)
      return Error::sys(errno, "stat `/`");
    if (!same_stat(old_info, new_info) || !TRY(same_details(old_tree_, new_tree_, ".", new_info)))
      add("", ChangeKind::modified);
    return {};
  }

  Status walk() {
    while (!pending_.empty()) {
      const Pair next = std::move(pending_.back());
      pending_.pop_back();
      TRY(directory(next));
    }
    return {};
  }

  Status look_at(const Candidate& candidate) {
    const size_t slash = candidate.path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : candidate.path.substr(0, slash);
    const std::string name = candidate.path.substr(slash + 1);  // npos + 1 is 0
    Result<Fd> old_dir = open_below(old_tree_, parent), new_dir = open_below(new_tree_, parent);
    // A parent that is in one tree only is a candidate itself, and was walked.
    if (!old_dir.ok() || !new_dir.ok()) return {};
    struct stat old_info = {}, new_info = {};
    const bool in_old = fstatat(old_dir->get(), name.c_str(), &old_info, AT_SYMLINK_NOFOLLOW) == 0;
    const bool in_new = fstatat(new_dir->get(), name.c_str(), &new_info, AT_SYMLINK_NOFOLLOW) == 0;
    if (in_old && !in_new) add(candidate.path, ChangeKind::deleted);
    if (!in_new) return {};
    TRY(entry(parent, name, old_dir->get(), new_dir->get(), in_old));
    if (in_old && !candidate.subtree && old_info.st_ino == new_info.st_ino) pending_.clear();
    return {};
  }

  // Walks without recursion, and with two descriptors whatever the depth.
  Status directory(const Pair& pair) {
    const Fd new_dir = TRY(open_below(new_tree_, pair.path));
    const Fd old_dir = pair.in_old ? TRY(open_below(old_tree_, pair.path)) : Fd();
    const std::vector<std::string> new_names = TRY(names_in(new_dir.get(), "."));
    const std::vector<std::string> old_names =
        pair.in_old ? TRY(names_in(old_dir.get(), ".")) : std::vector<std::string>();
    auto old_at = old_names.begin();
    for (const std::string& name : new_names) {
      for (; old_at != old_names.end() && *old_at < name; ++old_at)
        add(below(pair.path, *old_at), ChangeKind::deleted);
      const bool both = old_at != old_names.end() && *old_at == name;
      if (both) ++old_at;
      TRY(entry(pair.path, name, old_dir.get(), new_dir.get(), both));
    }
    for (; old_at != old_names.end(); ++old_at) add(below(pair.path, *old_at), ChangeKind::deleted);
    return {};
  }

  Status entry(const std::string& parent, const std::string& name, int old_dir, int new_dir, bool both) {
    struct stat old_info = {}, new_info = {};
    if (fstatat(new_dir, name.c_str(), &new_info, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) return {};  // a running container's tree moves while it is read
      return Error::sys(errno, "stat `%s`", name.c_str());
    }
    if (both && fstatat(old_dir, name.c_str(), &old_info, AT_SYMLINK_NOFOLLOW) < 0)
      return Error::sys(errno, "stat `%s`", name.c_str());
    if (!both) {
      add(below(parent, name), ChangeKind::added);
    } else if (!TRY(same(old_dir, new_dir, name.c_str(), old_info, new_info))) {
      add(below(parent, name), ChangeKind::modified);
    }
    if (S_ISDIR(new_info.st_mode))
      pending_.push_back({below(parent, name), both && S_ISDIR(old_info.st_mode)});
    return {};
  }

  Result<bool> same(int old_dir, int new_dir, const char* name, const struct stat& old_info,
                    const struct stat& new_info) const {
    const bool snapshot = origin_.kind == TreeOrigin::Kind::snapshot;
    if (snapshot && old_info.st_ino == new_info.st_ino &&
        old_info.st_ctim.tv_sec == new_info.st_ctim.tv_sec &&
        old_info.st_ctim.tv_nsec == new_info.st_ctim.tv_nsec)
      return true;
    if (!same_stat(old_info, new_info)) return false;
    if (!TRY(same_details(old_dir, new_dir, name, new_info))) return false;
    if (!S_ISREG(new_info.st_mode)) return true;
    const bool touched =
        snapshot || (origin_.kind == TreeOrigin::Kind::copy && !before(new_info.st_ctim, origin_.copied));
    return touched ? same_bytes(old_dir, new_dir, name) : Result<bool>(true);
  }

  static std::string below(const std::string& parent, const std::string& name) {
    return parent.empty() ? name : parent + "/" + name;
  }
  void add(const std::string& path, ChangeKind kind) { changes_.push_back({"/" + path, kind}); }

  int old_tree_, new_tree_;
  TreeOrigin origin_;
  std::vector<Pair> pending_;
  std::vector<Change> changes_;
};

}  // namespace

Result<std::vector<Change>> diff_trees(int old_tree, int new_tree, const TreeOrigin& origin) {
  return TreeDiff(old_tree, new_tree, origin).run();
}

Result<std::vector<Change>> diff_paths(int old_tree, int new_tree, const TreeOrigin& origin,
                                       const std::vector<Candidate>& candidates) {
  return TreeDiff(old_tree, new_tree, origin).run(candidates);
}

void complete_changes(std::vector<Change>& changes) {
  const auto by_path = [](const Change& one, const Change& other) { return one.path < other.path; };
  std::sort(changes.begin(), changes.end(), by_path);
  std::set<std::string> parents;
  for (const Change& change : changes) {
    for (size_t slash = change.path.rfind('/'); slash != 0 && slash != std::string::npos;
         slash = change.path.rfind('/', slash - 1)) {
      std::string parent = change.path.substr(0, slash);
      const auto at =
          std::lower_bound(changes.begin(), changes.end(), Change{parent, ChangeKind::modified}, by_path);
      if (at != changes.end() && at->path == parent) break;  // and so its own parents are known
      if (!parents.insert(std::move(parent)).second) break;
    }
  }
  const size_t known = changes.size();
  for (const std::string& parent : parents) changes.push_back({parent, ChangeKind::modified});
  std::inplace_merge(changes.begin(), changes.begin() + static_cast<ptrdiff_t>(known), changes.end(),
                     by_path);
}

}  // namespace slipway::drivers
