#include "drivers/options.h"

#include "src/base/quantity.h"

namespace slipway::drivers {

Result<bool> parse_switch(std::string_view text) {
  for (const std::string_view yes : {"true", "1", "on", "yes"})
    if (text == yes) return true;
  for (const std::string_view no : {"false", "0", "off", "no"})
    if (text == no) return false;
  return Error::of(ErrorKind::invalid, "`%.*s` is neither true nor false", static_cast<int>(text.size()),
                   text.data());
}

Error unknown_option(const char* driver, std::string_view key) {
  return Error::of(ErrorKind::invalid, "%s knows no option `%.*s`", driver, static_cast<int>(key.size()),
                   key.data());
}

Result<RwOptions> parse_rw_options(const Options& options) {
  RwOptions parsed;
  for (const auto& [key, value] : options) {
    if (key != "size") return Error::of(ErrorKind::invalid, "unknown storage option `%s`", key.c_str());
    parsed.size = static_cast<uint64_t>(TRY(parse_size(value).ctx("storage option `size`")));
  }
  return parsed;
}

}  // namespace slipway::drivers
