// `system df`: what the store takes.
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/disk_usage.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("format", 0, "TEMPLATE", "print with a Go template, `table TEMPLATE`, or json"),
});

constexpr Column kColumns[] = {
    {"Type", "TYPE"}, {"TotalCount", "TOTAL"},        {"Active", "ACTIVE"},
    {"Size", "SIZE"}, {"Reclaimable", "RECLAIMABLE"},
};

Value row(const char* type, const manager::DiskUse& use) {
  Value value = Value::object();
  std::string reclaimable = human_size(static_cast<double>(use.reclaimable));
  if (use.size > 0) reclaimable += " (" + std::to_string(use.reclaimable * 100 / use.size) + "%)";
  value.set("Type", type)
      .set("TotalCount", std::to_string(use.total))
      .set("Active", std::to_string(use.active));
  value.set("Size", human_size(static_cast<double>(use.size))).set("Reclaimable", std::move(reclaimable));
  return value;
}

Result<int> run(const Call& call) {
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  const manager::DiskUsage usage = TRY(manager::disk_usage(stores, *session.store));
  const std::vector<Value> rows = {row("Images", usage.images), row("Containers", usage.containers),
                                   row("Local Volumes", usage.volumes), row("Build Cache", {})};
  TRY(print_rows(call.args.value("format", ""),
                 "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}", kColumns,
                 rows));
  return 0;
}

}  // namespace

const Verb kSystemDf = {"system df", "",         "Show what the store takes", kOptions, 0, 0, false,
                        run,         "system df"};

}  // namespace slipway::cli
