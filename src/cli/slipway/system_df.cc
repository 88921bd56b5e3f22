// `system df`: what the store takes.
#include "src/cli/slipway/container_rows.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/image_times.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/disk_usage.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/volumes.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("verbose", 'v', "each image, container and volume"),
    value("format", 0, "TEMPLATE", "print with a Go template, `table TEMPLATE`, or json"),
});

constexpr Column kColumns[] = {
    {"Type", "TYPE"}, {"TotalCount", "TOTAL"},        {"Active", "ACTIVE"},
    {"Size", "SIZE"}, {"Reclaimable", "RECLAIMABLE"},
};

std::string shown(int64_t bytes) {
  return exact_size(static_cast<double>(bytes));
}

Value row(const char* type, const manager::DiskUse& use) {
  Value value = Value::object();
  std::string reclaimable = shown(use.reclaimable);
  if (use.size > 0) reclaimable += " (" + std::to_string(use.reclaimable * 100 / use.size) + "%)";
  value.set("Type", type)
      .set("TotalCount", std::to_string(use.total))
      .set("Active", std::to_string(use.active));
  value.set("Size", shown(use.size)).set("Reclaimable", std::move(reclaimable));
  return value;
}

Result<std::string> images_text(const ImageSession& session, Arena& arena) {
  Table table;
  table.row({"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"});
  std::map<std::string, manager::ImageShare> shares =
      TRY(manager::image_shares(session.images, *session.store));
  const std::vector<store::Name> names = TRY(session.images.images.names());
  for (const store::Image& image : TRY(session.images.images.list(arena))) {
    const manager::ImageShare& share = shares[image.id.c_str()];
    const auto add = [&](const std::string& repository, const std::string& tag) {
      table.row({repository, tag, std::string(store::short_id(image.id)), since(image.created),
                 shown(image.size), shown(share.shared), shown(share.unique),
                 std::to_string(share.containers)});
    };
    bool named = false;
    for (const store::Name& name : names) {
      if (!(image.id == name.id) || name.reference.digest) continue;
      add(name.reference.familiar_name(), name.reference.tag);
      named = true;
    }
    if (!named) add("<none>", "<none>");
  }
  return table.text();
}

Result<std::string> containers_text(manager::Stores stores, store::Store& store) {
  Table table;
  table.row({"CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"});
  store::Containers containers(store);
  ImageNames images = TRY(ImageNames::open(store));
  for (const std::string& id : TRY(containers.list())) {
    Arena arena;
    auto record = containers.load(id, arena);
    auto observed = manager::observe(store, id, arena);
    auto usage = stores.driver.usage(id);
    if (!record.ok() || !observed.ok() || !usage.ok()) continue;  // removed at this moment
    const Value cells = container_row(store, **record, *observed, images, true);
    table.row({cells["ID"].text(), cells["Image"].text(), cells["Command"].text(),
               cells["LocalVolumes"].text(), shown(static_cast<int64_t>(usage->bytes)),
               cells["RunningFor"].text(), cells["Status"].text(), cells["Names"].text()});
  }
  return table.text();
}

Result<std::string> volumes_text(store::Store& store) {
  Table table;
  table.row({"VOLUME NAME", "LINKS", "SIZE"});
  store::Volumes volumes(store);
  for (const std::string& name : TRY(volumes.list())) {
    auto users = volumes.users(name);
    if (!users.ok()) continue;
    table.row({name, std::to_string(users->size()), shown(manager::bytes_below(volumes.data_path(name)))});
  }
  return table.text();
}

Result<int> run(const Call& call) {
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  if (call.args.flag("verbose") && !call.args.given("format")) {
    std::string text = "Images space usage:\n\n" + TRY(images_text(session, call.arena));
    text += "\nContainers space usage:\n\n" + TRY(containers_text(stores, *session.store));
    text += "\nLocal Volumes space usage:\n\n" + TRY(volumes_text(*session.store));
    TRY(print(text + "\nBuild cache usage: 0B\n"));
    return 0;
  }
  const manager::DiskUsage usage = TRY(manager::disk_usage(stores, *session.store));
  const std::vector<Value> rows = {row("Images", usage.images), row("Containers", usage.containers),
                                   row("Local Volumes", usage.volumes), row("Build Cache", {})};
  TRY(print_rows(call.args.value("format", ""),
                 "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}", kColumns,
                 rows));
  return 0;
}

}  // namespace

const Verb kSystemDf = {"system df",   "", "Show what the store takes", kOptions, 0, 0, false, run,
                        "system df -v"};

}  // namespace slipway::cli
