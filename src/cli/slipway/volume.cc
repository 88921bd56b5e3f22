// `volume create`, `ls`, `inspect`, `rm` and `prune`.
#include <algorithm>

#include "src/cli/slipway/confirm.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/name_filter.h"
#include "src/cli/slipway/pairs.h"
#include "src/cli/slipway/prune.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/cli/slipway/volume_value.h"
#include "src/manager/events.h"
#include "src/store/id.h"
#include "src/store/volumes.h"

namespace slipway::cli {

namespace {

constexpr auto kCreateOptions = std::to_array<Option>({
    value("driver", 'd', "NAME", "only local"),
    list("label", 0, "KEY=VALUE", "a label"),
    list("opt", 'o', "KEY=VALUE", "an option of the driver (local has none here)"),
    value("name", 0, "NAME", "the same as the argument"),
});
constexpr auto kLsOptions = std::to_array<Option>({
    flag("quiet", 'q', "only names"),
    list("filter", 'f', "KEY=VALUE", "name, label, driver, dangling"),
    value("format", 0, "TEMPLATE", "table, json, or a Go template"),
});
constexpr auto kInspectOptions = std::to_array<Option>({
    value("format", 'f', "TEMPLATE", "print with a Go template, or json"),
});
constexpr auto kRmOptions = std::to_array<Option>({
    flag("force", 'f', "no error when it does not exist"),
});
constexpr auto kPruneOptions = std::to_array<Option>({
    flag("all", 'a', "named ones, too"),
    flag("force", 'f', "do not ask"),
    list("filter", 0, "KEY=VALUE", "label=KEY[=VALUE], label!=KEY[=VALUE], all=BOOL"),
});

constexpr const char* kLsFilters[] = {"name", "label", "driver", "dangling"};
constexpr Column kColumns[] = {{"Driver", "DRIVER"}, {"Name", "VOLUME NAME"}, {"Mountpoint", "MOUNTPOINT"},
                               {"Scope", "SCOPE"},   {"Labels", "LABELS"},    {"Links", "LINKS"},
                               {"Size", "SIZE"}};

Result<int> run_create(const Call& call) {
  if (std::string_view(call.args.value("driver", "local")) != "local")
    return Error::of(ErrorKind::unsupported, "volume driver \"%s\": only local is supported",
                     call.args.value("driver"));
  if (call.args.given("opt"))
    return Error::of(ErrorKind::unsupported, "--opt: the local driver has no options here");
  store::Volume volume;
  volume.labels = TRY(read_pairs(call, "label"));
  const auto store = TRY(open_store(call));
  const char* name = call.args.size() ? call.args[0] : call.args.value("name", "");
  if (*name) {
    volume.name = Str::wrap(name);
  } else {
    const std::string id = TRY(store::new_id());
    volume.name = call.arena.copy(id);
    volume.anonymous = true;
  }
  if (!store::is_volume_name(volume.name))
    return Error::of(ErrorKind::invalid,
                     "create %s: \"%s\" includes invalid characters for a local volume name, only "
                     "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed",
                     volume.name.c_str(), volume.name.c_str());
  const std::string now = store::now_rfc3339();
  volume.created_at = call.arena.copy(now);
  if (TRY(store::Volumes(*store).create(volume)))
    manager::object_event(*store, "volume", "create", volume.name, {{"driver", "local"}});
  TRY(print(std::string(volume.name.view()) + "\n"));
  return 0;
}

Result<bool> matches(store::Volumes& volumes, const Filters& filters, const NameFilter& names,
                     const store::Volume& volume) {
  if (!filters.labels(volume.labels)) return false;
  if (!names.fit(std::string(volume.name.view()))) return false;
  if (!filters.any("driver", [](std::string_view name) { return name == "local"; })) return false;
  if (!filters.has("dangling")) return true;
  const bool wanted = TRY(parse_bool(filters.values("dangling").back()));
  return TRY(volumes.users(volume.name)).empty() == wanted;
}

Result<int> run_ls(const Call& call) {
  const Filters filters = TRY(Filters::parse(call.args.values("filter", call.arena), kLsFilters));
  const NameFilter name_filter = TRY(NameFilter::compile(filters.values("name")));
  const auto store = TRY(open_store(call));
  store::Volumes volumes(*store);
  std::vector<Value> rows;
  std::string names;
  for (const std::string& name : TRY(volumes.list())) {
    auto volume = volumes.load(name, call.arena);
    if (!volume.ok()) continue;
    if (!TRY(matches(volumes, filters, name_filter, **volume))) continue;
    names.append(name).append("\n");
    Value row = Value::object();
    row.set("Driver", "local")
        .set("Name", name)
        .set("Mountpoint", volumes.data_path(name))
        .set("Scope", "local");
    row.set("Links", "N/A").set("Size", "N/A");
    row.set("Labels", joined_pairs((*volume)->labels)).set("\x01labels", Value::map_of((*volume)->labels));
    rows.push_back(std::move(row));
  }
  if (call.args.flag("quiet"))
    TRY(print(names));
  else
    TRY(print_rows(call.args.value("format", ""), "table {{.Driver}}\t{{.Name}}", kColumns, rows));
  return 0;
}

Result<int> run_inspect(const Call& call) {
  const auto store = TRY(open_store(call));
  const char* format = call.args.value("format");
  Value all = Value::array();
  const int code = for_each_argument(call, [&](std::string_view name) -> Status {
    Value value = TRY(volume_value(*store, name));
    if (format) return print_formatted(format, value);
    all.add(std::move(value));
    return {};
  });
  if (!format) TRY(print(all.pretty_json() + "\n"));
  return code;
}

Result<int> run_rm(const Call& call) {
  const auto store = TRY(open_store(call));
  return for_each_argument(call, [&](std::string_view name) -> Status {
    Status removed = store::Volumes(*store).remove(name);
    if (!removed.ok() && !(removed.error().kind() == ErrorKind::not_found && call.args.flag("force")))
      return removed;
    if (removed.ok()) manager::object_event(*store, "volume", "destroy", name, {{"driver", "local"}});
    return print(std::string(name) + "\n");
  });
}

Result<int> run_prune(const Call& call) {
  const PruneFilters filters = TRY(PruneFilters::read(call, PruneFilters::Kind::volumes));
  const bool all = call.args.flag("all") ||
                   (filters.filters().has("all") && TRY(parse_bool(filters.filters().values("all").back())));
  std::string text;
  int64_t bytes = 0;
  if (call.args.flag("force") ||
      TRY(confirm(
          all ? "WARNING! This will remove all local volumes not used by at least one container."
              : "WARNING! This will remove anonymous local volumes not used by at least one container."))) {
    const auto store = TRY(open_store(call));
    bytes = TRY(prune_volumes(*store, filters, all, &text));
  }
  TRY(print_reclaimed(text, bytes));
  return 0;
}

constexpr Verb kLsVerb = {
    "volume ls", "", "List volumes", kLsOptions, 0, 0, false, run_ls, "volume ls --filter dangling=true"};
constexpr Verb kRmVerb = {"volume rm", "VOLUME...", "Remove volumes", kRmOptions,      1,
                          kNoLimit,    false,       run_rm,           "volume rm data"};

}  // namespace

Result<Value> volume_value(store::Store& store, std::string_view name) {
  Arena arena;
  store::Volumes volumes(store);
  const store::Volume* volume = TRY(volumes.load(name, arena));
  Value out = Value::object();
  out.set("CreatedAt", volume->created_at).set("Driver", "local");
  out.set("Labels", Value::map_of(volume->labels));
  out.set("Mountpoint", volumes.data_path(name)).set("Name", name);
  out.set("Options", Value::map_of(volume->options)).set("Scope", "local");
  out.set("Status", Value::omitted("map[]")).set("UsageData", Value::omitted("<nil>"));
  return out;
}

const Verb kVolumeCreate = {"volume create", "[NAME]",   "Create a volume",   kCreateOptions, 0, 1,
                            false,           run_create, "volume create data"};
const Verb kVolumeInspect = {"volume inspect",
                             "VOLUME...",
                             "Show everything about volumes",
                             kInspectOptions,
                             1,
                             kNoLimit,
                             false,
                             run_inspect,
                             "volume inspect data"};
const Verb kVolumeLs = kLsVerb;
const Verb kVolumeList = as("volume list", kLsVerb);
const Verb kVolumePrune = {"volume prune", "",        "Remove volumes that no container uses",
                           kPruneOptions,  0,         0,
                           false,          run_prune, "volume prune"};
const Verb kVolumeRm = kRmVerb;
const Verb kVolumeRemove = as("volume remove", kRmVerb);

}  // namespace slipway::cli
