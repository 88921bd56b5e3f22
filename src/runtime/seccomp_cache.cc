#include "src/runtime/seccomp_cache.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/sys/directory.h"
#include "src/sys/file.h"

namespace slipway::runtime {

namespace {

constexpr size_t kMaxFile = 16 << 20;
constexpr int kMaxEntries = 256;
constexpr uint64_t kMagic = 0x3170'6d6f'6363'6573;  // "seccomp1"

/// An entry: this, then the key, then the code.
struct Header {
  uint64_t magic;
  uint64_t code_hash;  // a torn write must not load
  uint32_t key_size;
  uint32_t code_count;
};

/// FNV-1a. It only finds the file; equality is decided by comparing.
uint64_t hash(const void* data, size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  uint64_t value = 0xcbf29ce484222325;
  for (size_t i = 0; i < size; ++i) value = (value ^ bytes[i]) * 0x100000001b3;
  return value;
}

struct FileName {
  char text[24];
};
FileName file_name(std::string_view key) {
  FileName name;
  snprintf(name.text, sizeof name.text, "%016lx", static_cast<unsigned long>(hash(key.data(), key.size())));
  return name;
}

bool is_ours_alone(int fd, mode_t type) {
  struct stat stat;
  return fstat(fd, &stat) == 0 && (stat.st_mode & S_IFMT) == type && stat.st_uid == geteuid() &&
         !(stat.st_mode & (S_IWGRP | S_IWOTH));
}

void append(std::string& out, const void* data, size_t size) {
  out.append(static_cast<const char*>(data), size);
}
void append(std::string& out, uint64_t number) {
  append(out, &number, sizeof number);
}
void append(std::string& out, std::string_view text) {
  append(out, text.size());
  append(out, text.data(), text.size());
}

}  // namespace

SeccompCache::SeccompCache(const std::string& root) {
  const Fd parent(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent) return;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  directory_ = Fd(openat(parent.get(), ".seccomp", kFlags));
  if (!directory_ && errno == ENOENT) {
    mkdirat(parent.get(), ".seccomp", 0700);
    directory_ = Fd(openat(parent.get(), ".seccomp", kFlags));
  }
  if (directory_ && !is_ours_alone(directory_.get(), S_IFDIR)) directory_.reset();
}

std::string SeccompCache::key(const sys::SeccompProfile& profile) {
  std::string out;
  out.reserve(16384);
  append(out, std::string_view("slip 1, libseccomp "));
  append(out, sys::seccomp_library_version());
  append(out, profile.default_action);
  append(out, profile.architectures.count);
  for (Str name : profile.architectures) append(out, name.view());
  for (const sys::SeccompRule& rule : profile.rules) {
    append(out, rule.action);
    append(out, rule.names.count);
    for (Str name : rule.names) append(out, name.view());
    append(out, rule.conditions.count);
    for (const sys::SeccompCondition& condition : rule.conditions) {
      append(out, condition.index);
      append(out, static_cast<uint64_t>(condition.op));
      append(out, condition.value);
      append(out, condition.other);
    }
  }
  return out;
}

std::optional<sys::SeccompProgram> SeccompCache::find(std::string_view key) const {
  if (!directory_) return {};
  const Fd file(
      openat(directory_.get(), file_name(key).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file || !is_ours_alone(file.get(), S_IFREG)) return {};
  Result<std::string> text = sys::read_all(file.get(), kMaxFile);
  if (!text.ok() || text->size() < sizeof(Header)) return {};
  Header header;
  memcpy(&header, text->data(), sizeof header);
  const size_t code_size = size_t{header.code_count} * sizeof(sock_filter);
  if (header.magic != kMagic || header.code_count == 0 || header.code_count > BPF_MAXINSNS ||
      text->size() != sizeof header + header.key_size + code_size)
    return {};
  const std::string_view all(*text);
  if (all.substr(sizeof header, header.key_size) != key) return {};
  const char* code = text->data() + sizeof header + header.key_size;
  if (hash(code, code_size) != header.code_hash) return {};
  sys::SeccompProgram program;
  program.code.resize(header.code_count);
  memcpy(program.code.data(), code, code_size);
  return program;
}

/// Profiles come and go with engines' versions; whoever makes up new ones all the time must not fill /run.
static void clear_when_full(int directory) {
  const Fd copy(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return;
  sys::DirectoryReader entries(copy.get());
  int count = 0;
  while (entries.next()) ++count;
  if (count <= kMaxEntries) return;
  entries.rewind();
  while (const dirent64* entry = entries.next()) unlinkat(directory, entry->d_name, 0);
}

void SeccompCache::store(std::string_view key, const sys::SeccompProgram& program) const {
  if (!directory_) return;
  clear_when_full(directory_.get());
  const size_t code_size = program.code.size() * sizeof(sock_filter);
  const Header header = {kMagic, hash(program.code.data(), code_size), static_cast<uint32_t>(key.size()),
                         static_cast<uint32_t>(program.code.size())};
  std::string text;
  text.reserve(sizeof header + key.size() + code_size);
  append(text, &header, sizeof header);
  text.append(key);
  append(text, program.code.data(), code_size);
  (void)sys::replace_file_at(directory_.get(), file_name(key).text, text, 0600, false);
}

}  // namespace slipway::runtime
