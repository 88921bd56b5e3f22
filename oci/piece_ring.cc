#include "oci/piece_ring.h"

#include <algorithm>
#include <cstring>

namespace slipway::oci {

namespace {
constexpr size_t kPiece = 1 << 20;
}

PieceRing::PieceRing() {
  for (Slot& slot : slots_) slot.data = std::make_unique_for_overwrite<char[]>(kPiece);
}

char* PieceRing::to_fill() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return filled_ - emptied_ < kPieces || closed_; });
  return closed_ ? nullptr : slots_[filled_ % kPieces].data.get();
}

void PieceRing::filled(size_t size) {
  const std::lock_guard lock(mutex_);
  slots_[filled_++ % kPieces].size = size;
  changed_.notify_all();
}

bool PieceRing::put(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!current_ && !(current_ = to_fill())) return false;
    const size_t take = std::min(bytes.size(), kPiece - held_);
    memcpy(current_ + held_, bytes.data(), take);
    bytes.remove_prefix(take);
    held_ += take;
    if (held_ < kPiece) break;
    filled(held_);
    held_ = 0;
    current_ = nullptr;
  }
  return true;
}

void PieceRing::end() {
  if (held_ > 0) filled(held_);
  held_ = 0;
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::string_view PieceRing::take() {
  std::unique_lock lock(mutex_);
  if (taken_ > emptied_) {
    emptied_ = taken_;
    changed_.notify_all();
  }
  changed_.wait(lock, [&] { return filled_ > taken_ || ended_; });
  if (filled_ == taken_) return {};
  const Slot& slot = slots_[taken_++ % kPieces];
  return {slot.data.get(), slot.size};
}

void PieceRing::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

ProducerSource::ProducerSource(std::function<Status(const ByteSink&)> produce)
    : thread_([this, produce = std::move(produce)] {
        status_ = produce([this](std::string_view bytes) -> Status {
          if (ring_.put(bytes)) return {};
          return Error::of(ErrorKind::failed, "nobody reads any more");
        });
        ring_.end();
      }) {}

ProducerSource::~ProducerSource() {
  ring_.close();
  thread_.join();
}

Result<std::string_view> ProducerSource::next() {
  const std::string_view piece = ring_.take();
  // The end of the ring orders the thread's last writes before this.
  if (piece.empty() && !status_.ok()) return std::move(status_).error();
  return piece;
}

}  // namespace slipway::oci
