// How verbs print: tables with docker's columns, --format, sizes and times for people, --filter.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/quantity.h"
#include "src/base/result.h"
#include "src/base/value.h"
#include "src/cli/program.h"
#include "src/cli/slipway/template.h"

namespace slipway::cli {

/// One value by --format: "json", or a template; with a newline.
Status print_formatted(std::string_view format, const Value& value);

/// Rows of text in columns, as Go's tabwriter aligns them for docker: three spaces between, at least ten wide.
class Table {
 public:
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// A column is `least` wide at least, with the three spaces after it.
  std::string text(size_t least = 10) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

struct Column {
  const char* field;   // of a row's value
  const char* header;  // "CONTAINER ID"
};

/// Prints a list of objects by --format: "" or "table" is `default_table` ("table {{.ID}}\t{{.Names}}"); "json"
/// is one object a line; "table ..." is a table with headers; anything else a template per row, each with a
/// newline. `columns` has the header of every field.
Status print_rows(std::string_view format, std::string_view default_table, std::span<const Column> columns,
                  const std::vector<Value>& rows);
/// The same of a long list: `row` makes one at a time, which is not needed any more when the next one is asked for.
Status print_rows(std::string_view format, std::string_view default_table, std::span<const Column> columns,
                  size_t count, const std::function<Result<const Value*>(size_t)>& row);

/// Decimal units, three significant digits: "4.26MB". As docker shows sizes.
std::string human_size(double bytes);
/// The same with four digits: "4.262MB". As docker shows what is summed up.
std::string exact_size(double bytes);
/// Binary units, four significant digits: "1.5MiB".
std::string binary_size(double bytes);
/// "About a minute", "3 weeks".
std::string human_duration(int64_t seconds);

/// What --since and --until take: RFC 3339 with parts left out, a UNIX time with a fraction, or a duration
/// before now.
Result<int64_t> parse_moment(std::string_view text);

/// The values of --filter key=value, checked against the keys that a verb knows.
class Filters {
 public:
  static Result<Filters> parse(List<const char*> words, std::span<const char* const> known);
  bool has(std::string_view key) const;
  std::vector<std::string_view> values(std::string_view key) const;
  /// No filter of this key, or `match` accepts one of its values.
  template <class Match>
  bool any(std::string_view key, Match match) const {
    bool asked = false;
    for (const auto& [name, value] : filters_) {
      if (name != key) continue;
      asked = true;
      if (match(value)) return true;
    }
    return !asked;
  }
  /// All label filters ("key" or "key=value") hold.
  bool labels(const Map<Str>& labels, std::string_view key = "label") const;

 private:
  std::vector<std::pair<std::string_view, std::string_view>> filters_;
};

/// docker's name of an architecture: "amd64" for x86_64.
const char* docker_architecture(std::string_view machine);

}  // namespace slipway::cli
