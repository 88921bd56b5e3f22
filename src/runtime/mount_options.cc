#include "src/runtime/mount_options.h"

#include <algorithm>
#include <array>
#include <string>

#include "src/sys/kernel.h"

namespace slipway::runtime {
namespace {

constexpr unsigned long kAtimeFlags = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

enum class Kind : uint8_t { nothing, set, clear, recursive_set, recursive_clear, propagation, word };
enum class Word : uint8_t {
  none,
  bind,
  rbind,
  remount,
  idmap,
  ridmap,
  copy_up,
  copy_symlink,
  source_nofollow,
  destination_nofollow
};

struct Entry {
  std::string_view name;
  Kind kind;
  unsigned long flag = 0;  // MS_*
  uint64_t attribute = 0;  // MOUNT_ATTR_*; access time modes: MOUNT_ATTR__ATIME is added
  bool access_time = false;
  Word word = Word::none;
};

constexpr Entry flag(std::string_view name, Kind kind, unsigned long flag, uint64_t attribute = 0) {
  return {name, kind, flag, attribute};
}
/// MOUNT_ATTR_RELATIME is 0: the mode that is left when none is set.
constexpr Entry atime(std::string_view name, Kind kind, unsigned long flag, uint64_t attribute) {
  return {name, kind, flag, attribute, true};
}
constexpr Entry recursive(std::string_view name, Kind kind, uint64_t attribute) {
  return {name, kind, 0, attribute};
}
constexpr Entry recursive_atime(std::string_view name, Kind kind, uint64_t attribute) {
  return {name, kind, 0, attribute, true};
}
constexpr Entry propagation(std::string_view name, unsigned long flag) {
  return {name, Kind::propagation, flag};
}
constexpr Entry word(std::string_view name, Word word) {
  return {name, Kind::word, 0, 0, false, word};
}

constexpr Kind kSet = Kind::set, kClear = Kind::clear;
constexpr Kind kRSet = Kind::recursive_set, kRClear = Kind::recursive_clear;

constexpr std::array kTable = {
    flag("acl", kSet, MS_POSIXACL),
    flag("async", kClear, MS_SYNCHRONOUS),
    atime("atime", kClear, MS_NOATIME, MOUNT_ATTR_NOATIME),
    word("bind", Word::bind),
    word("copy-symlink", Word::copy_symlink),
    Entry{"defaults", Kind::nothing},
    word("dest-nofollow", Word::destination_nofollow),
    flag("dev", kClear, MS_NODEV, MOUNT_ATTR_NODEV),
    flag("diratime", kClear, MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
    flag("dirsync", kSet, MS_DIRSYNC),
    flag("exec", kClear, MS_NOEXEC, MOUNT_ATTR_NOEXEC),
    word("idmap", Word::idmap),
    flag("iversion", kSet, MS_I_VERSION),
    flag("lazytime", kSet, MS_LAZYTIME),
    flag("loud", kClear, MS_SILENT),
    flag("mand", kSet, MS_MANDLOCK),
    flag("noacl", kClear, MS_POSIXACL),
    atime("noatime", kSet, MS_NOATIME, MOUNT_ATTR_NOATIME),
    flag("nodev", kSet, MS_NODEV, MOUNT_ATTR_NODEV),
    flag("nodiratime", kSet, MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
    flag("noexec", kSet, MS_NOEXEC, MOUNT_ATTR_NOEXEC),
    flag("noiversion", kClear, MS_I_VERSION),
    flag("nolazytime", kClear, MS_LAZYTIME),
    flag("nomand", kClear, MS_MANDLOCK),
    atime("norelatime", kClear, MS_RELATIME, MOUNT_ATTR_RELATIME),
    atime("nostrictatime", kClear, MS_STRICTATIME, MOUNT_ATTR_STRICTATIME),
    flag("nosuid", kSet, MS_NOSUID, MOUNT_ATTR_NOSUID),
    flag("nosymfollow", kSet, MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
    propagation("private", MS_PRIVATE),
    recursive_atime("ratime", kRClear, MOUNT_ATTR_NOATIME),
    word("rbind", Word::rbind),
    recursive("rdev", kRClear, MOUNT_ATTR_NODEV),
    recursive("rdiratime", kRClear, MOUNT_ATTR_NODIRATIME),
    atime("relatime", kSet, MS_RELATIME, MOUNT_ATTR_RELATIME),
    word("remount", Word::remount),
    recursive("rexec", kRClear, MOUNT_ATTR_NOEXEC),
    word("ridmap", Word::ridmap),
    recursive_atime("rnoatime", kRSet, MOUNT_ATTR_NOATIME),
    recursive("rnodev", kRSet, MOUNT_ATTR_NODEV),
    recursive("rnodiratime", kRSet, MOUNT_ATTR_NODIRATIME),
    recursive("rnoexec", kRSet, MOUNT_ATTR_NOEXEC),
    recursive_atime("rnorelatime", kRClear, MOUNT_ATTR_RELATIME),
    recursive_atime("rnostrictatime", kRClear, MOUNT_ATTR_STRICTATIME),
    recursive("rnosuid", kRSet, MOUNT_ATTR_NOSUID),
    recursive("rnosymfollow", kRSet, MOUNT_ATTR_NOSYMFOLLOW),
    flag("ro", kSet, MS_RDONLY, MOUNT_ATTR_RDONLY),
    propagation("rprivate", MS_PRIVATE | MS_REC),
    recursive_atime("rrelatime", kRSet, MOUNT_ATTR_RELATIME),
    recursive("rro", kRSet, MOUNT_ATTR_RDONLY),
    recursive("rrw", kRClear, MOUNT_ATTR_RDONLY),
    propagation("rshared", MS_SHARED | MS_REC),
    propagation("rslave", MS_SLAVE | MS_REC),
    recursive_atime("rstrictatime", kRSet, MOUNT_ATTR_STRICTATIME),
    recursive("rsuid", kRClear, MOUNT_ATTR_NOSUID),
    recursive("rsymfollow", kRClear, MOUNT_ATTR_NOSYMFOLLOW),
    propagation("runbindable", MS_UNBINDABLE | MS_REC),
    flag("rw", kClear, MS_RDONLY, MOUNT_ATTR_RDONLY),
    propagation("shared", MS_SHARED),
    flag("silent", kSet, MS_SILENT),
    propagation("slave", MS_SLAVE),
    word("src-nofollow", Word::source_nofollow),
    atime("strictatime", kSet, MS_STRICTATIME, MOUNT_ATTR_STRICTATIME),
    flag("suid", kClear, MS_NOSUID, MOUNT_ATTR_NOSUID),
    flag("symfollow", kClear, MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
    flag("sync", kSet, MS_SYNCHRONOUS),
    word("tmpcopyup", Word::copy_up),
    propagation("unbindable", MS_UNBINDABLE),
};

constexpr auto kNames = [] {
  std::array<std::string_view, kTable.size()> names;
  for (size_t i = 0; i < kTable.size(); ++i) names[i] = kTable[i].name;
  return names;
}();
static_assert(std::is_sorted(kNames.begin(), kNames.end()), "looked up by halving");

const Entry* find(std::string_view name) {
  const auto at = std::lower_bound(kNames.begin(), kNames.end(), name);
  return at != kNames.end() && *at == name ? &kTable[static_cast<size_t>(at - kNames.begin())] : nullptr;
}

void change(AttributeChange& attributes, const Entry& entry, bool set) {
  if (entry.access_time) {
    attributes.set &= ~uint64_t{MOUNT_ATTR__ATIME};
    attributes.clear |= MOUNT_ATTR__ATIME;
    if (set) attributes.set |= entry.attribute;
    return;
  }
  uint64_t& to = set ? attributes.set : attributes.clear;
  uint64_t& from = set ? attributes.clear : attributes.set;
  to |= entry.attribute;
  from &= ~entry.attribute;
}

void change_flags(MountOptions& result, const Entry& entry) {
  if (entry.kind == kSet) {
    if (entry.access_time) result.flags &= ~kAtimeFlags;
    result.flags |= entry.flag;
  } else {
    result.flags &= ~entry.flag;
  }
  change(result.own, entry, entry.kind == kSet);
}

void apply_word(MountOptions& result, Word word) {
  switch (word) {
    case Word::none:
      break;
    case Word::rbind:
      result.bind_recursive = true;
      [[fallthrough]];
    case Word::bind:
      result.bind = true;
      break;
    case Word::remount:
      result.remount = true;
      break;
    case Word::ridmap:
      result.idmap_recursive = true;
      [[fallthrough]];
    case Word::idmap:
      result.idmap = true;
      break;
    case Word::copy_up:
      result.copy_up = true;
      break;
    case Word::copy_symlink:
      result.copy_symlink = true;
      break;
    case Word::source_nofollow:
      result.source_nofollow = true;
      break;
    case Word::destination_nofollow:
      result.destination_nofollow = true;
      break;
  }
}

bool is_idmap_with_text(std::string_view option, MountOptions& result, Arena& arena) {
  const size_t equals = option.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = option.substr(0, equals);
  if (name != "idmap" && name != "ridmap") return false;
  result.idmap = true;
  result.idmap_recursive = name == "ridmap";
  result.idmap_text = arena.copy(option.substr(equals + 1));
  return true;
}

}  // namespace

MountOptions sort_mount_options(const List<Str>& options, Arena& arena) {
  MountOptions result;
  ListBuilder<unsigned long> changes(arena);
  std::string data;
  for (const Str& option : options) {
    const Entry* entry = find(option.view());
    if (!entry) {
      if (option.empty() || is_idmap_with_text(option.view(), result, arena)) continue;
      if (!data.empty()) data += ',';
      data += option.view();
      continue;
    }
    switch (entry->kind) {
      case Kind::nothing:
        break;
      case Kind::set:
      case Kind::clear:
        change_flags(result, *entry);
        break;
      case Kind::recursive_set:
      case Kind::recursive_clear:
        change(result.recursive, *entry, entry->kind == kRSet);
        break;
      case Kind::propagation:
        changes.add(entry->flag);
        break;
      case Kind::word:
        apply_word(result, entry->word);
        break;
    }
  }
  result.changes = changes.list();
  if (!data.empty()) result.data = arena.copy(data);
  return result;
}

MountOptionNames mount_option_names() {
  return {kNames.data(), kNames.size()};
}

}  // namespace slipway::runtime
