#include <cstdlib>

#include "src/cli/slipway/template_tree.h"

namespace slipway::cli::go {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads the inside of one {{ }}.
class ActionParser {
 public:
  explicit ActionParser(std::string_view text) : text_(text) {}

  std::string word() {
    skip_space();
    const size_t start = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]))) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  void rewind() { at_ = 0; }

  Result<Pipeline> pipeline() {
    Pipeline out;
    TRY(variables(out));
    do {
      out.commands.push_back(TRY(command()));
    } while (take('|'));
    return out;
  }
  Error unexpected() {
    if (at_ >= text_.size())
      return Error::of(ErrorKind::invalid, "template parsing error: missing value for command");
    return Error::of(ErrorKind::invalid, "template parsing error: unexpected \"%.*s\" in command",
                     static_cast<int>(text_.size() - at_), text_.data() + at_);
  }

 private:
  void skip_space() { at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size()); }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  /// `$x :=`, `$i, $v :=` or `$x =`, if there.
  Status variables(Pipeline& out) {
    const size_t start = at_;
    std::vector<std::string> names;
    while (take('$')) {
      names.push_back(word());
      if (!take(',')) break;
    }
    skip_space();
    if (!names.empty() && text_.substr(at_, 2) == ":=") {
      at_ += 2;
      out.declares = true;
    } else if (!names.empty() && text_.substr(at_, 1) == "=") {
      at_ += 1;
    } else {
      at_ = start;
      return {};
    }
    out.variables = std::move(names);
    return {};
  }

  Result<Command> command() {
    Command out;
    for (;;) {
      skip_space();
      if (at_ >= text_.size() || text_[at_] == '|' || text_[at_] == ')') break;
      out.operands.push_back(TRY(operand()));
    }
    if (out.operands.empty()) return unexpected();
    return out;
  }

  Result<Operand> operand() {
    Operand out;
    const char c = text_[at_];
    if (c == '.' && (at_ + 1 >= text_.size() || !digit(text_[at_ + 1]))) {
      if (at_ + 1 < text_.size() && letter(text_[at_ + 1])) {
        fields(out);
      } else {
        ++at_;
      }
      return out;
    }
    if (c == '$') {
      ++at_;
      out.kind = Operand::Kind::variable;
      out.name = word_here();
    } else if (c == '(') {
      ++at_;
      out.kind = Operand::Kind::pipeline;
      out.nested = std::make_unique<Pipeline>(TRY(pipeline()));
      if (!take(')')) return Error::of(ErrorKind::invalid, "template parsing error: unclosed left paren");
    } else if (c == '"' || c == '`' || c == '\'') {
      out.kind = Operand::Kind::literal;
      out.literal = TRY(quoted());
      return out;
    } else if (digit(c) || c == '-' || c == '+' || c == '.') {
      out.kind = Operand::Kind::literal;
      out.literal = TRY(number());
      return out;
    } else if (letter(c)) {
      TRY(name(out));
    } else {
      return unexpected();
    }
    fields(out);
    return out;
  }

  std::string word_here() {
    const size_t start = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]))) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  void fields(Operand& out) {
    while (at_ + 1 < text_.size() && text_[at_] == '.' && letter(text_[at_ + 1])) {
      ++at_;
      out.fields.push_back(word_here());
    }
  }

  Status name(Operand& out) {
    const std::string word = word_here();
    out.kind = Operand::Kind::literal;
    if (word == "true" || word == "false") {
      out.literal = Value(word == "true");
    } else if (word != "nil") {
      out.kind = Operand::Kind::function;
      out.name = word;
      if (!find_function(word))
        return Error::of(ErrorKind::invalid, "template parsing error: function \"%s\" not defined",
                         word.c_str());
    }
    return {};
  }

  Result<Value> quoted() {
    const char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\' || quote == '`' || at_ + 1 >= text_.size()) {
        out += text_[at_];
        continue;
      }
      const char escape = text_[++at_];
      const std::string_view from = "ntr0";
      const size_t found = from.find(escape);
      out += found == std::string_view::npos ? escape : "\n\t\r\0"[found];
    }
    if (at_ >= text_.size())
      return Error::of(ErrorKind::invalid, "template parsing error: unterminated quoted string");
    ++at_;
    if (quote == '\'') return Value(static_cast<int64_t>(static_cast<unsigned char>(out[0])));
    return Value(out);
  }

  Result<Value> number() {
    const size_t start = at_;
    bool whole = true;
    if (text_[at_] == '-' || text_[at_] == '+') ++at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]) || text_[at_] == '.')) {
      if (text_[at_] == '.') whole = false;
      ++at_;
    }
    const std::string digits(text_.substr(start, at_ - start));
    char* end = nullptr;
    const long long integer = strtoll(digits.c_str(), &end, 0);
    if (whole && *end == 0) return Value(static_cast<int64_t>(integer));
    const double real = strtod(digits.c_str(), &end);
    if (*end)
      return Error::of(ErrorKind::invalid, "template parsing error: bad number syntax: \"%s\"",
                       digits.c_str());
    return Value(real);
  }

  std::string_view text_;
  size_t at_ = 0;
};

/// Splits text and actions, and builds the tree.
class TemplateParser {
 public:
  explicit TemplateParser(std::string_view text) : rest_(text) {}

  Result<std::vector<Node>> whole() {
    std::vector<Node> nodes = TRY(list());
    if (stop_ == Stop::end)
      return Error::of(ErrorKind::invalid, "template parsing error: unexpected {{end}}");
    if (stop_ == Stop::otherwise)
      return Error::of(ErrorKind::invalid, "template parsing error: unexpected {{else}}");
    return nodes;
  }

 private:
  enum class Stop : uint8_t { text_end, end, otherwise };

  void add_text(std::vector<Node>& nodes, std::string_view text) {
    if (trim_next_) text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    trim_next_ = false;
    if (text.empty()) return;
    Node node;
    node.text = text;
    nodes.push_back(std::move(node));
  }

  /// The text of the next action, after the text before it went into `nodes`; false at the end.
  Result<bool> next_action(std::vector<Node>& nodes, std::string_view& action) {
    const size_t open = rest_.find("{{");
    if (open == std::string_view::npos) {
      add_text(nodes, rest_);
      rest_ = {};
      return false;
    }
    std::string_view before = rest_.substr(0, open);
    std::string_view inside = rest_.substr(open + 2);
    if (inside.size() > 1 && inside[0] == '-' && kSpace.find(inside[1]) != std::string_view::npos) {
      before = before.substr(0, before.find_last_not_of(kSpace) + 1);
      inside.remove_prefix(1);
    }
    add_text(nodes, before);
    const size_t close = action_end(inside);
    if (close == std::string_view::npos)
      return Error::of(ErrorKind::invalid, "template parsing error: unclosed action");
    action = inside.substr(0, close);
    rest_ = inside.substr(close + 2);
    if (action.size() > 1 && action.back() == '-' &&
        kSpace.find(action[action.size() - 2]) != std::string_view::npos) {
      action.remove_suffix(1);
      trim_next_ = true;
    }
    return true;
  }

  /// Where "}}" stands outside of quotes and comments.
  static size_t action_end(std::string_view text) {
    const size_t start = text.find_first_not_of(kSpace);
    if (start != std::string_view::npos && text.substr(start, 2) == "/*") {
      const size_t end = text.find("*/");
      return end == std::string_view::npos ? end : text.find("}}", end);
    }
    char quote = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (quote) {
        if (text[i] == '\\' && quote != '`')
          ++i;
        else if (text[i] == quote)
          quote = 0;
      } else if (text[i] == '"' || text[i] == '`') {
        quote = text[i];
      } else if (text.substr(i, 2) == "}}") {
        return i;
      }
    }
    return std::string_view::npos;
  }

  Result<std::vector<Node>> list() {
    std::vector<Node> nodes;
    for (;;) {
      std::string_view action;
      if (!TRY(next_action(nodes, action))) {
        stop_ = Stop::text_end;
        return nodes;
      }
      const size_t start = action.find_first_not_of(kSpace);
      if (start != std::string_view::npos && action.substr(start, 2) == "/*") continue;
      ActionParser parser(action);
      const std::string word = parser.word();
      if (word == "end") {
        stop_ = Stop::end;
        return nodes;
      }
      if (word == "else") {
        stop_ = Stop::otherwise;
        else_action_ = action.substr(action.find("else") + 4);
        return nodes;
      }
      nodes.push_back(TRY(node(word, parser)));
    }
  }

  Result<Node> node(const std::string& word, ActionParser& parser) {
    Node node;
    if (word == "if" || word == "range" || word == "with") return block(word, parser);
    if (word == "define" || word == "template" || word == "block")
      return Error::of(ErrorKind::unsupported, "template parsing error: {{%s}} is not supported",
                       word.c_str());
    if (word == "break" || word == "continue") {
      node.kind = word == "break" ? Node::Kind::leave_loop : Node::Kind::next_round;
      return node;
    }
    parser.rewind();
    node.kind = Node::Kind::action;
    node.pipeline = TRY(parser.pipeline());
    if (!parser.at_end()) return parser.unexpected();
    return node;
  }

  Result<Node> block(const std::string& word, ActionParser& parser) {
    Node node;
    node.kind = word == "if"      ? Node::Kind::conditional
                : word == "range" ? Node::Kind::range
                                  : Node::Kind::with;
    node.pipeline = TRY(parser.pipeline());
    if (!parser.at_end()) return parser.unexpected();
    node.body = TRY(list());
    if (stop_ == Stop::otherwise) {
      ActionParser follow(else_action_);
      const std::string next = follow.word();
      if (next == "if" || next == "with") {
        // The inner block's {{end}} is ours too.
        node.otherwise.push_back(TRY(block(next, follow)));
        return node;
      }
      node.otherwise = TRY(list());
    }
    if (stop_ != Stop::end) return Error::of(ErrorKind::invalid, "template parsing error: unexpected EOF");
    return node;
  }

  std::string_view rest_;
  std::string_view else_action_;
  bool trim_next_ = false;
  Stop stop_ = Stop::text_end;
};

}  // namespace

Result<std::vector<Node>> parse_template(std::string_view text) {
  return TemplateParser(text).whole();
}

}  // namespace slipway::cli::go
