#include "src/sys/mountinfo.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>

#include "src/sys/file.h"

namespace slipway::sys {

namespace {

constexpr size_t kLimit = 64U << 20;

/// Cuts the next piece off, up to `separator`.
std::string_view cut(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return piece;
}

/// Space, tab, newline and backslash are written as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3') {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::vector<MountEntry> parse_mountinfo(std::string_view text) {
  std::vector<MountEntry> entries;
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    const size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    std::string_view right = line.substr(dash + 3);
    line = line.substr(0, dash);
    MountEntry entry;
    const std::string_view id = cut(line, ' ');
    if (std::from_chars(id.data(), id.data() + id.size(), entry.id).ec != std::errc()) continue;
    cut(line, ' ');  // the parent's id
    entry.device = cut(line, ' ');
    entry.root = unescape(cut(line, ' '));
    entry.mountpoint = unescape(cut(line, ' '));
    cut(line, ' ');  // the mount's options
    entry.propagation = line;
    entry.type = cut(right, ' ');
    cut(right, ' ');  // the source
    entry.options = right;
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<MountEntry>> read_mountinfo(pid_t pid) {
  const std::string path = "/proc/" + (pid ? std::to_string(pid) : std::string("self")) + "/mountinfo";
  return parse_mountinfo(TRY(read_file_at(AT_FDCWD, path.c_str(), kLimit)));
}

uint64_t mount_at_path(const std::string& path) {
  struct statx info = {};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &info) < 0) return 0;
  return info.stx_mask & STATX_MNT_ID ? info.stx_mnt_id : 0;
}

Result<MountEntry> find_mount(const std::string& path) {
  const uint64_t id = mount_at_path(path);
  for (MountEntry& entry : TRY(read_mountinfo(0)))
    if (entry.id == id) return std::move(entry);
  return Error::of(ErrorKind::not_found, "path %s is on no mount that can be seen", path.c_str());
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return !path.empty() && path[0] == '/';
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace slipway::sys
