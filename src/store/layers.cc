#include "src/store/layers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/digest.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"

using namespace slipway;
using store::Layer;

JSON_OBJECT(Layer, JSON_FIELD(Layer, id, "id"), JSON_FIELD(Layer, parent, "parent"),
            JSON_FIELD(Layer, diff_id, "diff_id"), JSON_FIELD(Layer, blob, "blob"),
            JSON_FIELD(Layer, media_type, "media_type"), JSON_FIELD(Layer, blob_size, "blob_size"),
            JSON_FIELD(Layer, tar_size, "tar_size"), JSON_FIELD(Layer, size, "size"),
            JSON_FIELD(Layer, created, "created"), JSON_FIELD(Layer, created_by, "created_by"),
            JSON_FIELD(Layer, author, "author"));

namespace slipway::store {

namespace {

constexpr size_t kRecordLimit = 1 << 20;

std::string record_path(std::string_view id) {
  return std::string(id) + "/json";
}

}  // namespace

Result<Layers> Layers::open(const Root& root) {
  Layers layers;
  layers.room_ = TRY(root.room("graph"));
  return layers;
}

Result<Layer*> Layers::get(std::string_view id, Arena& arena) const {
  const std::string name(id);
  TRY(Digest::from_hex(id).ctx("layer"));
  const std::string text = TRY(
      sys::read_file_at(room_.get(), record_path(id).c_str(), kRecordLimit).ctx("layer `%s`", name.c_str()));
  return json::read<Layer>(text, json::type<Layer>, arena).ctx("layer `%s`", name.c_str());
}

bool Layers::has(std::string_view id) const {
  return is_hex(id) && faccessat(room_.get(), record_path(id).c_str(), F_OK, 0) == 0;
}

Status Layers::add(const Layer& layer) const {
  TRY(Digest::from_hex(layer.id).ctx("layer"));
  json::Writer writer;
  writer.value(json::type<Layer>, &layer);
  // Somebody who removes the same layer may take the directory away while we put the record in.
  for (;;) {
    if (mkdirat(room_.get(), layer.id.c_str(), 0700) < 0 && errno != EEXIST)
      return Error::sys(errno, "layer `%s`: mkdir", layer.id.c_str());
    if (has(layer.id)) return {};
    Status written =
        sys::replace_file_at(room_.get(), record_path(layer.id).c_str(), writer.text(), 0600, true);
    if (written.ok() || written.error().code() != ENOENT)
      return std::move(written).ctx("layer `%s`", layer.id.c_str());
  }
}

Status Layers::remove(std::string_view id) const {
  TRY(Digest::from_hex(id).ctx("layer"));
  const std::string name(id);
  // The record first: without it the layer is gone, whatever else a crash leaves.
  if (unlinkat(room_.get(), record_path(id).c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "layer `%s`: unlink", name.c_str());
  return sys::remove_tree(room_.get(), name.c_str()).ctx("layer `%s`", name.c_str());
}

Result<std::vector<std::string>> Layers::list() const {
  std::vector<std::string> ids;
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(room_.get())))
    if (Digest::from_hex(entry.name).ok()) ids.push_back(entry.name);
  return ids;
}

}  // namespace slipway::store
