// The records of containers.
//
// A container is there when containers/<id> is. Its life on disk:
//
//   begin()    makes pending/<id>, locked, with the short id and the name claimed by a symbolic link to the id, which
//              has a name in ids/ and one in names/
//   publish()  writes record.json and renames the directory to containers/<id>
//   remove()   renames it back to pending/<id>, then takes away layer, name and files
//
// A process that dies on the way leaves an unlocked directory in pending/; collect() finishes its removal.
// The lock is a flock on the directory itself. What is true of a name: names/<name> points to an id whose
// directory says the same name (in its own link `name`), or is locked by somebody who is about to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::store {

/// A container that nobody can see yet. Destroying it unpublished removes it.
class Draft {
 public:
  Draft(Store& store, std::string id, Fd dir);
  Draft(Draft&& other) noexcept;
  Draft& operator=(Draft&&) = delete;
  ~Draft();

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  /// The directory, for files that go with the record. It is locked by this descriptor.
  int dir() const { return dir_.get(); }

 private:
  friend class Containers;
  Store* store_;
  std::string id_;
  std::string name_;
  Fd dir_;
};

class Containers {
 public:
  explicit Containers(Store& store) : store_(store) {}

  /// `name` "" picks a free one. Errors: exists ("Conflict. The container name ..."), invalid.
  Result<Draft> begin(std::string_view name);
  /// Writes the record and shows the container to the world. Returns the locked directory. With `durable` the
  /// record is on disk before it returns.
  Result<Fd> publish(Draft draft, const Record& record, bool durable);

  /// The id of what a person means: an id, a name, or an unambiguous beginning of an id.
  /// Errors: not_found "No such container: X".
  Result<std::string> find(std::string_view reference);
  Result<Record*> load(std::string_view id, Arena& arena);
  /// state.json; a container that never ran has the status created.
  Result<State*> load_state(std::string_view id, Arena& arena);
  /// All ids, in no order.
  Result<std::vector<std::string>> list();

  /// The container's directory, exclusively locked. Errors: not_found when it is gone.
  Result<Fd> lock(std::string_view id);
  /// The container's directory, for reading.
  Result<Fd> open(std::string_view id);
  std::string path(std::string_view id) const;

  /// Replaces state.json. `dir` is the container's directory.
  Status save_state(int dir, const State& state);
  /// Replaces record.json; the caller holds the lock.
  Status save_record(int dir, const Record& record);

  Status rename(std::string_view id, int locked_dir, std::string_view name);
  /// Removes the record, the read-write layer, the name and all files. The caller holds the lock. in_use: somebody holds the
  /// layer, and the container stays.
  Status remove(std::string_view id, Fd locked_dir);

  /// Finishes what processes that died left. Costs one look at an empty directory when there is nothing.
  Status collect();

 private:
  Status claim_name(std::string_view name, const std::string& id);
  Store& store_;
};

/// Whether docker accepts it as a container's name.
bool is_container_name(std::string_view name);

/// A pronounceable name such as "patient_hamilton"; `attempt` > 0 adds digits.
std::string random_name(unsigned attempt);

}  // namespace slipway::store
