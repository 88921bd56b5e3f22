// The root file system, planned, built and entered in namespaces of its own: without a container around it.
// labels: root
#include "src/runtime/rootfs.h"

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

#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "tests/lib/cmocka.h"

using namespace slipway;
using namespace slipway::runtime;

namespace {

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

child::Outcome nothing(void*) {
  return child::kDone;
}

std::string describe(const child::Outcome& outcome) {
  if (outcome.ok()) return "";
  return std::string(outcome.action) + " `" + (outcome.object ? outcome.object : "") + "` on `" +
         (outcome.place ? outcome.place : "") +
         "`: " + (outcome.reason ? outcome.reason : strerror(outcome.code));
}

/// What a step said goes to `pipe`; then the process ends.
void need(int pipe, const child::Outcome& outcome) {
  if (outcome.ok()) return;
  const std::string text = describe(outcome);
  WANT(write(pipe, text.data(), text.size()) > 0);
  _exit(0);
}

void be_init(const RootfsPlan& plan, int pipe, bool terminal, void (*inside)()) {
  int master = -1;
  setsid();
  need(pipe, child::build_rootfs(plan, nothing, nullptr));
  need(pipe, child::enter_rootfs(plan));
  if (terminal) need(pipe, child::open_terminal(plan, &master));
  need(pipe, child::protect_paths(plan));
  if (inside) inside();
  _exit(0);
}

void be_outer(const Bundle& bundle, const RootfsPlan& plan, int pipe, void (*inside)()) {
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

void write_maps(pid_t pid) {
  int status = 0;
  assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
  for (const char* map : {"uid_map", "gid_map"}) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + map;
    assert_true(sys::write_file_at(AT_FDCWD, path.c_str(), "0 100000 1000\n").ok());
  }
  kill(pid, SIGCONT);
}

/// Builds and enters the bundle's tree in a process of its own, which then does `inside`. "" or what failed.
std::string in_container(Bundle& bundle, void (*inside)()) {
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

void succeeds(Bundle& bundle, void (*inside)()) {
  assert_string_equal(in_container(bundle, inside).c_str(), "");
}
void fails(Bundle& bundle, const char* part) {
  const std::string said = in_container(bundle, nullptr);
  if (said.empty() || !strstr(said.c_str(), part)) fail_msg("`%s` is not in `%s`", part, said.c_str());
}

bool is_type(const char* path, long magic) {
  struct statfs info = {};
  return statfs(path, &info) == 0 && info.f_type == magic;
}
unsigned long flags_of(const char* path) {
  struct statvfs info = {};
  WANT(statvfs(path, &info) == 0);
  return info.f_flag;
}
bool holds(const char* path, const char* text) {
  auto got = sys::read_file_at(AT_FDCWD, path, 4096);
  return got.ok() && *got == text;
}
/// The optional fields of the topmost mount on `path`: "shared:1 master:2 ".
std::string propagation_of(const char* path) {
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

// --- the default configuration -------------------------------------------------------------------------------

void check_default() {
  struct stat info = {};
  WANT(access("/etc/file", R_OK) == 0);
  WANT(is_type("/proc", 0x9fa0) && is_type("/sys", 0x62656572) && is_type("/dev", 0x01021994));
  WANT(is_type("/dev/pts", 0x1cd1) && is_type("/dev/shm", 0x01021994) && is_type("/dev/mqueue", 0x19800202));
  WANT(stat("/dev/null", &info) == 0 && info.st_mode == (S_IFCHR | 0666) && info.st_rdev == makedev(1, 3));
  WANT(stat("/dev/ptmx", &info) == 0 && info.st_rdev == makedev(5, 2));
  WANT(lstat("/dev/ptmx", &info) == 0 && S_ISLNK(info.st_mode));
  WANT(stat("/dev/console", &info) == 0 && major(info.st_rdev) == 136 && isatty(0));
  WANT(stat("/proc/kcore", &info) < 0 || info.st_rdev == makedev(1, 3));
  WANT(open("/proc/timer_list", O_RDONLY) >= 0 && holds("/proc/timer_list", ""));
  WANT(open("/proc/sys/kernel/hostname", O_WRONLY) < 0 && errno == EROFS);
  WANT((flags_of("/proc/sys") & (ST_RDONLY | ST_NOSUID)) == ST_RDONLY);
  WANT(open("/new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS);
  WANT(stat("/sys/firmware", &info) == 0 && (info.st_mode & 07777) == 0555);
  WANT(mkdir("/sys/firmware/x", 0755) < 0 && errno == EROFS);
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
  bundle.spec->process->terminal = true;
  bundle.spec->root->readonly = true;
  succeeds(bundle, check_default);
}

void in_a_user_namespace(void**) {
  Bundle bundle;
  bundle.user_namespace = true;
  bundle.run("chown -R 100000:100000 rootfs && chmod 700 dir && chown 100000 dir");
  // The default configuration has gid=5, which is mapped here to 100005.
  bundle.mount("/mnt", "bind", bundle.path + "/dir", {"rbind", "ro"});
  succeeds(bundle, [] {
    struct stat info = {};
    WANT(stat("/dev/null", &info) == 0 && info.st_rdev == makedev(1, 3));
    WANT(open("/dev/null", O_RDWR) >= 0);
    WANT(holds("/mnt/file", "in\n") && open("/mnt/x", O_WRONLY | O_CREAT, 0600) < 0);
    WANT(!strstr(propagation_of("/mnt").c_str(), "shared"));
  });
}

void behind_a_closed_directory(void**) {
  Bundle bundle;
  bundle.user_namespace = true;
  bundle.run("chown -R 100000:100000 rootfs && chmod 700 .");
  succeeds(bundle, [] { WANT(access("/etc/file", R_OK) == 0 && is_type("/proc", 0x9fa0)); });
}

void without_pivot_root(void**) {
  Bundle bundle;
  bundle.no_pivot = true;
  succeeds(bundle, [] { WANT(access("/etc/file", R_OK) == 0 && is_type("/proc", 0x9fa0)); });
}

// --- binds ---------------------------------------------------------------------------------------------------

void binds_of_files_and_directories(void**) {
  Bundle bundle;
  bundle.run(
      "ln -s /run/stub rootfs/etc/dangling; ln -s /etc rootfs/abs; ln -s ../../../../outside rootfs/up");
  bundle.mount("/etc/new/file", "bind", bundle.path + "/source", {"bind"});
  bundle.mount("/etc/dangling", "", "source", {"bind"});  // a relative source is in the bundle
  bundle.mount("/abs/dir", "none", bundle.path + "/dir", {"rbind"});
  bundle.mount("/up", "bind", bundle.path + "/dir", {});
  succeeds(bundle, [] {
    struct stat info = {};
    WANT(holds("/etc/new/file", "source\n") && holds("/run/stub", "source\n"));
    WANT(holds("/etc/dir/file", "in\n") && holds("/outside/file", "in\n"));
    WANT(stat("/etc/new", &info) == 0 && (info.st_mode & 07777) == 0755);
  });
  bundle.run("[ -d rootfs/outside ] && [ -z \"$(ls outside)\" ]");
}

void attributes_of_binds(void**) {
  Bundle bundle;
  bundle.mount("/a", "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec"});
  // The source is below the root file system: the mount that was made just now.
  bundle.mount("/plain", "bind", bundle.path + "/rootfs/a", {"bind"});
  bundle.mount("/ro", "bind", bundle.path + "/rootfs/a", {"bind", "ro"});
  bundle.mount("/kept", "bind", bundle.path + "/rootfs/a", {"bind", "ro", "remount"});
  bundle.mount("/dev2", "bind", bundle.path + "/rootfs/a", {"bind", "dev", "nosuid", "noatime"});
  bundle.mount("/nosymfollow", "bind", bundle.path + "/rootfs/data", {"bind", "nosymfollow"});
  succeeds(bundle, [] {
    constexpr unsigned long kMask = ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC;
    WANT((flags_of("/plain") & kMask) == (ST_NOSUID | ST_NODEV | ST_NOEXEC));
    WANT((flags_of("/ro") & kMask) == ST_RDONLY);
    WANT((flags_of("/kept") & kMask) == kMask);
    WANT((flags_of("/dev2") & kMask) == ST_NOSUID && (flags_of("/dev2") & ST_NOATIME));
    WANT(holds("/data/l", "deep\n"));
    WANT(open("/nosymfollow/l", O_RDONLY) < 0 && errno == ELOOP);
  });
}

void recursive_attributes(void**) {
  Bundle bundle;
  bundle.mount("/a", "tmpfs", "tmpfs", {});
  bundle.mount("/a/b", "tmpfs", "tmpfs", {});
  bundle.mount("/ro", "bind", bundle.path + "/rootfs/a", {"rbind", "ro"});
  bundle.mount("/rro", "bind", bundle.path + "/rootfs/a", {"rbind", "rro", "rnosuid"});
  bundle.mount("/back", "bind", bundle.path + "/rootfs/rro", {"rbind", "rrw"});
  bundle.mount("/fs", "tmpfs", "tmpfs", {"rro", "rnodev"});
  succeeds(bundle, [] {
    WANT(flags_of("/ro") & ST_RDONLY && !(flags_of("/ro/b") & ST_RDONLY));
    WANT(flags_of("/rro/b") & ST_RDONLY && flags_of("/rro/b") & ST_NOSUID);
    WANT(!(flags_of("/back/b") & ST_RDONLY) && flags_of("/back/b") & ST_NOSUID);
    WANT(flags_of("/fs") & ST_RDONLY && flags_of("/fs") & ST_NODEV);
  });
}

void links_of_crun(void**) {
  Bundle bundle;
  bundle.run("ln -s dir link; ln -s /etc rootfs/link");
  bundle.mount("/copied", "bind", bundle.path + "/link", {"bind", "copy-symlink"});
  bundle.mount("/followed", "bind", bundle.path + "/link", {"bind"});
  bundle.mount("/not-a-link", "bind", bundle.path + "/dir", {"bind", "copy-symlink"});
  succeeds(bundle, [] {
    char text[64] = "";
    WANT(readlink("/copied", text, sizeof text) == 3 && strncmp(text, "dir", 3) == 0);
    WANT(holds("/followed/file", "in\n") && holds("/not-a-link/file", "in\n"));
  });
}

// The child takes the path apart in a buffer of its own.
void paths_without_end(void**) {
  for (const Str option : {Str("bind"), Str("copy-symlink")}) {
    Bundle bundle;
    bundle.run("ln -s dir link");
    const std::string path = "/" + std::string(5000, 'x') + "/end";
    bundle.mount(path.c_str(), "bind", bundle.path + "/link", {Str("bind"), option});
    const std::string failure = in_container(bundle, [] {});
    assert_non_null(strstr(failure.c_str(), "File name too long"));
  }
}

void propagation(void**) {
  Bundle bundle;
  bundle.mount("/shared", "bind", bundle.path + "/dir", {"bind", "rprivate", "rshared"});
  bundle.mount("/private", "bind", bundle.path + "/dir", {"bind", "private"});
  bundle.mount("/fs", "tmpfs", "tmpfs", {"shared"});
  bundle.mount("/unbindable", "bind", bundle.path + "/dir", {"rbind", "unbindable"});
  bundle.spec->linux_->rootfs_propagation = Str("shared");
  succeeds(bundle, [] {
    WANT(strstr(propagation_of("/").c_str(), "shared:"));
    WANT(strstr(propagation_of("/shared").c_str(), "shared:"));
    WANT(propagation_of("/private") == "");
    WANT(strstr(propagation_of("/fs").c_str(), "shared:"));
    WANT(strstr(propagation_of("/unbindable").c_str(), "unbindable"));
  });
  bundle.spec->linux_->rootfs_propagation = Str("unbindable");
  succeeds(bundle, [] { WANT(strstr(propagation_of("/").c_str(), "unbindable")); });
  bundle.spec->linux_->rootfs_propagation = Str("private");
  succeeds(bundle, [] { WANT(propagation_of("/") == ""); });
  bundle.spec->linux_->rootfs_propagation = Str("sharing");
  fails(bundle, "rootfsPropagation: `sharing`");
}

// --- tmpfs ---------------------------------------------------------------------------------------------------

void tmpfs_modes_and_contents(void**) {
  Bundle bundle;
  bundle.mount("/data", "tmpfs", "tmpfs", {"size=1m"});
  bundle.mount("/new", "tmpfs", "tmpfs", {"ro"});
  bundle.mount("/new/below", "tmpfs", "tmpfs", {"mode=700"});
  succeeds(bundle, [] {
    struct stat info = {};
    WANT(stat("/data", &info) == 0 && (info.st_mode & 07777) == 01750 && access("/data/file", F_OK) < 0);
    WANT(stat("/new", &info) == 0 && (info.st_mode & 07777) == 01777 && flags_of("/new") & ST_RDONLY);
    WANT(stat("/new/below", &info) == 0 && (info.st_mode & 07777) == 0700);
    WANT(!(flags_of("/new/below") & ST_RDONLY));
  });
  Bundle copy;
  copy.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup", "ro"});
  succeeds(copy, [] {
    struct stat info = {};
    WANT(holds("/data/file", "deep\n") && holds("/data/l", "deep\n"));
    WANT(lstat("/data/l", &info) == 0 && S_ISLNK(info.st_mode));
    WANT(stat("/data/d", &info) == 0 && (info.st_mode & 07777) == 0711);
    WANT(stat("/data", &info) == 0 && (info.st_mode & 07777) == 01750 && is_type("/data", 0x01021994));
    WANT(flags_of("/data") & ST_RDONLY);
  });
}

// --- idmapped mounts -----------------------------------------------------------------------------------------

void idmapped_mounts(void**) {
  Bundle bundle;
  bundle.mount("/mapped", "bind", bundle.path + "/dir", {"bind", "idmap=uids=0-1000-10;gids=0-2000-10"});
  bundle.mount("/fs", "tmpfs", "tmpfs", {"mode=1777", "size=1m", "idmap=uids=0-1000-10;gids=0-2000-10"});
  succeeds(bundle, [] {
    struct stat info = {};
    WANT(stat("/mapped/file", &info) == 0 && info.st_uid == 1000 && info.st_gid == 2000);
    WANT(stat("/fs", &info) == 0 && info.st_uid == 1000);
  });
  Bundle without;
  without.mount("/mapped", "bind", without.path + "/dir", {"bind", "idmap"});
  fails(without, "idmap without mappings");
}

// --- what must not work --------------------------------------------------------------------------------------

void proc_must_be_real(void**) {
  Bundle bundle;
  bundle.run("rmdir rootfs/proc && mkdir rootfs/elsewhere && ln -s /elsewhere rootfs/proc");
  fails(bundle, "must be mounted on ordinary directory");
  Bundle covered;
  covered.mount("/proc", "tmpfs", "tmpfs", {});
  fails(covered, "cannot be mounted because it is not of type proc");
  Bundle below;
  below.mount("/proc/self", "bind", below.path + "/dir", {"bind"});
  fails(below, "cannot be mounted because it is inside /proc");
  Bundle link;
  link.run("ln -s /proc/self/attr rootfs/attr");
  link.mount("/attr", "bind", link.path + "/dir", {"bind"});
  fails(link, "/attr");
  Bundle hidden;
  hidden.mount("/proc/bus", "tmpfs", "tmpfs", {"ro"});
  succeeds(hidden, [] { WANT(is_type("/proc/bus", 0x01021994)); });
  Bundle lxcfs;
  lxcfs.mount("/proc/meminfo", "bind", lxcfs.path + "/source", {"bind"});
  succeeds(lxcfs, [] { WANT(holds("/proc/meminfo", "source\n")); });
}

void dev_must_be_real(void**) {
  Bundle bundle;
  bundle.unmount("/dev");
  bundle.unmount("/dev/pts");
  bundle.unmount("/dev/shm");
  bundle.unmount("/dev/mqueue");
  bundle.run("ln -s ../outside rootfs/dev");
  fails(bundle, "`/dev` on ``: it is not a directory");
  bundle.run(
      "[ -z \"$(ls outside)\" ] && rm rootfs/dev && mkdir rootfs/dev && ln -s ../../outside/x "
      "rootfs/dev/null");
  fails(bundle, "something else of this name exists");
  bundle.run("[ -z \"$(ls outside)\" ]");
}

void null_must_be_null(void**) {
  Bundle bundle;
  bundle.mount("/dev/null", "bind", bundle.path + "/source", {"bind"});
  fails(bundle, "`/dev/null`");
}

void console_is_not_followed(void**) {
  Bundle bundle;
  bundle.spec->process->terminal = true;
  bundle.unmount("/dev");
  bundle.unmount("/dev/shm");
  bundle.unmount("/dev/mqueue");
  bundle.run("mkdir rootfs/dev && ln -s ../../outside/x rootfs/dev/console");
  fails(bundle, "`/dev/console`");
  bundle.run("[ -z \"$(ls outside)\" ]");
  bundle.unmount("/dev/pts");
  fails(bundle, "/dev/pts/ptmx");
}

void errors_name_the_mount(void**) {
  Bundle missing;
  missing.mount("/mnt", "bind", "/no/such/source", {"bind"});
  fails(missing, "mount `/no/such/source` on `/mnt`: No such file");
  Bundle type;
  type.mount("/mnt", "no-such-type", "x", {});
  fails(type, "mount `no-such-type` on `/mnt`");
  Bundle data;
  data.mount("/mnt", "bind", data.path, {"bind", "size=1m"});
  fails(data, "bind mounts cannot have any filesystem-specific options applied");
  Bundle option;
  option.mount("/mnt", "tmpfs", "tmpfs", {"no-such-option"});
  fails(option, "mount `tmpfs` on `/mnt`: Invalid argument");
  Bundle root;
  root.spec->root->path = Str("nowhere");
  fails(root, "root.path");
}

}  // namespace

int main() {
  if (geteuid() != 0) return 77;
  const CMUnitTest tests[] = {
      cmocka_unit_test(default_configuration),
      cmocka_unit_test(in_a_user_namespace),
      cmocka_unit_test(behind_a_closed_directory),
      cmocka_unit_test(without_pivot_root),
      cmocka_unit_test(binds_of_files_and_directories),
      cmocka_unit_test(attributes_of_binds),
      cmocka_unit_test(recursive_attributes),
      cmocka_unit_test(links_of_crun),
      cmocka_unit_test(paths_without_end),
      cmocka_unit_test(propagation),
      cmocka_unit_test(tmpfs_modes_and_contents),
      cmocka_unit_test(idmapped_mounts),
      cmocka_unit_test(proc_must_be_real),
      cmocka_unit_test(dev_must_be_real),
      cmocka_unit_test(null_must_be_null),
      cmocka_unit_test(console_is_not_followed),
      cmocka_unit_test(errors_name_the_mount),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
