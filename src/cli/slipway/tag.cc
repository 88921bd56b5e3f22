// `tag`: another name for an image.
#include <ctime>

#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/store/work.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  oci::Reference target = TRY(oci::Reference::parse(call.args[1]));
  if (target.digest) return Error::of(ErrorKind::invalid, "refusing to create a tag with a digest reference");
  target.default_tag();
  const ImageSession session = TRY(open_images(call));
  const store::ImageStore& images = session.images;
  std::string id;
  const store::Work work = TRY(store::Work::begin(images.root));
  {
    // Against a removal between looking and tagging.
    const store::Lock lock = TRY(images.root.lock_collect(store::Root::Mode::shared));
    store::Image* image = TRY(images.images.find(call.args[0], call.arena));
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    image->tagged = now.tv_sec * 1'000'000'000 + now.tv_nsec;
    TRY(images.images.add(*image));
    TRY(images.images.tag(target, image->id));
    id = image->id.view();
  }
  TRY(store::add_to_index(images, id, {target}));
  manager::image_event(*session.store, "tag", id, target.familiar());
  return 0;
}

constexpr Verb kVerb = {"tag",
                        "IMAGE NAME[:TAG]",
                        "Give an image another name",
                        {},
                        2,
                        2,
                        false,
                        run,
                        "tag mine:1 registry.example/mine:stable"};

}  // namespace

const Verb kTag = kVerb;
const Verb kImageTag = as("image tag", kVerb);

}  // namespace slipway::cli
