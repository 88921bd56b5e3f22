#include "src/cli/slipway/name_filter.h"

#include <algorithm>

namespace slipway::cli {

void NameFilter::Free::operator()(regex_t* pattern) const {
  regfree(pattern);
  delete pattern;
}

Result<NameFilter> NameFilter::compile(const std::vector<std::string_view>& patterns) {
  NameFilter filter;
  for (const std::string_view text : patterns) {
    auto pattern = std::make_unique<regex_t>();
    if (regcomp(pattern.get(), std::string(text).c_str(), REG_EXTENDED | REG_NOSUB))
      return Error::of(ErrorKind::invalid, "invalid filter 'name=%s'", std::string(text).c_str());
    filter.patterns_.emplace_back(pattern.release());
  }
  return filter;
}

bool NameFilter::fit(const std::string& name) const {
  return patterns_.empty() || std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& pattern) {
           return regexec(pattern.get(), name.c_str(), 0, nullptr, 0) == 0;
         });
}

}  // namespace slipway::cli
