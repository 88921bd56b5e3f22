#include "src/cli/slipway/image_times.h"

#include <ctime>

#include "src/cli/slipway/format.h"
#include "src/store/id.h"

namespace slipway::cli {

std::string since(int64_t seconds) {
  if (seconds == 0) return "N/A";
  return human_duration(store::now().seconds - seconds) + " ago";
}

std::string go_time(int64_t seconds) {
  const time_t time = seconds;
  tm parts = {};
  gmtime_r(&time, &parts);
  char text[64];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S +0000 UTC", &parts);
  return text;
}

}  // namespace slipway::cli
