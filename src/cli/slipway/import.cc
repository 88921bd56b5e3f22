// `import`: an archive or a directory becomes an image.
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/image_import.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    list("change", 'c', "LINE", "apply a Dockerfile instruction to the image"),
    value("message", 'm', "TEXT", "the comment in the image's history"),
    value("platform", 0, "OS/ARCH", "the platform, if not this machine's"),
});

Result<int> run(const Call& call) {
  manager::ImportRequest request;
  request.source = call.args[0];
  if (request.source.starts_with("http://") || request.source.starts_with("https://"))
    return Error::of(ErrorKind::unsupported, "import from a URL is not supported: fetch it and import `-`");
  if (call.args.size() > 1) {
    request.name = TRY(oci::Reference::parse(call.args[1]));
    if (request.name->digest) return Error::of(ErrorKind::invalid, "cannot import digest reference");
    request.name->default_tag();
  }
  for (const char* line : call.args.values("change", call.arena)) request.changes.emplace_back(line);
  request.message = call.args.value("message", "");
  request.platform = call.args.value("platform", "");
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  const std::string id = TRY(manager::import_image(stores, request));
  if (request.name) manager::image_event(*session.store, "tag", id, request.name->familiar());
  manager::image_event(*session.store, "import", id);
  TRY(print("sha256:" + id + "\n"));
  return 0;
}

constexpr Verb kVerb = {"import",
                        "FILE|DIRECTORY|- [NAME[:TAG]]",
                        "Make an image of a tar archive or a directory",
                        kOptions,
                        1,
                        2,
                        false,
                        run,
                        "import -c 'CMD [\"sh\"]' rootfs.tar.gz mine:1"};

}  // namespace

const Verb kImport = kVerb;
const Verb kImageImport = as("image import", kVerb);

}  // namespace slipway::cli
