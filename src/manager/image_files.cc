#include "src/manager/image_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "oci/archive.h"
#include "oci/descriptor.h"
#include "oci/layer_tree.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"

namespace slipway::manager {

namespace {

constexpr int64_t kSmall = 64 << 10;      // kept in memory
constexpr size_t kSmallTotal = 64 << 20;  // of all small files
constexpr size_t kStagedLimit = 256;      // descriptors that are held
constexpr size_t kEntryLimit = 1 << 20;   // files in an archive
constexpr int kLinkLimit = 8;
constexpr std::string_view kBlobPrefix = "blobs/sha256/";

/// The digest that a file of an OCI layout is named after.
std::optional<Digest> named_digest(const std::string& name) {
  if (!name.starts_with(kBlobPrefix)) return std::nullopt;
  Result<Digest> digest = Digest::from_hex(std::string_view(name).substr(kBlobPrefix.size()));
  if (!digest.ok()) return std::nullopt;
  return *digest;
}

Result<Digest> digest_of_tar(oci::ByteSource& source) {
  oci::PeekedSource peeked(source);
  const oci::Compression compression = oci::compression_of(TRY(peeked.head()));
  std::unique_ptr<oci::Decompressor> plain;
  if (compression != oci::Compression::none) plain = TRY(oci::Decompressor::open(peeked, compression));
  oci::ByteSource& tar = plain ? static_cast<oci::ByteSource&>(*plain) : peeked;
  Sha256 hash;
  for (;;) {
    const std::string_view piece = TRY(tar.next());
    if (piece.empty()) return hash.finish();
    hash.update(piece.data(), piece.size());
  }
}

class ArchiveFiles final : public ImageFiles {
 public:
  explicit ArchiveFiles(const oci::ContentStore& content) : content_(content) {}

  Status read(oci::ByteSource& source) {
    oci::PeekedSource peeked(source);
    const oci::Compression compression = oci::compression_of(TRY(peeked.head()));
    if (compression == oci::Compression::none) return read_tar(peeked);
    const std::unique_ptr<oci::Decompressor> plain = TRY(oci::Decompressor::open(peeked, compression));
    return read_tar(*plain);
  }

  Result<std::optional<std::string>> text(const std::string& name) override {
    const File* file = TRY(find(name));
    if (!file) return std::optional<std::string>();
    if (file->kept) return std::optional(*file->kept);
    if (file->size > oci::kDocumentLimit)
      return Error::of(ErrorKind::invalid, "`%s` is larger than %zu bytes", name.c_str(),
                       oci::kDocumentLimit);
    if (!file->staged) return std::optional(TRY(content_.read(file->digest, oci::kDocumentLimit)));
    std::string text(file->size, '\0');
    if (pread(file->staged->fd(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
      return Error::sys(errno, "read `%s`", name.c_str());
    return std::optional(std::move(text));
  }

  Result<Contents> blob(const std::string& name) override {
    File* file = TRY(find(name));
    if (!file) return Error::of(ErrorKind::invalid, "the archive has no `%s`", name.c_str());
    Contents out;
    if (file->kept) {
      oci::BlobWriter writer = TRY(content_.begin());
      TRY(writer.write(*file->kept));
      file->digest = writer.seal();
      file->size = writer.size();
      out.staged = std::move(writer);
    } else {
      out.staged = std::exchange(file->staged, std::nullopt);
    }
    out.digest = file->digest;
    out.size = file->size;
    return out;
  }

  Result<Digest> tar_digest(const std::string& name) override {
    const File* file = TRY(find(name));
    if (!file) return Error::of(ErrorKind::invalid, "the archive has no `%s`", name.c_str());
    if (file->kept) {
      oci::TextSource source(*file->kept);
      return digest_of_tar(source);
    }
    Fd published;
    if (!file->staged) published = TRY(content_.open_blob(file->digest));
    const int fd = file->staged ? file->staged->fd() : published.get();
    if (lseek(fd, 0, SEEK_SET) < 0) return Error::sys(errno, "seek");
    oci::FdSource source(fd);
    return digest_of_tar(source).ctx("`%s`", name.c_str());
  }

  Result<std::vector<std::string>> names() override {
    std::vector<std::string> all;
    for (const auto& [name, file] : files_) all.push_back(name);
    for (const auto& [name, target] : links_) all.push_back(name);
    return all;
  }

 private:
  struct File {
    std::optional<std::string> kept;
    std::optional<oci::BlobWriter> staged;
    Digest digest;
    uint64_t size = 0;
  };

  Status read_tar(oci::ByteSource& source) {
    oci::TarReader reader = TRY(oci::TarReader::open(source));
    for (;;) {
      const oci::TarEntry* entry = TRY(reader.next());
      if (!entry) break;
      if (files_.size() + links_.size() > kEntryLimit)
        return Error::of(ErrorKind::invalid, "the archive has more than %zu files", kEntryLimit);
      std::string name = TRY(oci::LayerTree::clean(entry->path));
      if (entry->type == oci::TarEntry::Type::symlink) {
        // Relative to the link's own directory; an absolute one to the archive.
        const std::string from = entry->link.starts_with('/') ? "" : name.substr(0, name.rfind('/') + 1);
        links_[name] = TRY(oci::LayerTree::clean(from + entry->link));
      } else if (entry->type == oci::TarEntry::Type::hard_link) {
        links_[name] = TRY(oci::LayerTree::clean(entry->link));
      } else if (entry->type == oci::TarEntry::Type::regular) {
        TRY(read_file(reader, *entry, std::move(name)));
      }
    }
    while (!TRY(source.next()).empty()) {  // so that whoever writes the pipe can end
    }
    return {};
  }

  Status read_file(oci::TarReader& reader, const oci::TarEntry& entry, std::string name) {
    File file;
    file.size = static_cast<uint64_t>(entry.size);
    if (entry.size <= kSmall && kept_ + file.size <= kSmallTotal) {
      file.kept = TRY(read_small(reader, file.size));
      kept_ += file.size;
    } else if (const std::optional<Digest> known = named_digest(name); known && content_.has(*known)) {
      file.digest = *known;  // its bytes were checked when they came
    } else {
      TRY(stage(reader, entry, &file));
    }
    files_.insert_or_assign(std::move(name), std::move(file));
    return {};
  }

  static Result<std::string> read_small(oci::TarReader& reader, uint64_t size) {
    std::string text(size, '\0');
    oci::TarReader::Piece piece;
    while (TRY(reader.data(&piece))) {
      const auto at = static_cast<uint64_t>(piece.offset);
      if (at > size || piece.data.size() > size - at)
        return Error::of(ErrorKind::invalid, "an entry is too long");
      text.replace(at, piece.data.size(), piece.data);
    }
    return text;
  }

  Status stage(oci::TarReader& reader, const oci::TarEntry& entry, File* file) {
    oci::BlobWriter writer = TRY(content_.begin());
    oci::TarReader::Piece piece;
    while (TRY(reader.data(&piece))) {
      TRY(fill(writer, static_cast<uint64_t>(piece.offset)));
      TRY(writer.write(piece.data));
    }
    TRY(fill(writer, static_cast<uint64_t>(entry.size)));
    file->digest = writer.seal();
    file->size = writer.size();
    file->staged = std::move(writer);
    if (++staged_ > kStagedLimit) TRY(publish_staged());
    return {};
  }

  /// Zeros for a hole of a sparse entry.
  static Status fill(oci::BlobWriter& writer, uint64_t end) {
    static const std::string zeros(64 << 10, '\0');
    while (writer.size() < end)
      TRY(writer.write(zeros.data(), std::min<uint64_t>(zeros.size(), end - writer.size())));
    return {};
  }

  /// Too many descriptors: those blobs get their names early. What of them nobody needs, `system check` finds.
  Status publish_staged() {
    std::vector<oci::BlobWriter> blobs;
    for (auto& [name, file] : files_)
      if (file.staged) blobs.push_back(std::move(*std::exchange(file.staged, std::nullopt)));
    staged_ = 0;
    return content_.commit(std::move(blobs));
  }

  Result<File*> find(const std::string& name) {
    std::string path = TRY(oci::LayerTree::clean(name));
    for (int i = 0; i < kLinkLimit; ++i) {
      if (const auto file = files_.find(path); file != files_.end()) return &file->second;
      const auto link = links_.find(path);
      if (link == links_.end()) return nullptr;
      path = link->second;
    }
    return Error::of(ErrorKind::invalid, "`%s`: too many links", name.c_str());
  }

  const oci::ContentStore& content_;
  std::map<std::string, File> files_;
  std::map<std::string, std::string> links_;
  size_t kept_ = 0, staged_ = 0;
};

class DirectoryFiles final : public ImageFiles {
 public:
  DirectoryFiles(const oci::ContentStore& content, int dir) : content_(content), dir_(dir) {}

  Result<std::optional<std::string>> text(const std::string& name) override {
    Result<Fd> fd = open(name);
    if (!fd.ok() && fd.error().code() == ENOENT) return std::optional<std::string>();
    const Fd file = TRY(std::move(fd));
    return std::optional(TRY(sys::read_all(file.get(), oci::kDocumentLimit).ctx("`%s`", name.c_str())));
  }

  Result<Contents> blob(const std::string& name) override {
    Contents out;
    const Fd file = TRY(open(name));
    if (const std::optional<Digest> known = named_digest(name); known && content_.has(*known)) {
      out.digest = *known;
      out.size = TRY(content_.size(*known));
      return out;
    }
    oci::BlobWriter writer = TRY(content_.begin());
    oci::FdSource source(file.get());
    for (;;) {
      const std::string_view piece = TRY(source.next().ctx("`%s`", name.c_str()));
      if (piece.empty()) break;
      TRY(writer.write(piece));
    }
    out.digest = writer.seal();
    out.size = writer.size();
    out.staged = std::move(writer);
    return out;
  }

  Result<Digest> tar_digest(const std::string& name) override {
    const Fd file = TRY(open(name));
    oci::FdSource source(file.get());
    return digest_of_tar(source).ctx("`%s`", name.c_str());
  }

  Result<std::vector<std::string>> names() override { return std::vector<std::string>(); }

 private:
  Result<Fd> open(const std::string& name) const {
    const std::string path = TRY(oci::LayerTree::clean(name));
    Fd fd(sys::openat2(dir_, path.c_str(), O_RDONLY | O_NONBLOCK, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS));
    if (!fd) return Error::sys(errno, "open `%s`", path.c_str());
    struct stat info;
    if (fstat(fd.get(), &info) < 0) return Error::sys(errno, "stat `%s`", path.c_str());
    if (!S_ISREG(info.st_mode)) return Error::of(ErrorKind::invalid, "`%s` is not a file", path.c_str());
    return fd;
  }

  const oci::ContentStore& content_;
  int dir_;
};

}  // namespace

Result<std::unique_ptr<ImageFiles>> read_image_archive(const oci::ContentStore& content,
                                                       oci::ByteSource& source) {
  auto files = std::make_unique<ArchiveFiles>(content);
  TRY(files->read(source));
  return std::unique_ptr<ImageFiles>(std::move(files));
}

std::unique_ptr<ImageFiles> open_image_directory(const oci::ContentStore& content, int dir) {
  return std::make_unique<DirectoryFiles>(content, dir);
}

}  // namespace slipway::manager
