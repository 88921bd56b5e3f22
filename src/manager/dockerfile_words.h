// The words of Dockerfile instructions: splitting, quotes, variables, JSON arrays.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace slipway::manager {

/// The value of a variable, or nothing when it is not set.
using Variables = std::function<std::optional<std::string>(std::string_view name)>;

/// The words between white space; quotes and escapes stay in them and keep white space together.
std::vector<std::string> split_words(std::string_view text, char escape = '\\');

/// Takes quotes and escapes away and replaces $v, ${v}, ${v:-w}, ${v-w}, ${v:+w}, ${v+w}, ${v:?e}, ${v?e},
/// ${v#p}, ${v##p}, ${v%p}, ${v%%p}, ${v/p/r}, ${v//p/r}; nothing inside single quotes. Errors: invalid.
Result<std::string> expand_word(std::string_view word, const Variables& variables, char escape = '\\');

/// split_words() and expand_word() of each; what a variable gives is not split again.
Result<std::vector<std::string>> expand_words(std::string_view text, const Variables& variables,
                                              char escape = '\\');

/// The strings of a JSON array; nothing when the text is not one.
std::optional<std::vector<std::string>> json_words(std::string_view text);

/// Without white space at both ends.
std::string_view trim(std::string_view text);

/// Whether a shell pattern (*, ?, [..], \) matches all of the text. `*` matches "/" too.
bool glob(std::string_view pattern, std::string_view text);
/// The same, where `*` and `?` stop at "/".
bool path_glob(std::string_view pattern, std::string_view text);

}  // namespace slipway::manager
