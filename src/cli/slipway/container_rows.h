// How containers look in listings.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "src/base/value.h"
#include "src/manager/observe.h"
#include "src/store/images.h"
#include "src/store/record.h"

namespace slipway::cli {

/// "Up 5 minutes (healthy)", "Exited (0) 3 seconds ago".
std::string status_text(const manager::Observed& observed);
/// "0.0.0.0:8080->80/tcp, 443/tcp".
std::string ports_text(const store::Store& store, const store::Record& record);
/// What listings call the images of containers: as the user did, unless that is another image by now, or none.
class ImageNames {
 public:
  static Result<ImageNames> open(const store::Store& store);
  std::string of(const store::Record& record, bool truncate);

 private:
  explicit ImageNames(store::Images images) : images_(std::move(images)) {}
  store::Images images_;
  std::map<std::string, std::optional<std::string>, std::less<>> ids_;  // of the names met so far
};

/// The value that templates of `ps` see.
Value container_row(const store::Store& store, const store::Record& record, const manager::Observed& observed,
                    ImageNames& images, bool truncate);
/// "5 minutes ago" of an RFC 3339 time.
std::string time_ago(std::string_view rfc3339);
/// A time as Go prints it: "2024-01-02 15:04:05 +0000 UTC".
std::string go_time(std::string_view rfc3339);

}  // namespace slipway::cli
