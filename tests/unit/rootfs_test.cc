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
#include "tests/lib/rootfs_bundle.h"

using namespace slipway;
using namespace slipway::runtime;

namespace {

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
