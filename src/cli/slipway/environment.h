// -e, --env-file and other options whose values are lines.
#pragma once

#include "src/cli/program.h"

namespace slipway::cli {

/// The variables of --env-file and --env, in this order. KEY=VALUE stays; KEY alone takes the value from this
/// process; when it has none, it stays alone where --env says it, and means that there shall be no such variable.
Result<List<Str>> read_environment(const Call& call);

/// The lines of the files that `option` names, without comments and empty lines.
Result<List<Str>> file_lines(const Call& call, const char* option);

/// All values of an option.
List<Str> option_texts(const Call& call, const char* option);

}  // namespace slipway::cli
