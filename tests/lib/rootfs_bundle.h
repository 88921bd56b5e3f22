// A bundle whose root file system is planned, built and entered in namespaces of its own, for rootfs_test.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "src/runtime/rootfs.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "tests/lib/cmocka.h"

namespace slipway::runtime {

/// In the child an assertion cannot speak to cmocka: it writes to stderr and ends the process.
#define WANT(condition)                                            \
  do {                                                             \
    if (!(condition)) {                                            \
      fprintf(stderr, "line %d: %s (%m)\n", __LINE__, #condition); \
      _exit(1);                                                    \
    }                                                              \
  } while (0)

struct Bundle {
  std::string path;
  Arena arena;
  oci::Spec* spec = nullptr;
  bool user_namespace = false;
  bool no_pivot = false;

  Bundle() {
    std::string name = std::string(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp") + "/bundle.XXXXXX";
    path = mkdtemp(name.data());
    run("mkdir rootfs rootfs/proc rootfs/etc rootfs/data outside && echo text >rootfs/etc/file &&"
        " chmod 1750 rootfs/data && echo source >source && mkdir -p dir/sub && echo in >dir/file &&"
        " chmod 755 . && echo deep >rootfs/data/file && mkdir -m 711 rootfs/data/d && ln -s file "
        "rootfs/data/l");
    spec = oci::default_spec(arena, oci::DefaultSpec());
    spec->root->readonly = false;
  }
  ~Bundle() { run("cd / && rm -rf --one-file-system " + path); }
  void run(const std::string& command) const {
    assert_int_equal(system(("cd " + path + " && " + command).c_str()), 0);
  }
  void mount(const char* destination, const char* type, const std::string& source,
             std::initializer_list<Str> options) {
    ListBuilder<oci::Mount> mounts(arena);
    for (const oci::Mount& old : spec->mounts) mounts.add(old);
    ListBuilder<Str> words(arena);
    for (const Str& word : options) words.add(word);
    oci::Mount& added = mounts.add();
    added.destination = Str::wrap(destination);
    added.type = Str::wrap(type);
    added.source = arena.copy(source);
    added.options = words.list();
    spec->mounts = mounts.list();
  }
  void unmount(const char* destination) {
    ListBuilder<oci::Mount> mounts(arena);
    for (const oci::Mount& old : spec->mounts)
      if (!(old.destination == destination)) mounts.add(old);
    spec->mounts = mounts.list();
  }
};

inline child::Outcome nothing(void*) {
  return child::kDone;
}

inline std::string describe(const child::Outcome& outcome) {
  if (outcome.ok()) return "";
  return std::string(outcome.action) + " `" + (outcome.object ? outcome.object : "") + "` on `" +
         (outcome.place ? outcome.place : "") +
         "`: " + (outcome.reason ? outcome.reason : strerror(outcome.code));
}

/// What a step said goes to `pipe`; then the process ends.
inline void need(int pipe, const child::Outcome& outcome) {
  if (outcome.ok()) return;
  const std::string text = describe(outcome);
  WANT(write(pipe, text.data(), text.size()) > 0);
  _exit(0);
}

inline void be_init(const RootfsPlan& plan, int pipe, bool terminal, void (*inside)()) {
  int master = -1;
  setsid();
  need(pipe, child::build_rootfs(plan, nothing, nullptr));
  need(pipe, child::enter_rootfs(plan));
  if (terminal) need(pipe, child::open_terminal(plan, &master));
  need(pipe, child::protect_paths(plan));
  if (inside) inside();
  _exit(0);
}

inline void be_outer(const Bundle& bundle, const RootfsPlan& plan, int pipe, void (*inside)()) {
  // As in create: the maps are written from outside; here by the parent of this process.
  if (bundle.user_namespace) {
    WANT(unshare(CLONE_NEWUSER) == 0);
    raise(SIGSTOP);
    WANT(setuid(0) == 0 && setgid(0) == 0);
  }
  WANT(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP) == 0);
  const bool terminal = bundle.spec->process->terminal;
  const pid_t init = fork();  // the first process of the PID namespace
  if (init == 0) be_init(plan, pipe, terminal, inside);
  int status = 1;
  WANT(waitpid(init, &status, 0) == init);
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

inline void write_maps(pid_t pid) {
  int status = 0;
  assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
  for (const char* map : {"uid_map", "gid_map"}) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + map;
    assert_true(sys::write_file_at(AT_FDCWD, path.c_str(), "0 100000 1000\n").ok());
  }
  kill(pid, SIGCONT);
}

/// Builds and enters the bundle's tree in a process of its own, which then does `inside`. "" or what failed.
inline std::string in_container(Bundle& bundle, void (*inside)()) {
  RootfsRequest request;
  request.spec = bundle.spec;
  request.bundle = bundle.path.c_str();
  request.own_cgroup_namespace = true;
  const std::vector<sys::CgroupHierarchy> hierarchies = sys::find_hierarchies().value();
  request.hierarchies = &hierarchies;
  request.user_namespace = bundle.user_namespace;
  request.no_pivot = bundle.no_pivot;
  std::vector<Fd> keep;
  ListBuilder<Str> warnings(bundle.arena);
  auto plan = plan_rootfs(request, bundle.arena, keep, warnings);
  if (!plan.ok()) return plan.error().text();
  int pipe[2];
  assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
  fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) be_outer(bundle, **plan, pipe[1], inside);
  close(pipe[1]);
  if (bundle.user_namespace) write_maps(pid);
  const std::string said = sys::read_all(pipe[0], 65536).value();
  close(pipe[0]);
  int status = 1;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  return said;
}

inline void succeeds(Bundle& bundle, void (*inside)()) {
  assert_string_equal(in_container(bundle, inside).c_str(), "");
}
inline void fails(Bundle& bundle, const char* part) {
  const std::string said = in_container(bundle, nullptr);
  if (said.empty() || !strstr(said.c_str(), part)) fail_msg("`%s` is not in `%s`", part, said.c_str());
}

inline bool is_type(const char* path, long magic) {
  struct statfs info = {};
  return statfs(path, &info) == 0 && info.f_type == magic;
}
inline unsigned long flags_of(const char* path) {
  struct statvfs info = {};
  WANT(statvfs(path, &info) == 0);
  return info.f_flag;
}
inline bool holds(const char* path, const char* text) {
  auto got = sys::read_file_at(AT_FDCWD, path, 4096);
  return got.ok() && *got == text;
}
/// The optional fields of the topmost mount on `path`: "shared:1 master:2 ".
inline std::string propagation_of(const char* path) {
  FILE* const table = fopen("/proc/self/mountinfo", "re");
  WANT(table);
  char line[1024];
  std::string found = "not mounted";
  while (fgets(line, sizeof line, table)) {
    char place[256] = "";
    int end = 0;
    WANT(sscanf(line, "%*d %*d %*s %*s %255s %*s %n", place, &end) == 1);
    if (strcmp(place, path) == 0) found.assign(line + end, strstr(line + end, "- ") - line - end);
  }
  fclose(table);
  return found;
}

}  // namespace slipway::runtime
