#include "src/manager/build_ignore.h"

#include <algorithm>
#include <span>

#include "src/manager/dockerfile_words.h"

namespace slipway::manager {

namespace {

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.emplace_back(part);
    }
  }
  return parts;
}

/// "**" stands for any number of directories. True when all of the pattern fits the path or its beginning.
bool fits(std::span<const std::string> pattern, std::span<const std::string> path) {
  if (pattern.empty()) return true;
  if (pattern[0] == "**") {
    if (pattern.size() == 1) return !path.empty();
    for (size_t skip = 0; skip <= path.size(); ++skip)
      if (fits(pattern.subspan(1), path.subspan(skip))) return true;
    return false;
  }
  return !path.empty() && path_glob(pattern[0], path[0]) && fits(pattern.subspan(1), path.subspan(1));
}

}  // namespace

IgnoreList::IgnoreList(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    Pattern pattern;
    pattern.exception = line.starts_with('!');
    if (pattern.exception) line = trim(line.substr(1));
    pattern.parts = parts_of(line);
    if (!pattern.parts.empty()) patterns_.push_back(std::move(pattern));
  }
}

bool IgnoreList::ignored(std::string_view path) const {
  const std::vector<std::string> parts = parts_of(path);
  bool out = false;
  for (const Pattern& pattern : patterns_)
    if (fits(pattern.parts, parts)) out = !pattern.exception;
  return out;
}

}  // namespace slipway::manager
