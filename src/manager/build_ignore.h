// .dockerignore: what of the context does not exist for COPY and ADD.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::manager {

class IgnoreList {
 public:
  IgnoreList() = default;
  explicit IgnoreList(std::string_view text);
  /// `path` below the context, without a leading "/". The last pattern that fits the path or a directory above it
  /// decides.
  bool ignored(std::string_view path) const;

 private:
  struct Pattern {
    std::vector<std::string> parts;
    bool exception = false;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace slipway::manager
