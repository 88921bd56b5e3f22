#include "src/cli/slip/selection.h"

#include <regex.h>

namespace slipway::cli {

namespace {

class Pattern {
 public:
  static Result<Pattern> compile(const char* text) {
    Pattern pattern;
    const int rc = regcomp(&pattern.regex_, text, REG_EXTENDED | REG_NOSUB);
    if (rc == 0) {
      pattern.compiled_ = true;
      return pattern;
    }
    char why[128];
    regerror(rc, &pattern.regex_, why, sizeof why);
    return Error::of(ErrorKind::usage, "regular expression \"%s\": %s", text, why);
  }
  Pattern(Pattern&& other) noexcept : regex_(other.regex_), compiled_(other.compiled_) {
    other.compiled_ = false;
  }
  Pattern& operator=(Pattern&&) = delete;
  ~Pattern() {
    if (compiled_) regfree(&regex_);
  }
  bool matches(const std::string& text) const { return regexec(&regex_, text.c_str(), 0, nullptr, 0) == 0; }

 private:
  Pattern() = default;
  regex_t regex_ = {};
  bool compiled_ = false;
};

}  // namespace

Result<std::vector<std::string>> matching_ids(const runtime::Context& context, const char* pattern) {
  const Pattern wanted = TRY(Pattern::compile(pattern));
  std::vector<std::string> ids;
  for (const runtime::State& state : TRY(runtime::list_states(context)))
    if (wanted.matches(state.id)) ids.push_back(state.id);
  return ids;
}

}  // namespace slipway::cli
