#include "drivers/overlay_options.h"

#include "drivers/options.h"
#include "src/base/quantity.h"

namespace slipway::drivers {

namespace {

Status set_mount_option(OverlaySettings& settings, std::string_view option) {
  const size_t equals = option.find('=');
  const std::string key(option.substr(0, equals));
  const std::string value(equals == std::string_view::npos ? "" : option.substr(equals + 1));
  constexpr std::pair<std::string_view, std::string_view> kKnown[] = {
      {"index", "on off"},
      {"metacopy", "on off"},
      {"redirect_dir", "on off follow nofollow"},
      {"xino", "on off auto"},
      {"volatile", ""}};
  for (const auto& [name, values] : kKnown) {
    if (key != name) continue;
    if ((" " + std::string(values) + " ").find(" " + value + " ") == std::string::npos) break;
    if ((key == "metacopy" || key == "redirect_dir") && (value == "on" || value == "follow"))
      return Error::of(
          ErrorKind::unsupported,
          "`%s=%s`: a layer's directory would not hold all that the layer changes, and commit, diff and "
          "save read it alone",
          key.c_str(), value.c_str());
    settings.set.emplace_back(key, value);
    return {};
  }
  return Error::of(ErrorKind::invalid, "`%s` is not an option of overlay that can be set",
                   std::string(option).c_str());
}

}  // namespace

Result<OverlaySettings> parse_overlay_options(const Options& options) {
  OverlaySettings settings;
  for (const auto& [key, value] : options) {
    if (key == "overlay2.size") {
      settings.size = static_cast<uint64_t>(TRY(parse_size(value).ctx("overlay2.size")));
    } else if (key == "overlay2.override_kernel_check") {
      (void)TRY(
          parse_switch(value).ctx("overlay2.override_kernel_check"));  // docker's, without effect there too
    } else if (key == "overlay2.mountopt") {
      for (size_t at = 0; at <= value.size();) {
        const size_t end = std::min(value.find(',', at), value.size());
        TRY(set_mount_option(settings, std::string_view(value).substr(at, end - at))
                .ctx("overlay2.mountopt"));
        at = end + 1;
      }
    } else {
      return unknown_option("overlay2", key);
    }
  }
  return settings;
}

}  // namespace slipway::drivers
