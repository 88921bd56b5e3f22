// --filter name=PATTERN: regular expressions, as docker has them.
#pragma once

#include <regex.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace slipway::cli {

class NameFilter {
 public:
  /// Errors: invalid.
  static Result<NameFilter> compile(const std::vector<std::string_view>& patterns);
  /// No pattern, or one that fits somewhere in the name.
  bool fit(const std::string& name) const;

 private:
  struct Free {
    void operator()(regex_t* pattern) const;
  };
  std::vector<std::unique_ptr<regex_t, Free>> patterns_;
};

}  // namespace slipway::cli
