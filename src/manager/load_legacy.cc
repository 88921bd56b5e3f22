#include "src/manager/load_legacy.h"

#include <algorithm>
#include <map>
#include <set>

#include "oci/image_config.h"
#include "src/base/value.h"

namespace slipway::manager {

namespace {

constexpr size_t kDepth = 512;

std::string text_of(const Value& value) {
  return value.is_string() ? value.text() : std::string();
}

/// {"Cmd": [...]} of the container that made the layer, as one line.
std::string created_by(const Value& json) {
  std::string out;
  const Value& cmd = json["container_config"]["Cmd"];
  if (!cmd.is_array()) return out;
  for (const Value& word : cmd.items()) out.append(out.empty() ? "" : " ").append(text_of(word));
  return out;
}

class LegacyReader {
 public:
  explicit LegacyReader(ImageFiles& files) : files_(files) {}

  Result<LegacyImage> read(const std::string& top) {
    std::vector<std::string> chain;
    std::set<std::string> seen;
    for (std::string id = top; !id.empty();) {
      // The id becomes a path in the archive, and nothing more.
      if (!is_hex(id)) return Error::of(ErrorKind::invalid, "`%s` is not a layer's id", id.c_str());
      if (!seen.insert(id).second || chain.size() >= kDepth)
        return Error::of(ErrorKind::invalid, "the parents of layer %s have no end", top.c_str());
      chain.push_back(id);
      id = text_of(TRY(json(id))["parent"]);
    }
    std::reverse(chain.begin(), chain.end());
    return assemble(chain);
  }

 private:
  Result<Value> json(const std::string& id) {
    const std::string name = id + "/json";
    const std::optional<std::string> text = TRY(files_.text(name));
    if (!text) return Error::of(ErrorKind::invalid, "the archive has no `%s`", name.c_str());
    return Value::parse(*text).ctx("`%s`", name.c_str());
  }

  Result<LegacyImage> assemble(const std::vector<std::string>& chain) {
    Arena arena;
    LegacyImage image;
    const std::string top = TRY(json(chain.back())).json();
    oci::ImageConfig config = *TRY(oci::parse_image_config(top, arena));
    config.rootfs.type = "layers";
    config.rootfs.diff_ids = arena.list<Str>(chain.size());
    config.history = arena.list<oci::History>(chain.size());
    for (uint32_t i = 0; i < chain.size(); ++i) {
      const Value layer = TRY(json(chain[i]));
      oci::History& step = config.history[i];
      step.created = arena.copy(text_of(layer["created"]));
      step.author = arena.copy(text_of(layer["author"]));
      step.created_by = arena.copy(created_by(layer));
      step.comment = arena.copy(text_of(layer["comment"]));
      image.layers.push_back(chain[i] + "/layer.tar");
      config.rootfs.diff_ids[i] = arena.copy(TRY(files_.tar_digest(image.layers.back())).text());
    }
    if (config.os.empty()) config.os = "linux";
    if (config.architecture.empty()) config.architecture = Str::wrap(oci::host_architecture());
    image.config = TRY(oci::derive_image_config(top, config, arena));
    return image;
  }

  ImageFiles& files_;
};

}  // namespace

namespace {

using Names = std::map<std::string, std::vector<oci::Reference>>;  // by the id of the uppermost layer

/// {"busybox": {"latest": "<id>"}}
Result<Names> named_tops(const std::string& repositories) {
  Names tops;
  const Value names = TRY(Value::parse(repositories).ctx("repositories"));
  if (!names.is_object()) return Error::of(ErrorKind::invalid, "repositories: not an object");
  for (const Value::Member& repository : names.members()) {
    if (!repository.value.is_object()) continue;
    for (const Value::Member& tag : repository.value.members())
      tops[text_of(tag.value)].push_back(TRY(oci::Reference::parse(repository.key + ":" + tag.key)));
  }
  return tops;
}

Result<Names> nameless_tops(ImageFiles& files) {
  constexpr std::string_view kSuffix = "/json";
  Names tops;
  std::set<std::string> parents;
  for (const std::string& name : TRY(files.names())) {
    if (!name.ends_with(kSuffix)) continue;
    const std::optional<std::string> text = TRY(files.text(name));
    if (!text) continue;
    parents.insert(text_of(TRY(Value::parse(*text).ctx("`%s`", name.c_str()))["parent"]));
    tops[name.substr(0, name.size() - kSuffix.size())];
  }
  for (const std::string& parent : parents) tops.erase(parent);
  return tops;
}

}  // namespace

Result<std::vector<LegacyImage>> read_legacy_images(ImageFiles& files, const std::string& repositories) {
  Names tops = TRY(repositories.empty() ? nameless_tops(files) : named_tops(repositories));
  std::vector<LegacyImage> out;
  for (auto& [id, names] : tops) {
    LegacyImage image = TRY(LegacyReader(files).read(id));
    image.names = std::move(names);
    out.push_back(std::move(image));
  }
  return out;
}

}  // namespace slipway::manager
