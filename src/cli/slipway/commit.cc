// `commit`: a container becomes an image.
#include "src/manager/commit.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("author", 'a', "NAME", "the author of the image"),
    value("message", 'm', "TEXT", "the comment in the image's history"),
    list("change", 'c', "LINE", "apply a Dockerfile instruction to the image"),
    flag("pause", 'p', "pause the container meanwhile (the default; --pause=false not to)"),
});

Result<int> run(const Call& call) {
  manager::CommitRequest request;
  if (call.args.size() > 1) {
    request.name = TRY(oci::Reference::parse(call.args[1]));
    if (request.name->digest) return Error::of(ErrorKind::invalid, "cannot commit to digest reference");
    request.name->default_tag();
  }
  request.author = call.args.value("author", "");
  request.message = call.args.value("message", "");
  for (const char* line : call.args.values("change", call.arena)) request.changes.emplace_back(line);
  request.pause = !call.args.given("pause") || call.args.flag("pause");
  ImageSession session = TRY(open_images(call));
  store::Containers containers(*session.store);
  request.container = TRY(containers.find(call.args[0]));
  const store::Record* record = TRY(containers.load(request.container, call.arena));
  const manager::Stores stores = TRY(session.with_driver());
  const std::string id = TRY(manager::commit_container(stores, *session.store, request));
  const std::string name = request.name ? request.name->familiar() : "";
  if (request.name) manager::image_event(*session.store, "tag", id, name);
  manager::container_event(*session.store, "commit", *record,
                           {{"comment", request.message}, {"imageID", "sha256:" + id}, {"imageRef", name}});
  TRY(print("sha256:" + id + "\n"));
  return 0;
}

constexpr Verb kVerb = {
    "commit", "CONTAINER [NAME[:TAG]]",        "Make an image of a container", kOptions, 1, 2, false,
    run,      "commit -m \"works\" web mine:2"};

}  // namespace

const Verb kCommit = kVerb;
const Verb kContainerCommit = as("container commit", kVerb);

}  // namespace slipway::cli
