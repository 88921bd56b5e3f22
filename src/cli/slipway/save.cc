// `save`: images become an archive.
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/output_file.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/image_save.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("output", 'o', "FILE", "write to a file (or directory) instead of standard output"),
    value("format", 0, "FORMAT",
          "docker-archive, oci-archive, oci-dir (default: all of an archive's layouts in one)"),
    flag("quiet", 'q', "accepted: nothing is shown"),
    flag("multi-image-archive", 'm', "accepted: any number of images goes into one archive"),
});

Result<manager::SaveFormat> parse_format(const char* text) {
  const std::string_view format(text);
  if (format.empty()) return manager::SaveFormat::combined;
  if (format == "docker-archive") return manager::SaveFormat::docker_archive;
  if (format == "oci-archive") return manager::SaveFormat::oci_archive;
  if (format == "oci-dir") return manager::SaveFormat::oci_directory;
  return Error::of(ErrorKind::invalid, "unknown format \"%s\": docker-archive, oci-archive or oci-dir", text);
}

Result<int> run(const Call& call) {
  const manager::SaveFormat format = TRY(parse_format(call.args.value("format", "")));
  const char* output = call.args.value("output");
  std::vector<std::string> words;
  for (const char* word : call.args.positionals()) words.emplace_back(word);
  const ImageSession session = TRY(open_images(call));
  const auto told = [&](const std::vector<manager::SavedName>& saved) {
    for (const manager::SavedName& image : saved) manager::image_event(*session.store, "save", image.id);
    return 0;
  };
  if (format == manager::SaveFormat::oci_directory) {
    if (!output) return Error::of(ErrorKind::invalid, "--format oci-dir needs --output DIRECTORY");
    const std::vector<manager::SavedName> saved = TRY(manager::find_saved(session.images, words));
    TRY(manager::save_directory(session.images, saved, output));
    return told(saved);
  }
  OutputFile file = TRY(OutputFile::open(output, "save"));
  const std::vector<manager::SavedName> saved = TRY(manager::find_saved(session.images, words));
  TRY(manager::save_archive(session.images, saved, format, file.fd()));
  TRY(file.publish());
  return told(saved);
}

constexpr Verb kVerb = {"save", "IMAGE...", "Save images to an archive",    kOptions, 1, kNoLimit,
                        false,  run,        "save -o mine.tar mine:1 other"};

}  // namespace

const Verb kSave = kVerb;
const Verb kImageSave = as("image save", kVerb);

}  // namespace slipway::cli
