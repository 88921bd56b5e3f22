#include "src/manager/build_copy.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "oci/archive.h"
#include "oci/layer_apply.h"
#include "oci/layer_tree.h"
#include "oci/piece_ring.h"
#include "oci/tree_archive.h"
#include "src/manager/dockerfile_words.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/path.h"

namespace slipway::manager {

namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// Links in the tree of the sources are followed inside of it.
Result<struct stat> stat_source(int tree, const std::string& path) {
  const Fd fd = TRY(sys::open_in_root(tree, path.empty() ? "." : path.c_str(), O_PATH));
  struct stat info;
  if (fstat(fd.get(), &info) < 0) return Error::sys(errno, "stat `%s`", path.c_str());
  return info;
}

/// Where a path leads: below `tree`, without links.
Result<std::string> resolve(int tree, const std::string& path) {
  const auto path_of = [](int fd) -> Result<std::string> {
    char text[PATH_MAX];
    const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), text, sizeof text);
    if (size < 0 || size == sizeof text) return Error::sys(size < 0 ? errno : ENAMETOOLONG, "readlink");
    return std::string(text, static_cast<size_t>(size));
  };
  const Fd fd = TRY(sys::open_in_root(tree, path.c_str(), O_PATH));
  std::string root = TRY(path_of(tree));
  const std::string whole = TRY(path_of(fd.get()));
  if (!root.ends_with('/')) root += '/';
  return whole.starts_with(root) ? whole.substr(root.size()) : path;
}

/// Where one source goes: into the directory, under a name of its own or (a directory) with its contents.
struct Plan {
  std::string source;
  std::string file;  // what is read: where `source` leads when it is a link to a file
  bool directory = false;
  std::string name;  // of a file in the target directory
};

class Copier {
 public:
  explicit Copier(const CopyRequest& request) : request_(request) {}

  Result<std::vector<Plan>> plan() {
    std::vector<Plan> plans;
    for (const std::string& source : TRY(expand_sources(request_))) {
      const struct stat info = TRY(stat_source(request_.source, source));
      const bool directory = S_ISDIR(info.st_mode);
      const std::string file = directory ? "" : TRY(resolve(request_.source, source));
      plans.push_back({source, file, directory, base_name(source)});
    }
    return plans;
  }

  /// One tar of all sources; names are those below the target directory.
  Status archive(const std::vector<Plan>& plans, bool times, const oci::ByteSink& sink) const {
    oci::TarWriter writer(sink);
    for (const Plan& plan : plans) {
      const Fd below = plan.directory ? TRY(open_directory(plan.source)) : Fd();
      oci::TreeArchiver archiver(writer, plan.directory ? below.get() : request_.source);
      archiver.set_edit([&](oci::TarEntry& entry) { return edit(plan, times, entry); });
      if (plan.directory) {
        TRY(archiver.add_contents_of_root());
      } else {
        TRY(archiver.add(plan.file));
      }
    }
    return writer.finish();
  }

 private:
  Result<Fd> open_directory(const std::string& path) const {
    const Fd place =
        TRY(sys::open_in_root(request_.source, path.empty() ? "." : path.c_str(), O_PATH | O_DIRECTORY));
    return sys::open_at(place.get(), ".", O_RDONLY | O_DIRECTORY);
  }

  /// False: left out.
  bool edit(const Plan& plan, bool times, oci::TarEntry& entry) const {
    const std::string in_context =
        plan.directory ? (plan.source.empty() ? entry.path : plan.source + "/" + entry.path) : plan.source;
    if (request_.ignore && request_.ignore->ignored(in_context)) return false;
    if (!plan.directory) entry.path = plan.name;
    if (!times) entry.mtime = {};
    if (request_.owner) {
      std::tie(entry.uid, entry.gid) = *request_.owner;
    } else if (!request_.keep_owner) {
      entry.uid = entry.gid = 0;
    }
    if (request_.mode && entry.type != oci::TarEntry::Type::symlink) entry.mode = *request_.mode;
    return true;
  }

  const CopyRequest& request_;
};

bool is_archive(int tree, const std::string& path) {
  Result<Fd> fd = sys::open_in_root(tree, path.c_str(), O_RDONLY | O_NONBLOCK);
  if (!fd.ok()) return false;
  char head[512] = {};
  const ssize_t got = pread(fd->get(), head, sizeof head, 0);
  if (got < 6) return false;
  if (std::string_view(head + 257, 5) == "ustar") return true;
  const oci::Compression compression = oci::compression_of({head, static_cast<size_t>(got)});
  if (compression == oci::Compression::none) return false;
  // Something compressed; only a tar in it is unpacked.
  oci::FdSource source(fd->get());
  Result<std::unique_ptr<oci::Decompressor>> plain = oci::Decompressor::open(source, compression);
  if (!plain.ok()) return false;
  Result<std::string_view> piece = (*plain)->next();
  return piece.ok() && piece->size() > 262 && piece->substr(257, 5) == "ustar";
}

Status unpack(int tree, const std::string& path, int target) {
  const Fd fd = TRY(sys::open_in_root(tree, path.c_str(), O_RDONLY));
  char head[8] = {};
  const ssize_t got = pread(fd.get(), head, sizeof head, 0);
  oci::FdSource source(fd.get());
  const oci::Compression compression =
      oci::compression_of({head, static_cast<size_t>(std::max<ssize_t>(got, 0))});
  std::unique_ptr<oci::Decompressor> plain;
  if (compression != oci::Compression::none) plain = TRY(oci::Decompressor::open(source, compression));
  oci::ByteSource& tar = plain ? static_cast<oci::ByteSource&>(*plain) : source;
  TRY(oci::apply_layer(tar, target, {}).ctx("`%s`", path.c_str()));
  return {};
}

Error no_such_source(const std::string& path) {
  return Error::of(ErrorKind::not_found,
                   "COPY failed: file not found in build context or excluded by .dockerignore: stat %s: file "
                   "does not exist",
                   path.c_str());
}

}  // namespace

Result<std::vector<std::string>> expand_sources(const CopyRequest& request) {
  std::vector<std::string> out;
  for (const std::string& word : request.sources) {
    // ".." stops at the context, as Docker has it.
    Result<std::string> cleaned = oci::LayerTree::clean(word);
    const std::string path = cleaned.ok() ? *cleaned : word;
    if (!cleaned.ok())
      return Error::of(ErrorKind::invalid, "COPY failed: forbidden path outside the build context: %s",
                       word.c_str());
    const auto add = [&](const std::string& found) {
      if (!request.ignore || !request.ignore->ignored(found)) out.push_back(found);
    };
    if (path.find_first_of("*?[") == std::string::npos) {
      const size_t before = out.size();
      Result<struct stat> there = stat_source(request.source, path);
      if (!there.ok() && there.error().code() == ENOENT) return no_such_source(path);
      const struct stat info = TRY(std::move(there).ctx("COPY failed"));
      // An ignored directory may have exceptions in it: its entries are asked for one by one.
      if (S_ISDIR(info.st_mode)) {
        out.push_back(path);
        continue;
      }
      add(path);
      if (out.size() == before) return no_such_source(path);
      continue;
    }
    const size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
    const Fd place =
        TRY(sys::open_in_root(request.source, parent.empty() ? "." : parent.c_str(), O_PATH | O_DIRECTORY));
    const Fd dir = TRY(sys::open_at(place.get(), ".", O_RDONLY | O_DIRECTORY));
    std::vector<std::string> names;
    for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(dir.get())))
      if (path_glob(base_name(path), entry.name)) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    const size_t before = out.size();
    for (const std::string& name : names) add(parent.empty() ? name : parent + "/" + name);
    if (out.size() == before)
      return Error::of(ErrorKind::not_found, "COPY failed: no source files fit `%s`", word.c_str());
  }
  return out;
}

Result<Digest> digest_sources(const CopyRequest& request) {
  Copier copier(request);
  Sha256 hash;
  const std::vector<Plan> plans = TRY(copier.plan());
  TRY(copier.archive(plans, false, [&](std::string_view bytes) -> Status {
    hash.update(bytes.data(), bytes.size());
    return {};
  }));
  return hash.finish();
}

Status copy_sources(const CopyRequest& request, int root) {
  Copier copier(request);
  std::vector<Plan> plans = TRY(copier.plan());
  std::string directory = request.target, name;
  struct stat info;
  Result<Fd> there = sys::open_in_root(root, directory.c_str(), O_PATH);
  const bool exists = there.ok() && fstat(there->get(), &info) == 0 && S_ISDIR(info.st_mode);
  const bool single = plans.size() == 1 && !plans[0].directory;
  if (plans.size() > 1 && !directory.ends_with('/') && !exists)
    return Error::of(
        ErrorKind::invalid,
        "When using COPY with more than one source file, the destination must be a directory and end "
        "with a /");
  const bool archive = single && request.unpack && is_archive(request.source, plans[0].source);
  if (single && !archive && !directory.ends_with('/') && !exists) {
    const size_t slash = directory.rfind('/');
    name = directory.substr(slash + 1);
    directory = slash == 0 || slash == std::string::npos ? "/" : directory.substr(0, slash);
    plans[0].name = name;
  }
  const Fd place = TRY(sys::make_directories_in_root(root, directory.c_str()));
  const Fd target = TRY(sys::open_at(place.get(), ".", O_RDONLY | O_DIRECTORY));
  if (archive) return unpack(request.source, plans[0].source, target.get());
  oci::ProducerSource source([&](const oci::ByteSink& sink) { return copier.archive(plans, true, sink); });
  TRY(oci::apply_layer(source, target.get(), {}).ctx("COPY"));
  return {};
}

}  // namespace slipway::manager
