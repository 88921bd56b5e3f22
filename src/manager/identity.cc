#include "src/manager/identity.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "src/sys/file.h"
#include "src/sys/path.h"

namespace slipway::manager {

namespace {

constexpr size_t kFileLimit = 4 << 20;
constexpr uint64_t kMaxId = 0x7fffffff;

/// The text of a file in the container; "" when there is none.
std::string read_in_root(int root, const char* path) {
  auto file = sys::open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat info = {};
  if (!file.ok() || fstat(file->get(), &info) < 0 || !S_ISREG(info.st_mode)) return {};
  auto text = sys::read_all(file->get(), kFileLimit);
  return text.ok() ? std::move(text).value() : std::string();
}

/// The fields of the next line of a file like passwd, or none at its end.
std::vector<std::string_view> next_line(std::string_view& rest) {
  std::vector<std::string_view> fields;
  while (!rest.empty() && fields.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line[0] == '#') continue;
    for (size_t colon; (colon = line.find(':')) != std::string_view::npos; line.remove_prefix(colon + 1))
      fields.push_back(line.substr(0, colon));
    fields.push_back(line);
  }
  return fields;
}

Opt<uint32_t> number(std::string_view text) {
  if (text.empty() || text.size() > 10 || text.find_first_not_of("0123456789") != std::string_view::npos)
    return {};
  const uint64_t value = strtoull(std::string(text).c_str(), nullptr, 10);
  if (value > kMaxId) return {};
  return static_cast<uint32_t>(value);
}

struct Account {
  std::string name;
  uint32_t uid = 0, gid = 0;
  std::string home;
};

/// By name, or by number where the text is one; a name wins.
Opt<bool> find_account(std::string_view passwd, std::string_view text, Account& out) {
  const Opt<uint32_t> wanted = number(text);
  bool found = false;
  while (true) {
    const auto fields = next_line(passwd);
    if (fields.empty()) break;
    if (fields.size() < 4) continue;
    const bool by_name = fields[0] == text;
    if (!by_name && !(wanted && !found && number(fields[2]) && *number(fields[2]) == *wanted)) continue;
    const Opt<uint32_t> uid = number(fields[2]);
    const Opt<uint32_t> gid = number(fields[3]);
    if (!uid || !gid) continue;
    out.name = fields[0];
    out.uid = *uid;
    out.gid = *gid;
    out.home = fields.size() > 5 ? fields[5] : std::string_view();
    found = true;
    if (by_name) break;
  }
  if (!found) return {};
  return true;
}

/// The number of a group that is given by name or number.
Opt<uint32_t> find_group(std::string_view groups, std::string_view text) {
  while (true) {
    const auto fields = next_line(groups);
    if (fields.empty()) break;
    if (fields.size() >= 3 && fields[0] == text && number(fields[2])) return number(fields[2]);
  }
  return number(text);
}

bool lists(std::string_view members, std::string_view name) {
  for (;;) {
    const size_t comma = members.find(',');
    if (members.substr(0, comma) == name) return true;
    if (comma == std::string_view::npos) return false;
    members.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<Identity> find_identity(int root, std::string_view text, const List<Str>& extra_groups, Arena& arena) {
  if (text.empty()) text = "0";
  const size_t colon = text.find(':');
  const std::string_view user = text.substr(0, colon).empty() ? "0" : text.substr(0, colon);
  const std::string_view group = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const std::string passwd = read_in_root(root, "etc/passwd");
  const std::string group_file = read_in_root(root, "etc/group");

  Account account;
  if (!find_account(passwd, user, account)) {
    const Opt<uint32_t> uid = number(user);
    if (!uid)
      return Error::of(ErrorKind::invalid, "unable to find user %.*s: no matching entries in passwd file",
                       static_cast<int>(user.size()), user.data());
    account.uid = *uid;
  }
  Identity out;
  out.user.uid = account.uid;
  out.user.gid = account.gid;
  out.home = arena.copy(account.home);

  ListBuilder<uint32_t> groups(arena);
  const auto add = [&](uint32_t gid) {
    const List<uint32_t> known = groups.list();
    if (std::find(known.begin(), known.end(), gid) == known.end()) groups.add(gid);
  };
  if (!group.empty()) {
    const Opt<uint32_t> gid = find_group(group_file, group);
    if (!gid)
      return Error::of(ErrorKind::invalid, "unable to find group %.*s: no matching entries in group file",
                       static_cast<int>(group.size()), group.data());
    out.user.gid = *gid;
  } else if (!account.name.empty()) {
    // Without a group of the caller's choice, those that the container's files say.
    for (std::string_view rest = group_file;;) {
      const auto fields = next_line(rest);
      if (fields.empty()) break;
      if (fields.size() >= 4 && lists(fields[3], account.name) && number(fields[2])) add(*number(fields[2]));
    }
  }
  for (const Str extra : extra_groups) {
    const Opt<uint32_t> gid = find_group(group_file, extra);
    if (!gid) return Error::of(ErrorKind::invalid, "Unable to find group %s", extra.c_str());
    add(*gid);
  }
  // The list that setgroups gets holds the main group too, as docker's does.
  ListBuilder<uint32_t> all(arena);
  all.add(out.user.gid);
  for (const uint32_t gid : groups.list())
    if (gid != out.user.gid) all.add(gid);
  out.user.additional_gids = all.list();
  return out;
}

}  // namespace slipway::manager
