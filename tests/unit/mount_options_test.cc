// The table of mount options.
#include "src/runtime/mount_options.h"

#include <initializer_list>

#include "src/sys/kernel.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using runtime::MountOptions;

namespace {

Arena arena;

MountOptions sort(std::initializer_list<Str> words) {
  ListBuilder<Str> list(arena);
  for (const Str& word : words) list.add(word);
  return runtime::sort_mount_options(list.list(), arena);
}

void flags_and_attributes(void**) {
  MountOptions options = sort({"nosuid", "noexec", "nodev", "ro"});
  assert_int_equal(options.flags, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY);
  assert_int_equal(options.own.set,
                   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
  assert_int_equal(options.own.clear, 0);
  options = sort({"sync", "dirsync", "mand", "lazytime", "iversion", "silent", "nosymfollow", "defaults"});
  assert_int_equal(options.flags, MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME | MS_I_VERSION |
                                      MS_SILENT | MS_NOSYMFOLLOW);
  assert_int_equal(options.own.set, MOUNT_ATTR_NOSYMFOLLOW);
}

void later_words_win(void**) {
  MountOptions options = sort({"ro", "rw"});
  assert_int_equal(options.flags, 0);
  assert_int_equal(options.own.set, 0);
  assert_int_equal(options.own.clear, MOUNT_ATTR_RDONLY);
  options = sort({"suid", "nosuid"});
  assert_int_equal(options.own.set, MOUNT_ATTR_NOSUID);
  assert_int_equal(options.own.clear, 0);
}

void access_times_exclude_each_other(void**) {
  MountOptions options = sort({"noatime", "strictatime"});
  assert_int_equal(options.flags, MS_STRICTATIME);
  assert_int_equal(options.own.set, MOUNT_ATTR_STRICTATIME);
  assert_int_equal(options.own.clear, MOUNT_ATTR__ATIME);
  options = sort({"strictatime", "relatime"});
  assert_int_equal(options.flags, MS_RELATIME);
  assert_int_equal(options.own.set, 0);
  assert_int_equal(options.own.clear, MOUNT_ATTR__ATIME);
  options = sort({"rnoatime", "rnodiratime"});
  assert_int_equal(options.recursive.set, MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME);
  assert_int_equal(options.recursive.clear, MOUNT_ATTR__ATIME);
  assert_false(options.own.any());
}

void recursive_words(void**) {
  const MountOptions options = sort({"rbind", "rro", "rnosuid", "rsuid", "rexec", "rslave", "shared"});
  assert_true(options.bind && options.bind_recursive);
  assert_int_equal(options.recursive.set, MOUNT_ATTR_RDONLY);
  assert_int_equal(options.recursive.clear, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  assert_int_equal(options.changes.size(), 2);
  assert_int_equal(options.changes[0], MS_SLAVE | MS_REC);
  assert_int_equal(options.changes[1], MS_SHARED);
  assert_int_equal(options.flags, 0);
}

void the_rest_is_data(void**) {
  const MountOptions options =
      sort({"mode=755", "bind", "size=64k", "", "tmpcopyup", "ridmap=uids=0-1-2;gids=0-1-2", "x"});
  assert_string_equal(options.data.c_str(), "mode=755,size=64k,x");
  assert_true(options.bind && !options.bind_recursive && options.copy_up && options.idmap);
  assert_true(options.idmap_recursive);
  assert_string_equal(options.idmap_text.c_str(), "uids=0-1-2;gids=0-1-2");
}

// config.md of runtime-spec 1.3, "Linux mount options".
void all_of_the_specification(void**) {
  for (const Str& word : std::initializer_list<Str>{
           "async",       "atime",          "bind",          "defaults",     "dev",
           "diratime",    "dirsync",        "exec",          "iversion",     "lazytime",
           "loud",        "mand",           "noatime",       "nodev",        "nodiratime",
           "noexec",      "noiversion",     "nolazytime",    "nomand",       "norelatime",
           "nosuid",      "nosymfollow",    "nostrictatime", "private",      "ratime",
           "rbind",       "rdev",           "rdiratime",     "relatime",     "remount",
           "rexec",       "rnoatime",       "rnodev",        "rnodiratime",  "rnoexec",
           "rnorelatime", "rnostrictatime", "rnosuid",       "rnosymfollow", "ro",
           "rprivate",    "rrelatime",      "rro",           "rrw",          "rshared",
           "rslave",      "rstrictatime",   "rsuid",         "rsymfollow",   "runbindable",
           "rw",          "shared",         "silent",        "slave",        "strictatime",
           "suid",        "symfollow",      "sync",          "tmpcopyup",    "unbindable",
           "idmap",       "ridmap"}) {
    const MountOptions options = sort({word});
    if (!options.data.empty()) fail_msg("`%s` is not known", word.c_str());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(flags_and_attributes),
                              cmocka_unit_test(later_words_win),
                              cmocka_unit_test(access_times_exclude_each_other),
                              cmocka_unit_test(recursive_words),
                              cmocka_unit_test(the_rest_is_data),
                              cmocka_unit_test(all_of_the_specification)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
