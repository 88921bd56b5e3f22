// slip mounts: adds mounts to a running container, and takes them away, as crun does.
#include <fcntl.h>

#include "src/cli/slip/globals.h"
#include "src/cli/slip/verbs.h"
#include "src/runtime/live_mounts.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr size_t kFileLimit = 16 * 1024 * 1024;

/// A list of mounts as in config.json, alone or as the member "mounts" of an object.
Result<List<oci::Mount>> read_mounts(const char* path, Arena& arena) {
  std::string text = TRY(sys::read_file_at(AT_FDCWD, path, kFileLimit));
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start != std::string::npos && text[start] == '[') {
    text.insert(0, "{\"mounts\":");
    text += '}';
  }
  oci::Warnings warnings(arena);
  const oci::Spec* const spec = TRY(oci::parse_spec(text, arena, warnings).ctx("`%s`", path));
  return spec->mounts;
}

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  const std::string_view action = call.args[0];
  if (action != "add" && action != "remove")
    return Error::of(ErrorKind::usage, "unknown action `%s`: want add or remove", call.args[0]);
  Arena arena;
  const List<oci::Mount> mounts = TRY(read_mounts(call.args[2], arena));
  const auto change = action == "add" ? runtime::add_mounts : runtime::remove_mounts;
  TRY(change(globals.context, call.args[1], mounts));
  return 0;
}

}  // namespace

const Verb kMountsVerb = {
    .name = "mounts",
    .arguments = "add|remove ID FILE",
    .summary = "Add mounts to a running container, or take them away",
    .options = {},
    .min_args = 3,
    .max_args = 3,
    .run = run,
};

}  // namespace slipway::cli
