// The root file system of the default configuration: planned, built and entered in namespaces of its own.
// labels: root
#include "src/runtime/rootfs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "src/sys/kernel.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::runtime;

namespace {

/// In the child an assertion cannot speak to cmocka: it ends the process.
#define WANT(condition)                                            \
  do {                                                             \
    if (!(condition)) {                                            \
      fprintf(stderr, "line %d: %s (%m)\n", __LINE__, #condition); \
      _exit(1);                                                    \
    }                                                              \
  } while (0)

#define DONE(...)                                                                           \
  do {                                                                                      \
    const child::Outcome outcome_ = (__VA_ARGS__);                                          \
    if (!outcome_.ok()) {                                                                   \
      fprintf(stderr, "line %d: %s `%s` on `%s`: %s\n", __LINE__, outcome_.action,          \
              outcome_.object ? outcome_.object : "", outcome_.place ? outcome_.place : "", \
              outcome_.reason ? outcome_.reason : strerror(outcome_.code));                 \
      _exit(1);                                                                             \
    }                                                                                       \
  } while (0)

struct Bundle {
  std::string path;
  Arena arena;
  oci::Spec* spec = nullptr;
};

void make_bundle(Bundle& bundle) {
  std::string name = std::string(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp") + "/bundle.XXXXXX";
  bundle.path = mkdtemp(name.data());
  assert_int_equal(system(("cd " + bundle.path +
                           " && mkdir rootfs rootfs/proc rootfs/etc rootfs/data &&"
                           " echo text >rootfs/etc/file && chmod 1750 rootfs/data")
                              .c_str()),
                   0);
  bundle.spec = oci::default_spec(bundle.arena, oci::DefaultSpec());
}

child::Outcome nothing(void*) {
  return child::kDone;
}

/// Builds and enters the bundle's tree in a process of its own, which then does `inside`.
void in_container(Bundle& bundle, void (*inside)(const RootfsPlan&)) {
  RootfsRequest request;
  request.spec = bundle.spec;
  request.bundle = bundle.path.c_str();
  request.own_cgroup_namespace = true;
  std::vector<Fd> keep;
  ListBuilder<Str> warnings(bundle.arena);
  auto plan = plan_rootfs(request, bundle.arena, keep, warnings);
  if (!plan.ok()) fail_msg("%s", plan.error().text());
  fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    WANT(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP) == 0);
    const pid_t init = fork();  // the first process of the PID namespace
    if (init == 0) {
      setsid();
      DONE(child::build_rootfs(**plan, nothing, nullptr));
      DONE(child::enter_rootfs(**plan));
      inside(**plan);
      _exit(0);
    }
    int status = 1;
    WANT(waitpid(init, &status, 0) == init);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  int status = 1;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

void remove_bundle(const Bundle& bundle) {
  assert_int_equal(system(("rm -rf --one-file-system " + bundle.path).c_str()), 0);
}

bool is_type(const char* path, long magic) {
  struct statfs info = {};
  return statfs(path, &info) == 0 && info.f_type == magic;
}

void check_default(const RootfsPlan& plan) {
  int master = -1;
  DONE(child::open_terminal(plan, &master));
  DONE(child::protect_paths(plan));
  struct stat info = {};
  WANT(access("/etc/file", R_OK) == 0);
  WANT(is_type("/proc", 0x9fa0) && is_type("/sys", 0x62656572) && is_type("/dev", 0x01021994));
  WANT(is_type("/dev/pts", 0x1cd1) && is_type("/dev/shm", 0x01021994) && is_type("/dev/mqueue", 0x19800202));
  WANT(stat("/dev/null", &info) == 0 && info.st_mode == (S_IFCHR | 0666) && info.st_rdev == makedev(1, 3));
  WANT(stat("/dev/ptmx", &info) == 0 && info.st_rdev == makedev(5, 2));
  WANT(lstat("/dev/ptmx", &info) == 0 && S_ISLNK(info.st_mode));
  WANT(stat("/dev/console", &info) == 0 && major(info.st_rdev) == 136 && isatty(0));
  WANT(stat("/proc/kcore", &info) < 0 || info.st_rdev == makedev(1, 3));
  WANT(open("/proc/sys/kernel/hostname", O_WRONLY) < 0 && errno == EROFS);
  WANT(open("/new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS);
  WANT(stat("/", &info) == 0);
  // Nothing of the host is left.
  FILE* table = fopen("/proc/self/mountinfo", "re");
  char line[1024];
  while (fgets(line, sizeof line, table)) {
    char place[256] = "";
    WANT(sscanf(line, "%*d %*d %*s %*s %255s", place) == 1);
    WANT(strcmp(place, "/") == 0 || strncmp(place, "/proc", 5) == 0 || strncmp(place, "/sys", 4) == 0 ||
         strncmp(place, "/dev", 4) == 0);
  }
}

void default_configuration(void**) {
  Bundle bundle;
  make_bundle(bundle);
  in_container(bundle, check_default);
  remove_bundle(bundle);
}

}  // namespace

int main() {
  if (geteuid() != 0) return 77;
  const CMUnitTest tests[] = {cmocka_unit_test(default_configuration)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
