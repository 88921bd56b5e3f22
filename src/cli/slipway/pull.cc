// `pull`: images from a registry.
#include "src/cli/slipway/pull.h"

#include <unistd.h>

#include "src/cli/slipway/config_file.h"
#include "src/cli/slipway/transfer_display.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/registry_access.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("all-tags", 'a', "pull every tag of the repository"),
    flag("quiet", 'q', "print nothing but the name"),
    value("platform", 0, "OS/ARCH", "the platform to take of an image for several (default: this machine's)"),
    ignored_flag("disable-content-trust", "docker"),
});

Result<manager::PulledImage> pull_from(oci::RegistryClient& registry, manager::Stores stores,
                                       const oci::Reference& name, const oci::PlatformChoice& platform,
                                       int fd) {
  const std::string which = name.digest ? name.digest.text() : name.tag;
  TransferDisplay display(fd, kPullWords, which + ": Pulling from " + name.path);
  manager::PulledImage pulled = TRY(manager::pull_image(stores, registry, name, platform, display));
  if (fd >= 0) dprintf(fd, "Digest: %s\n", pulled.digest.text().c_str());
  return pulled;
}

int show(int fd, bool newer, const std::string& name) {
  if (fd >= 0)
    dprintf(fd, "Status: %s for %s\n", newer ? "Downloaded newer image" : "Image is up to date",
            name.c_str());
  return 0;
}

Result<int> pull_all(manager::Stores stores, const oci::Reference& name, const oci::PlatformChoice& platform,
                     int fd) {
  const ConfigFile config = TRY(read_config_file());
  oci::RegistryClient registry = TRY(manager::open_registry(name.domain, config.insecure_registries));
  bool newer = false;
  for (const std::string& tag : TRY(registry.tags(name.path).ctx("%s", name.familiar_name().c_str()))) {
    oci::Reference one = name;
    one.tag = tag;
    newer = TRY(pull_from(registry, stores, one, platform, fd)).newer || newer;
  }
  return show(fd, newer, name.familiar_name());
}

Result<int> run(const Call& call) {
  oci::Reference name = TRY(oci::Reference::parse(call.args[0]));
  const oci::PlatformChoice platform = TRY(oci::PlatformChoice::parse(call.args.value("platform", "")));
  const bool quiet = call.args.flag("quiet"), all = call.args.flag("all-tags");
  const int fd = quiet ? -1 : STDOUT_FILENO;
  if (all && (!name.tag.empty() || name.digest))
    return Error::of(ErrorKind::usage, "tag can't be used with --all-tags/-a");
  if (!all && name.tag.empty() && !name.digest && !quiet) TRY(print("Using default tag: latest\n"));
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  if (all) {
    TRY(pull_all(stores, name, platform, fd));
    manager::transfer_event(*session.store, "pull", name);
  } else {
    name.default_tag();
    if (name.digest) name.tag.clear();
    TRY(pull_and_show(*session.store, stores, name, platform, fd));
  }
  TRY(print(name.text() + "\n"));
  return 0;
}

constexpr Verb kVerb = {
    "pull", "NAME[:TAG|@DIGEST]", "Download an image from a registry", kOptions, 1, 1, false,
    run,    "pull alpine:3.20"};

}  // namespace

Result<manager::PulledImage> pull_and_show(const store::Store& store, manager::Stores stores,
                                           const oci::Reference& name, const oci::PlatformChoice& platform,
                                           int fd) {
  const ConfigFile config = TRY(read_config_file());
  oci::RegistryClient registry = TRY(manager::open_registry(name.domain, config.insecure_registries));
  manager::PulledImage pulled = TRY(pull_from(registry, stores, name, platform, fd));
  manager::transfer_event(store, "pull", name);
  show(fd, pulled.newer, name.familiar());
  return pulled;
}

const Verb kPull = kVerb;
const Verb kImagePull = as("image pull", kVerb);

}  // namespace slipway::cli
