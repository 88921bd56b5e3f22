// `history`: the steps by which an image was made.
#include <algorithm>

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/image_times.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/image_inspect.h"
#include "src/store/id.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("human", 'H', "sizes and dates for people (the default; --human=false for exact ones)"),
    flag("quiet", 'q', "show nothing but IDs"),
    flag("no-trunc", 0, "shorten nothing"),
    value("format", 0, "TEMPLATE", "print with a Go template, `table TEMPLATE`, or json"),
});

constexpr Column kColumns[] = {
    {"ID", "IMAGE"},  {"CreatedSince", "CREATED"}, {"CreatedAt", "CREATED AT"}, {"CreatedBy", "CREATED BY"},
    {"Size", "SIZE"}, {"Comment", "COMMENT"},
};

constexpr size_t kCommandWidth = 45;

/// At most kCommandWidth characters (not bytes), the last an ellipsis.
std::string shorten(const std::string& text) {
  size_t characters = 0, cut = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & '\xc0') == '\x80') continue;
    if (++characters == kCommandWidth) cut = i;
  }
  return characters <= kCommandWidth ? text : text.substr(0, cut) + "…";
}

Value row_value(const manager::HistoryRow& row, bool human, bool no_trunc) {
  std::string command = row.created_by;
  std::replace(command.begin(), command.end(), '\t', ' ');
  std::string at = store::format_rfc3339({row.created, 0});
  at.resize(at.find('.'));  // whole seconds
  at += 'Z';
  Value value = Value::object();
  const bool here = row.id.starts_with("sha256:");
  value.set("ID", no_trunc || !here ? row.id : std::string(store::short_id(row.id)));
  value.set("CreatedSince", human ? since(row.created) : at);
  value.set("CreatedAt", at);
  value.set("CreatedBy", no_trunc ? command : shorten(command));
  value.set("Size", human ? human_size(static_cast<double>(row.size)) : std::to_string(row.size));
  value.set("Comment", row.comment);
  return value;
}

Result<int> run(const Call& call) {
  const ImageSession session = TRY(open_images(call));
  const store::Image* image = TRY(session.images.images.find(call.args[0], call.arena));
  const std::vector<manager::HistoryRow> rows = TRY(manager::image_history(session.images, *image));
  const bool no_trunc = call.args.flag("no-trunc");
  const bool human = !call.args.given("human") || call.args.flag("human");
  std::vector<Value> values;
  for (const manager::HistoryRow& row : rows) values.push_back(row_value(row, human, no_trunc));
  const char* format = call.args.value("format", "");
  if (call.args.flag("quiet") && !*format) format = "{{.ID}}";
  const char* table = human ? "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
                            : "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
  TRY(print_rows(format, table, kColumns, values));
  return 0;
}

constexpr Verb kVerb = {"history", "IMAGE", "Show the history of an image", kOptions, 1, 1,
                        false,     run,     "history --no-trunc mine:1"};

}  // namespace

const Verb kHistory = kVerb;
const Verb kImageHistory = as("image history", kVerb);

}  // namespace slipway::cli
