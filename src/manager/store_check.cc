#include "src/manager/store_check.h"

#include <cstdarg>
#include <cstdio>
#include <set>

#include "src/manager/image_users.h"
#include "src/manager/layer_restore.h"
#include "src/manager/orphans.h"
#include "src/store/containers.h"
#include "src/store/work.h"

namespace slipway::manager {

namespace {

class Checker {
 public:
  Checker(Stores stores, store::Store& store, const CheckOptions& options)
      : stores_(stores), images_(stores.images), store_(store), options_(options) {}

  Result<std::vector<Problem>> operator()() {
    const store::Lock work = TRY(store::lock_out_work(images_.root));
    const store::Lock collect = TRY(images_.root.lock_collect(store::Root::Mode::exclusive));
    if (options_.repair) {
      TRY(stores_.driver.recover());
      TRY(store::Containers(store_).collect());
    }
    if (!options_.quick) TRY(check_blobs());
    TRY(check_images());
    TRY(check_names());
    TRY(check_containers());
    // With a record that cannot be read, nobody knows what is needed.
    if (all_read_) TRY(check_orphans());
    if (options_.repair) {
      TRY(store::refresh_index(images_));
      TRY(store::forget_marks(images_.root));
    }
    return std::move(problems_);
  }

 private:
  Problem& problem(const char* fmt, ...) __attribute__((format(printf, 2, 3))) {
    va_list args;
    va_start(args, fmt);
    char text[512];
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return problems_.emplace_back(Problem{text, false});
  }

  Status check_blobs() {
    for (const Digest& blob : TRY(images_.content.list())) {
      Status right = images_.content.verify(blob);
      if (right.ok()) continue;
      Problem& found = problem("%s", right.error().text());
      bad_.insert(blob);
      // It is not what its name says; an image that needs it shows up below.
      if (options_.repair) found.repaired = images_.content.remove(blob).ok();
    }
    return {};
  }

  Status unreadable(const Error& error) {
    problem("%s", error.text());
    all_read_ = false;
    return {};
  }

  Status check_images() {
    Arena arena;
    Result<List<store::Image>> images = images_.images.list(arena);
    if (!images.ok()) return unreadable(images.error());
    for (const store::Image& image : *images) {
      Status good = check_image(image);
      if (!good.ok())
        problem("image %.12s: %s (remove it and load it again)", image.id.c_str(), good.error().text());
    }
    return {};
  }

  Status check_image(const store::Image& image) {
    const std::vector<LayerSource> layers = TRY(layer_sources(images_, image));
    const std::string top = layers.empty() ? "" : layers.back().chain.hex();
    if (!(image.top == top))
      return Error::of(ErrorKind::invalid, "its record names another layer than its config");
    for (const LayerSource& layer : layers) {
      const std::string id = layer.chain.hex();
      if (!images_.content.has(layer.blob))
        return Error::of(ErrorKind::not_found, "blob %s is missing", layer.blob.text().c_str());
      const std::string parent = layer.parent ? layer.parent.hex() : "";
      const bool record = check_layer(layer);
      Status tree = stores_.driver.check(id, {parent, true}, false);
      if (record && tree.ok()) continue;
      if (!seen_.insert(id).second) continue;
      Problem& found = !record ? problem("layer %.12s: its record is %s", id.c_str(),
                                         images_.layers.has(id) ? "damaged" : "missing")
                       : tree.error().kind() == ErrorKind::not_found
                           ? problem("layer %.12s: its tree is missing", id.c_str())
                           : problem("layer %.12s: %s", id.c_str(), tree.error().text());
      if (!options_.repair) continue;
      if (!tree.ok() && !stores_.driver.check(id, {parent, true}, true).ok())
        TRY(stores_.driver.remove(id));  // what is left of it
      if (!record) TRY(images_.layers.remove(id));
      TRY(restore_layer(stores_, layer));
      found.repaired = true;
    }
    return {};
  }

  /// Whether its record can be read, and says what the image says.
  bool check_layer(const LayerSource& layer) {
    Arena arena;
    Result<store::Layer*> record = images_.layers.get(layer.chain.hex(), arena);
    return record.ok() && (*record)->parent == (layer.parent ? layer.parent.hex() : "") &&
           (*record)->diff_id == layer.diff_id.text();
  }

  Status check_names() {
    Arena arena;
    for (const store::Name& name : TRY(images_.images.names())) {
      Result<store::Image*> image = images_.images.get(name.id, arena);
      if (image.ok() || image.error().kind() != ErrorKind::not_found) continue;
      Problem& found =
          problem("name %s: there is no image %.12s", name.reference.familiar().c_str(), name.id.c_str());
      if (options_.repair) found.repaired = images_.images.untag(name.reference).ok();
    }
    return {};
  }

  Status check_containers() {
    Result<std::vector<ImageUser>> users = image_users(store_);
    if (!users.ok()) return unreadable(users.error());
    users_ = std::move(*users);
    for (const ImageUser& user : users_) {
      if (!user.layer.empty() && !TRY(stores_.driver.exists(user.layer))) {
        problem("container %.12s: layer %.12s is missing", user.container.c_str(), user.layer.c_str());
        continue;
      }
      const drivers::LayerFacts facts = {user.layer, false};
      Status tree = stores_.driver.check(user.container, facts, false);
      if (tree.ok()) continue;
      if (tree.error().kind() == ErrorKind::not_found) {
        problem("container %.12s: its read-write layer is missing", user.container.c_str());
        continue;
      }
      Problem& found = problem("container %.12s: %s", user.container.c_str(), tree.error().text());
      if (options_.repair) found.repaired = stores_.driver.check(user.container, facts, true).ok();
    }
    return {};
  }

  Status check_orphans() {
    const Orphans orphans = TRY(find_orphans(stores_, users_));
    for (const std::string& id : orphans.layers) {
      Problem& found = problem("layer %.12s: nobody needs it", id.c_str());
      if (options_.repair) found.repaired = remove_orphan_layer(stores_, id).ok();
    }
    for (const std::string& id : orphans.trees) {
      Problem& found = problem("%s layer %.12s: nobody needs it", stores_.driver.name(), id.c_str());
      if (options_.repair) found.repaired = stores_.driver.remove(id).ok();
    }
    for (const Digest& blob : orphans.blobs) {
      if (bad_.contains(blob)) continue;
      Problem& found = problem("blob %.19s: nobody needs it", blob.text().c_str());
      if (options_.repair) found.repaired = images_.content.remove(blob).ok();
    }
    return {};
  }

  Stores stores_;
  store::ImageStore& images_;
  store::Store& store_;
  CheckOptions options_;
  std::vector<ImageUser> users_;
  bool all_read_ = true;
  std::set<Digest> bad_;
  std::set<std::string> seen_;
  std::vector<Problem> problems_;
};

}  // namespace

Result<std::vector<Problem>> check_store(Stores stores, store::Store& store, const CheckOptions& options) {
  return Checker(stores, store, options)();
}

}  // namespace slipway::manager
