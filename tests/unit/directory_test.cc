// Reading directories.
#include "src/sys/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <string>

#include "src/base/fd.h"
#include "src/sys/remove_tree.h"
#include "tests/lib/cmocka.h"

using namespace slipway;

namespace {

void each_entry_once(void**) {
  char root[] = "/tmp/slipway-directory-XXXXXX";
  assert_non_null(mkdtemp(root));
  const Fd dir(open(root, O_RDONLY | O_DIRECTORY));
  std::set<std::string> made;
  for (int i = 0; i < 500; ++i) {  // more than one buffer
    const std::string name = "." + std::string(static_cast<size_t>(1 + i % 200), 'x') + std::to_string(i);
    assert_return_code(mkdirat(dir.get(), name.c_str(), 0700), errno);
    made.insert(name);
  }
  sys::DirectoryReader reader(dir.get());
  for (int round = 0; round < 2; ++round, reader.rewind()) {
    std::set<std::string> read;
    while (const dirent64* entry = reader.next()) assert_true(read.insert(entry->d_name).second);
    assert_int_equal(reader.error(), 0);
    assert_true(read == made);
  }
  assert_true(sys::remove_tree(AT_FDCWD, root).ok());
}

// Two processes may remove one tree.
void a_removed_directory_is_empty(void**) {
  char root[] = "/tmp/slipway-directory-XXXXXX";
  assert_non_null(mkdtemp(root));
  const Fd dir(open(root, O_RDONLY | O_DIRECTORY));
  assert_return_code(rmdir(root), errno);
  sys::DirectoryReader reader(dir.get());
  assert_null(reader.next());
  assert_int_equal(reader.error(), 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_entry_once),
      cmocka_unit_test(a_removed_directory_is_empty),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
