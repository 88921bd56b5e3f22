// `inspect`: everything that is known of containers, images, networks and volumes.
#include <functional>

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/network_value.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/cli/slipway/volume_value.h"
#include "src/manager/image_inspect.h"
#include "src/manager/inspect.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

constexpr int kBadTemplate = 64;  // docker's exit status

constexpr auto kOptions = std::to_array<Option>({
    value("format", 'f', "TEMPLATE", "print with a Go template, or json"),
    flag("size", 's', "add the sizes of containers"),
    value("type", 0, "TYPE", "container, image, network or volume (default: the first that fits)"),
});
constexpr auto kContainerOptions = std::to_array<Option>({
    value("format", 'f', "TEMPLATE", "print with a Go template, or json"),
    flag("size", 's', "add the sizes of containers"),
});

Result<Value> container_value(const Call& call, store::Store& store, std::string_view name) {
  const std::string id = TRY(store::Containers(store).find(name));
  return manager::inspect_container(store, id, call.args.flag("size"));
}

Result<Value> image_value(const Call& call, std::string_view name) {
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  const store::Image* image = TRY(session.images.images.find(name, call.arena));
  return manager::inspect_image(stores, *image);
}

Result<Value> any_value(const Call& call, store::Store& store, std::string_view name, std::string_view type) {
  if (type == "container") return container_value(call, store, name);
  if (type == "volume") return volume_value(store, name);
  if (type == "network") return network_value(store, name, call.arena);
  if (type == "image") return image_value(call, name);
  auto container = container_value(call, store, name);
  if (container.ok() || container.error().kind() != ErrorKind::not_found) return container;
  auto image = image_value(call, name);
  if (image.ok() || image.error().kind() == ErrorKind::in_use) return image;
  auto network = network_value(store, name, call.arena);
  if (network.ok()) return network;
  auto volume = volume_value(store, name);
  if (volume.ok()) return volume;
  return Error::of(ErrorKind::not_found, "No such object: %.*s", static_cast<int>(name.size()), name.data());
}

Result<int> inspect_all(const Call& call, std::string_view type) {
  const auto store = TRY(open_store(call));
  const std::string_view format = call.args.value("format", "");
  if (auto parsed = Template::parse(format); !parsed.ok()) {
    call.log.fatal(std::string(call.program.name) + " " + call.verb.name, parsed.error().text());
    return kBadTemplate;
  }
  Value found = Value::array();
  std::string text;
  const int code = for_each_argument(call, [&](std::string_view name) -> Status {
    Value value = TRY(any_value(call, *store, name, type));
    if (format.empty())
      found.add(std::move(value));
    else if (format == "json")
      text.append(value.json()).append("\n");
    else
      text.append(TRY(expand_template(format, value))).append("\n");
    return {};
  });
  TRY(print(format.empty() ? found.pretty_json() + "\n" : text));
  return code;
}

Result<int> run(const Call& call) {
  const std::string_view type = call.args.value("type", "");
  if (!type.empty() && type != "container" && type != "image" && type != "volume" && type != "network")
    return Error::of(ErrorKind::invalid, "\"%s\" is not a valid value for --type", type.data());
  return inspect_all(call, type);
}
Result<int> run_container(const Call& call) {
  return inspect_all(call, "container");
}

}  // namespace

const Verb kInspect = {"inspect",
                       "NAME|ID...",
                       "Show everything about containers, images, networks or volumes",
                       kOptions,
                       1,
                       kNoLimit,
                       false,
                       run,
                       "inspect -f '{{.State.Status}}' web"};
const Verb kContainerInspect = {"container inspect",
                                "CONTAINER...",
                                "Show everything about containers",
                                kContainerOptions,
                                1,
                                kNoLimit,
                                false,
                                run_container,
                                "container inspect web"};

}  // namespace slipway::cli
