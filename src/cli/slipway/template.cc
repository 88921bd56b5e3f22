#include "src/cli/slipway/template.h"

#include <algorithm>

#include "src/cli/slipway/template_tree.h"

namespace slipway::cli {

namespace go {
namespace {

struct Variable {
  std::string name;
  Value value;
};

class Execution {
 public:
  explicit Execution(const Value& data) : data_(data), is_header_(data.find(kHeaderMark) != nullptr) {}

  Status list(const std::vector<Node>& nodes, const Value& dot, std::string& out) {
    for (const Node& node : nodes) {
      TRY(one(node, dot, out));
      if (jump_ != Jump::none) return {};
    }
    return {};
  }

 private:
  enum class Jump : uint8_t { none, leave_loop, next_round };

  Status one(const Node& node, const Value& dot, std::string& out) {
    switch (node.kind) {
      case Node::Kind::text:
        out += node.text;
        return {};
      case Node::Kind::action: {
        const Value value = TRY(pipeline(node.pipeline, dot));
        if (node.pipeline.variables.empty()) out += go_text(value);
        return {};
      }
      case Node::Kind::leave_loop:
        jump_ = Jump::leave_loop;
        return {};
      case Node::Kind::next_round:
        jump_ = Jump::next_round;
        return {};
      case Node::Kind::range:
        return range(node, dot, out);
      case Node::Kind::conditional:
      case Node::Kind::with:
        break;
    }
    const size_t scope = variables_.size();
    const Value value = TRY(pipeline(node.pipeline, dot));
    const bool taken = truth(value);
    Status done =
        list(taken ? node.body : node.otherwise, taken && node.kind == Node::Kind::with ? value : dot, out);
    variables_.resize(scope);
    return done;
  }

  Status range(const Node& node, const Value& dot, std::string& out) {
    const size_t scope = variables_.size();
    Pipeline bare;
    const Value collection = TRY(commands(node.pipeline.commands, dot));
    std::vector<std::pair<Value, Value>> rounds;
    if (collection.is_array()) {
      for (const Value& item : collection.items())
        rounds.emplace_back(static_cast<int64_t>(rounds.size()), item);
    } else if (collection.is_object()) {
      for (const Value::Member& member : collection.members()) rounds.emplace_back(member.key, member.value);
      // Go walks maps in the order of their keys.
      std::stable_sort(rounds.begin(), rounds.end(),
                       [](const auto& a, const auto& b) { return a.first.text() < b.first.text(); });
    } else if (collection.is_integer()) {
      for (int64_t i = 0; i < collection.integer(); ++i) rounds.emplace_back(i, i);
    } else if (!collection.is_null()) {
      return Error::of(ErrorKind::invalid, "template parsing error: range can't iterate over %s",
                       go_text(collection).c_str());
    }
    if (rounds.empty()) return list(node.otherwise, dot, out);
    for (const auto& [key, value] : rounds) {
      const std::vector<std::string>& names = node.pipeline.variables;
      if (names.size() == 1) variables_.push_back({names[0], value});
      if (names.size() >= 2) {
        variables_.push_back({names[0], key});
        variables_.push_back({names[1], value});
      }
      TRY(list(node.body, value, out));
      variables_.resize(scope);
      const Jump jump = std::exchange(jump_, Jump::none);
      if (jump == Jump::leave_loop) break;
    }
    return {};
  }

  Result<Value> pipeline(const Pipeline& pipeline, const Value& dot) {
    Value value = TRY(commands(pipeline.commands, dot));
    for (const std::string& name : pipeline.variables) {
      if (pipeline.declares) {
        variables_.push_back({name, value});
        continue;
      }
      Variable* variable = find_variable(name);
      if (!variable) return undefined(name);
      variable->value = value;
    }
    return value;
  }

  Result<Value> commands(const std::vector<Command>& commands, const Value& dot) {
    Value value;
    for (size_t i = 0; i < commands.size(); ++i) value = TRY(command(commands[i], dot, i ? &value : nullptr));
    return value;
  }

  Result<Value> command(const Command& command, const Value& dot, const Value* piped) {
    const Operand& first = command.operands[0];
    std::vector<Value> arguments;
    if (first.kind == Operand::Kind::function) {
      if (first.name == "and" || first.name == "or") return shortcut(command, dot, piped);
      for (size_t i = 1; i < command.operands.size(); ++i)
        arguments.push_back(TRY(operand(command.operands[i], dot)));
      if (piped) arguments.push_back(*piped);
      // In the row of a table's headers, what changes texts leaves them alone.
      if (is_header_ && changes_text(first.name) && !arguments.empty()) return arguments[0];
      const Value value = TRY(find_function(first.name)(arguments).ctx(
          "template parsing error: error calling %s", first.name.c_str()));
      return fields(value, first.fields);
    }
    // The one method with an argument that docker's rows have: {{.Label "key"}}.
    if (command.operands.size() == 2 && !first.fields.empty() && first.fields.back() == "Label") {
      const Value key = TRY(operand(command.operands[1], dot));
      if (is_header_) return key;
      const Value& labels = dot["\x01labels"];
      const Value* label = key.is_string() ? labels.find(key.text()) : nullptr;
      return label ? *label : Value("");
    }
    if (command.operands.size() > 1 || piped)
      return Error::of(ErrorKind::invalid, "template parsing error: can't give argument to non-function");
    return operand(first, dot);
  }

  /// and, or: evaluated from the left until the answer is known.
  Result<Value> shortcut(const Command& command, const Value& dot, const Value* piped) {
    const bool until = command.operands[0].name == "or";
    Value value;
    for (size_t i = 1; i < command.operands.size(); ++i) {
      value = TRY(operand(command.operands[i], dot));
      if (truth(value) == until) return value;
    }
    return piped ? *piped : value;
  }

  Result<Value> operand(const Operand& operand, const Value& dot) {
    switch (operand.kind) {
      case Operand::Kind::dot:
        return fields(dot, operand.fields);
      case Operand::Kind::variable: {
        if (operand.name.empty()) return fields(data_, operand.fields);
        const Variable* variable = find_variable(operand.name);
        if (!variable) return undefined(operand.name);
        return fields(variable->value, operand.fields);
      }
      case Operand::Kind::literal:
        return operand.literal;
      case Operand::Kind::function:
        return find_function(operand.name)({});
      case Operand::Kind::pipeline:
        break;
    }
    return fields(TRY(pipeline(*operand.nested, dot)), operand.fields);
  }

  static Result<Value> fields(const Value& start, const std::vector<std::string>& names) {
    const Value* at = &start;
    for (const std::string& name : names) {
      const Value* next = at->find(name);
      if (next) {
        at = next;
        continue;
      }
      if (at->is_object() && at->has_free_keys()) return Value();
      if (at->is_null())
        return Error::of(ErrorKind::invalid, "template parsing error: nil pointer evaluating field %s",
                         name.c_str());
      return Error::of(ErrorKind::invalid,
                       "template parsing error: can't evaluate field %s: map has no entry for key \"%s\"",
                       name.c_str(), name.c_str());
    }
    return *at;
  }

  Variable* find_variable(const std::string& name) {
    for (size_t i = variables_.size(); i-- > 0;)
      if (variables_[i].name == name) return &variables_[i];
    return nullptr;
  }
  static Error undefined(const std::string& name) {
    return Error::of(ErrorKind::invalid, "template parsing error: undefined variable \"$%s\"", name.c_str());
  }

  static bool changes_text(std::string_view function) {
    for (const char* name : {"json", "split", "join", "title", "lower", "upper", "truncate", "pad"})
      if (function == name) return true;
    return false;
  }

  const Value& data_;
  const bool is_header_;
  std::vector<Variable> variables_;
  Jump jump_ = Jump::none;
};

}  // namespace
}  // namespace go

Template::Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template> Template::parse(std::string_view text) {
  Template out;
  out.nodes_ = TRY(go::parse_template(text));
  return out;
}

Result<std::string> Template::expand(const Value& data) const {
  std::string out;
  TRY(go::Execution(data).list(nodes_, data, out));
  return out;
}

Result<std::string> expand_template(std::string_view text, const Value& data) {
  const Template parsed = TRY(Template::parse(text));
  return parsed.expand(data);
}

}  // namespace slipway::cli
