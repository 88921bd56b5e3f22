#include "src/cli/slipway/transfer_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <ctime>

#include "src/cli/slipway/format.h"

namespace slipway::cli {

namespace {

constexpr int64_t kRefresh = 100;  // milliseconds
constexpr unsigned kBarWidth = 50;

int64_t milliseconds_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

const TransferDisplay::Words kPullWords = {"Pulling fs layer", "Downloading", "Download complete"};
const TransferDisplay::Words kPushWords = {"Preparing", "Pushing", nullptr};

TransferDisplay::TransferDisplay(int fd, const Words& words, std::string heading)
    : fd_(fd), words_(words), heading_(std::move(heading)), terminal_(fd >= 0 && isatty(fd)) {}

void TransferDisplay::begin() {
  if (fd_ >= 0) dprintf(fd_, "%s\n", heading_.c_str());
}

TransferDisplay::Line& TransferDisplay::line_of(const std::string& layer) {
  for (Line& line : lines_)
    if (line.layer == layer) return line;
  lines_.push_back({layer});
  dprintf(fd_, "\n");
  return lines_.back();
}

/// Overwrites the line; one that has scrolled out of the window stays as it was.
void TransferDisplay::write(const Line& line, const std::string& text) {
  const auto up = static_cast<int>(lines_.data() + lines_.size() - &line);
  winsize window = {};
  if (ioctl(fd_, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && up >= window.ws_row) return;
  dprintf(fd_, "\033[%dA\r\033[K%s: %s\033[%dB\r", up, line.layer.c_str(), text.c_str(), up);
}

/// A terminal keeps one line per layer, other places every line.
void TransferDisplay::say(const std::string& layer, const char* words) {
  if (fd_ < 0 || !words) return;
  if (terminal_) return write(line_of(layer), words);
  dprintf(fd_, "%s: %s\n", layer.c_str(), words);
}

void TransferDisplay::bar(const std::string& layer, uint64_t done, uint64_t total) {
  if (!terminal_) return;
  Line& line = line_of(layer);
  const int64_t now = milliseconds_now();
  if (now - line.shown_at < kRefresh) return;
  line.shown_at = now;
  const auto filled = static_cast<unsigned>(total > 0 ? done * kBarWidth / total : kBarWidth);
  std::string bar(filled, '=');
  if (filled < kBarWidth) bar += ">" + std::string(kBarWidth - 1 - filled, ' ');
  write(line, std::string(words_.moving) + " [" + bar + "] " + human_size(static_cast<double>(done)) + "/" +
                  human_size(static_cast<double>(total)));
}

void TransferDisplay::layer(const std::string& layer, manager::TransferEvent event, uint64_t done,
                            uint64_t total) {
  using manager::TransferEvent;
  const bool pushing = &words_ == &kPushWords;
  switch (event) {
    case TransferEvent::waiting:
      return say(layer, words_.waiting);
    case TransferEvent::moving:
      return bar(layer, done, total);
    case TransferEvent::arrived:
      return say(layer, words_.arrived);
    case TransferEvent::unpacking:
      if (terminal_) say(layer, "Extracting");
      return;
    case TransferEvent::unpacked:
      return say(layer, "Pull complete");
    case TransferEvent::exists:
      return say(layer, pushing ? "Layer already exists" : "Already exists");
    case TransferEvent::pushed:
      return say(layer, "Pushed");
    case TransferEvent::mounted:
      return say(layer, "Mounted from another repository");
  }
}

}  // namespace slipway::cli
