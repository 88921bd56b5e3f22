#include "src/manager/registry_search.h"

#include "src/base/json.h"
#include "src/manager/registry_access.h"
#include "src/sys/http.h"

namespace slipway::manager {
namespace {
struct Hit {
  Str name, description;
  int64_t star_count = 0;
  bool is_official = false, is_automated = false;
};
struct Hits {
  List<Hit> results;
};
}  // namespace
}  // namespace slipway::manager

using namespace slipway;
using manager::Hit, manager::Hits;

JSON_OBJECT(Hit, JSON_FIELD(Hit, name, "name"), JSON_FIELD(Hit, description, "description"),
            JSON_FIELD(Hit, star_count, "star_count"), JSON_FIELD(Hit, is_official, "is_official"),
            JSON_FIELD(Hit, is_automated, "is_automated"));
JSON_OBJECT(Hits, JSON_FIELD(Hits, results, "results"));

namespace slipway::manager {

namespace {

constexpr size_t kAnswerLimit = 4 << 20;

/// A stranger's words, in one line.
std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  return out;
}

Result<std::vector<FoundRepository>> search_hub(const std::string& term, size_t limit) {
  sys::HttpClient http = TRY(sys::HttpClient::open());
  sys::HttpRequest request;
  request.url =
      "https://index.docker.io/v1/search?q=" + sys::url_escape(term) + "&n=" + std::to_string(limit);
  request.limit = kAnswerLimit;
  const sys::HttpResponse response = TRY(http.perform(request, {}));
  if (!response.success()) return oci::registry_error(response);
  Arena arena;
  const Hits* hits = TRY(json::read<Hits>(response.body, json::type<Hits>, arena).ctx("Docker Hub's answer"));
  std::vector<FoundRepository> out;
  for (const Hit& hit : hits->results) {
    if (out.size() == limit) break;
    out.push_back(
        {one_line(hit.name), one_line(hit.description), hit.star_count, hit.is_official, hit.is_automated});
  }
  return out;
}

}  // namespace

Result<std::vector<FoundRepository>> search_registry(const std::string& term, size_t limit,
                                                     const std::vector<std::string>& insecure) {
  const size_t slash = term.find('/');
  const std::string host = term.substr(0, slash);
  const bool elsewhere = slash != std::string::npos && host != "docker.io" &&
                         (host.find_first_of(".:") != std::string::npos || host == "localhost");
  if (!elsewhere) return search_hub(host == "docker.io" ? term.substr(slash + 1) : term, limit);
  oci::RegistryClient registry = TRY(open_registry(host, insecure));
  std::vector<FoundRepository> out;
  const std::string words = term.substr(slash + 1);
  for (const std::string& name : TRY(registry.catalog().ctx("the catalog of %s", host.c_str()))) {
    if (out.size() == limit) break;
    if (name.find(words) == std::string::npos) continue;
    FoundRepository found;
    found.name = host + "/" + one_line(name);
    out.push_back(std::move(found));
  }
  return out;
}

}  // namespace slipway::manager
