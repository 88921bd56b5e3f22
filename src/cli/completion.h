// Shell completions, and a plain listing of all options for the check of the man pages; all from the tables.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace slipway::cli {

struct Program;

/// `shell` is bash, zsh, fish, or list: "VERB --option -o" per line, "-" for the program's own; or man: see
/// man_page.h.
Result<std::string> completion_text(const Program& program, std::string_view shell);

}  // namespace slipway::cli
