// Volumes: directories that outlive containers.
//
//   <root>/volumes/<name>/_data        what is mounted
//   <root>/volumes/<name>/record.json  labels and the time of creation
//   <root>/volumes/<name>/users/<id>   an empty file for each container that has it
//
// The directory's presence is the volume; parts that a crash kept from being made are made when the volume is
// next used. A user that is no container any more does not count.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::store {

struct Volume {
  Str name;
  Str created_at;
  Map<Str> labels;
  Map<Str> options;
  bool anonymous = false;
  bool copied = false;  // has got an image's content, or was found in use: it gets no other
};

extern const json::Type kVolumeType;

/// Whether docker accepts it as a volume's name.
bool is_volume_name(std::string_view name);

class Volumes {
 public:
  explicit Volumes(Store& store) : store_(store) {}

  /// Makes the volume if it is not there; true when it was made.
  Result<bool> create(const Volume& volume);
  /// Errors: not_found "No such volume: X".
  Result<Volume*> load(std::string_view name, Arena& arena);
  /// Sorted by name.
  Result<std::vector<std::string>> list();
  /// Absolute path of _data.
  std::string data_path(std::string_view name) const;
  bool exists(std::string_view name) const;

  /// Notes that the container uses the volume; errors: not_found when it was removed meanwhile.
  Status claim(std::string_view name, std::string_view container);
  Status release(std::string_view name, std::string_view container);
  /// The containers that have it.
  Result<std::vector<std::string>> users(std::string_view name);

  /// Errors: not_found, in_use "volume is in use - [ids]".
  Status remove(std::string_view name);

 private:
  std::string dir(std::string_view name) const;
  Store& store_;
};

}  // namespace slipway::store
