#include "oci/layer_apply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "oci/archive.h"
#include "oci/layer_tree.h"
#include "oci/xattr.h"
#include "src/sys/remove_tree.h"

namespace slipway::oci {

namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::string_view kAufsPrivate = ".wh..wh.";
constexpr char kPlinks[] = ".wh..wh.plnk";  // where aufs keeps the files that hard links of its own lead to

std::pair<std::string, std::string> split(const std::string& path) {
  const size_t slash = path.rfind('/');
  return {slash == std::string::npos ? "" : path.substr(0, slash), path.substr(slash + 1)};  // npos + 1 is 0
}

class Applier {
 public:
  Applier(TarReader& reader, int root, const ApplyOptions& options)
      : reader_(reader),
        root_(root),
        tree_(root, options),
        always_chown_(options.style == WhiteoutStyle::materialised) {}

  Result<Applied> operator()() {
    for (;;) {
      const TarEntry* entry = TRY(reader_.next());
      if (!entry) break;
      TRY(apply(*entry));
      ++applied_.entries;
    }
    if (plinks_) TRY(sys::remove_tree(root_, kPlinks).ctx("remove `%s`", kPlinks));
    TRY(tree_.finish());
    return applied_;
  }

 private:
  /// Where an entry goes.
  struct Place {
    int parent;
    std::string name;
    std::string path;
  };

  Status apply(const TarEntry& entry) {
    const std::string named = TRY(LayerTree::clean(entry.path));
    if (named.empty()) {
      // CVE-2021-29136: the root as a link.
      if (entry.type != TarEntry::Type::directory)
        return Error::of(ErrorKind::invalid, "the root of the layer is not a directory");
      tree_.set_directory(named, attributes(entry));
      return {};
    }
    const auto [named_parent, name] = split(named);
    const std::string parent = TRY(tree_.resolve(named_parent));
    plinks_ = plinks_ || parent == kPlinks;
    if (name.starts_with(kWhiteout)) return whiteout(parent, name, entry);
    if (entry.type == TarEntry::Type::other) return {};  // sockets, and types that nobody defines
    // Made from the upper directory of an overlay mount: a deletion.
    if (entry.type == TarEntry::Type::character && entry.device == makedev(0, 0))
      return tree_.whiteout(parent, name, entry.mtime);
    const Place place = {TRY(tree_.directory(parent, entry.mtime)), name,
                         parent.empty() ? name : parent + "/" + name};
    TRY(tree_.announce(place.parent, place.name, place.path));
    return make(entry, place);
  }

  Status whiteout(const std::string& parent, const std::string& name, const TarEntry& entry) {
    if (name == kOpaque) return tree_.opaque(parent, entry.mtime);
    if (name.starts_with(kAufsPrivate)) return {};
    const std::string target = name.substr(kWhiteout.size());
    if (target.empty() || target == "." || target == "..")
      return Error::of(ErrorKind::invalid, "`%s` is not a whiteout", entry.path.c_str());
    return tree_.whiteout(parent, target, entry.mtime);
  }

  Status make(const TarEntry& entry, const Place& place) {
    switch (entry.type) {
      case TarEntry::Type::directory:
        TRY(tree_.make_directory(place.parent, place.name, place.path));
        tree_.set_directory(place.path, attributes(entry));
        return {};
      case TarEntry::Type::regular:
        return regular(entry, place);
      case TarEntry::Type::hard_link:
        return hard_link(entry, place);
      case TarEntry::Type::symlink:
        TRY(at(entry, place,
               [&] { return symlinkat(entry.link.c_str(), place.parent, place.name.c_str()); }));
        tree_.set_link(place.path, entry.link);
        return {};
      case TarEntry::Type::character:
        return node(entry, place, S_IFCHR);
      case TarEntry::Type::block:
        return node(entry, place, S_IFBLK);
      case TarEntry::Type::fifo:
        return node(entry, place, S_IFIFO);
      case TarEntry::Type::other:
        break;
    }
    return {};
  }

  Status regular(const TarEntry& entry, const Place& place) {
    const auto open_new = [&] {
      return Fd(openat(place.parent, place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       0600));
    };
    Fd fd = open_new();
    if (!fd && errno == EEXIST) {
      TRY(tree_.make_way(place.parent, place.name, place.path));
      fd = open_new();
    }
    if (!fd) return Error::sys(errno, "create `%s`", place.path.c_str());
    const int64_t end = TRY(write_data(fd.get(), place.path));
    if (end < entry.size && ftruncate(fd.get(), entry.size) < 0)
      return Error::sys(errno, "extend `%s`", place.path.c_str());
    applied_.bytes += std::max(end, entry.size);
    return finish_file(fd.get(), entry, place.path);
  }

  /// Returns where the last piece ended.
  Result<int64_t> write_data(int fd, const std::string& path) {
    TarReader::Piece piece;
    int64_t end = 0;
    while (TRY(reader_.data(&piece).ctx("`%s`", path.c_str()))) {
      while (!piece.data.empty()) {
        const ssize_t put = pwrite(fd, piece.data.data(), piece.data.size(), piece.offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return Error::sys(errno, "write `%s`", path.c_str());
        piece.data.remove_prefix(static_cast<size_t>(put));
        piece.offset += put;
      }
      end = std::max(end, piece.offset);
    }
    return end;
  }

  Status finish_file(int fd, const TarEntry& entry, const std::string& path) {
    // A new file has our own ids, unless a set-group-ID directory of the parent layer gave it another.
    if ((always_chown_ || entry.uid != uid_ || entry.gid != gid_) && fchown(fd, entry.uid, entry.gid) < 0)
      return Error::sys(errno, "chown `%s`", path.c_str());
    TRY(remove_other_xattrs(fd, entry.xattrs).ctx("`%s`", path.c_str()));
    if (fchmod(fd, entry.mode) < 0) return Error::sys(errno, "chmod `%s`", path.c_str());
    TRY(set_xattrs(fd, entry.xattrs).ctx("`%s`", path.c_str()));
    const timespec times[2] = {entry.mtime, entry.mtime};
    if (futimens(fd, times) < 0) return Error::sys(errno, "set the times of `%s`", path.c_str());
    return {};
  }

  /// An entry that is made by one call and never opened.
  template <class Make>
  Status at(const TarEntry& entry, const Place& place, Make create) {
    int made = create();
    if (made < 0 && errno == EEXIST) {
      TRY(tree_.make_way(place.parent, place.name, place.path));
      made = create();
    }
    if (made < 0) return Error::sys(errno, "create `%s`", place.path.c_str());
    return set_attributes_at(place.parent, place.name, attributes(entry), place.path);
  }

  Status node(const TarEntry& entry, const Place& place, mode_t type) {
    bool refused = false;
    Status made = at(entry, place, [&] {
      const int result = mknodat(place.parent, place.name.c_str(), type | 0600, entry.device);
      refused = result < 0 && errno == EPERM;
      return result;
    });
    // Nobody in a user namespace may make devices: the image works without, the runtime brings its own.
    return refused ? Status() : std::move(made);
  }

  Status hard_link(const TarEntry& entry, const Place& place) {
    const auto [named_parent, name] = split(TRY(LayerTree::clean(entry.link)));
    if (name.empty()) return Error::of(ErrorKind::invalid, "`%s` links to the root", place.path.c_str());
    const std::string parent = TRY(tree_.resolve(named_parent));
    const std::string target = parent.empty() ? name : parent + "/" + name;
    if (target == place.path) return {};
    int code = link(target, place);
    if (code == EEXIST) {
      TRY(tree_.make_way(place.parent, place.name, place.path));
      code = link(target, place);
    }
    if (code == ENOENT) {
      Status copied = tree_.copy_up(target);
      if (!copied.ok())
        return Error::of(ErrorKind::invalid, "hard link `%s`: no `%s` (%s)", place.path.c_str(),
                         target.c_str(), copied.error().text());
      Place again = place;  // the descriptor may have been given up
      again.parent = TRY(tree_.directory(split(place.path).first, entry.mtime));
      code = link(target, again);
    }
    if (code != 0) return Error::sys(code, "hard link `%s` to `%s`", place.path.c_str(), target.c_str());
    tree_.copy_link(target, place.path);
    return {};
  }

  /// Never follows the target: a link to a symbolic link is one (CVE-2021-32760). Returns an errno.
  int link(const std::string& target, const Place& place) {
    if (tree_.is_deleted(target)) return ENOENT;
    const auto [parent, name] = split(target);
    // Looking one directory up may close another: keep both.
    const Fd to(fcntl(place.parent, F_DUPFD_CLOEXEC, 0));
    const int from = tree_.find_directory(parent);
    if (from < 0) return errno == ENOTDIR ? ENOTDIR : ENOENT;
    return linkat(from, name.c_str(), to.get(), place.name.c_str(), 0) == 0 ? 0 : errno;
  }

  static Attributes attributes(const TarEntry& entry) {
    return {entry.mode, entry.uid, entry.gid, entry.mtime, entry.xattrs};
  }

  TarReader& reader_;
  int root_;
  LayerTree tree_;
  Applied applied_;
  bool plinks_ = false;
  bool always_chown_;
  uid_t uid_ = geteuid();
  gid_t gid_ = getegid();
};

}  // namespace

Result<Applied> apply_layer(ByteSource& tar, int root, const ApplyOptions& options) {
  TarReader reader = TRY(TarReader::open(tar).ctx("layer"));
  return Applier(reader, root, options)().ctx("layer");
}

}  // namespace slipway::oci
