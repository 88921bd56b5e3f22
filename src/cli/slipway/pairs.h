// KEY=VALUE options: labels, options of drivers, sysctls.
#pragma once

#include <string>
#include <vector>

#include "src/base/json.h"
#include "src/cli/program.h"

namespace slipway::cli {

/// The words of an option as a map; of a key's values the last one counts. KEY alone has an empty value, unless
/// `value_needed`. Errors: usage.
Result<Map<Str>> read_pairs(const Call& call, const char* option, bool value_needed = false);
Result<Map<Str>> read_pairs(const char* option, List<Str> words, bool value_needed, Arena& arena);

/// "a=1,b=2": a column of a table.
std::string joined_pairs(const Map<Str>& pairs);

/// The fields of a line of CSV, as in --mount: one that begins with a quote may hold commas.
std::vector<std::string> csv_fields(std::string_view line);

}  // namespace slipway::cli
