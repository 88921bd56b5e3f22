#include "src/cli/slipway/session.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "src/cli/slipway/config_file.h"

namespace slipway::cli {

namespace {

/// The option, else the environment's word for it, else the config file's, else the fallback.
const char* setting(const Call& call, const char* option, const char* variable, const std::string& configured,
                    const char* fallback) {
  if (const char* value = call.globals.value(option)) return value;
  const char* value = getenv(variable);
  if (value && *value) return value;
  return configured.empty() ? fallback : configured.c_str();
}

Status add_driver_option(std::string_view option, drivers::Options* options) {
  const size_t equals = option.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return Error::of(ErrorKind::usage, "invalid --storage-opt \"%.*s\": must be KEY=VALUE",
                     static_cast<int>(option.size()), option.data());
  options->emplace_back(option.substr(0, equals), option.substr(equals + 1));
  return {};
}

}  // namespace

Result<std::string> absolute_path(std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  char here[PATH_MAX];
  if (!getcwd(here, sizeof here)) return Error::sys(errno, "find the current directory");
  std::string absolute = here;
  return absolute.append("/").append(path);
}

Result<std::unique_ptr<store::Store>> open_store(const Call& call) {
  store::StoreOptions options;
  const ConfigFile config = TRY(read_config_file());
  options.root = TRY(absolute_path(setting(call, "root", "SLIPWAY_ROOT", config.root, "/var/lib/slipway")));
  options.run_root =
      TRY(absolute_path(setting(call, "run-root", "SLIPWAY_RUN_ROOT", config.run_root, "/run/slipway")));
  options.driver = setting(call, "storage-driver", "SLIPWAY_STORAGE_DRIVER", config.storage_driver, "");
  options.network_backend = config.network_backend;
  // Options of the command line come last and win.
  for (const std::string& option : config.storage_options)
    TRY(add_driver_option(option, &options.driver_options));
  for (const std::string_view option : call.globals.values("storage-opt", call.arena))
    TRY(add_driver_option(option, &options.driver_options));
  return store::Store::open(std::move(options));
}

}  // namespace slipway::cli
