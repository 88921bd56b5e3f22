// What `pull` and `push` show while they work: on a terminal a bar for the layer that moves, else a line per event.
#pragma once

#include <cstdint>
#include <string>

#include "src/manager/transfer.h"

namespace slipway::cli {

class TransferDisplay final : public manager::TransferObserver {
 public:
  struct Words {
    const char* waiting;
    const char* moving;   // of the bar
    const char* arrived;  // nullptr: not said
  };
  /// `fd` is borrowed; -1 shows nothing. `heading` is the first line, without its end.
  TransferDisplay(int fd, const Words& words, std::string heading);
  ~TransferDisplay() override;

  void begin() override;
  void layer(const std::string& layer, manager::TransferEvent event, uint64_t done, uint64_t total) override;

 private:
  void say(const std::string& layer, const char* words, bool last);
  void bar(const std::string& layer, uint64_t done, uint64_t total);

  int fd_;
  const Words& words_;
  std::string heading_;
  bool terminal_;
  bool open_line_ = false;  // a line of the terminal that will be overwritten
  int64_t shown_at_ = 0;    // milliseconds
};

extern const TransferDisplay::Words kPullWords, kPushWords;

}  // namespace slipway::cli
