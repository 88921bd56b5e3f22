// `images`: the list of images.
#include <algorithm>
#include <map>
#include <set>

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/image_times.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/dockerfile_words.h"
#include "src/store/id.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("all", 'a', "show the images that others were made from, too"),
    flag("quiet", 'q', "show nothing but IDs"),
    flag("no-trunc", 0, "do not shorten IDs"),
    flag("digests", 0, "show the digests of manifests"),
    list("filter", 'f', "KEY=VALUE", "dangling, label, before, since, until or reference"),
    value("format", 0, "TEMPLATE", "print with a Go template, `table TEMPLATE`, or json"),
});

constexpr const char* kFilters[] = {"dangling", "label", "before", "since", "until", "reference"};

constexpr Column kColumns[] = {
    {"ID", "IMAGE ID"},
    {"Repository", "REPOSITORY"},
    {"Tag", "TAG"},
    {"Digest", "DIGEST"},
    {"CreatedSince", "CREATED"},
    {"CreatedAt", "CREATED AT"},
    {"Size", "SIZE"},
    {"VirtualSize", "SIZE"},
    {"SharedSize", "SHARED SIZE"},
    {"UniqueSize", "UNIQUE SIZE"},
    {"Containers", "CONTAINERS"},
};

/// One line: an image under one of its names.
struct Row {
  const store::Image* image;
  std::string repository = "<none>", tag = "<none>", digest = "<none>";
};

class Listing {
 public:
  Listing(const Call& call, const store::ImageStore& store) : call_(call), store_(store) {}

  Result<std::vector<Row>> rows() {
    filters_ = TRY(Filters::parse(call_.args.values("filter", call_.arena), kFilters));
    images_ = TRY(store_.images.list(call_.arena));
    std::sort(images_.begin(), images_.end(), [](const store::Image& a, const store::Image& b) {
      return std::pair(b.created, a.id.view()) < std::pair(a.created, b.id.view());
    });
    for (store::Name& name : TRY(store_.images.names())) names_[name.id].push_back(std::move(name.reference));
    for (const store::Image& image : images_) parents_.insert(image.parent);
    TRY(read_bounds());
    std::vector<Row> rows;
    for (const store::Image& image : images_)
      if (TRY(wanted(image))) add_rows(image, rows);
    return rows;
  }

 private:
  /// --filter before=, since=, until=: times between which images are wanted.
  Status read_bounds() {
    for (const std::string_view text : filters_.values("before"))
      before_ = std::min(before_, TRY(moment(text)));
    for (const std::string_view text : filters_.values("since")) since_ = std::max(since_, TRY(moment(text)));
    for (const std::string_view text : filters_.values("until"))
      before_ = std::min(before_, Moment(TRY(parse_moment(text)) / 1'000'000'000, 0));
    for (const std::string_view text : filters_.values("dangling")) {
      if (text != "true" && text != "1" && text != "false" && text != "0")
        return Error::of(ErrorKind::invalid, "invalid filter 'dangling=[%.*s]'",
                         static_cast<int>(text.size()), text.data());
      dangling_ = text == "true" || text == "1";
    }
    return {};
  }

  /// Seconds and nanoseconds. The index of images knows the seconds; their configs have the rest.
  using Moment = std::pair<int64_t, int64_t>;
  Result<Moment> moment(const store::Image& image) {
    const oci::ImageConfig* config = TRY(store::read_config(store_.content, image.id, call_.arena));
    Result<store::Time> created = store::parse_rfc3339(config->created);
    return Moment(image.created, created.ok() ? created->nanoseconds : 0);
  }
  Result<Moment> moment(std::string_view name) {
    const store::Image* image = TRY(store_.images.find(name, call_.arena));
    return moment(*image);
  }
  Result<bool> is_between(const store::Image& image) {
    if (image.created > before_.first || image.created < since_.first) return false;
    if (image.created < before_.first && image.created > since_.first) return true;
    const Moment made = TRY(moment(image));
    return made < before_ && made > since_;
  }

  Result<bool> wanted(const store::Image& image) {
    const bool named = names_.contains(image.id.c_str());
    if (!named && !call_.args.flag("all") && parents_.contains(image.id)) return false;
    if (dangling_ >= 0 && (dangling_ == 1) == (named || parents_.contains(image.id))) return false;
    if (!TRY(is_between(image))) return false;
    if (!filters_.has("label")) return true;
    // The labels are in the config, which is read for nothing else here.
    const oci::ImageConfig* config = TRY(store::read_config(store_.content, image.id, call_.arena));
    return filters_.labels(config->config.labels);
  }

  /// docker's: a pattern with or without a tag, of the whole familiar name or of its end.
  static bool matches(std::string_view pattern, const oci::Reference& reference) {
    const size_t colon = pattern.rfind(':');
    const bool tagged = colon != std::string_view::npos && pattern.find('/', colon) == std::string_view::npos;
    if (tagged && !manager::path_glob(pattern.substr(colon + 1), reference.tag)) return false;
    const std::string_view name = tagged ? pattern.substr(0, colon) : pattern;
    return manager::path_glob(name, reference.familiar_name()) || manager::path_glob(name, reference.name());
  }

  bool shown(const oci::Reference& reference) const {
    if (call_.args.size() > 0 && !matches(call_.args[0], reference)) return false;
    return filters_.any("reference", [&](std::string_view pattern) { return matches(pattern, reference); });
  }

  void add_rows(const store::Image& image, std::vector<Row>& rows) const {
    const auto found = names_.find(image.id.c_str());
    if (found == names_.end()) {
      if (call_.args.size() == 0 && !filters_.has("reference")) rows.push_back({&image});
      return;
    }
    // Each tag once; the digests of a repository stand beside its tags.
    std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>> repositories;
    for (const oci::Reference& reference : found->second) {
      if (!shown(reference)) continue;
      auto& [tags, digests] = repositories[reference.familiar_name()];
      if (reference.digest) {
        digests.push_back(reference.digest.text());
      } else {
        tags.push_back(reference.tag);
      }
    }
    for (const auto& [repository, lists] : repositories) {
      const auto& [tags, digests] = lists;
      const bool with_digests = call_.args.flag("digests") && !digests.empty();
      const std::vector<std::string> none = {"<none>"};
      for (const std::string& tag : tags.empty() ? none : tags)
        for (const std::string& digest : with_digests ? digests : none)
          rows.push_back({&image, repository, tag, digest});
    }
  }

  const Call& call_;
  const store::ImageStore& store_;
  Filters filters_;
  List<store::Image> images_;
  std::map<std::string, std::vector<oci::Reference>> names_;
  std::set<std::string_view> parents_;
  Moment before_ = {INT64_MAX, 0}, since_ = {INT64_MIN, 0};
  int dangling_ = -1;
};

Value row_value(const Row& row, bool no_trunc) {
  Value value = Value::object();
  value.set("ID", no_trunc ? "sha256:" + std::string(row.image->id.view())
                           : std::string(store::short_id(row.image->id)));
  value.set("Repository", row.repository);
  value.set("Tag", row.tag);
  value.set("Digest", row.digest);
  value.set("CreatedSince", since(row.image->created));
  value.set("CreatedAt", go_time(row.image->created));
  value.set("Size", human_size(static_cast<double>(row.image->size)));
  value.set("VirtualSize", exact_size(static_cast<double>(row.image->size)));
  value.set("SharedSize", "N/A");
  value.set("UniqueSize", "N/A");
  value.set("Containers", "N/A");
  return value;
}

Result<int> run(const Call& call) {
  const ImageSession session = TRY(open_images(call));
  const bool no_trunc = call.args.flag("no-trunc");
  const std::vector<Row> rows = TRY(Listing(call, session.images).rows());
  const char* format = call.args.value("format", "");
  if (call.args.flag("quiet") && !*format) {
    std::string text;
    for (const Row& row : rows)
      text += (no_trunc ? "sha256:" + std::string(row.image->id.view())
                        : std::string(store::short_id(row.image->id))) +
              "\n";
    TRY(print(text));
    return 0;
  }
  Value value;
  const auto value_of = [&](size_t i) -> Result<const Value*> {
    value = row_value(rows[i], no_trunc);
    return &value;
  };
  const char* table =
      call.args.flag("digests")
          ? "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
          : "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
  TRY(print_rows(format, table, kColumns, rows.size(), value_of));
  return 0;
}

constexpr Verb kVerb = {
    "images", "[NAME[:TAG]]", "List images", kOptions, 0, 1, false, run, "images --filter dangling=true"};

}  // namespace

const Verb kImages = kVerb;
const Verb kImageLs = as("image ls", kVerb);
const Verb kImageList = as("image list", kVerb);

}  // namespace slipway::cli
