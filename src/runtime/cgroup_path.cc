#include "src/runtime/cgroup_path.h"

namespace slipway::runtime {
namespace {

constexpr std::string_view kSlice = ".slice";

/// What systemd takes for a unit's name (unit_name_is_valid), so that nothing else gets into a D-Bus call or
/// a path.
bool is_unit_name(std::string_view name) {
  if (name.empty() || name.size() > 255) return false;
  for (const char c : name) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word && std::string_view(":-_.\\@").find(c) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

std::string clean_cgroup_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      const size_t slash = clean.rfind('/');
      clean.resize(slash == std::string::npos ? 0 : slash);
      continue;
    }
    clean += '/';
    clean += part;
  }
  return clean.empty() ? "/" : clean;
}

CgroupPlace plan_cgroup_path(std::string_view cgroups_path, std::string_view id) {
  if (cgroups_path.empty()) return {true, clean_cgroup_path(id)};
  return {cgroups_path[0] != '/', clean_cgroup_path(cgroups_path)};
}

Result<std::string> expand_slice(std::string_view slice) {
  if (!slice.ends_with(kSlice) || slice.size() == kSlice.size() || !is_unit_name(slice))
    return Error::of(ErrorKind::invalid, "invalid slice name: `%.*s`", static_cast<int>(slice.size()),
                     slice.data());
  const std::string_view name = slice.substr(0, slice.size() - kSlice.size());
  if (name == "-") return std::string();
  if (name.front() == '-' || name.back() == '-' || name.find("--") != std::string_view::npos)
    return Error::of(ErrorKind::invalid, "invalid slice name: `%.*s`", static_cast<int>(slice.size()),
                     slice.data());
  std::string path;
  for (size_t dash = name.find('-');; dash = name.find('-', dash + 1)) {
    path += '/';
    path += name.substr(0, dash);
    path += kSlice;
    if (dash == std::string_view::npos) return path;
  }
}

Result<SystemdPlace> plan_systemd_place(std::string_view cgroups_path, std::string_view id, bool rootless) {
  std::string_view slice, prefix = "slip", name = id;
  if (!cgroups_path.empty()) {
    const size_t first = cgroups_path.find(':');
    const size_t second = first == std::string_view::npos ? first : cgroups_path.find(':', first + 1);
    if (second == std::string_view::npos || cgroups_path.find(':', second + 1) != std::string_view::npos)
      return Error::of(ErrorKind::invalid,
                       "linux.cgroupsPath: expected \"slice:prefix:name\" for systemd cgroups, got \"%.*s\"",
                       static_cast<int>(cgroups_path.size()), cgroups_path.data());
    slice = cgroups_path.substr(0, first);
    prefix = cgroups_path.substr(first + 1, second - first - 1);
    name = cgroups_path.substr(second + 1);
  }
  if (slice.empty()) slice = rootless ? "user.slice" : "system.slice";

  SystemdPlace place;
  place.slice = slice;
  place.slice_path = TRY(expand_slice(slice).ctx("linux.cgroupsPath"));
  place.unit_is_slice = name.ends_with(kSlice);
  if (place.unit_is_slice) {
    place.unit = name;
    place.slice_path = "";  // a slice's name says where it is
  } else {
    if (!prefix.empty()) place.unit = std::string(prefix) + "-";
    place.unit += std::string(name) + ".scope";
  }
  if (!is_unit_name(place.unit))
    return Error::of(ErrorKind::invalid, "linux.cgroupsPath: invalid unit name: `%s`", place.unit.c_str());
  return place;
}

}  // namespace slipway::runtime
