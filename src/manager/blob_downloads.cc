#include "src/manager/blob_downloads.h"

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

namespace slipway::manager {

namespace {

constexpr size_t kAtOnce = 3;  // as docker has it; registries count connections

/// One observer for several threads.
class Serial final : public TransferObserver {
 public:
  Serial(TransferObserver& observer, const std::atomic<bool>& failed)
      : observer_(observer), failed_(failed) {}
  void layer(const std::string& layer, TransferEvent event, uint64_t done, uint64_t total) override {
    const std::lock_guard<std::mutex> alone(mutex_);
    observer_.layer(layer, event, done, total);
  }
  bool wants_more() const override { return !failed_; }

 private:
  std::mutex mutex_;
  TransferObserver& observer_;
  const std::atomic<bool>& failed_;
};

class Downloads {
 public:
  Downloads(const oci::ContentStore& content, const std::string& repository,
            const std::vector<WantedBlob>& blobs, TransferObserver& observer)
      : content_(content), repository_(repository), blobs_(blobs), observer_(observer, failed_) {}

  Result<std::map<std::string, oci::BlobWriter>> operator()(oci::RegistryClient& registry) {
    std::vector<oci::RegistryClient> clients;
    while (clients.size() + 1 < std::min(kAtOnce, blobs_.size())) clients.push_back(TRY(registry.another()));
    std::vector<std::thread> threads;
    for (oci::RegistryClient& client : clients) threads.emplace_back([&] { work(client); });
    work(registry);
    for (std::thread& thread : threads) thread.join();
    if (error_) return std::move(*error_);
    return std::move(done_);
  }

 private:
  /// Takes one after the other, until there are none or one has failed.
  void work(oci::RegistryClient& registry) {
    for (size_t i; !failed_ && (i = next_++) < blobs_.size();) {
      auto blob = download_blob(content_, registry, repository_, blobs_[i], observer_);
      const std::lock_guard<std::mutex> alone(mutex_);
      if (blob.ok()) {
        done_.emplace(blobs_[i].digest.hex(), std::move(blob).value());
      } else if (!failed_.exchange(true)) {
        error_ = std::move(blob).error();
      }
    }
  }

  const oci::ContentStore& content_;
  const std::string& repository_;
  const std::vector<WantedBlob>& blobs_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  Serial observer_;
  std::mutex mutex_;  // of what follows
  std::map<std::string, oci::BlobWriter> done_;
  std::optional<Error> error_;
};

}  // namespace

Result<oci::BlobWriter> download_blob(const oci::ContentStore& content, oci::RegistryClient& registry,
                                      const std::string& repository, const WantedBlob& blob,
                                      TransferObserver& observer) {
  const std::string layer = blob.digest.brief();
  oci::BlobWriter writer = TRY(content.begin());
  const auto take = [&](uint64_t at, std::string_view piece) -> Status {
    if (!observer.wants_more()) return Error::of(ErrorKind::failed, "another layer could not be fetched");
    observer.layer(layer, TransferEvent::moving, at + piece.size(), blob.size);
    return writer.write(piece);
  };
  TRY(registry.blob(repository, blob.digest, blob.size, take).ctx("layer %.19s", blob.digest.text().c_str()));
  if (writer.seal() != blob.digest)
    return Error::of(ErrorKind::invalid, "filesystem layer verification failed for digest %s",
                     blob.digest.text().c_str());
  observer.layer(layer, TransferEvent::arrived, blob.size, blob.size);
  return writer;
}

Result<std::map<std::string, oci::BlobWriter>> download_blobs(const oci::ContentStore& content,
                                                              oci::RegistryClient& registry,
                                                              const std::string& repository,
                                                              const std::vector<WantedBlob>& blobs,
                                                              TransferObserver& observer) {
  return Downloads(content, repository, blobs, observer)(registry);
}

}  // namespace slipway::manager
