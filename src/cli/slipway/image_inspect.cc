// `image inspect`: all that is known of images.
#include "src/manager/image_inspect.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("format", 'f', "TEMPLATE", "print with a Go template, or json"),
});

Result<int> run(const Call& call) {
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  const char* format = call.args.value("format");
  Value all = Value::array();
  const int exit_code = for_each_argument(call, [&](std::string_view name) -> Status {
    const store::Image* image = TRY(session.images.images.find(name, call.arena));
    Value value = TRY(manager::inspect_image(stores, *image));
    if (format) return print_formatted(format, value);
    all.add(std::move(value));
    return {};
  });
  if (!format) TRY(print(all.pretty_json() + "\n"));
  return exit_code;
}

}  // namespace

const Verb kImageInspect = {"image inspect", "IMAGE...", "Show all that is known of images",
                            kOptions,        1,          kNoLimit,
                            false,           run,        "image inspect -f '{{.Config.Cmd}}' mine:1"};

}  // namespace slipway::cli
