// Dockerfiles: instructions, their flags, comments, continued lines and parser directives.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"

namespace slipway::manager {

struct Instruction {
  std::string name;                                        // upper case
  std::vector<std::pair<std::string, std::string>> flags;  // --from=x; without "=" the value is ""
  std::string rest;
  std::string original;  // as it is shown
  int line = 0;

  /// The value of a flag, or null.
  const std::string* flag(std::string_view wanted) const;
};

struct Dockerfile {
  char escape = '\\';
  std::vector<Instruction> instructions;
};

/// Errors: invalid, with the line; unsupported for here-documents.
Result<Dockerfile> parse_dockerfile(std::string_view text);

/// One instruction on one line, as ONBUILD keeps it.
Result<Instruction> parse_instruction(std::string_view line, int number);

}  // namespace slipway::manager
