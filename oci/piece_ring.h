// A queue of large pieces of bytes from one thread to another.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "oci/byte_stream.h"
#include "oci/tar_writer.h"

namespace slipway::oci {

/// Holds a few pieces; the writer waits when it is full, the reader when it is empty.
class PieceRing {
 public:
  PieceRing();

  // The writer's side. False: the reader has gone, and nothing needs to be written any more.
  bool put(std::string_view bytes);
  /// What put() has collected goes out, and the reader sees the end.
  void end();

  // The reader's side.
  /// The next piece; valid until the next call. Empty at the end.
  std::string_view take();
  /// The reader wants no more.
  void close();

 private:
  static constexpr size_t kPieces = 4;
  struct Slot {
    std::unique_ptr<char[]> data;
    size_t size = 0;
  };
  char* to_fill();
  void filled(size_t size);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Slot, kPieces> slots_;
  size_t filled_ = 0, taken_ = 0, emptied_ = 0;
  bool ended_ = false, closed_ = false;
  // The writer's own.
  char* current_ = nullptr;
  size_t held_ = 0;
};

/// What a function writes, run on a thread of its own, as a source.
class ProducerSource final : public ByteSource {
 public:
  explicit ProducerSource(std::function<Status(const ByteSink&)> produce);
  ProducerSource(const ProducerSource&) = delete;
  ProducerSource& operator=(const ProducerSource&) = delete;
  ~ProducerSource() override;
  /// Errors: those of the function.
  Result<std::string_view> next() override;

 private:
  PieceRing ring_;
  Status status_;
  std::thread thread_;
};

}  // namespace slipway::oci
