#include "src/manager/image_save.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "oci/archive.h"
#include "src/manager/save_documents.h"
#include "src/manager/save_output.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

/// All blobs of the images, each once, in the order of their digests.
std::set<Digest> blobs_of(const std::vector<SavedImageData>& images) {
  std::set<Digest> blobs;
  for (const SavedImageData& image : images) {
    blobs.insert(image.manifest);
    blobs.insert(image.config);
    for (const SavedLayer& layer : image.layers) blobs.insert(layer.blob);
  }
  return blobs;
}

Status write_layout(const store::ImageStore& store, const std::vector<SavedImageData>& images,
                    SaveFormat format, SaveOutput& out) {
  TRY(out.directory("blobs"));
  TRY(out.directory("blobs/sha256"));
  for (const Digest& blob : blobs_of(images)) {
    const Fd file = TRY(store.content.open_blob(blob));
    TRY(out.file("blobs/sha256/" + blob.hex(), file.get()));
  }
  TRY(out.text("index.json", index_document(images)));
  if (format == SaveFormat::combined) TRY(out.text("manifest.json", manifest_document(images, layout_paths)));
  TRY(out.text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  if (format != SaveFormat::combined) return {};
  const std::string repositories = repositories_document(images, [](const SavedImageData& image) {
    return image.layers.empty() ? image.config.hex() : image.layers.back().chain.hex();
  });
  return repositories.empty() ? Status() : out.text("repositories", repositories);
}

/// The uncompressed tar of a layer: what Docker's old layout has.
Status write_layer_tar(const store::ImageStore& store, const SavedLayer& layer, const std::string& name,
                       SaveOutput& out) {
  const Fd file = TRY(store.content.open_blob(layer.blob));
  char head[8] = {};
  const ssize_t got = pread(file.get(), head, sizeof head, 0);
  const oci::Compression compression =
      oci::compression_of({head, static_cast<size_t>(std::max<ssize_t>(got, 0))});
  if (compression == oci::Compression::none) return out.file(name, file.get());
  oci::FdSource source(file.get());
  const std::unique_ptr<oci::Decompressor> plain = TRY(oci::Decompressor::open(source, compression));
  return out.stream(name, *plain, static_cast<uint64_t>(layer.tar_size));
}

Status write_docker_archive(const store::ImageStore& store, const std::vector<SavedImageData>& images,
                            SaveOutput& out) {
  std::set<std::string> written;
  for (const SavedImageData& image : images) {
    for (const LegacyLayer& layer : legacy_layers(image)) {
      if (!written.insert(layer.id).second) continue;
      TRY(out.directory(layer.id));
      TRY(out.text(layer.id + "/VERSION", "1.0"));
      TRY(out.text(layer.id + "/json", layer.json));
      TRY(write_layer_tar(store, *layer.layer, layer.id + "/layer.tar", out));
    }
    const std::string config = image.config.hex() + ".json";
    if (written.insert(config).second) TRY(out.text(config, image.config_text));
  }
  TRY(out.text("manifest.json", manifest_document(images, legacy_paths)));
  const std::string repositories = repositories_document(images, [](const SavedImageData& image) {
    const std::vector<LegacyLayer> layers = legacy_layers(image);
    return layers.empty() ? image.config.hex() : layers.back().id;
  });
  return repositories.empty() ? Status() : out.text("repositories", repositories);
}

}  // namespace

Result<std::vector<SavedName>> find_saved(const store::ImageStore& images,
                                          const std::vector<std::string>& words) {
  std::vector<SavedName> out;
  const auto entry = [&](const std::string& id) -> SavedName& {
    for (SavedName& known : out)
      if (known.id == id) return known;
    return out.emplace_back(SavedName{id, {}});
  };
  const std::vector<store::Name> names = TRY(images.images.names());
  for (const std::string& word : words) {
    Arena arena;
    Result<oci::Reference> reference = oci::Reference::parse(word);
    bool found = false;
    if (reference.ok() && reference->tag.empty() && !reference->digest)
      for (const store::Name& name : names) {  // a whole repository
        if (name.reference.name() != reference->name() || name.reference.digest) continue;
        entry(name.id).names.push_back(name.reference);
        found = true;
      }
    if (found) continue;
    const store::Image* image = TRY(images.images.find(word, arena));
    SavedName& saved = entry(std::string(image->id.view()));
    if (reference.ok() && !reference->tag.empty() && images.images.resolve(*reference))
      saved.names.push_back(std::move(*reference));
  }
  for (SavedName& saved : out) {
    std::sort(saved.names.begin(), saved.names.end(),
              [](const auto& a, const auto& b) { return a.text() < b.text(); });
    const auto same = [](const auto& a, const auto& b) { return a.text() == b.text(); };
    saved.names.erase(std::unique(saved.names.begin(), saved.names.end(), same), saved.names.end());
  }
  return out;
}

Status save_archive(const store::ImageStore& images, const std::vector<SavedName>& saved, SaveFormat format,
                    int out) {
  const std::vector<SavedImageData> data = TRY(read_saved(images, saved));
  const std::unique_ptr<SaveOutput> output = archive_output(out);
  if (format == SaveFormat::docker_archive) {
    TRY(write_docker_archive(images, data, *output));
  } else {
    TRY(write_layout(images, data, format, *output));
  }
  return output->finish();
}

Status save_directory(const store::ImageStore& images, const std::vector<SavedName>& saved,
                      const std::string& path) {
  TRY(sys::make_directories(path, 0755));
  const Fd dir = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
  if (!TRY(sys::list_directory(dir.get())).empty())
    return Error::of(ErrorKind::exists, "the directory `%s` is not empty", path.c_str());
  const std::vector<SavedImageData> data = TRY(read_saved(images, saved));
  const std::unique_ptr<SaveOutput> output = directory_output(dir.get());
  TRY(write_layout(images, data, SaveFormat::oci_directory, *output));
  return output->finish();
}

}  // namespace slipway::manager
