// `ps`: the containers of the store.
#include <algorithm>
#include <span>

#include "src/cli/slipway/container_rows.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/name_filter.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/image.h"
#include "src/manager/leftovers.h"
#include "src/manager/network.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/networks.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("all", 'a', "show all containers (default: only running ones)"),
    flag("latest", 'l', "show the latest created container, whatever its state"),
    value("last", 'n', "NUMBER", "show so many of the latest created containers"),
    flag("quiet", 'q', "only ids"),
    flag("size", 's', "show how much each has written"),
    flag("no-trunc", 0, "do not shorten anything"),
    list("filter", 'f', "KEY=VALUE",
         "id, name, label, status, exited, ancestor, before, since, volume, network, health"),
    value("format", 0, "TEMPLATE", "table, json, or a Go template"),
});

constexpr Column kColumns[] = {{"ID", "CONTAINER ID"},
                               {"Image", "IMAGE"},
                               {"Command", "COMMAND"},
                               {"CreatedAt", "CREATED AT"},
                               {"RunningFor", "CREATED"},
                               {"Ports", "PORTS"},
                               {"State", "STATE"},
                               {"Status", "STATUS"},
                               {"Size", "SIZE"},
                               {"Names", "NAMES"},
                               {"Labels", "LABELS"},
                               {"Mounts", "MOUNTS"},
                               {"LocalVolumes", "LOCAL VOLUMES"},
                               {"Networks", "NETWORKS"}};

constexpr const char* kFilters[] = {"id",    "name",   "label",   "status", "exited",  "ancestor", "before",
                                    "since", "volume", "network", "health", "publish", "expose",   "is-task"};

struct Row {
  const store::Record* record;
  manager::Observed observed;
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Is "80/tcp" within what a filter says: PORT, PORT-PORT, of a protocol (tcp)?
bool is_within(std::string_view port, std::string_view wanted) {
  const size_t slash = wanted.find('/');
  const std::string_view protocol = slash == std::string_view::npos ? "tcp" : wanted.substr(slash + 1);
  if (port.substr(port.find('/') + 1) != protocol) return false;
  const std::string range(wanted.substr(0, slash));
  const size_t dash = range.find('-');
  const int number = atoi(std::string(port).c_str());
  const int first = atoi(range.c_str());
  return number >= first && number <= (dash == std::string::npos ? first : atoi(range.c_str() + dash + 1));
}

class Selection {
 public:
  static Result<Selection> make(const Call& call, store::Store& store) {
    Selection selection;
    selection.store_ = &store;
    selection.filters_ = TRY(Filters::parse(call.args.values("filter", call.arena), kFilters));
    store::Containers containers(store);
    for (const char* key : {"before", "since"}) {
      for (const std::string_view name : selection.filters_.values(key)) {
        const std::string id = TRY(containers.find(name));
        const store::Record* record = TRY(containers.load(id, call.arena));
        (key[0] == 'b' ? selection.before_ : selection.since_) = record->created;
      }
    }
    selection.names_ = TRY(NameFilter::compile(selection.filters_.values("name")));
    for (const std::string_view name : selection.filters_.values("ancestor")) {
      auto image = manager::find_image(store, name, call.arena);
      selection.ancestors_.push_back(image.ok() ? "sha256:" + std::string(image->id.view())
                                                : std::string(name));
    }
    TRY(selection.check("status", kStatuses));
    TRY(selection.check("health", kHealth));
    TRY(selection.check("is-task", kBooleans));
    for (const std::string_view code : selection.filters_.values("exited"))
      if (code.empty() || code.find_first_not_of("0123456789") != std::string_view::npos)
        return invalid("exited", code);
    return selection;
  }

  /// Without a look at the record.
  bool by_state(const manager::Observed& observed) const {
    return filters_.any("status", [&](std::string_view status) {
      return status == to_string(observed.status);
    }) && filters_.any("exited", [&](std::string_view code) {
      return observed.status == store::ContainerStatus::exited &&
             code == std::to_string(observed.state->exit_code);
    }) && filters_.any("health", [&](std::string_view health) {
      return observed.state->health ? observed.state->health->status == health : health == "none";
    });
  }
  bool by_record(const store::Record& record) const {
    if (!before_.empty() && record.created.view() >= before_.view()) return false;
    if (!since_.empty() && record.created.view() <= since_.view()) return false;
    return filters_.labels(record.config.labels) &&
           // Tasks are of swarms: no container is one.
           filters_.any("is-task", [](std::string_view is) { return is == "false" || is == "0"; }) &&
           filters_.any("id", [&](std::string_view id) { return record.id.view().starts_with(id); }) &&
           fits_name(std::string(record.name.view())) &&
           filters_.any("network", [&](std::string_view network) { return is_on(record, network); }) &&
           filters_.any("volume", [&](std::string_view volume) { return uses_volume(record, volume); }) &&
           filters_.any("expose", [&](std::string_view port) { return exposes(record, port); }) &&
           filters_.any("publish", [&](std::string_view port) { return publishes(*store_, record, port); }) &&
           filters_.any("ancestor", [&](std::string_view) {
             return std::find(ancestors_.begin(), ancestors_.end(), record.image.view()) != ancestors_.end();
           });
  }
  /// As docker: a filter on the status asks for containers that do not run, too; one on the exit code does not.
  bool implies_all() const { return filters_.has("status"); }

 private:
  static constexpr const char* kStatuses[] = {"created",  "running", "paused", "restarting",
                                              "removing", "exited",  "dead"};
  static constexpr const char* kHealth[] = {"none", "starting", "healthy", "unhealthy"};
  static constexpr const char* kBooleans[] = {"true", "false", "1", "0"};

  static Error invalid(const char* key, std::string_view value) {
    return Error::of(ErrorKind::invalid, "invalid filter '%s=%.*s'", key, static_cast<int>(value.size()),
                     value.data());
  }
  Status check(const char* key, std::span<const char* const> known) const {
    for (const std::string_view value : filters_.values(key))
      if (std::none_of(known.begin(), known.end(), [&](const char* one) { return value == one; }))
        return invalid(key, value);
    return {};
  }

  /// By the name of the network, or the beginning of its id.
  bool is_on(const store::Record& record, std::string_view network) const {
    if (record.networks.empty()) {
      const std::string_view mode = record.host.network_mode;
      return network == (mode == "default" ? "none" : mode);
    }
    Arena arena;
    auto found = store::Networks(*store_).find(network, arena);
    return std::any_of(record.networks.begin(), record.networks.end(), [&](const store::Attachment& one) {
      return one.network == (found.ok() ? (*found)->name.view() : network);
    });
  }
  static bool uses_volume(const store::Record& record, std::string_view volume) {
    return std::any_of(record.mounts.begin(), record.mounts.end(), [&](const store::MountPoint& mount) {
      return mount.name == volume || mount.destination == volume || mount.source == volume;
    });
  }
  static bool exposes(const store::Record& record, std::string_view ports) {
    return std::any_of(record.config.exposed_ports.begin(), record.config.exposed_ports.end(),
                       [&](Str mine) { return is_within(mine, ports); });
  }
  /// By the port of the host.
  static bool publishes(const store::Store& store, const store::Record& record, std::string_view ports) {
    Arena arena;
    const std::vector<store::PortBinding> all = manager::published_ports(store, record.id, arena);
    return std::any_of(all.begin(), all.end(), [&](const store::PortBinding& binding) {
      const std::string_view port = binding.port;
      return is_within(std::string(binding.host_port.view()).append(port.substr(port.find('/'))), ports);
    });
  }

  /// With its slash, too, as docker has the names.
  bool fits_name(const std::string& name) const { return names_.fit(name) || names_.fit("/" + name); }

  store::Store* store_ = nullptr;
  Filters filters_;
  NameFilter names_;
  Str before_, since_;
  std::vector<std::string> ancestors_;
};

Result<std::vector<Row>> select(const Call& call, store::Store& store, bool all) {
  const Selection selection = TRY(Selection::make(call, store));
  store::Containers containers(store);
  std::vector<Row> rows;
  for (const std::string& id : TRY(containers.list())) {
    // What another command removes meanwhile is not there.
    auto observed = manager::observe(store, id, call.arena);
    if (!observed.ok()) continue;
    if (!all && !selection.implies_all() && !observed->is_running() &&
        observed->status != store::ContainerStatus::restarting)
      continue;
    if (!selection.by_state(*observed)) continue;
    auto record = containers.load(id, call.arena);
    if (!record.ok() || !selection.by_record(**record)) continue;
    rows.push_back({*record, *observed});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.record->created.view() > b.record->created.view(); });
  return rows;
}

Result<std::string> size_text(store::Store& store, const store::Record& record) {
  drivers::Driver* driver = TRY(store.driver());
  const drivers::Usage own = TRY(driver->usage(record.id));
  uint64_t total = own.bytes;
  if (!record.layer.empty()) {
    auto image = driver->usage(record.layer);
    if (image.ok()) total += image->bytes;
  }
  return human_size(static_cast<double>(own.bytes)) + " (virtual " + human_size(static_cast<double>(total)) +
         ")";
}

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  TRY(manager::collect_leftovers(*store));
  int64_t last = TRY(call.args.number("last", -1, -1, INT32_MAX));
  if (call.args.flag("latest")) last = 1;
  std::vector<Row> rows = TRY(select(call, *store, call.args.flag("all") || last > 0));
  if (last > 0 && rows.size() > static_cast<size_t>(last)) rows.resize(static_cast<size_t>(last));

  const bool truncate = !call.args.flag("no-trunc");
  const std::string_view format = call.args.value("format", "");
  if (call.args.flag("quiet") && format.empty()) {
    std::string out;
    for (const Row& row : rows)
      out.append(truncate ? store::short_id(row.record->id) : row.record->id.view()).append("\n");
    TRY(print(out));
    return 0;
  }
  const bool sizes = call.args.flag("size");
  ImageNames images = TRY(ImageNames::open(*store));
  // `{{json .}}` shows it, but `json` does not: as docker, which looks for it only where a template asks.
  const bool measured = sizes || contains(format, ".Size") || contains(format, "{{json .}}");
  Value value;
  const auto value_of = [&](size_t i) -> Result<const Value*> {
    const Row& row = rows[i];
    value = container_row(*store, *row.record, row.observed, images, truncate);
    value.set("Size", measured ? TRY(size_text(*store, *row.record)) : std::string("0B"));
    return &value;
  };
  std::string table =
      "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
  if (sizes) table += "\t{{.Size}}";
  TRY(print_rows(format, table, kColumns, rows.size(), value_of));
  return 0;
}

constexpr Verb kVerb = {
    "ps",     "",  "List containers",
    kOptions, 0,   0,
    false,    run, "ps -a --filter status=exited --format 'table {{.Names}}\\t{{.Status}}'"};

}  // namespace

const Verb kPs = kVerb;
const Verb kContainerLs = as("container ls", kVerb);
const Verb kContainerList = as("container list", kVerb);
const Verb kContainerPs = as("container ps", kVerb);

}  // namespace slipway::cli
