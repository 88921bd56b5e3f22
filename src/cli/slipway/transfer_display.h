// What `pull` and `push` show while they work: on a terminal a line for each layer, with a bar while it moves, else a line per event.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

  void begin() override;
  void layer(const std::string& layer, manager::TransferEvent event, uint64_t done, uint64_t total) override;

 private:
  struct Line {
    std::string layer;
    int64_t shown_at = 0;  // milliseconds
  };
  Line& line_of(const std::string& layer);
  void say(const std::string& layer, const char* words);
  void bar(const std::string& layer, uint64_t done, uint64_t total);
  void write(const Line& line, const std::string& text);

  int fd_;
  const Words& words_;
  std::string heading_;
  bool terminal_;
  std::vector<Line> lines_;  // of the terminal, from the top; the cursor is below the last
};

extern const TransferDisplay::Words kPullWords, kPushWords;

}  // namespace slipway::cli
