// `push`: images into a registry.
#include <unistd.h>

#include "src/cli/slipway/config_file.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/transfer_display.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/push.h"
#include "src/manager/registry_access.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("all-tags", 'a', "push every tag of the repository"),
    flag("quiet", 'q', "print nothing but the name"),
    ignored_flag("disable-content-trust", "docker"),
});

Result<std::vector<std::string>> local_tags(const store::ImageStore& images, const oci::Reference& name) {
  std::vector<std::string> tags;
  for (const store::Name& known : TRY(images.images.names()))
    if (known.reference.name() == name.name() && !known.reference.tag.empty())
      tags.push_back(known.reference.tag);
  if (tags.empty())
    return Error::of(ErrorKind::not_found, "An image does not exist locally with the tag: %s",
                     name.familiar_name().c_str());
  return tags;
}

Result<int> run(const Call& call) {
  oci::Reference name = TRY(oci::Reference::parse(call.args[0]));
  const bool quiet = call.args.flag("quiet"), all = call.args.flag("all-tags");
  const int fd = quiet ? -1 : STDOUT_FILENO;
  if (name.digest) return Error::of(ErrorKind::invalid, "cannot push a digest reference");
  if (all && !name.tag.empty()) return Error::of(ErrorKind::usage, "tag can't be used with --all-tags/-a");
  if (!all && name.tag.empty() && !quiet) TRY(print("Using default tag: latest\n"));
  const ImageSession session = TRY(open_images(call));
  std::vector<std::string> tags;
  if (all) {
    tags = TRY(local_tags(session.images, name));
  } else {
    name.default_tag();
    tags.push_back(name.tag);
  }
  const ConfigFile config = TRY(read_config_file());
  oci::RegistryClient registry = TRY(manager::open_registry(name.domain, config.insecure_registries));
  for (const std::string& tag : tags) {
    oci::Reference one = name;
    one.tag = tag;
    TransferDisplay display(fd, kPushWords, "The push refers to repository [" + name.name() + "]");
    const manager::PushedImage pushed = TRY(manager::push_image(session.images, registry, one, display));
    manager::transfer_event(*session.store, "push", one);
    if (!quiet)
      dprintf(fd, "%s: digest: %s size: %llu\n", tag.c_str(), pushed.digest.text().c_str(),
              static_cast<unsigned long long>(pushed.size));
  }
  if (quiet) TRY(print(name.text() + "\n"));
  return 0;
}

constexpr Verb kVerb = {"push", "NAME[:TAG]", "Upload an image to a registry",    kOptions, 1, 1,
                        false,  run,          "push registry.example/mine:stable"};

}  // namespace

const Verb kPush = kVerb;
const Verb kImagePush = as("image push", kVerb);

}  // namespace slipway::cli
