#include "src/manager/image_remove.h"

#include <algorithm>
#include <map>
#include <optional>

#include "src/manager/events.h"
#include "src/manager/image_collect.h"
#include "src/store/id.h"
#include "src/store/work.h"

namespace slipway::manager {

namespace {

/// Why an image cannot be removed.
struct Conflict {
  bool hard = false;  // not even by force
  bool used = false;  // by a running container
  std::string text;
};

using MaybeConflict = std::optional<Conflict>;

class Remover {
 public:
  Remover(Stores stores, store::Store& store, const RemoveOptions& options)
      : stores_(stores), images_(stores.images), store_(store), options_(options) {}

  Result<std::vector<Removed>> by_name(std::string_view text) {
    const store::Work work = TRY(store::Work::begin(images_.root));
    Arena arena;
    const store::Image* image = TRY(images_.images.find(text, arena));
    const std::string id(image->id.view());
    {
      const store::Lock lock = TRY(images_.root.lock_collect(store::Root::Mode::exclusive));
      TRY(look());
      TRY(remove(text, id));
    }
    TRY(finish());
    return std::move(done_);
  }

  /// For prune: with its names, unless others need it.
  Status prune(const std::string& id) {
    if (TRY(conflict(id, true, false))) return {};
    return remove_record(id, false);
  }

  Status finish() {
    TRY(store::remove_from_index(images_, untagged_, removed_));
    return remove_trees(stores_, trees_);
  }
  std::vector<Removed> done() { return std::move(done_); }
  size_t count() const { return done_.size(); }
  int64_t reclaimed() const { return reclaimed_; }

  /// What is there now. The caller holds `collect`.
  Status look() {
    names_ = TRY(images_.images.names());
    users_ = TRY(image_users(store_));
    return {};
  }

  std::vector<oci::Reference> names_of(std::string_view id) const {
    std::vector<oci::Reference> out;
    for (const store::Name& name : names_)
      if (name.id == id) out.push_back(name.reference);
    return out;
  }

  const std::vector<ImageUser>& users() const { return users_; }

 private:
  /// docker: at most one tag, and all names in one repository.
  static bool is_single(const std::vector<oci::Reference>& names) {
    const auto tags =
        std::count_if(names.begin(), names.end(), [](const auto& name) { return !name.digest; });
    return tags <= 1 && std::all_of(names.begin(), names.end(),
                                    [&](const auto& name) { return name.name() == names[0].name(); });
  }

  Status remove(std::string_view text, const std::string& id) {
    std::string_view prefix = text;
    if (prefix.starts_with("sha256:")) prefix.remove_prefix(7);
    const bool by_id = std::string_view(id).starts_with(prefix);
    const std::vector<oci::Reference> names = names_of(id);
    if (!by_id) {
      if (!options_.force && is_single(names))
        for (const ImageUser& user : users_)
          if (user.image == id)
            return Error::of(
                ErrorKind::in_use,
                "conflict: unable to remove repository reference \"%.*s\" (must force) - container "
                "%.12s is using its referenced image %.12s",
                static_cast<int>(text.size()), text.data(), user.container.c_str(), id.c_str());
      oci::Reference reference = TRY(oci::Reference::parse(text));
      reference.default_tag();
      TRY(untag(reference, id));
      TRY(untag_left_digests(reference, id));
      if (!names_of(id).empty()) return {};
      return remove_if_free(id, true);
    }
    if (is_single(names)) {
      const MaybeConflict found = TRY(conflict(id, !options_.force, false));
      if (found) return error(id, *found);
      for (const oci::Reference& name : names) TRY(untag(name, id));
    }
    return remove_if_free(id, false);
  }

  Status untag(const oci::Reference& reference, std::string_view id) {
    TRY(images_.images.untag(reference));
    image_event(store_, "untag", id);
    done_.push_back({Removed::Kind::untagged, reference.familiar()});
    untagged_.push_back(reference);
    std::erase_if(names_, [&](const store::Name& name) { return name.reference.text() == reference.text(); });
    return {};
  }

  /// Digests of a repository whose last tag went mean nothing to people.
  Status untag_left_digests(const oci::Reference& gone, const std::string& id) {
    if (gone.digest) return {};
    const std::vector<oci::Reference> left = names_of(id);
    for (const oci::Reference& name : left)
      if (!name.digest && name.name() == gone.name()) return {};
    for (const oci::Reference& name : left)
      if (name.name() == gone.name()) TRY(untag(name, id));
    return {};
  }

  /// `soft`: heed what force overrides. `names`: being named several times is a conflict too.
  Result<MaybeConflict> conflict(const std::string& id, bool soft, bool names = true) {
    Arena arena;
    for (const store::Image& image : TRY(images_.images.list(arena)))
      if (image.parent == id)
        return MaybeConflict(
            {true, false,
             "image has dependent child images (" + std::string(store::short_id(image.id)) + ")"});
    for (const ImageUser& user : users_)
      if (user.image == id && user.running)
        return MaybeConflict(
            {true, true, "image is being used by running container " + user.container.substr(0, 12)});
    if (!soft) return MaybeConflict();
    if (names && !names_of(id).empty())
      return MaybeConflict({false, false, "image is referenced in multiple repositories"});
    for (const ImageUser& user : users_)
      if (user.image == id)
        return MaybeConflict(
            {false, false, "image is being used by stopped container " + user.container.substr(0, 12)});
    return MaybeConflict();
  }

  static Error error(const std::string& id, const Conflict& conflict) {
    return Error::of(ErrorKind::in_use, "conflict: unable to delete %.12s (%s) - %s", id.c_str(),
                     conflict.hard ? "cannot be forced" : "must be forced", conflict.text.c_str());
  }

  /// `untagged`: a name was taken off already, so that an image which others need may stay without a word.
  Status remove_if_free(const std::string& id, bool untagged) {
    if (const MaybeConflict found = TRY(conflict(id, !options_.force))) {
      if (untagged) return {};
      return error(id, *found);
    }
    return remove_record(id, options_.prune_parents);
  }

  Status remove_record(const std::string& id, bool parents) {
    Arena arena;
    const store::Image* image = TRY(images_.images.get(id, arena));
    const Belongings own = TRY(belongings(images_, *image));
    const Needed others = TRY(needed(images_, users_, id));
    for (const oci::Reference& name : names_of(id)) TRY(untag(name, id));
    // The record first: from here on the image is gone, and what a crash leaves tells its mark.
    TRY(images_.images.remove(id));
    removed_.emplace(id, TRY(Digest::parse(image->manifest)));
    image_event(store_, "delete", id);
    done_.push_back({Removed::Kind::deleted, "sha256:" + id});
    for (const std::string& layer : own.layers) {
      if (others.layers.contains(layer)) break;
      if (Result<store::Layer*> record = images_.layers.get(layer, arena); record.ok())
        reclaimed_ += (*record)->size;
      TRY(images_.layers.remove(layer));
      trees_.push_back(layer);
      done_.push_back({Removed::Kind::deleted, "sha256:" + layer});
    }
    for (const Digest& blob : own.blobs) {
      if (others.blobs.contains(blob)) continue;
      if (Result<uint64_t> size = images_.content.size(blob); size.ok())
        reclaimed_ += static_cast<int64_t>(*size);
      TRY(images_.content.remove(blob));
    }
    if (!parents || image->parent.empty()) return {};
    return prune_parent(std::string(image->parent.view()));
  }

  Status prune_parent(const std::string& id) {
    Arena arena;
    if (!images_.images.get(id, arena).ok()) return {};
    if (TRY(conflict(id, true))) return {};
    return remove_record(id, true);
  }

  Stores stores_;
  store::ImageStore& images_;
  store::Store& store_;
  RemoveOptions options_;
  std::vector<store::Name> names_;
  std::vector<ImageUser> users_;
  std::vector<Removed> done_;
  std::vector<std::string> trees_;
  std::vector<oci::Reference> untagged_;
  std::map<std::string, Digest> removed_;  // images, with their manifests
  int64_t reclaimed_ = 0;
};

}  // namespace

Result<std::vector<Removed>> remove_image(Stores stores, store::Store& store, std::string_view text,
                                          const RemoveOptions& options) {
  return Remover(stores, store, options).by_name(text);
}

Result<Pruned> prune_images(Stores stores, store::Store& store, const PruneOptions& options) {
  const store::Work work = TRY(store::Work::begin(stores.images.root));
  Remover remover(stores, store, {});
  {
    const store::Lock lock = TRY(stores.images.root.lock_collect(store::Root::Mode::exclusive));
    TRY(remover.look());
    // Children before their parents, which are free only then; a chain is as deep as it is.
    for (bool again = true; again;) {
      again = false;
      Arena arena;
      for (const store::Image& image : TRY(stores.images.images.list(arena))) {
        const std::vector<oci::Reference> names = remover.names_of(image.id);
        const bool used = std::any_of(remover.users().begin(), remover.users().end(),
                                      [&](const ImageUser& user) { return image.id == user.image; });
        if (used || (!names.empty() && !options.all)) continue;
        if (options.wanted && !TRY(options.wanted(image))) continue;
        const size_t before = remover.count();
        TRY(remover.prune(std::string(image.id.view())));
        again = again || remover.count() > before;
      }
    }
  }
  TRY(remover.finish());
  prune_event(store, "image", remover.reclaimed());
  return Pruned{remover.done(), remover.reclaimed()};
}

}  // namespace slipway::manager
