#include "drivers/union_changes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

#include "drivers/entry.h"
#include "drivers/naive_diff.h"
#include "drivers/staging.h"

namespace slipway::drivers {
namespace {

constexpr std::string_view kWhiteout = ".wh.";

bool is_device_whiteout(const struct stat& info) {
  return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0);
}

class UnionChanges {
 public:
  UnionChanges(int upper, const std::vector<Fd>& lowers, UnionFormat format)
      : upper_(upper),
        lowers_(lowers),
        aufs_(format == UnionFormat::aufs),
        prefix_(format == UnionFormat::overlay_user ? "user.overlay." : "trusted.overlay.") {}

  Result<std::vector<Change>> run() {
    Directory top;
    for (size_t i = 0; i < lowers_.size(); ++i) top.lowers.push_back(i);
    if (!lowers_.empty()) {
      struct stat info = {}, old = {};
      if (fstat(upper_, &info) < 0 || fstat(lowers_[0].get(), &old) < 0) return Error::sys(errno, "stat `/`");
      if (!same_stat(info, old) || !TRY(same_details(lowers_[0].get(), upper_, ".", info)))
        add("", ChangeKind::modified);
    }
    pending_.push_back(std::move(top));
    while (!pending_.empty()) {
      const Directory next = std::move(pending_.back());
      pending_.pop_back();
      TRY(directory(next));
    }
    complete_changes(changes_);
    return std::move(changes_);
  }

 private:
  struct Directory {
    std::string path;  // without the first "/"
    std::vector<size_t>
        lowers;           // the layers whose directories of this path are merged under it, nearest first
    bool opaque = false;  // ... if the upper one did not hide them
  };
  struct Lower {
    size_t layer;
    Fd opened;  // none at the root: lowers_ has it
    int dir;
  };
  struct Found {
    const Lower* lower = nullptr;  // nullptr: no such name below
    struct stat info = {};
  };

  Status directory(const Directory& at) {
    const Fd upper = TRY(open_below(upper_, at.path));
    std::vector<Lower> lowers;
    for (const size_t layer : at.lowers) {
      Fd opened = at.path.empty() ? Fd() : TRY(open_below(lowers_[layer].get(), at.path));
      const int dir = opened ? opened.get() : lowers_[layer].get();
      lowers.push_back({layer, std::move(opened), dir});
    }
    const std::vector<std::string> names = TRY(names_in(upper.get(), "."));
    for (const std::string& name : names) {
      if (aufs_ && std::string_view(name).starts_with(kWhiteout)) {
        TRY(aufs_whiteout(at, names, name, lowers));
      } else {
        TRY(entry(at, name, upper.get(), lowers));
      }
    }
    if (at.opaque) TRY(hidden(at, names, lowers));
    return {};
  }

  Status aufs_whiteout(const Directory& at, const std::vector<std::string>& names, const std::string& mark,
                       const std::vector<Lower>& lowers) {
    const std::string name = mark.substr(kWhiteout.size());
    if (name.starts_with(kWhiteout)) return {};  // .wh..wh..opq, .wh..wh.plnk, .wh..wh.orph, .wh..wh.aufs
    if (std::binary_search(names.begin(), names.end(), name)) return {};
    const Found old = TRY(find(lowers, name.c_str()));
    if (old.lower) add(at.path.empty() ? name : at.path + "/" + name, ChangeKind::deleted);
    return {};
  }

  Status entry(const Directory& parent, const std::string& name, int upper,
               const std::vector<Lower>& lowers) {
    struct stat info = {};
    if (fstatat(upper, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) return {};  // a running container
      return Error::sys(errno, "stat `%s`", name.c_str());
    }
    const std::string path = parent.path.empty() ? name : parent.path + "/" + name;
    const Found old = TRY(find(lowers, name.c_str()));
    if (is_whiteout(upper, name.c_str(), info)) {
      if (old.lower) add(path, ChangeKind::deleted);
      return {};
    }
    if (!old.lower) {
      add(path, ChangeKind::added);
    } else if (!TRY(same(old, upper, name.c_str(), info))) {
      add(path, ChangeKind::modified);
    }
    if (!S_ISDIR(info.st_mode)) return {};
    Directory child;
    child.path = path;
    if (old.lower && S_ISDIR(old.info.st_mode)) {
      child.lowers = merged_below(lowers, old, name.c_str());
      child.opaque = is_opaque(upper, name.c_str());
    }
    pending_.push_back(std::move(child));
    return {};
  }

  /// The names that an opaque directory hides, and does not have itself.
  Status hidden(const Directory& at, const std::vector<std::string>& names,
                const std::vector<Lower>& lowers) {
    std::set<std::string> seen;
    for (const Lower& lower : lowers) {
      for (const std::string& name : TRY(names_in(lower.dir, "."))) {
        if (aufs_ && std::string_view(name).starts_with(kWhiteout)) continue;
        if (std::binary_search(names.begin(), names.end(), name) || !seen.insert(name).second) continue;
        if (aufs_ && std::binary_search(names.begin(), names.end(), std::string(kWhiteout) + name))
          continue;  // told already
        const Found old = TRY(find(lowers, name.c_str()));
        if (old.lower) add(at.path.empty() ? name : at.path + "/" + name, ChangeKind::deleted);
      }
    }
    return {};
  }

  /// What the layers below show under a name: the nearest entry, unless that is a whiteout.
  Result<Found> find(const std::vector<Lower>& lowers, const char* name) const {
    Found found;
    for (const Lower& lower : lowers) {
      if (fstatat(lower.dir, name, &found.info, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT) return Error::sys(errno, "stat `%s`", name);
        if (aufs_ && has(lower.dir, (std::string(kWhiteout) + name).c_str())) return found;
        continue;
      }
      if (!is_whiteout(lower.dir, name, found.info)) found.lower = &lower;
      return found;
    }
    return found;
  }

  /// The layers whose directories `name` are merged, from the nearest that has one down to what ends the
  /// merge.
  std::vector<size_t> merged_below(const std::vector<Lower>& lowers, const Found& nearest,
                                   const char* name) const {
    std::vector<size_t> merged;
    for (const Lower* lower = nearest.lower; lower != lowers.data() + lowers.size(); ++lower) {
      struct stat info = {};
      if (fstatat(lower->dir, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
        if (aufs_ && has(lower->dir, (std::string(kWhiteout) + name).c_str())) break;
        continue;
      }
      if (!S_ISDIR(info.st_mode)) break;
      merged.push_back(lower->layer);
      if (is_opaque(lower->dir, name)) break;
    }
    return merged;
  }

  Result<bool> same(const Found& old, int upper, const char* name, const struct stat& info) const {
    if (!same_stat(old.info, info)) return false;
    if (!TRY(same_details(old.lower->dir, upper, name, info))) return false;
    if (!S_ISREG(info.st_mode) || info.st_size == 0) return true;
    return same_bytes(old.lower->dir, upper, name);  // copied up; perhaps written to, and its time set back
  }

  static bool has(int dir, const char* name) { return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0; }

  bool is_opaque(int dir, const char* name) const {
    if (aufs_) return has(dir, (std::string(name) + "/.wh..wh..opq").c_str());
    return read_attribute(dir, name, (prefix_ + "opaque").c_str()) == "y";
  }
  bool is_whiteout(int dir, const char* name, const struct stat& info) const {
    if (aufs_) return false;  // a name of its own
    if (is_device_whiteout(info)) return true;
    // Linux 6.7: an empty regular file with an attribute, in a directory marked opaque=x (which is not asked for: nobody
    // else sets it).
    return S_ISREG(info.st_mode) && info.st_size == 0 &&
           has_attribute(dir, name, (prefix_ + "whiteout").c_str());
  }

  void add(const std::string& path, ChangeKind kind) { changes_.push_back({"/" + path, kind}); }

  int upper_;
  const std::vector<Fd>& lowers_;
  bool aufs_;
  std::string prefix_;
  std::vector<Directory> pending_;
  std::vector<Change> changes_;
};

}  // namespace

Result<std::vector<Change>> union_changes(int upper, const std::vector<Fd>& lowers, UnionFormat format) {
  return UnionChanges(upper, lowers, format).run();
}

}  // namespace slipway::drivers
