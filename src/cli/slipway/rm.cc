// `rm`: containers and what they have written.
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/leftovers.h"
#include "src/manager/lifecycle.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("force", 'f', "kill a running container first"),
    flag("volumes", 'v', "remove its anonymous volumes, too"),
    flag("link", 'l', "remove a link (there are none)"),
});

Result<int> run(const Call& call) {
  if (call.args.flag("link"))
    return Error::of(ErrorKind::unsupported, "--link: links between containers are not supported");
  const auto store = TRY(open_store(call));
  TRY(manager::collect_leftovers(*store));
  const bool force = call.args.flag("force");
  return for_each_argument(call, [&](std::string_view name) -> Status {
    auto id = store::Containers(*store).find(name);
    // With -f docker says so, but does not fail.
    if (!id.ok() && force && id.error().kind() == ErrorKind::not_found) {
      call.log.fatal("slipway rm", id.error().text());
      return {};
    }
    const std::string found = TRY(std::move(id));
    std::string forced;
    TRY(manager::delete_container(
        *store, found, {.volumes = call.args.flag("volumes"), .forced = force ? &forced : nullptr}));
    if (!forced.empty())
      call.log.warn("slipway rm", std::string(name) + " is removed, although its runtime cannot: " + forced);
    return print(std::string(name) + "\n");
  });
}

constexpr Verb kVerb = {"rm", "CONTAINER...", "Remove containers", kOptions, 1, kNoLimit, false,
                        run,  "rm -f -v web"};

}  // namespace

const Verb kRm = kVerb;
const Verb kContainerRm = as("container rm", kVerb);

}  // namespace slipway::cli
