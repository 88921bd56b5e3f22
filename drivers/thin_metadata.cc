#include "drivers/thin_metadata.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/arena.h"
#include "src/base/json.h"
#include "src/sys/file.h"

namespace slipway::drivers {

struct TransactionFile {
  uint64_t open_transaction_id = 0;
  Str device_hash;
  uint64_t device_id = 0;
};
struct DeviceSetFile {
  uint64_t next_device_id = 0;
  Str base_uuid;
  Str base_fs;
  bool growing = false;
};
struct DeviceFile {
  uint64_t device_id = 0;
  uint64_t size = 0;
  uint64_t transaction_id = 0;
  bool initialized = false;
  bool deleted = false;
  bool committed = false;
  Str parent;
};

}  // namespace slipway::drivers

#define FIELD(Struct, member, name) JSON_FIELD(slipway::drivers::Struct, member, name)
JSON_OBJECT(slipway::drivers::TransactionFile,
            FIELD(TransactionFile, open_transaction_id, "open_transaction_id"),
            FIELD(TransactionFile, device_hash, "device_hash"),
            FIELD(TransactionFile, device_id, "device_id"));
JSON_OBJECT(slipway::drivers::DeviceSetFile, FIELD(DeviceSetFile, next_device_id, "next_device_id"),
            FIELD(DeviceSetFile, base_uuid, "BaseDeviceUUID"),
            FIELD(DeviceSetFile, base_fs, "BaseDeviceFilesystem"), FIELD(DeviceSetFile, growing, "growing"));
JSON_OBJECT(slipway::drivers::DeviceFile, FIELD(DeviceFile, device_id, "device_id"),
            FIELD(DeviceFile, size, "size"), FIELD(DeviceFile, transaction_id, "transaction_id"),
            FIELD(DeviceFile, initialized, "initialized"), FIELD(DeviceFile, deleted, "deleted"),
            FIELD(DeviceFile, committed, "committed"), FIELD(DeviceFile, parent, "parent"));
#undef FIELD

namespace slipway::drivers {
namespace {

constexpr char kTransaction[] = "transaction-metadata";
constexpr char kDeviceSet[] = "deviceset-metadata";
constexpr size_t kLimit = 16384;

template <class File>
Result<File*> read_as(int metadata, const char* name, Arena& arena) {
  const std::string text = TRY(sys::read_file_at(metadata, name, kLimit));
  return json::read<File>(text, json::type<File>, arena).ctx("`metadata/%s`", name);
}

template <class File>
Status write_as(int metadata, const char* name, const File& file) {
  json::Writer writer;
  writer.value(json::type<File>, &file);
  return sys::replace_file_at(metadata, name, writer.text(), 0600, true);
}

Str text_of(const std::string& text) {
  return {text.c_str(), text.size()};
}

}  // namespace

bool has_transaction(int metadata) {
  return faccessat(metadata, kTransaction, F_OK, 0) == 0;
}

Result<ThinTransaction> read_transaction(int metadata) {
  Arena arena;
  Result<TransactionFile*> file = read_as<TransactionFile>(metadata, kTransaction, arena);
  if (!file.ok() && file.error().code() == ENOENT) return Error::of(ErrorKind::not_found, "no transaction");
  const TransactionFile* read = TRY(std::move(file));
  return ThinTransaction{read->open_transaction_id, std::string(read->device_hash), read->device_id};
}

Status write_transaction(int metadata, const ThinTransaction& transaction) {
  TransactionFile file;
  file.open_transaction_id = transaction.opens;
  file.device_hash = text_of(transaction.name);
  file.device_id = transaction.device;
  return write_as(metadata, kTransaction, file);
}

Result<DeviceSet> read_device_set(int metadata) {
  Arena arena;
  Result<DeviceSetFile*> file = read_as<DeviceSetFile>(metadata, kDeviceSet, arena);
  if (!file.ok() && (file.error().code() == ENOENT || file.error().kind() == ErrorKind::invalid))
    return DeviceSet();
  const DeviceSetFile* read = TRY(std::move(file));
  return DeviceSet{read->next_device_id, std::string(read->base_uuid), std::string(read->base_fs),
                   read->growing};
}

Status write_device_set(int metadata, const DeviceSet& set) {
  DeviceSetFile file;
  file.next_device_id = set.next_device;
  file.base_uuid = text_of(set.base_uuid);
  file.base_fs = text_of(set.base_fs);
  file.growing = set.growing;
  return write_as(metadata, kDeviceSet, file);
}

Result<ThinDevice> read_thin_device(int metadata, const std::string& name) {
  Arena arena;
  Result<DeviceFile*> file = read_as<DeviceFile>(metadata, name.c_str(), arena);
  if (!file.ok() && file.error().code() == ENOENT)
    return Error::of(ErrorKind::not_found, "no layer `%s`", name.c_str());
  const DeviceFile* read = TRY(std::move(file));
  ThinDevice device;
  device.id = read->device_id;
  device.size = read->size;
  device.transaction = read->transaction_id;
  device.initialized = read->initialized;
  device.committed = read->committed;
  device.parent = std::string(read->parent);
  return device;
}

Status write_thin_device(int metadata, const std::string& name, const ThinDevice& device) {
  DeviceFile file;
  file.device_id = device.id;
  file.size = device.size;
  file.transaction_id = device.transaction;
  file.initialized = device.initialized;
  file.committed = device.committed;
  file.parent = text_of(device.parent);
  return write_as(metadata, name.c_str(), file);
}

}  // namespace slipway::drivers
