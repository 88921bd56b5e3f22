#include "src/store/images.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "src/sys/directory.h"
#include "src/sys/file.h"

using namespace slipway;
using store::Image;

JSON_OBJECT(Image, JSON_FIELD(Image, id, "id"), JSON_FIELD(Image, manifest, "manifest"),
            JSON_FIELD(Image, manifest_type, "manifest_type"),
            JSON_FIELD(Image, manifest_size, "manifest_size"), JSON_FIELD(Image, parent, "parent"),
            JSON_FIELD(Image, top, "top"), JSON_FIELD(Image, size, "size"),
            JSON_FIELD(Image, created, "created"), JSON_FIELD(Image, tagged, "tagged"));

namespace slipway::store {

namespace {

constexpr size_t kRecordLimit = 64 << 10;
constexpr size_t kIdSize = 64;

/// How a reference is kept: a directory per name, its "/" as "+", which no name has; in it a file per tag, or
/// "@" and the digest.
std::string directory_of(const oci::Reference& reference) {
  std::string name = reference.name();
  std::replace(name.begin(), name.end(), '/', '+');
  return name;
}

std::string file_of(const oci::Reference& reference) {
  return reference.digest ? "@" + reference.digest.text() : reference.tag;
}

/// The reference of a file found in repositories/; nothing for what is not one (a temporary file).
std::optional<oci::Reference> reference_of(std::string directory, const std::string& file) {
  std::replace(directory.begin(), directory.end(), '+', '/');
  const bool digest = file.starts_with('@');
  Result<oci::Reference> parsed = oci::Reference::parse(directory + (digest ? file : ":" + file));
  if (!parsed.ok()) return std::nullopt;
  return std::move(*parsed);
}

/// What a name stands for. Lists read thousands of them: three system calls each.
std::optional<std::string> read_id(int directory, const char* path) {
  const Fd file(openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char id[kIdSize];
  if (!file || read(file.get(), id, sizeof id) != sizeof id) return std::nullopt;
  return std::string(id, sizeof id);
}

/// What sys::replace_file_at() leaves when it is killed; no id or tag begins with a dot.
Status sweep_temporary(int directory) {
  for (const sys::DirectoryEntry& file : TRY(sys::list_directory(directory)))
    if (file.name.starts_with('.')) unlinkat(directory, file.name.c_str(), 0);
  return {};
}

Error no_such_image(std::string_view text) {
  return Error::of(ErrorKind::not_found, "No such image: %.*s", static_cast<int>(text.size()), text.data());
}

}  // namespace

Result<Images> Images::open(const Root& root) {
  Images images;
  images.room_ = TRY(root.room("images"));
  images.names_ = TRY(root.room("repositories"));
  return images;
}

// --- records -----------------------------------------------------------------------------------------------

Result<Image*> Images::get(std::string_view id, Arena& arena) const {
  const std::string name(id);
  if (id.size() != kIdSize || !is_hex(id)) return no_such_image(id);
  Result<std::string> text = sys::read_file_at(room_.get(), name.c_str(), kRecordLimit);
  if (!text.ok()) {
    if (text.error().code() == ENOENT) return no_such_image(id);
    return std::move(text).error();
  }
  return json::read<Image>(*text, json::type<Image>, arena).ctx("image `%s`", name.c_str());
}

Result<Image*> Images::find(std::string_view text, Arena& arena) const {
  // As Docker does: a full ID, then a name, then a prefix of an ID.
  std::string_view id = text;
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  if (id.size() == kIdSize && is_hex(id)) {
    Result<Image*> image = get(id, arena);
    if (!image.ok() && image.error().kind() == ErrorKind::not_found) return no_such_image(text);
    return image;
  }
  if (Result<oci::Reference> reference = oci::Reference::parse(text); reference.ok()) {
    reference->default_tag();
    if (const std::optional<std::string> found = resolve(*reference)) return get(*found, arena);
  } else if (!is_hex(id)) {
    return std::move(reference).error();
  }
  if (!is_hex(id)) return no_such_image(text);
  std::string match;
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(room_.get()))) {
    if (!std::string_view(entry.name).starts_with(id)) continue;
    if (!match.empty())
      return Error::of(ErrorKind::invalid, "ambiguous image ID `%.*s`: it begins %.12s and %.12s",
                       static_cast<int>(text.size()), text.data(), match.c_str(), entry.name.c_str());
    match = entry.name;
  }
  if (match.empty()) return no_such_image(text);
  return get(match, arena);
}

Result<List<Image>> Images::list(Arena& arena) const {
  ListBuilder<Image> images(arena);
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(room_.get()))) {
    if (entry.name.size() != kIdSize) continue;
    Result<Image*> image = get(entry.name, arena);
    if (image.ok()) {
      images.add(**image);
    } else if (image.error().kind() != ErrorKind::not_found) {  // removed at this moment
      return std::move(image).error();
    }
  }
  return images.list();
}

Status Images::add(const Image& image) const {
  TRY(Digest::from_hex(image.id).ctx("image"));
  json::Writer writer;
  writer.value(json::type<Image>, &image);
  return sys::replace_file_at(room_.get(), image.id.c_str(), writer.text(), 0600, true)
      .ctx("image `%s`", image.id.c_str());
}

Status Images::remove(std::string_view id) const {
  const std::string name(id);
  TRY(Digest::from_hex(id).ctx("image"));
  if (unlinkat(room_.get(), name.c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "image `%s`: unlink", name.c_str());
  return {};
}

// --- names -------------------------------------------------------------------------------------------------

Result<std::vector<Name>> Images::names() const {
  std::vector<Name> names;
  for (const sys::DirectoryEntry& directory : TRY(sys::list_directory(names_.get()))) {
    const Fd fd(openat(names_.get(), directory.name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) continue;  // removed at this moment
    sys::DirectoryReader files(fd.get());
    while (const dirent64* file = files.next()) {
      std::optional<oci::Reference> reference = reference_of(directory.name, file->d_name);
      std::optional<std::string> id = reference ? read_id(fd.get(), file->d_name) : std::nullopt;
      if (id) names.push_back({std::move(*reference), std::move(*id)});
    }
    if (files.error() != 0) return Error::sys(files.error(), "read directory");
  }
  std::sort(names.begin(), names.end(), [](const Name& a, const Name& b) {
    const oci::Reference &x = a.reference, &y = b.reference;
    return std::tie(x.domain, x.path, x.tag, x.digest) < std::tie(y.domain, y.path, y.tag, y.digest);
  });
  return names;
}

std::optional<std::string> Images::resolve(const oci::Reference& reference) const {
  return read_id(names_.get(), (directory_of(reference) + "/" + file_of(reference)).c_str());
}

Status Images::tag(const oci::Reference& reference, std::string_view id) const {
  TRY(Digest::from_hex(id).ctx("image"));
  const std::string directory = directory_of(reference);
  const std::string path = directory + "/" + file_of(reference);
  const std::string text = std::string(id) + "\n";
  // Somebody may take the last name out of the directory, and then the directory, while we put ours in.
  for (;;) {
    if (mkdirat(names_.get(), directory.c_str(), 0700) < 0 && errno != EEXIST)
      return Error::sys(errno, "repositories: mkdir `%s`", directory.c_str());
    Status written = sys::replace_file_at(names_.get(), path.c_str(), text, 0600, true);
    if (written.ok() || written.error().code() != ENOENT) return std::move(written).ctx("repositories");
  }
}

Status Images::untag(const oci::Reference& reference) const {
  const std::string directory = directory_of(reference);
  const std::string path = directory + "/" + file_of(reference);
  if (unlinkat(names_.get(), path.c_str(), 0) < 0) {
    if (errno == ENOENT) return no_such_image(reference.familiar());
    return Error::sys(errno, "repositories: unlink `%s`", path.c_str());
  }
  // Fails while other names are in it, which is meant.
  unlinkat(names_.get(), directory.c_str(), AT_REMOVEDIR);
  return {};
}

Status Images::sweep() const {
  TRY(sweep_temporary(room_.get()));
  for (const sys::DirectoryEntry& directory : TRY(sys::list_directory(names_.get()))) {
    const char* name = directory.name.c_str();
    const Fd fd = TRY(sys::open_at(names_.get(), name, O_RDONLY | O_DIRECTORY));
    TRY(sweep_temporary(fd.get()));
    unlinkat(names_.get(), name, AT_REMOVEDIR);  // fails while names are in it, which is meant
  }
  return {};
}

// --- configs -----------------------------------------------------------------------------------------------

Result<std::string> read_config_text(const oci::ContentStore& content, std::string_view id) {
  return content.read(TRY(Digest::from_hex(id)), oci::kDocumentLimit);
}

Result<oci::ImageConfig*> read_config(const oci::ContentStore& content, std::string_view id, Arena& arena) {
  return oci::parse_image_config(TRY(read_config_text(content, id)), arena);
}

}  // namespace slipway::store
