#include "oci/layer_stream.h"

#include <thread>

#include "oci/piece_ring.h"

namespace slipway::oci {

namespace {

/// The bytes as they came, on their way into the decompressor: hashed, counted and kept.
class Tap final : public ByteSource {
 public:
  Tap(ByteSource& source, const LayerStreamOptions& options) : source_(source), options_(options) {
    if (options.copy) options.copy->hash_elsewhere();
  }

  /// Looks at the first piece without taking it.
  Result<std::string_view> peek() {
    if (!peeked_) first_ = TRY(pull());
    peeked_ = true;
    return first_;
  }
  Result<std::string_view> next() override {
    if (!peeked_) return pull();
    peeked_ = false;
    return first_;
  }
  uint64_t size() const { return size_; }
  Digest finish() { return options_.known ? options_.known : hash_.finish(); }

 private:
  Result<std::string_view> pull() {
    const std::string_view piece = TRY(source_.next());
    size_ += piece.size();
    if (!options_.known) hash_.update(piece.data(), piece.size());
    if (options_.copy) TRY(options_.copy->write(piece));
    return piece;
  }

  ByteSource& source_;
  LayerStreamOptions options_;
  Sha256 hash_;
  uint64_t size_ = 0;
  bool peeked_ = false;
  std::string_view first_;
};

}  // namespace

class LayerStream::Worker {
 public:
  Worker(ByteSource& source, const LayerStreamOptions& options)
      : tap_(source, options), copy_(options.copy), thread_([this] { run(); }) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { stop(); }

  Result<std::string_view> next() {
    const std::string_view piece = ring_.take();
    // The end of the ring orders the worker's last writes before this.
    if (piece.empty() && !status_.ok() && !reported_) {
      reported_ = true;
      return std::move(status_).error();
    }
    return piece;
  }

  Result<LayerSums> finish() {
    while (!TRY(next()).empty()) {
    }
    stop();
    if (reported_) return Error::of(ErrorKind::failed, "the layer was not read to its end");
    if (copy_) copy_->seal(sums_.blob);
    return sums_;
  }

 private:
  void stop() {
    ring_.close();
    if (thread_.joinable()) thread_.join();
  }

  void run() {
    status_ = work();
    ring_.end();
  }

  Status work() {
    sums_.compression = compression_of(TRY(tap_.peek()));
    if (sums_.compression == Compression::none) {
      TRY(pump(tap_, nullptr));
      sums_.blob = sums_.diff_id = tap_.finish();
    } else {
      Sha256 hash;
      const std::unique_ptr<Decompressor> plain = TRY(Decompressor::open(tap_, sums_.compression));
      TRY(pump(*plain, &hash));
      // What stands behind the compressed stream belongs to the blob all the same.
      while (!TRY(tap_.next()).empty()) {
      }
      sums_.diff_id = hash.finish();
      sums_.blob = tap_.finish();
    }
    sums_.blob_size = tap_.size();
    return {};
  }

  /// Everything from `source` into the ring.
  Status pump(ByteSource& source, Sha256* hash) {
    for (;;) {
      const std::string_view piece = TRY(source.next());
      if (piece.empty()) return {};
      if (hash) hash->update(piece.data(), piece.size());
      sums_.tar_size += piece.size();
      if (!ring_.put(piece)) return {};
    }
  }

  Tap tap_;
  BlobWriter* copy_;
  PieceRing ring_;
  LayerSums sums_;
  Status status_;
  bool reported_ = false;
  std::thread thread_;  // last: it uses all of the above
};

LayerStream::LayerStream(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
LayerStream::~LayerStream() = default;

Result<std::unique_ptr<LayerStream>> LayerStream::open(ByteSource& source,
                                                       const LayerStreamOptions& options) {
  return std::unique_ptr<LayerStream>(new LayerStream(std::make_unique<Worker>(source, options)));
}

Result<std::string_view> LayerStream::next() {
  return worker_->next();
}
Result<LayerSums> LayerStream::finish() {
  return worker_->finish();
}

}  // namespace slipway::oci
