// A parsed template; see template.h. Internal to the template engine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/base/value.h"

namespace slipway::cli::go {

struct Pipeline;

struct Operand {
  enum class Kind : uint8_t { dot, variable, literal, function, pipeline };
  Kind kind = Kind::dot;
  std::string name;  // of a variable ("" is $) or function
  Value literal;
  std::unique_ptr<Pipeline> nested;
  std::vector<std::string> fields;  // .A.B that follow
};

struct Command {
  std::vector<Operand> operands;
};

struct Pipeline {
  std::vector<std::string> variables;  // that it declares or assigns
  bool declares = false;
  std::vector<Command> commands;
};

struct Node {
  enum class Kind : uint8_t { text, action, conditional, range, with, leave_loop, next_round };
  Kind kind = Kind::text;
  std::string text;
  Pipeline pipeline;
  std::vector<Node> body, otherwise;
};

Result<std::vector<Node>> parse_template(std::string_view text);

using Function = Result<Value> (*)(const std::vector<Value>& arguments);
/// nullptr when there is none.
Function find_function(std::string_view name);
/// Whether `if` takes the value for true.
bool truth(const Value& value);

}  // namespace slipway::cli::go
