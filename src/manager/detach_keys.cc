#include "src/manager/detach_keys.h"

namespace slipway::manager {

Result<DetachKeys> DetachKeys::parse(std::string_view text) {
  DetachKeys out;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view key = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const std::string_view controls = "@abcdefghijklmnopqrstuvwxyz[\\]^_";
    if (key.size() == 1) {
      out.keys_ += key[0];
    } else if (key.size() == 6 && key.starts_with("ctrl-") &&
               controls.find(key[5]) != std::string_view::npos) {
      out.keys_ += static_cast<char>(controls.find(key[5]));
    } else {
      return Error::of(ErrorKind::usage, "Invalid detach keys (%.*s) provided", static_cast<int>(key.size()),
                       key.data());
    }
  }
  return out;
}

bool DetachKeys::pass(std::string_view typed, std::string* passed) {
  if (keys_.empty()) {
    passed->append(typed);
    return true;
  }
  for (const char c : typed) {
    if (c != keys_[seen_]) {
      passed->append(keys_, 0, seen_);  // not the keys after all
      seen_ = 0;
    }
    if (c != keys_[seen_])
      *passed += c;
    else if (++seen_ == keys_.size())
      return false;
  }
  return true;
}

}  // namespace slipway::manager
