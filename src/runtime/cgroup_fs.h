// The cgroup managed through the file system itself, on all three layouts: every hierarchy is a Tree, and a
// controller is looked up where it lives, so that a hybrid host with some controllers in v2 needs no case of
// its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/runtime/cgroup.h"
#include "src/runtime/cgroup_control.h"
#include "src/runtime/cgroup_resources.h"
#include "src/sys/cgroup.h"

namespace slipway::runtime {

class FileCgroup : public Cgroup {
 public:
  struct Tree {
    sys::CgroupVersion version = sys::CgroupVersion::none;
    std::string controllers;  // as in sys::CgroupMembership; "" for v2
    std::string mount;        // "" in an opened cgroup
    std::string directory;    // the container's
    bool owned = false;       // made or found free by us, or recorded: it may be killed and removed
  };

  /// Of an existing container.
  explicit FileCgroup(const CgroupRecord& record);
  /// Of a container to be created. The Spec must outlive the object.
  FileCgroup(const oci::Spec& spec, std::string path, std::vector<Tree> trees);

  /// How long destroy() waits for the end of what it has killed.
  void be_patient_for(int milliseconds) { patience_ms_ = milliseconds; }

  Layout layout() const override;
  const std::string& path() const override { return path_; }
  const std::string& scope() const override { return scope_; }
  std::vector<std::pair<std::string, std::string>> directories() const override;

  Result<Fd> prepare() override;
  Result<std::vector<Fd>> join(pid_t pid, bool entered) override;
  Result<CgroupEntry> exec_entry(pid_t init, const std::vector<SubCgroup>& subs) override;
  Status delegate_to(pid_t pid) override;
  Status join_exec(pid_t pid, pid_t init, const std::vector<SubCgroup>& subs, bool entered) override;
  Status apply(const oci::Resources& resources) override;
  Status freeze(bool frozen) override;
  Result<bool> frozen() override;
  Result<std::vector<pid_t>> processes() override;
  Status signal_all(int signal) override;
  uint64_t oom_kills() override;
  Status destroy() override;

 protected:
  const Tree* v2_tree() const;
  /// The hierarchy that has the controller: a v1 one, or else the v2 tree; null when there is none.
  const Tree* tree_of(std::string_view controller) const;
  /// Where the container's processes are listed.
  const Tree* census() const;

  /// The cgroup's directories of one version made and set up for processes.
  Status make_trees(sys::CgroupVersion version);
  Status refuse_occupied(const Tree& tree);
  /// v1: the child's way into the directories, which nobody can be in yet.
  Result<std::vector<Fd>> open_v1();
  bool owns_any() const;
  /// On pure v2: see cgroup_delegate.h.
  Status delegate();
  /// What an annotation says; "" without it.
  std::string annotation(const char* name) const;
  /// Makes a v2 cgroup below another one, with all controllers, and moves the process there.
  Result<Tree> enter_below(const Tree& above, const std::string& name, pid_t pid) const;
  Status apply_all(ControllerDirectories& where, const oci::Resources& resources);
  /// Where a further process goes in this hierarchy.
  Result<std::string> exec_directory(const Tree& tree, pid_t init, const std::vector<SubCgroup>& subs) const;
  Status make_tree(const Tree& tree, bool& existed);
  bool wants_v2_controllers() const;
  Status kill_all();
  /// What is still in it, as an error.
  Status still_busy();

  const oci::Spec* spec_ = nullptr;  // null: an existing container's
  std::string path_;
  std::string scope_;
  std::vector<Tree> trees_;
  int patience_ms_ = 10'000;
  bool devices_done_ = false;  // v1: before the child entered
};

/// Makes a v1 directory and what is missing above it. `existed`: it was there.
Status make_v1_directory(const FileCgroup::Tree& tree, bool& existed);
/// The same for v2; with `controllers`, all that the root has are enabled on the way down as far as the
/// kernel lets.
Status make_v2_directory(const FileCgroup::Tree& tree, bool controllers, bool& existed);

/// Into a cgroup.procs.
Status write_pid(const std::string& directory, pid_t pid);

/// v1 freezer.state and v2 cgroup.freeze; both wait for the kernel, for 10 s at most.
Status freeze_v1(const ControlDirectory& freezer, bool frozen);
Status freeze_v2(const ControlDirectory& directory, bool frozen);
/// Returns when no process is left in a v2 cgroup or below it, or the time is over (false).
bool wait_unpopulated(const ControlDirectory& directory, int milliseconds);

void pause_ms(long milliseconds);
/// No access, and nobody asked for it: the error a rootless caller meets without delegation.
bool is_denied(int code);
/// A caller without root's rights over the host: not root, or in a user namespace.
bool is_rootless();

}  // namespace slipway::runtime
