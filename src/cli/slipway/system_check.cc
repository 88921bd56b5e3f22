// `system check`: is the store what it says it is?
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/store_check.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("repair", 0, "unpack lost layers again, remove what nobody needs"),
    flag("quick", 'q', "do not read the contents of the blobs"),
});

Result<int> run(const Call& call) {
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  manager::CheckOptions options;
  options.repair = call.args.flag("repair");
  options.quick = call.args.flag("quick");
  const std::vector<manager::Problem> problems = TRY(manager::check_store(stores, *session.store, options));
  std::string text;
  bool left = false;
  for (const manager::Problem& problem : problems) {
    text += problem.text + (problem.repaired ? ": repaired" : "") + "\n";
    left = left || !problem.repaired;
  }
  TRY(print(text));
  return left ? 1 : 0;
}

}  // namespace

const Verb kSystemCheck = {"system check", "",  "Check that the store is what it says it is",
                           kOptions,       0,   0,
                           false,          run, "system check --repair"};

}  // namespace slipway::cli
