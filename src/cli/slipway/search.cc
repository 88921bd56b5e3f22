// `search`: repositories of a registry.
#include "src/cli/slipway/config_file.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/registry_search.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("limit", 0, "NUMBER", "at most so many (default 25)"),
    list("filter", 'f', "KEY=VALUE", "stars, is-official or is-automated"),
    flag("no-trunc", 0, "do not shorten descriptions"),
    value("format", 0, "TEMPLATE", "print with a Go template"),
});

constexpr const char* kFilters[] = {"stars", "is-official", "is-automated"};

constexpr Column kColumns[] = {
    {"Name", "NAME"},           {"Description", "DESCRIPTION"}, {"StarCount", "STARS"},
    {"IsOfficial", "OFFICIAL"}, {"IsAutomated", "AUTOMATED"},
};

constexpr size_t kDescription = 45;

/// The front of a text, at a character's border.
std::string shortened(std::string text) {
  if (text.size() <= kDescription) return text;
  size_t end = kDescription - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

Result<bool> wanted(const Filters& filters, const manager::FoundRepository& found) {
  for (const std::string_view text : filters.values("stars")) {
    const std::string number(text);
    if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos)
      return Error::of(ErrorKind::usage, "invalid filter 'stars=%s'", number.c_str());
    if (found.stars < strtoll(number.c_str(), nullptr, 10)) return false;
  }
  for (const std::string_view text : filters.values("is-official"))
    if (TRY(parse_bool(text)) != found.official) return false;
  for (const std::string_view text : filters.values("is-automated"))
    if (TRY(parse_bool(text)) != found.automated) return false;
  return true;
}

Result<int> run(const Call& call) {
  const Filters filters = TRY(Filters::parse(call.args.values("filter", call.arena), kFilters));
  const auto limit = static_cast<size_t>(TRY(call.args.number("limit", 25, 1, 100)));
  const ConfigFile config = TRY(read_config_file());
  std::vector<Value> rows;
  for (const manager::FoundRepository& found :
       TRY(manager::search_registry(call.args[0], limit, config.insecure_registries))) {
    if (!TRY(wanted(filters, found))) continue;
    Value row = Value::object();
    row.set("Name", found.name);
    row.set("Description", call.args.flag("no-trunc") ? found.description : shortened(found.description));
    row.set("StarCount", found.stars);
    row.set("IsOfficial", found.official ? "[OK]" : "");
    row.set("IsAutomated", found.automated ? "[OK]" : "");
    rows.push_back(std::move(row));
  }
  TRY(print_rows(call.args.value("format", ""),
                 "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}", kColumns, rows));
  return 0;
}

}  // namespace

const Verb kSearch = {"search",
                      "TERM|HOST/TERM",
                      "Search Docker Hub, or the catalog of another registry",
                      kOptions,
                      1,
                      1,
                      false,
                      run,
                      "search --filter is-official=true nginx"};

}  // namespace slipway::cli
