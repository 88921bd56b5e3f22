#include "drivers/overlay_layers.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "drivers/overlay_probe.h"
#include "drivers/staging.h"
#include "src/sys/file.h"

namespace slipway::drivers {

namespace {
constexpr size_t kLongestValue = 255;  // of fsconfig(2), without the NUL
constexpr size_t kSmallFile = 65536;   // `lower` of 500 layers has 14,500 bytes
}  // namespace

Result<OverlayLayers> OverlayLayers::open(Home home) {
  OverlayLayers layers;
  layers.links_ = TRY(home.make_directory("l", 0700));
  layers.home_ = std::move(home);
  return layers;
}

bool OverlayLayers::has_long_path() const {
  return home_.path.size() + sizeof "/diff" + 1 + 128 > kLongestValue;
}

bool OverlayLayers::has(const std::string& path) const {
  return faccessat(dir(), path.c_str(), F_OK, 0) == 0;
}

Result<std::string> OverlayLayers::read_small(const std::string& path) const {
  return sys::read_file_at(dir(), path.c_str(), kSmallFile);
}

Error OverlayLayers::missing(std::string_view id) {
  return Error::of(ErrorKind::not_found, "no layer `%.*s`", static_cast<int>(id.size()), id.data());
}

Result<Fd> OverlayLayers::open_below(const std::string& path) const {
  Fd fd(openat(dir(), path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == ENOENT) return missing(std::string_view(path).substr(0, path.find('/')));
  if (!fd) return Error::sys(errno, "open `%s/%s`", home_.path.c_str(), path.c_str());
  return fd;
}

Result<std::string> OverlayLayers::link_of(std::string_view id) const {
  std::string link = TRY(read_small(std::string(id) + "/link"));
  if (!check_layer_name(link).ok())
    return Error::of(ErrorKind::failed, "`link` of layer `%s` is damaged", std::string(id).c_str());
  return link;
}

Status OverlayLayers::check_link(std::string_view id, bool repair) const {
  const std::string layer(id), wanted = "../" + layer + "/diff";
  const auto leads_here = [&](const std::string& link) {
    char target[256];
    const ssize_t length = readlinkat(links(), link.c_str(), target, sizeof target);
    return length >= 0 && std::string_view(target, static_cast<size_t>(length)) == wanted;
  };
  Result<std::string> link = link_of(id);
  if (link.ok() && leads_here(*link)) return {};
  if (!repair)
    return link.ok() ? Error::of(ErrorKind::failed, "its short name `l/%s` leads elsewhere", link->c_str())
                     : Error::of(ErrorKind::failed, "`link` is missing or damaged");
  if (!link.ok()) {
    // The name that its children know, if there is one.
    std::string name = random_name();
    for (const std::string& known : TRY(names_in(links(), ".")))
      if (leads_here(known)) name = known;
    TRY(sys::replace_file_at(dir(), (layer + "/link").c_str(), name, 0644, true));
    link = std::move(name);
  }
  unlinkat(links(), link->c_str(), 0);
  if (symlinkat(wanted.c_str(), links(), link->c_str()) < 0 || fsync(links()) < 0)
    return Error::sys(errno, "make link `l/%s`", link->c_str());
  return {};
}

Result<std::vector<std::string>> OverlayLayers::lower_links(std::string_view id) const {
  std::vector<std::string> links;
  Result<std::string> text = read_small(std::string(id) + "/lower");
  if (!text.ok()) {
    if (text.error().code() != ENOENT) return std::move(text).error();
    if (!has(std::string(id) + "/diff")) return missing(id);
    return links;
  }
  for (size_t at = 0; at < text->size();) {
    size_t end = text->find(':', at);
    if (end == std::string::npos) end = text->size();
    links.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  if (links.empty())
    return Error::of(ErrorKind::failed, "`lower` of layer `%s` is empty", std::string(id).c_str());
  return links;
}

Result<std::vector<std::string>> OverlayLayers::lower_ids(std::string_view id) const {
  std::vector<std::string> ids = TRY(lower_links(id));
  for (std::string& link : ids) {
    char target[256];
    const ssize_t length = readlinkat(dir(), link.c_str(), target, sizeof target);
    if (length < 0) return Error::sys(errno, "read link `%s/%s`", home_.path.c_str(), link.c_str());
    const std::string_view text(target, static_cast<size_t>(length));
    if (!text.starts_with("../") || !text.ends_with("/diff") || text.size() <= 8)
      return Error::of(ErrorKind::failed, "link `%s/%s` is damaged", home_.path.c_str(), link.c_str());
    link = text.substr(3, text.size() - 8);
  }
  return ids;
}

Result<std::string> OverlayLayers::lower_of_child(std::string_view parent, bool init) const {
  TRY(check_layer_name(parent));
  const std::string id(parent);
  if (!has(id + "/diff")) return missing(parent);
  if (!has(id + "/committed"))
    return Error::of(ErrorKind::invalid, "layer `%s` is not committed", id.c_str());
  std::string lower = "l/" + TRY(link_of(id));
  size_t depth = 1;
  for (const std::string& link : TRY(lower_links(parent))) {
    lower += ":" + link;
    ++depth;
  }
  if (depth > kOverlayMaxLowers)
    return Error::of(ErrorKind::invalid, "%zu layers: overlay stacks no more than %u", depth,
                     kOverlayMaxLowers);
  if (init && depth < kOverlayMaxLowers) lower += std::string(":l/") + kInitLayer;
  // Beside them a page has to hold the other options, some 200 bytes.
  if (lower.size() <= static_cast<size_t>(sysconf(_SC_PAGESIZE)) - 512) return lower;
  if (has_long_path())
    return Error::of(ErrorKind::unsupported, "%zu layers: the path `%s` is too long for that", depth,
                     home_.path.c_str());
  if (!overlay_has_lowerdir_plus())
    return Error::of(ErrorKind::unsupported, "%zu layers: before Linux 6.7 their names must fit into a page",
                     depth);
  return lower;
}

}  // namespace slipway::drivers
