// The conformance suite of the graph drivers: one table of cases, run on every driver by
//
//   build/tests/drivers/suite DRIVER DIRECTORY [KEY=VALUE]...
//
// DIRECTORY must be empty, and on the file system under test. What a driver shows of the same layers is compared
// with what vfs shows.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/driver.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "tests/lib/cmocka.h"

namespace suite {

/// A driver under test.
struct Subject {
  std::string name;
  std::string root;
  slipway::drivers::Options options;
  std::unique_ptr<slipway::drivers::Driver> driver;
};

/// Opens it again, as another process would see it.
void open_subject(Subject& subject);
/// The subject that cmocka hands to a case.
Subject& subject_of(void** state);
/// vfs in a directory beside the subject, empty.
Subject make_oracle(const Subject& subject);

/// What the file system that containers see may lack. (aufs; others have all.)
struct Abilities {
  size_t longest_name = 255;
  bool attributes = true;  // else Editor::attribute() does nothing, and manifest() shows none
};
const Abilities& abilities();

/// 64 hex digits that begin with `prefix`.
std::string layer_id(std::string_view prefix);

/// Fails the case with the error's text.
#define need(...)                                                                          \
  ({                                                                                       \
    auto need_result_ = (__VA_ARGS__);                                                     \
    if (!need_result_.ok()) fail_msg("%s: %s", #__VA_ARGS__, need_result_.error().text()); \
    std::move(need_result_).value();                                                       \
  })
/// Fails the case unless the error is of this kind.
#define need_error(kind_, ...)                                                              \
  do {                                                                                      \
    auto need_result_ = (__VA_ARGS__);                                                      \
    if (need_result_.ok()) fail_msg("%s went well", #__VA_ARGS__);                          \
    if (need_result_.error().kind() != slipway::ErrorKind::kind_)                           \
      fail_msg("%s: another kind of error: %s", #__VA_ARGS__, need_result_.error().text()); \
  } while (0)

/// Changes a tree: a stage, in the driver's own whiteout format, or a mounted layer. Modification times are set
/// from a counter, so that two trees made by the same calls are equal. A path has no leading "/".
class Editor {
 public:
  /// A stage.
  Editor(const slipway::drivers::Stage& stage, const slipway::drivers::Driver& driver);
  /// The mounted tree of a layer.
  explicit Editor(slipway::Fd tree);

  void file(const char* path, std::string_view text, mode_t mode = 0644);
  void append(const char* path, std::string_view text);
  void directory(const char* path, mode_t mode = 0755);
  void link(const char* existing, const char* path);
  void symlink(const char* target, const char* path);
  void node(const char* path, mode_t mode, unsigned major = 0, unsigned minor = 0);
  void attribute(const char* path, const char* name, std::string_view value);
  void mode(const char* path, mode_t mode);
  void owner(const char* path, uid_t uid, gid_t gid);
  void rename(const char* from, const char* to);
  /// Deletes what layers below have under this name, and what is here.
  void remove(const char* path);
  /// Replaces a directory by an empty one that hides what layers below have in it.
  void replace_directory(const char* path, mode_t mode = 0755);
  /// Opens for writing and writes nothing: overlay copies up.
  void touch_nothing(const char* path);
  int dir() const { return dir_; }

 private:
  enum class Form { mounted, whole, overlay, aufs };  // the last three: stages
  void stamp(const char* path);
  void clear(const char* path);

  slipway::Fd owned_;
  int dir_ = -1;
  Form form_ = Form::mounted;
  bool user_xattr_ = false;
  long clock_ = 1'600'000'000;
};

/// The tree of a layer, mounted for this descriptor alone.
slipway::Fd view(slipway::drivers::Driver& driver, std::string_view id);
/// A tree as text: one line for each entry with all that the entry has (but times of directories).
std::string manifest(int tree);
/// Fails with the lines that differ.
void assert_same_lines(const char* what, const std::string& shown, const std::string& wanted);
/// "A /path\nC /path\nD /path\n".
std::string listing(const std::vector<slipway::drivers::Change>& changes);
/// Names of a directory, two levels deep, one a line. Without what btrfs keeps for a while (limits_do_not_leak asks for it).
std::string names_below(const std::string& path);

/// stage, edit, commit.
template <class Edit>
void add_layer(slipway::drivers::Driver& driver, const std::string& id, const std::string& parent,
               const Edit& edit) {
  auto stage = need(driver.stage(parent));
  Editor editor(*stage, driver);
  edit(editor);
  need(driver.commit(std::move(stage), id, parent));
}

// The cases, by file.
void trees_and_changes(void** state);
void container_through_its_mount(void** state);
void rebase(void** state);
void random_changes(void** state);
void names_and_errors(void** state);
void committed_layers_are_read_only(void** state);
void stage_is_dropped(void** state);
void usage_and_metadata(void** state);
void quota(void** state);
void disposable(void** state);
void places_for_mounts(void** state);
void mounted_the_old_way(void** state);
void deep_stack(void** state);
void too_deep_is_refused_at_create(void** state);
void many_at_once(void** state);
void recover_spares_the_living(void** state);
void killed_at_every_step(void** state);
void limits_do_not_leak(void** state);
void no_space(void** state);
void cost_of_changes(void** state);

}  // namespace suite
