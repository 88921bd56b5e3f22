// `load`: images from an archive.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/image_load.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("input", 'i', "FILE", "an archive or an OCI image directory (default: standard input)"),
    flag("quiet", 'q', "do not show the progress"),
    value("platform", 0, "OS/ARCH", "the platform to take from an archive of several"),
});

Status report(const manager::LoadedImage& image) {
  std::string text;
  for (const auto& [name, old] : image.taken)
    text += "The image " + name.familiar() + " already exists, renaming the old one with ID sha256:" + old +
            " to empty string\n";
  for (const oci::Reference& name : image.names) text += "Loaded image: " + name.familiar() + "\n";
  if (image.names.empty()) text += "Loaded image ID: sha256:" + image.id + "\n";
  return print(text);
}

Result<std::unique_ptr<manager::ImageFiles>> open_files(const oci::ContentStore& content, int fd) {
  struct stat info;
  if (fstat(fd, &info) < 0) return Error::sys(errno, "stat");
  if (S_ISDIR(info.st_mode)) return manager::open_image_directory(content, fd);
  oci::FdSource source(fd);
  return manager::read_image_archive(content, source);
}

Result<int> run(const Call& call) {
  if (const char* platform = call.args.value("platform");
      platform && platform != "linux/" + std::string(oci::host_architecture()))
    return Error::of(ErrorKind::unsupported, "--platform %s: only images for this machine can be loaded",
                     platform);
  const char* input = call.args.value("input");
  if (!input && isatty(STDIN_FILENO))
    return Error::of(ErrorKind::invalid, "requested load from stdin, but stdin is empty");
  Fd file;
  if (input) file = TRY(sys::open_at(AT_FDCWD, input, O_RDONLY));
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  const std::unique_ptr<manager::ImageFiles> files =
      TRY(open_files(session.images.content, input ? file.get() : STDIN_FILENO));
  manager::LoadProgress progress;
  const bool shown = !call.args.flag("quiet") && isatty(STDERR_FILENO);
  if (shown)
    progress = [](const Digest& layer, size_t number, size_t count) {
      dprintf(STDERR_FILENO, "\r\033[K%s: loading layer %zu of %zu", layer.brief().c_str(), number, count);
    };
  Result<std::vector<manager::LoadedImage>> loaded = manager::load_images(stores, *files, progress);
  if (shown) dprintf(STDERR_FILENO, "\r\033[K");
  for (const manager::LoadedImage& image : TRY(std::move(loaded))) {
    manager::image_event(*session.store, "load", image.id);
    TRY(report(image));
  }
  return 0;
}

constexpr Verb kVerb = {"load", "",  "Load images from an archive", kOptions, 0, 0,
                        false,  run, "load -i mine.tar.gz"};

}  // namespace

const Verb kLoad = kVerb;
const Verb kImageLoad = as("image load", kVerb);

}  // namespace slipway::cli
