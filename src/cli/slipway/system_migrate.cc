// `system migrate`: everything moves to another storage driver.
#include <unistd.h>

#include <cstdio>

#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/migrate.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("to", 0, "DRIVER", "the storage driver to move to"),
});

Result<int> run(const Call& call) {
  const char* to = call.args.value("to");
  if (!to) return Error::of(ErrorKind::usage, "--to DRIVER is missing");
  ImageSession session = TRY(open_images(call));
  const bool shown = isatty(STDERR_FILENO);
  TRY(manager::migrate_store(session.images, *session.store, to,
                             [&](const char* step, const std::string& id) {
                               if (shown) dprintf(STDERR_FILENO, "\r\033[K%s %.12s", step, id.c_str());
                             }));
  if (shown) dprintf(STDERR_FILENO, "\r\033[K");
  return 0;
}

}  // namespace

const Verb kSystemMigrate = {"system migrate",
                             "",
                             "Move all layers and containers to another storage driver",
                             kOptions,
                             0,
                             0,
                             false,
                             run,
                             "system migrate --to btrfs"};

}  // namespace slipway::cli
