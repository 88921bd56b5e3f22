#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/sysmacros.h>

#include <cstring>

#include "oci/archive.h"
#include "oci/posix_acl.h"
#include "src/base/shared_library.h"

namespace slipway::oci {

namespace {

/// The functions of libarchive that are used, found in the library when it is loaded.
#define SLIPWAY_ARCHIVE_FUNCTIONS(X)   \
  X(archive_read_new)                  \
  X(archive_read_free)                 \
  X(archive_read_open)                 \
  X(archive_read_next_header)          \
  X(archive_read_data_block)           \
  X(archive_read_support_format_tar)   \
  X(archive_read_support_format_raw)   \
  X(archive_read_support_format_empty) \
  X(archive_read_support_filter_gzip)  \
  X(archive_read_support_filter_bzip2) \
  X(archive_read_support_filter_xz)    \
  X(archive_read_support_filter_zstd)  \
  X(archive_error_string)              \
  X(archive_set_error)                 \
  X(archive_entry_pathname)            \
  X(archive_entry_pathname_utf8)       \
  X(archive_entry_hardlink)            \
  X(archive_entry_hardlink_utf8)       \
  X(archive_entry_symlink)             \
  X(archive_entry_symlink_utf8)        \
  X(archive_entry_filetype)            \
  X(archive_entry_perm)                \
  X(archive_entry_uid)                 \
  X(archive_entry_gid)                 \
  X(archive_entry_size)                \
  X(archive_entry_mtime)               \
  X(archive_entry_mtime_nsec)          \
  X(archive_entry_rdevmajor)           \
  X(archive_entry_rdevminor)           \
  X(archive_entry_xattr_reset)         \
  X(archive_entry_xattr_next)          \
  X(archive_entry_acl_reset)           \
  X(archive_entry_acl_next)

struct Library {
#define X(name) decltype(&::name) name;
  SLIPWAY_ARCHIVE_FUNCTIONS(X)
#undef X

  static Result<const Library*> get() {
    static const Library* const loaded = load();
    if (loaded) return loaded;
    return Error::of(ErrorKind::unsupported, "libarchive (libarchive.so.13) is not installed");
  }

 private:
  static const Library* load() {
    static Library library;
    SharedLibrary file({"libarchive.so.13"});
#define X(name) file.find(#name, library.name);
    SLIPWAY_ARCHIVE_FUNCTIONS(X)
#undef X
    return file.complete() ? &library : nullptr;
  }
};

/// The thread's character set is UTF-8 while this lives: libarchive converts PAX names, which are UTF-8, to
/// it, and drops names that it cannot express.
class Utf8 {
 public:
  Utf8() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (locale) before_ = uselocale(locale);
  }
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;
  ~Utf8() {
    if (before_) uselocale(before_);
  }

 private:
  locale_t before_ = nullptr;
};

/// What both readers share: the handle, the source, and an error that came from the source.
struct Handle {
  const Library& lib;
  ByteSource& source;
  archive* reader = nullptr;
  Status source_error;

  Handle(const Library& library, ByteSource& from) : lib(library), source(from) {
    reader = lib.archive_read_new();
    lib.archive_read_support_format_empty(reader);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { lib.archive_read_free(reader); }

  Status open() {
    if (lib.archive_read_open(reader, this, nullptr, &Handle::read, nullptr) != ARCHIVE_OK) return error();
    return {};
  }

  Error error() {
    if (!source_error.ok()) return std::move(source_error).error();
    const char* text = lib.archive_error_string(reader);
    return Error::of(ErrorKind::invalid, "%s", text ? text : "broken archive");
  }

 private:
  static la_ssize_t read(archive* reader, void* self, const void** data) {
    Handle& handle = *static_cast<Handle*>(self);
    Result<std::string_view> piece = handle.source.next();
    if (!piece.ok()) {
      handle.lib.archive_set_error(reader, EIO, "%s", piece.error().text());
      handle.source_error = std::move(piece).error();
      return -1;
    }
    *data = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }
};

std::string text_of(const char* bytes, const char* utf8) {
  if (bytes) return bytes;
  return utf8 ? utf8 : "";
}

TarEntry::Type type_of(mode_t type) {
  switch (type) {
    case AE_IFREG:
      return TarEntry::Type::regular;
    case AE_IFDIR:
      return TarEntry::Type::directory;
    case AE_IFLNK:
      return TarEntry::Type::symlink;
    case AE_IFCHR:
      return TarEntry::Type::character;
    case AE_IFBLK:
      return TarEntry::Type::block;
    case AE_IFIFO:
      return TarEntry::Type::fifo;
    default:
      return TarEntry::Type::other;
  }
}

/// The ACL of one kind as an attribute, when the archive has one in text form (star, GNU tar, bsdtar).
void read_acl(const Library& lib, archive_entry* entry, int kind, const char* name, TarEntry* out) {
  if (lib.archive_entry_acl_reset(entry, kind) <= 0) return;
  std::vector<AclEntry> acl;
  bool extended = kind == ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
  for (;;) {
    int type = 0, permissions = 0, tag = 0, id = 0;
    const char* who = nullptr;
    if (lib.archive_entry_acl_next(entry, kind, &type, &permissions, &tag, &id, &who) != ARCHIVE_OK) break;
    AclEntry item{};
    switch (tag) {
      case ARCHIVE_ENTRY_ACL_USER_OBJ:
        item.tag = AclTag::owner;
        break;
      case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
        item.tag = AclTag::group_owner;
        break;
      case ARCHIVE_ENTRY_ACL_USER:
        item.tag = AclTag::user;
        break;
      case ARCHIVE_ENTRY_ACL_GROUP:
        item.tag = AclTag::group;
        break;
      case ARCHIVE_ENTRY_ACL_MASK:
        item.tag = AclTag::mask;
        break;
      case ARCHIVE_ENTRY_ACL_OTHER:
        item.tag = AclTag::other;
        break;
      default:
        return;  // not a POSIX ACL
    }
    const bool named = item.tag == AclTag::user || item.tag == AclTag::group;
    // A name without a number means nothing here: it is the archive's machine's.
    if (named && id < 0) continue;
    if (named) item.id = static_cast<uint32_t>(id);
    if (named || item.tag == AclTag::mask) extended = true;
    if (permissions & ARCHIVE_ENTRY_ACL_READ) item.permissions |= 4;
    if (permissions & ARCHIVE_ENTRY_ACL_WRITE) item.permissions |= 2;
    if (permissions & ARCHIVE_ENTRY_ACL_EXECUTE) item.permissions |= 1;
    acl.push_back(item);
  }
  // An access ACL with nothing but owner, group and others says what the mode says.
  if (extended && !acl.empty()) out->xattrs.emplace_back(name, encode_posix_acl(std::move(acl)));
}

Status read_entry(const Library& lib, archive_entry* entry, TarEntry* out) {
  *out = {};
  out->path = text_of(lib.archive_entry_pathname(entry), lib.archive_entry_pathname_utf8(entry));
  if (out->path.empty()) return Error::of(ErrorKind::invalid, "an entry has no name");
  out->type = type_of(lib.archive_entry_filetype(entry));
  const char* hard = lib.archive_entry_hardlink(entry);
  if (!hard) hard = lib.archive_entry_hardlink_utf8(entry);
  if (hard) {
    out->type = TarEntry::Type::hard_link;
    out->link = hard;
  } else if (out->type == TarEntry::Type::symlink) {
    out->link = text_of(lib.archive_entry_symlink(entry), lib.archive_entry_symlink_utf8(entry));
  }
  out->mode = lib.archive_entry_perm(entry);
  const int64_t uid = lib.archive_entry_uid(entry), gid = lib.archive_entry_gid(entry);
  if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
    return Error::of(ErrorKind::invalid, "`%s`: owner %lld:%lld is out of range", out->path.c_str(),
                     static_cast<long long>(uid), static_cast<long long>(gid));
  out->uid = static_cast<uint32_t>(uid);
  out->gid = static_cast<uint32_t>(gid);
  out->size = lib.archive_entry_size(entry);
  out->device = makedev(static_cast<unsigned>(lib.archive_entry_rdevmajor(entry)),
                        static_cast<unsigned>(lib.archive_entry_rdevminor(entry)));
  out->mtime = {lib.archive_entry_mtime(entry), lib.archive_entry_mtime_nsec(entry)};
  // libarchive (3.6 to 3.8) reads "-4.25" as -4 + 0.25.
  if (out->mtime.tv_sec < 0 && out->mtime.tv_nsec > 0)
    out->mtime = {out->mtime.tv_sec - 1, 1'000'000'000 - out->mtime.tv_nsec};
  if (lib.archive_entry_xattr_reset(entry) > 0) {
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    while (lib.archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
      if (name) out->xattrs.emplace_back(name, std::string(static_cast<const char*>(value), size));
  }
  read_acl(lib, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", out);
  read_acl(lib, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", out);
  return {};
}

}  // namespace

// --- tar ---------------------------------------------------------------------------------------------------

struct TarReader::State : Handle {
  using Handle::Handle;
  TarEntry entry;
};

TarReader::TarReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader& TarReader::operator=(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

Result<TarReader> TarReader::open(ByteSource& source) {
  const Library* lib = TRY(Library::get());
  auto state = std::make_unique<State>(*lib, source);
  lib->archive_read_support_format_tar(state->reader);
  const Utf8 utf8;
  TRY(state->open());
  return TarReader(std::move(state));
}

Result<const TarEntry*> TarReader::next() {
  const Utf8 utf8;
  archive_entry* entry = nullptr;
  for (;;) {
    switch (state_->lib.archive_read_next_header(state_->reader, &entry)) {
      case ARCHIVE_OK:
      case ARCHIVE_WARN:  // such as a name that is not UTF-8: it is kept as bytes
        TRY(read_entry(state_->lib, entry, &state_->entry));
        return &state_->entry;
      case ARCHIVE_EOF:
        return nullptr;
      case ARCHIVE_RETRY:
        continue;
      default:
        return state_->error();
    }
  }
}

Result<bool> TarReader::data(Piece* piece) {
  const void* bytes = nullptr;
  size_t size = 0;
  int64_t offset = 0;
  switch (state_->lib.archive_read_data_block(state_->reader, &bytes, &size, &offset)) {
    case ARCHIVE_OK:
    case ARCHIVE_WARN:
      *piece = {{static_cast<const char*>(bytes), size}, offset};
      return true;
    case ARCHIVE_EOF:
      return false;
    default:
      return state_->error();
  }
}

// --- compression -------------------------------------------------------------------------------------------

Compression compression_of(std::string_view head) {
  if (head.starts_with("\x1f\x8b")) return Compression::gzip;
  if (head.starts_with("BZh")) return Compression::bzip2;
  if (head.starts_with(std::string_view("\xfd"
                                        "7zXZ\0",
                                        6)))
    return Compression::xz;
  if (head.starts_with("\x28\xb5\x2f\xfd")) return Compression::zstd;
  // A zstd stream may begin with a skippable frame, 0x184D2A50 to 5F: zstd:chunked and pzstd write them.
  if (head.size() >= 4 && (head[0] & '\xf0') == '\x50' && head.substr(1, 3) == "\x2a\x4d\x18")
    return Compression::zstd;
  return Compression::none;
}

const char* compression_name(Compression compression) {
  static constexpr const char* kNames[] = {"uncompressed", "gzip", "bzip2", "xz", "zstd"};
  return kNames[static_cast<size_t>(compression)];
}

struct Decompressor::State : Handle {
  using Handle::Handle;
  bool started = false;
};

Decompressor::Decompressor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Decompressor::~Decompressor() = default;

Result<std::unique_ptr<Decompressor>> Decompressor::open(ByteSource& source, Compression compression) {
  const Library* lib = TRY(Library::get());
  auto state = std::make_unique<State>(*lib, source);
  int known = ARCHIVE_OK;
  switch (compression) {
    case Compression::gzip:
      known = lib->archive_read_support_filter_gzip(state->reader);
      break;
    case Compression::bzip2:
      known = lib->archive_read_support_filter_bzip2(state->reader);
      break;
    case Compression::xz:
      known = lib->archive_read_support_filter_xz(state->reader);
      break;
    case Compression::zstd:
      known = lib->archive_read_support_filter_zstd(state->reader);
      break;
    case Compression::none:
      break;
  }
  // ARCHIVE_WARN: this libarchive would run an external program.
  if (known != ARCHIVE_OK)
    return Error::of(ErrorKind::unsupported, "this libarchive was built without %s",
                     compression_name(compression));
  lib->archive_read_support_format_raw(state->reader);
  TRY(state->open().ctx("%s", compression_name(compression)));
  return std::unique_ptr<Decompressor>(new Decompressor(std::move(state)));
}

Result<std::string_view> Decompressor::next() {
  if (!state_->started) {
    state_->started = true;
    archive_entry* entry = nullptr;
    const int code = state_->lib.archive_read_next_header(state_->reader, &entry);
    if (code == ARCHIVE_EOF) return std::string_view();
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return state_->error();
  }
  for (;;) {
    const void* bytes = nullptr;
    size_t size = 0;
    int64_t offset = 0;
    const int code = state_->lib.archive_read_data_block(state_->reader, &bytes, &size, &offset);
    if (code == ARCHIVE_EOF) return std::string_view();
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return state_->error();
    if (size > 0) return std::string_view(static_cast<const char*>(bytes), size);
  }
}

}  // namespace slipway::oci
