#include "src/cli/slipway/transfer_display.h"

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

TransferDisplay::~TransferDisplay() {
  if (open_line_) dprintf(fd_, "\n");
}

void TransferDisplay::begin() {
  if (fd_ >= 0) dprintf(fd_, "%s\n", heading_.c_str());
}

/// A terminal keeps one line per layer, other places every line.
void TransferDisplay::say(const std::string& layer, const char* words, bool last) {
  if (fd_ < 0 || !words) return;
  if (!terminal_) {
    dprintf(fd_, "%s: %s\n", layer.c_str(), words);
    return;
  }
  dprintf(fd_, "\r\033[K%s: %s%s", layer.c_str(), words, last ? "\n" : "");
  open_line_ = !last;
}

void TransferDisplay::bar(const std::string& layer, uint64_t done, uint64_t total) {
  if (!terminal_) return;
  const int64_t now = milliseconds_now();
  if (now - shown_at_ < kRefresh) return;
  shown_at_ = now;
  const auto filled = static_cast<unsigned>(total > 0 ? done * kBarWidth / total : kBarWidth);
  std::string bar(filled, '=');
  if (filled < kBarWidth) bar += ">" + std::string(kBarWidth - 1 - filled, ' ');
  dprintf(fd_, "\r\033[K%s: %s [%s] %s/%s", layer.c_str(), words_.moving, bar.c_str(),
          human_size(static_cast<double>(done)).c_str(), human_size(static_cast<double>(total)).c_str());
  open_line_ = true;
}

void TransferDisplay::layer(const std::string& layer, manager::TransferEvent event, uint64_t done,
                            uint64_t total) {
  using manager::TransferEvent;
  const bool pushing = &words_ == &kPushWords;
  switch (event) {
    case TransferEvent::waiting:
      return say(layer, words_.waiting, false);
    case TransferEvent::moving:
      return bar(layer, done, total);
    case TransferEvent::arrived:
      return say(layer, words_.arrived, false);
    case TransferEvent::unpacked:
      return say(layer, "Pull complete", true);
    case TransferEvent::exists:
      return say(layer, pushing ? "Layer already exists" : "Already exists", true);
    case TransferEvent::pushed:
      return say(layer, "Pushed", true);
    case TransferEvent::mounted:
      return say(layer, "Mounted from another repository", true);
  }
}

}  // namespace slipway::cli
