// Another program, run to its end: text in, text out.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace slipway::sys {

struct ProgramResult {
  int status = 0;  // as waitpid(2) has it
  std::string output;
  std::string errors;
};

/// Runs `argv[0]` (looked up in PATH when it has no slash) with `input` as its standard input, and waits. At most `limit` bytes of each
/// output stream are kept. `environment` ("NAME=VALUE") is added to our own. It is killed when this process (or the calling thread) ends.
/// Errors: not_found when there is no such program.
Result<ProgramResult> run_program(std::span<const std::string> argv, std::string_view input, size_t limit,
                                  std::span<const std::string> environment = {});

}  // namespace slipway::sys
