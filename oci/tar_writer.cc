#include "oci/tar_writer.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace slipway::oci {

namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kOctal7 = 07777777;       // largest number of a 7-digit field
constexpr uint64_t kOctal11 = 077777777777;  // of an 11-digit field
constexpr size_t kNameSize = 100, kPrefixSize = 155;
constexpr char kZeros[64 << 10] = {};

/// The ustar header of POSIX.1-1988.
struct Header {
  char name[kNameSize];
  char mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
  char type;
  char link[100];
  char magic[6], version[2];
  char user[32], group[32];
  char major[8], minor[8];
  char prefix[kPrefixSize];
  char pad[12];
};
static_assert(sizeof(Header) == kBlock);

template <size_t N>
void octal(char (&field)[N], uint64_t value) {
  for (size_t i = N - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
}

template <size_t N>
void text(char (&field)[N], std::string_view value) {
  value.copy(field, N);
}

/// Splits a path over name and prefix. False when it does not fit.
bool split(std::string_view path, std::string_view* name, std::string_view* prefix) {
  *prefix = {};
  *name = path;
  if (path.size() <= kNameSize) return true;
  // The "/" between them is not kept; a directory's own at the end must stay in the name.
  const size_t slash = path.find('/', path.size() - kNameSize - 1);
  if (slash == std::string_view::npos || slash == 0 || slash > kPrefixSize || slash + 1 >= path.size())
    return false;
  *prefix = path.substr(0, slash);
  *name = path.substr(slash + 1);
  return true;
}

/// "LENGTH key=value\n", where LENGTH counts itself.
void record(std::string& out, std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
  out.append(std::to_string(length)).append(" ").append(key).append("=").append(value).append("\n");
}

std::string pax_time(const timespec& time) {
  // Below zero the fraction counts down: -0.25 is {-1, 750000000}.
  const bool negative = time.tv_sec < 0 && time.tv_nsec > 0;
  const int64_t seconds = negative ? time.tv_sec + 1 : time.tv_sec;
  const int64_t fraction = negative ? 1'000'000'000 - time.tv_nsec : time.tv_nsec;
  std::string out = negative && seconds == 0 ? "-0" : std::to_string(seconds);
  if (fraction == 0) return out;
  char digits[12];
  snprintf(digits, sizeof digits, ".%09lld", static_cast<long long>(fraction));
  out += digits;
  out.resize(out.find_last_not_of('0') + 1);
  return out;
}

bool is_utf8(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    const size_t more = c < 0x80 ? 0 : c < 0xc2 ? 9 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 9;
    if (more == 9 || i + more >= bytes.size()) return false;
    for (size_t j = 1; j <= more; ++j)
      if ((static_cast<unsigned char>(bytes[i + j]) & 0xc0) != 0x80) return false;
    i += more + 1;
  }
  return true;
}

char type_flag(TarEntry::Type type) {
  switch (type) {
    case TarEntry::Type::hard_link:
      return '1';
    case TarEntry::Type::symlink:
      return '2';
    case TarEntry::Type::character:
      return '3';
    case TarEntry::Type::block:
      return '4';
    case TarEntry::Type::directory:
      return '5';
    case TarEntry::Type::fifo:
      return '6';
    default:
      return '0';
  }
}

/// What the ustar header has no room for.
std::string pax_records(const TarEntry& entry, std::string_view path, bool path_fits) {
  std::string out;
  const bool long_link = entry.link.size() > kNameSize;
  // pax values are UTF-8 unless this says otherwise (POSIX.1-2008, hdrcharset).
  if ((!path_fits && !is_utf8(path)) || (long_link && !is_utf8(entry.link)))
    record(out, "hdrcharset", "BINARY");
  if (!path_fits) record(out, "path", path);
  if (long_link) record(out, "linkpath", entry.link);
  if (entry.type == TarEntry::Type::regular && static_cast<uint64_t>(entry.size) > kOctal11)
    record(out, "size", std::to_string(entry.size));
  if (entry.uid > kOctal7) record(out, "uid", std::to_string(entry.uid));
  if (entry.gid > kOctal7) record(out, "gid", std::to_string(entry.gid));
  if (entry.mtime.tv_nsec != 0 || entry.mtime.tv_sec < 0 ||
      static_cast<uint64_t>(entry.mtime.tv_sec) > kOctal11)
    record(out, "mtime", pax_time(entry.mtime));
  for (const auto& [name, value] : entry.xattrs) record(out, "SCHILY.xattr." + name, value);
  return out;
}

}  // namespace

Status TarWriter::put(std::string_view bytes) {
  size_ += bytes.size();
  return sink_(bytes);
}

Status TarWriter::header(const TarEntry& entry, std::string_view name, std::string_view prefix, char type,
                         uint64_t size) {
  Header block = {};
  text(block.name, name);
  text(block.prefix, prefix);
  octal(block.mode, entry.mode & 07777);
  octal(block.uid, std::min<uint64_t>(entry.uid, kOctal7));
  octal(block.gid, std::min<uint64_t>(entry.gid, kOctal7));
  octal(block.size, std::min(size, kOctal11));
  octal(block.mtime,
        entry.mtime.tv_sec < 0 ? 0 : std::min<uint64_t>(static_cast<uint64_t>(entry.mtime.tv_sec), kOctal11));
  block.type = type;
  if (type == '1' || type == '2') text(block.link, entry.link);
  memcpy(block.magic, "ustar", 6);
  memcpy(block.version, "00", 2);
  if (type == '3' || type == '4') {
    octal(block.major, major(entry.device));
    octal(block.minor, minor(entry.device));
  }
  memset(block.checksum, ' ', sizeof block.checksum);
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof block; ++i) sum += reinterpret_cast<const unsigned char*>(&block)[i];
  snprintf(block.checksum, sizeof block.checksum, "%06o", sum);
  return put({reinterpret_cast<const char*>(&block), sizeof block});
}

Status TarWriter::begin(const TarEntry& entry) {
  std::string path = entry.path;
  if (entry.type == TarEntry::Type::directory && !path.ends_with('/')) path += '/';
  if (path.find('\0') != std::string::npos || entry.link.find('\0') != std::string::npos)
    return Error::of(ErrorKind::invalid, "a name has a NUL in it");
  std::string_view name, prefix;
  const bool fits = split(path, &name, &prefix);
  if (!fits) name = std::string_view(path).substr(0, kNameSize), prefix = {};
  const std::string records = pax_records(entry, path, fits);
  if (!records.empty()) {
    TarEntry extended;
    extended.mode = 0644;
    TRY(header(extended, "././@PaxHeader", "", 'x', records.size()));
    left_ = records.size();
    TRY(data(records));
    TRY(end_entry());
  }
  left_ = entry.type == TarEntry::Type::regular ? static_cast<uint64_t>(entry.size) : 0;
  return header(entry, name, prefix, type_flag(entry.type), left_);
}

Status TarWriter::data(std::string_view bytes) {
  if (bytes.size() > left_) return Error::of(ErrorKind::failed, "an entry grew while it was read");
  left_ -= bytes.size();
  return put(bytes);
}

Status TarWriter::written_elsewhere(uint64_t count) {
  if (count > left_) return Error::of(ErrorKind::failed, "an entry grew while it was read");
  left_ -= count;
  size_ += count;
  return {};
}

Status TarWriter::zeros(uint64_t count) {
  while (count > 0) {
    const size_t take = static_cast<size_t>(std::min<uint64_t>(count, sizeof kZeros));
    TRY(data({kZeros, take}));
    count -= take;
  }
  return {};
}

Status TarWriter::end_entry() {
  TRY(zeros(left_));
  const size_t over = size_ % kBlock;
  return over ? put({kZeros, kBlock - over}) : Status();
}

Status TarWriter::file(const TarEntry& entry, std::string_view contents) {
  TarEntry sized = entry;
  sized.size = static_cast<int64_t>(contents.size());
  TRY(begin(sized));
  TRY(data(contents));
  return end_entry();
}

Status TarWriter::finish() {
  return put({kZeros, 2 * kBlock});
}

}  // namespace slipway::oci
