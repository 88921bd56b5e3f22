#!/bin/bash
# seccomp in real containers: the profile holds in init and exec, with and without no_new_privs, and is compiled once.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sh -c 'grep -E "^Seccomp:|NoNewPrivs" /proc/self/status; mkdir /tmp/x'
profile='{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
  {"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}'
cache=$TMPDIR/slip-run/.seccomp

for new_privileges in true false; do
  edit_config "$bundle" ".linux.seccomp = $profile | .process.noNewPrivileges = $new_privileges"
  run slip run --bundle "$bundle" "$(new_id)"
  check_eq 1 "$status"
  check_contains "$out" $'Seccomp:\t2'
  check_contains "$out" "NoNewPrivs:"$'\t'"$([ $new_privileges = true ] && echo 1 || echo 0)"
  check_contains "$err" "No space left on device"
done
check_eq 1 "$(find "$cache" -type f | wc -l)" "programs in the cache"
check_eq "700 0" "$(stat -c '%a %u' "$cache")" "the cache's mode and owner"

# From the cache; another's is not trusted.
edit_config "$bundle" '.process.args[2] = "mkdir /tmp/x"'
chmod 777 "$cache"
run slip run --bundle "$bundle" "$(new_id)"
check_contains "$err" "No space left on device"
chmod 700 "$cache"

# exec has the container's profile, whatever its own process says.
edit_config "$bundle" '.process.args = ["sleep", "1000"]'
id=$(new_id)
check slip run --detach --bundle "$bundle" "$id"
run slip exec "$id" mkdir /tmp/x
check_contains "$err" "No space left on device"
check_eq $'Seccomp:\t2' "$(slip exec "$id" grep ^Seccomp: /proc/self/status)"
check slip delete --force "$id"

# A call that kills, and conditions on arguments.
edit_config "$bundle" '.linux.seccomp.syscalls = [{"names": ["chroot"], "action": "SCMP_ACT_KILL_PROCESS"},
    {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}] |
  .process.args = ["sh", "-c", "kill -USR1 $$ || echo no USR1; kill -0 $$ && echo yes 0; chroot / true; echo $?"]'
check slip run --bundle "$bundle" "$(new_id)"
check_contains "$out" "no USR1"
check_contains "$out" "yes 0"
check_contains "$out" "159"  # 128 + SIGSYS

# A name that nobody knows is left out, unless crun's annotation says otherwise.
edit_config "$bundle" '.linux.seccomp.syscalls[0].names += ["no_such_call"]'
check slip run --bundle "$bundle" "$(new_id)"
edit_config "$bundle" '.annotations = {"run.oci.seccomp_fail_unknown_syscall": "1"}'
check_fails 1 'linux.seccomp.syscalls: unknown system call `no_such_call`' slip run --bundle "$bundle" "$(new_id)"
edit_config "$bundle" 'del(.annotations)'

if command -v perl >/dev/null && [ -d /usr/lib/x86_64-linux-gnu ]; then
  # Calls younger than the profile's newest get ENOSYS; older ones that it does not name, EPERM.
  edit_config "$bundle" '.linux.seccomp = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"action": "SCMP_ACT_ALLOW", "names":
      ["read", "write", "open", "openat", "close", "fstat", "newfstatat", "mmap", "mprotect", "munmap", "brk", "access", "execve",
       "exit", "exit_group", "arch_prctl", "prlimit64", "pread64", "rt_sigaction", "rt_sigprocmask", "ioctl", "lseek", "readlink",
       "set_tid_address", "set_robust_list", "rseq", "getrandom", "getuid", "geteuid", "getgid", "getegid", "fcntl", "futex",
       "prctl", "capset", "capget", "setuid", "setgid", "setgroups", "sigaltstack", "getpid", "getppid", "faccessat2"]}]} |
    .process.noNewPrivileges = true | .process.args = ["/usr/bin/perl", "-e", "for (437, 438, 439, 9999) { syscall($_); print $! + 0, qq{ } }"] |
    .mounts += [{"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]},
      {"destination": "/lib64", "type": "bind", "source": "/lib64", "options": ["rbind", "ro"]},
      {"destination": "/lib", "type": "bind", "source": "/lib", "options": ["rbind", "ro"]}]'
  check slip run --bundle "$bundle" "$(new_id)"
  # 437 openat2 and 438 pidfd_getfd are older than 439, faccessat2
  check_eq "1 1 22 38" "$(xargs <<<"$out")" "errno of calls 437, 438, 439 (EINVAL: allowed) and 9999"
fi
