#include "src/runtime/user.h"

#include <fcntl.h>

#include <array>

#include "src/runtime/runtime.h"
#include "src/runtime/state_file.h"
#include "src/sys/file.h"
#include "src/sys/path.h"

namespace slipway::runtime {

namespace {

constexpr size_t kFileLimit = 16U << 20;
constexpr uint32_t kNoId = 0xffffffff;  // (uid_t)-1 means "leave as it is" to the kernel: never an id

/// Digits only, so that neither "-1" nor "1x" nor " 0" is taken for a number (CVE-2026-30892).
bool parse_id(std::string_view text, uint32_t* id) {
  uint64_t value = 0;
  if (text.empty() || text.size() > 10) return false;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  if (value >= kNoId) return false;
  *id = static_cast<uint32_t>(value);
  return true;
}

bool is_numeric(std::string_view text) {
  for (const char c : text)
    if (c < '0' || c > '9') return false;
  return !text.empty();
}

/// Calls `use` with the fields of each line, until it returns true.
template <size_t N, class Use>
bool each_entry(std::string_view file, Use use) {
  while (!file.empty()) {
    const size_t end = file.find('\n');
    std::string_view line = file.substr(0, end);
    file = end == std::string_view::npos ? std::string_view() : file.substr(end + 1);
    std::array<std::string_view, N> fields;
    for (std::string_view& field : fields) {
      const size_t colon = line.find(':');
      field = line.substr(0, colon);
      line = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    }
    if (!fields[0].empty() && use(fields)) return true;
  }
  return false;
}

struct PasswdEntry {
  std::string_view name;
  uint32_t uid = 0, gid = 0;
};

template <class Match>
bool find_passwd(std::string_view passwd, Match match, PasswdEntry* entry) {
  return each_entry<4>(passwd, [&](const std::array<std::string_view, 4>& fields) {
    entry->name = fields[0];
    return parse_id(fields[2], &entry->uid) && parse_id(fields[3], &entry->gid) && match(*entry);
  });
}

bool lists(std::string_view members, std::string_view name) {
  while (!members.empty()) {
    const size_t comma = members.find(',');
    if (members.substr(0, comma) == name) return true;
    members = comma == std::string_view::npos ? std::string_view() : members.substr(comma + 1);
  }
  return false;
}

/// The groups of /etc/group that name the user.
List<uint32_t> groups_of(std::string_view name, std::string_view group, Arena& arena) {
  ListBuilder<uint32_t> ids(arena);
  each_entry<4>(group, [&](const std::array<std::string_view, 4>& fields) {
    uint32_t id;
    if (lists(fields[3], name) && parse_id(fields[2], &id)) ids.add(id);
    return false;
  });
  return ids.list();
}

Error unknown(const char* what, std::string_view text) {
  return Error::of(ErrorKind::invalid, "unable to find %s `%.*s`: no matching entries in %s file", what,
                   static_cast<int>(text.size()), text.data(), what[0] == 'u' ? "passwd" : "group");
}

}  // namespace

Result<uint32_t> find_group(std::string_view text, std::string_view group) {
  uint32_t id = 0;
  if (is_numeric(text)) {
    if (parse_id(text, &id)) return id;
    return Error::of(ErrorKind::invalid, "group `%.*s` is out of range", static_cast<int>(text.size()),
                     text.data());
  }
  const bool found = each_entry<3>(group, [&](const std::array<std::string_view, 3>& fields) {
    return fields[0] == text && parse_id(fields[2], &id);
  });
  if (!found) return unknown("group", text);
  return id;
}

Result<oci::User> find_user(std::string_view text, std::string_view passwd, std::string_view group,
                            const oci::User& base, Arena& arena) {
  oci::User user = base;
  if (text.empty()) return user;
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const bool has_group = colon != std::string_view::npos && colon + 1 < text.size();
  if (is_numeric(name)) {
    // Of a number nothing is looked up: as with runc, the groups stay those of the container's process.
    if (!parse_id(name, &user.uid))
      return Error::of(ErrorKind::invalid, "user `%.*s` is out of range", static_cast<int>(name.size()),
                       name.data());
  } else if (!name.empty()) {
    PasswdEntry entry;
    const bool known = find_passwd(
        passwd, [&](const PasswdEntry& e) { return e.name == name; }, &entry);
    if (!known) return unknown("user", name);
    user.uid = entry.uid;
    user.gid = entry.gid;
    if (!has_group) user.additional_gids = groups_of(entry.name, group, arena);
  }
  if (has_group) user.gid = TRY(find_group(text.substr(colon + 1), group));
  return user;
}

Result<oci::User> resolve_user(const Context& context, std::string_view id, std::string_view text,
                               const oci::User& base, Arena& arena) {
  const Fd directory = TRY(open_container(context, id));
  const State state = TRY(read_state(directory.get(), id));
  const Fd init = TRY(open_init(state));
  const std::string path = "/proc/" + std::to_string(state.pid) + "/root";
  const Fd root = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY));
  std::string files[2];
  const char* const names[2] = {"etc/passwd", "etc/group"};
  for (int i = 0; i < 2; ++i) {
    // O_NONBLOCK: the container may have put a fifo there.
    Result<Fd> file = sys::open_in_root(root.get(), names[i], O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (file.ok())
      files[i] = TRY(sys::read_all(file->get(), kFileLimit).ctx("`%s` of the container", names[i]));
  }
  return find_user(text, files[0], files[1], base, arena);
}

std::string owner_name(uid_t uid) {
  if (uid == 0) return "root";
  const Result<std::string> passwd = sys::read_file_at(AT_FDCWD, "/etc/passwd", kFileLimit);
  PasswdEntry entry;
  if (passwd.ok() && find_passwd(
                         passwd.value(), [&](const PasswdEntry& e) { return e.uid == uid; }, &entry))
    return std::string(entry.name);
  return std::to_string(uid);
}

}  // namespace slipway::runtime
