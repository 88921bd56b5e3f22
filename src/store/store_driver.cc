// Apart from store.cc: only commands that touch layers pay for the drivers.
#include "src/store/store.h"
#include "src/sys/file.h"

namespace slipway::store {

namespace {
constexpr char kChoice[] = "driver";
constexpr size_t kChoiceLimit = 64;
}  // namespace

Result<drivers::Driver*> Store::driver(drivers::ForeignOptions foreign) {
  if (driver_) return driver_.get();
  std::string name = options_.driver;
  if (name.empty())
    if (Result<std::string> chosen = sys::read_file_at(root_.get(), kChoice, kChoiceLimit); chosen.ok())
      name = chosen->substr(0, chosen->find('\n'));
  driver_ = TRY(drivers::open_driver(name, options_.root, options_.driver_options, foreign));
  return driver_.get();
}

Status Store::choose_driver(const std::string& name) {
  return sys::replace_file_at(root_.get(), kChoice, name + "\n", 0600, true).ctx("%s", options_.root.c_str());
}

}  // namespace slipway::store
