// What most verbs begin with: the store that the global options name.
#pragma once

#include <memory>

#include "src/cli/program.h"
#include "src/store/store.h"

namespace slipway::cli {

/// Opens the store of --root and --run-root. Without the option the environment's SLIPWAY_ROOT,
/// SLIPWAY_RUN_ROOT and SLIPWAY_STORAGE_DRIVER count; then the config file.
Result<std::unique_ptr<store::Store>> open_store(const Call& call);

/// A path as it is seen from the current directory, made absolute.
Result<std::string> absolute_path(std::string_view path);

/// Runs `each` on every positional; failures are reported as they come, and docker's exit code 1 says that
/// there were some.
template <class Each>
int for_each_argument(const Call& call, Each each) {
  int exit_code = 0;
  for (const char* argument : call.args.positionals()) {
    Status done = each(std::string_view(argument));
    if (done.ok()) continue;
    call.log.fatal(std::string(call.program.name) + " " + call.verb.name, done.error().text());
    exit_code = 1;
  }
  return exit_code;
}

}  // namespace slipway::cli
