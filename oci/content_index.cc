// index.json of a content store: one entry a line, so that a change of a few names does not need all images to be
// read.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "oci/content_store.h"
#include "oci/descriptor.h"
#include "src/base/json.h"
#include "src/sys/file.h"

namespace slipway::oci {

namespace {

constexpr size_t kIndexLimit = 256U << 20;
constexpr size_t kUsualLine = 256;  // bytes
constexpr std::string_view kTail = "\n]}\n";
constexpr std::string_view kAnnotations = R"(,"annotations":)";

std::string head() {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(media::kIndex) + R"(","manifests":[)";
}

std::string line_of(const ContentStore::Named& image) {
  json::Writer writer;
  writer.begin_object().key("mediaType").string(image.media_type);
  writer.key("digest").string(image.manifest.text()).key("size").unsigned_integer(image.size);
  if (!image.name.empty())
    writer.key("annotations").begin_object().key(kRefNameAnnotation).string(image.name).end_object();
  writer.end_object();
  return std::string(writer.text());
}

std::string unnamed(std::string_view line) {
  const size_t annotations = line.find(kAnnotations);
  if (annotations == std::string_view::npos) return std::string(line);
  return std::string(line.substr(0, annotations)) + "}";
}

/// Leaves the lines, if it is an index as it is written here.
bool take_frame(std::string_view& text) {
  if (!text.starts_with(head()) || !text.ends_with(kTail)) return false;
  text.remove_prefix(head().size());
  text.remove_suffix(kTail.size());
  return true;
}

/// The next one of them.
std::string_view take_line(std::string_view& rest) {
  rest.remove_prefix(1);  // the line's end of the one before
  const size_t end = std::min(rest.find(",\n"), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

bool have_same_name(std::string_view one, std::string_view other) {
  const size_t first = one.find(kAnnotations);
  const size_t second = other.find(kAnnotations);
  return first != std::string_view::npos && second != std::string_view::npos &&
         one.substr(first) == other.substr(second);
}

/// The text of an index while lines are added to it.
class IndexText {
 public:
  explicit IndexText(size_t room) {
    text_.reserve(room);
    text_ = head();
  }
  void add(std::string_view line) {
    text_.append(empty_ ? "\n" : ",\n").append(line);
    empty_ = false;
  }
  /// Is there an entry that begins as this unnamed one does, with a name or without?
  bool has(const std::string& unnamed_line) const {
    return text_.find(unnamed_line.substr(0, unnamed_line.size() - 1)) != std::string::npos;
  }
  std::string_view finish() { return text_.append(kTail); }

 private:
  std::string text_;
  bool empty_ = true;
};

}  // namespace

Status ContentStore::write_index(const std::vector<Named>& images) const {
  IndexText index(images.size() * kUsualLine);
  for (const Named& image : images) index.add(line_of(image));
  return sys::replace_file_at(dir_.get(), "index.json", index.finish(), 0644, true);
}

Result<bool> ContentStore::add_to_index(const std::vector<Named>& image) const {
  const std::string text = TRY(sys::read_file_at(dir_.get(), "index.json", kIndexLimit));
  std::string_view rest = text;
  if (!take_frame(rest)) return false;
  std::vector<std::string> lines;
  for (const Named& named : image) lines.push_back(line_of(named));
  const std::string bare = unnamed(lines.front());
  std::vector<std::string> robbed;  // images that a name is taken from, without it
  IndexText index(text.size() + (lines.size() + 1) * kUsualLine);
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const bool renamed = std::any_of(lines.begin(), lines.end(),
                                     [&](const std::string& mine) { return have_same_name(line, mine); });
    if (renamed)
      robbed.push_back(unnamed(line));
    else if (line != bare)
      index.add(line);
  }
  for (const std::string& line : lines)
    if (line != bare || !index.has(bare)) index.add(line);
  for (const std::string& line : robbed)
    if (!index.has(line)) index.add(line);
  TRY(sys::replace_file_at(dir_.get(), "index.json", index.finish(), 0644, true));
  return true;
}

Result<bool> ContentStore::remove_from_index(const std::vector<std::string>& names,
                                             const std::vector<Digest>& manifests) const {
  const std::string text = TRY(sys::read_file_at(dir_.get(), "index.json", kIndexLimit));
  std::string_view rest = text;
  if (!take_frame(rest)) return false;
  std::vector<std::string> named;
  for (const std::string& name : names) named.push_back(line_of({{}, "", 0, name}));
  std::vector<std::string> robbed;
  IndexText index(text.size());
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    if (std::any_of(manifests.begin(), manifests.end(), [&](const Digest& manifest) {
          return line.find(R"("digest":")" + manifest.text()) != std::string_view::npos;
        }))
      continue;
    if (std::any_of(named.begin(), named.end(),
                    [&](const std::string& gone) { return have_same_name(line, gone); }))
      robbed.push_back(unnamed(line));
    else
      index.add(line);
  }
  for (const std::string& line : robbed)
    if (!index.has(line)) index.add(line);
  TRY(sys::replace_file_at(dir_.get(), "index.json", index.finish(), 0644, true));
  return true;
}

}  // namespace slipway::oci
