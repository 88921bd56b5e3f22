#include "src/manager/image_import.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/piece_ring.h"
#include "oci/tree_archive.h"
#include "src/manager/config_change.h"
#include "src/manager/image_publish.h"
#include "src/store/id.h"
#include "src/store/work.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

Status set_platform(std::string_view platform, oci::ImageConfig& config, Arena& arena) {
  config.os = "linux";
  config.architecture = Str::wrap(oci::host_architecture());
  if (platform.empty()) return {};
  const size_t slash = platform.find('/');
  if (platform.substr(0, slash) != "linux")
    return Error::of(ErrorKind::unsupported, "platform `%.*s`: only linux is supported",
                     static_cast<int>(platform.size()), platform.data());
  if (slash == std::string_view::npos) return {};
  const std::string_view rest = platform.substr(slash + 1);
  const size_t variant = rest.find('/');
  config.architecture = arena.copy(rest.substr(0, variant));
  if (variant != std::string_view::npos) config.variant = arena.copy(rest.substr(variant + 1));
  return {};
}

/// The config, but for the layer.
Result<oci::ImageConfig> make_config(const ImportRequest& request, Arena& arena) {
  oci::ImageConfig config;
  TRY(set_platform(request.platform, config, arena));
  ConfigChanger changer(config.config, arena);
  for (const std::string& line : request.changes) TRY(changer.apply_line(line));
  config.created = arena.copy(store::now_rfc3339());
  config.rootfs.type = "layers";
  config.history = arena.list<oci::History>(1);
  config.history[0].created = config.created;
  config.history[0].comment =
      arena.copy(request.message.empty() ? "Imported from " + request.source : request.message);
  return config;
}

Result<ImportedLayer> import_source(Stores stores, const ImportRequest& request, const LayerOrigin& origin) {
  if (request.source == "-") {
    oci::FdSource source(STDIN_FILENO);
    return import_layer(stores, source, origin).ctx("standard input");
  }
  const char* path = request.source.c_str();
  const Fd fd = TRY(sys::open_at(AT_FDCWD, path, O_RDONLY));
  struct stat info;
  if (fstat(fd.get(), &info) < 0) return Error::sys(errno, "stat `%s`", path);
  if (!S_ISDIR(info.st_mode)) {
    oci::FdSource source(fd.get());
    return import_layer(stores, source, origin).ctx("%s", path);
  }
  oci::ProducerSource source([&](const oci::ByteSink& sink) -> Status {
    oci::TarWriter writer(sink);
    TRY(oci::TreeArchiver(writer, fd.get()).add_tree());
    return writer.finish();
  });
  return import_layer(stores, source, origin).ctx("%s", path);
}

}  // namespace

Result<std::string> import_image(Stores stores, const ImportRequest& request) {
  Arena arena;
  // Before the long part, so that a mistake in --change costs nothing.
  oci::ImageConfig config = TRY(make_config(request, arena));
  const store::Work work = TRY(store::Work::begin(stores.images.root));
  LayerOrigin origin;
  origin.created = config.created.view();
  NewImage image;
  image.layers.push_back(TRY(import_source(stores, request, origin)));
  config.rootfs.diff_ids = arena.list<Str>(1);
  config.rootfs.diff_ids[0] = arena.copy(image.layers[0].diff_id.text());
  image.config = TRY(oci::derive_image_config("", config, arena));
  std::vector<oci::Reference> names;
  if (request.name) names.push_back(*request.name);
  return publish_image(stores, image, names);
}

}  // namespace slipway::manager
