// `rmi`: names and images are removed.
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/image_remove.h"
#include "src/manager/leftovers.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("force", 'f', "remove images that have several names or that stopped containers use, too"),
    flag("no-prune", 0, "keep the nameless images that this one was made from"),
});

Result<int> run(const Call& call) {
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  TRY(manager::collect_leftovers(*session.store));
  manager::RemoveOptions options;
  options.force = call.args.flag("force");
  options.prune_parents = !call.args.flag("no-prune");
  return for_each_argument(call, [&](std::string_view name) -> Status {
    Result<std::vector<manager::Removed>> removed =
        manager::remove_image(stores, *session.store, name, options);
    if (!removed.ok()) {
      // docker: --force makes a missing image no error.
      if (options.force && removed.error().kind() == ErrorKind::not_found) {
        call.log.fatal("slipway rmi", removed.error().text());
        return {};
      }
      return std::move(removed).error();
    }
    std::string text;
    for (const manager::Removed& done : *removed)
      text += (done.kind == manager::Removed::Kind::untagged ? "Untagged: " : "Deleted: ") + done.what + "\n";
    return print(text);
  });
}

constexpr Verb kVerb = {"rmi", "IMAGE...", "Remove images", kOptions, 1, kNoLimit, false, run, "rmi mine:1"};

}  // namespace

const Verb kRmi = kVerb;
const Verb kImageRm = as("image rm", kVerb);
const Verb kImageRemove = as("image remove", kVerb);

}  // namespace slipway::cli
