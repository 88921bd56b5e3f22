// The part of Go's text/template that people use with --format.
//
//   {{.Field.Sub}} {{$.Field}} {{"text"}} {{`raw`}} {{1}} {{true}} {{nil}} {{(index .A 0).B}} {{/* comment */}}
//   {{if X}} {{else if Y}} {{else}} {{end}}  {{range X}} {{range $i, $v := X}} {{with X}}  {{$v := X}} {{$v = X}}
//   {{break}} {{continue}}  {{- trims -}}  pipelines with |
//   and or not eq ne lt le gt ge len index slice print printf println  json join split lower upper title pad
//   truncate html prettyjson
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/base/value.h"

namespace slipway::cli {

namespace go {
struct Node;
}

/// A template that is read once, for many values.
class Template {
 public:
  /// Errors: usage, "template parsing error: ...".
  static Result<Template> parse(std::string_view text);
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  /// Errors: usage, "can't evaluate field X".
  Result<std::string> expand(const Value& data) const;

 private:
  Template();
  std::vector<go::Node> nodes_;
};

/// The text that the template makes of `data`. Errors: usage, worded as docker does ("template parsing
/// error: ...", "can't evaluate field X").
Result<std::string> expand_template(std::string_view text, const Value& data);

/// A member of the data that makes it the row of a table's headers.
inline constexpr char kHeaderMark[] = "\x01header";

/// A value as Go's fmt prints it with %v.
std::string go_text(const Value& value);

}  // namespace slipway::cli
