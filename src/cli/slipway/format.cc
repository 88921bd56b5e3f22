#include "src/cli/slipway/format.h"

#include <algorithm>

namespace slipway::cli {

namespace {

/// Columns on a terminal: each UTF-8 character counts as one.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// A template's text as a shell passes it: \t and \n written as two characters.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : 0;
    if (next == 't' || next == 'n') {
      out += next == 't' ? '\t' : '\n';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> split_cells(std::string_view line) {
  std::vector<std::string> cells;
  for (size_t tab; (tab = line.find('\t')) != std::string_view::npos; line.remove_prefix(tab + 1))
    cells.emplace_back(line.substr(0, tab));
  cells.emplace_back(line);
  return cells;
}

/// A row as JSON: sorted by its keys, as docker has it. Members that templates reach by methods are not shown.
std::string row_json(const Value& row) {
  std::vector<const Value::Member*> members;
  for (const Value::Member& member : row.members())
    if (member.key[0] != '\x01') members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  Value out = Value::object();
  for (const Value::Member* member : members) out.set(member->key, member->value);
  return out.json() + "\n";
}

}  // namespace

std::string Table::text(size_t least) const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    // The last cell of a line is no part of a column.
    for (size_t i = 0; i + 1 < row.size(); ++i)
      widths[i] = std::max(widths[i], std::max(width_of(row[i]) + 3, least));
  }
  std::string out;
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - width_of(row[i]), ' ');
    }
    out += '\n';
  }
  return out;
}

Status print_formatted(std::string_view format, const Value& value) {
  if (format == "json") return print(value.json() + "\n");
  return print(TRY(expand_template(unescape(format), value)) + "\n");
}

Status print_rows(std::string_view format, std::string_view default_table, std::span<const Column> columns,
                  const std::vector<Value>& rows) {
  return print_rows(format, default_table, columns, rows.size(),
                    [&](size_t i) -> Result<const Value*> { return &rows[i]; });
}

Status print_rows(std::string_view format, std::string_view default_table, std::span<const Column> columns,
                  size_t count, const std::function<Result<const Value*>(size_t)>& row) {
  if (format == "json" || format == "{{json .}}") {
    std::string out;
    for (size_t i = 0; i < count; ++i) out.append(row_json(*TRY(row(i))));
    return print(out);
  }
  const bool is_default = format.empty() || format == "table";
  std::string text = is_default ? std::string(default_table) : unescape(format);
  if (!text.starts_with("table")) {
    const Template parsed = TRY(Template::parse(text));
    std::string out;
    for (size_t i = 0; i < count; ++i) {
      const Value* value = TRY(row(i));
      out.append(TRY(parsed.expand(*value))).append("\n");
    }
    return print(out);
  }
  text.erase(0, text.find_first_not_of(' ', 5));
  Value headers = Value::object();
  headers.set(kHeaderMark, true);
  for (const Column& column : columns) headers.set(column.field, column.header);
  Table table;
  const Template parsed = TRY(Template::parse(text));
  table.row(split_cells(TRY(parsed.expand(headers))));
  for (size_t i = 0; i < count; ++i) {
    const Value* value = TRY(row(i));
    table.row(split_cells(TRY(parsed.expand(*value))));
  }
  return print(table.text());
}

Result<Filters> Filters::parse(List<const char*> words, std::span<const char* const> known) {
  Filters filters;
  for (const std::string_view word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos)
      return Error::of(ErrorKind::usage,
                       "invalid argument \"%s\" for \"-f, --filter\" flag: bad format of filter "
                       "(expected name=value)",
                       word.data());
    const std::string_view key = word.substr(0, equals);
    if (std::none_of(known.begin(), known.end(), [&](const char* name) { return key == name; }))
      return Error::of(ErrorKind::invalid, "invalid filter '%.*s'", static_cast<int>(key.size()), key.data());
    filters.filters_.emplace_back(key, word.substr(equals + 1));
  }
  return filters;
}

bool Filters::has(std::string_view key) const {
  return std::any_of(filters_.begin(), filters_.end(),
                     [&](const auto& filter) { return filter.first == key; });
}

std::vector<std::string_view> Filters::values(std::string_view key) const {
  std::vector<std::string_view> found;
  for (const auto& [name, value] : filters_)
    if (name == key) found.push_back(value);
  return found;
}

bool Filters::labels(const Map<Str>& labels, std::string_view filter_key) const {
  return std::all_of(filters_.begin(), filters_.end(), [&](const auto& filter) {
    if (filter.first != filter_key) return true;
    const size_t equals = filter.second.find('=');
    const Str* label = labels.find(filter.second.substr(0, equals));
    return label && (equals == std::string_view::npos || *label == filter.second.substr(equals + 1));
  });
}

const char* docker_architecture(std::string_view machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine == "i686" || machine == "i386") return "386";
  if (machine.starts_with("armv")) return "arm";
  if (machine == "ppc64le" || machine == "s390x" || machine == "riscv64") return machine.data();
  return "unknown";
}

}  // namespace slipway::cli
