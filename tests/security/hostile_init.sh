#!/bin/bash
# A container whose init is hostile: it looks into each process that joins it (CVE-2016-9962), has replaced /proc
# (CVE-2019-16884, CVE-2025-52881), and wants its setuid programs to work.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root
require_command script

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
id=$(new_id)
canary=$TMPDIR/canary
echo host >"$canary"
capabilities='["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SETUID", "CAP_KILL"]'
own=$(cat "$bundle/config.json")
capable() { # JQ FILTER
  echo "$own" | jq ".process.capabilities |= map_values($capabilities) | del(.linux.maskedPaths, .linux.readonlyPaths) | $1" \
    >"$bundle/config.json"
}

# It watches its /proc as fast as it can.
cat >"$bundle/rootfs/watch" <<END2
#!/bin/sh
while :; do
  for p in /proc/[0-9]*; do
    [ "\$p" != "/proc/\$\$" ] || continue
    [ ! -e "\$p/root$canary" ] || echo "reached the host by \$p/root"
    [ ! -e "\$p/cwd/canary" ] || echo "reached the host by \$p/cwd"
    for fd in "\$p"/fd/*; do
      [ ! -e "\$fd$canary" ] && [ ! -e "\$fd/canary" ] || echo "reached the host by \$fd: \$(readlink "\$fd")"
    done
  done 2>/dev/null
done >>/found
END2
chmod 755 "$bundle/rootfs/watch"
# (With CAP_SYS_PTRACE of the host's own user namespace it may look: that is what the capability says.)
capable '.process.args = ["/watch"] | .process.capabilities |= map_values(. - ["CAP_SYS_ADMIN"])'
check slip run --detach --bundle "$bundle" "$id"
for _ in $(seq 40); do
  (cd "$TMPDIR" && slip exec "$id" true </dev/null 3<"$TMPDIR" 4</)
done
check slip delete --force "$id"
check_eq "" "$(cat "$bundle/rootfs/found")" "what init saw of the processes that joined"

# It has covered /proc with files of its own.
cat >"$bundle/rootfs/cover" <<'END2'
#!/bin/sh
mount -t tmpfs tmpfs /proc
for at in self thread-self 1 self/task/1; do
  mkdir -p /proc/$at/attr /proc/$at/fd
  for file in attr/exec attr/current attr/keycreate status oom_score_adj setgroups uid_map loginuid; do echo >/proc/$at/$file; done
done
touch /ready
exec sleep 1000
END2
chmod 755 "$bundle/rootfs/cover"
capable '.process.args = ["/cover"]'
check slip run --detach --bundle "$bundle" "$id"
wait_for 5 test -e "$bundle/rootfs/ready"
"$SLIP" --root "$TMPDIR/slip-run" exec --user 1000 --cap CAP_KILL --no-new-privs "$id" sleep 500 &
joined=$!
in_container() { pgrep -f "^sleep 500$" -u 1000; }
wait_for 5 in_container
status_of() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$(in_container)/status" | xargs; }
check_eq 1 "$(status_of NoNewPrivs)" "no_new_privs with a /proc of init's making"
check_eq "1000 1000 1000 1000" "$(status_of Uid)"
check_eq "" "$(status_of Groups)" "groups of a number"
kill -9 "$(in_container)"
wait $joined || true
# A label that would be written to a file of the container's is refused.
run slip exec --apparmor nothing "$id" true
[ "$status" != 0 ] || fail "a profile was set through a /proc that is none"
check slip exec "$id" sh -c 'cat /proc/self/attr/exec /proc/thread-self/attr/exec'
check_eq "" "$out" "what the runtime wrote into init's own /proc"
check slip delete --force "$id"

# /proc is a directory of the image, or a tmpfs: nothing is believed to have been set by it.
for filter in '.mounts |= map(select(.destination != "/proc"))' \
  '.mounts |= map(if .destination == "/proc" then .type = "tmpfs" | .source = "tmpfs" else . end)'; do
  mkdir -p "$bundle/rootfs/proc/self/attr" "$bundle/rootfs/proc/sys/net/ipv4"
  for file in self/attr/exec self/attr/current sys/net/ipv4/ip_forward; do echo none >"$bundle/rootfs/proc/$file"; done
  echo "$own" | jq "$filter | .process.apparmorProfile = \"nothing\"" >"$bundle/config.json"
  run slip run --bundle "$bundle" "$id"
  [ "$status" != 0 ] || fail "a profile was set without procfs"
  echo "$own" | jq "$filter | del(.linux.maskedPaths, .linux.readonlyPaths) | .linux.sysctl = {\"net.ipv4.ip_forward\": \"1\"}
    | .process.args = [\"true\"]" >"$bundle/config.json"
  run slip run --bundle "$bundle" "$id"
  check_eq "none none none" "$(cd "$bundle/rootfs/proc" && cat self/attr/exec self/attr/current sys/net/ipv4/ip_forward | xargs)" \
    "files of the image's own /proc"
  rm -r "$bundle/rootfs/proc"
  mkdir "$bundle/rootfs/proc"
done

# no_new_privs stands before the program: its setuid bit means nothing. Without it, it does.
printf '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%%d\\n", (int)geteuid()); return 0; }\n' >"$TMPDIR/id.c"
"${CC:-cc}" -static -o "$bundle/rootfs/bin/id-as-root" "$TMPDIR/id.c" || skip "no C compiler"
chmod 4755 "$bundle/rootfs/bin/id-as-root"
setuid_gives() { # WANT BOOL
  echo "$own" | jq '.process.noNewPrivileges = $n | .process.user = {uid: 1000, gid: 1000}
    | .process.args = ["/bin/id-as-root"] | .process.capabilities |= map_values(["CAP_SETUID"])
    | .process.capabilities.ambient = [] | .process.capabilities.inheritable = []' --argjson n "$2" >"$bundle/config.json"
  check slip run --bundle "$bundle" "$id"
  check_eq "$1" "$out" "user of a setuid program, no_new_privs $2"
}
setuid_gives 0 false
setuid_gives 1000 true

# Hooks see the environment that they are given, and nothing of the runtime's.
echo "$own" | jq '.process.args = ["true"] | .hooks = {
  prestart: [{path: "/usr/bin/env"}], createContainer: [{path: "/bin/sh", args: ["sh", "-c", "env >>\($f)"], env: ["ONE=1"]}],
  createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "/usr/bin/env >>\($f)"], env: ["TWO=2"]}]}' --arg f "$TMPDIR/env" \
  >"$bundle/config.json"
SECRET=secret LD_PRELOAD='' NOTIFY_SOCKET='' check slip run --bundle "$bundle" "$id"
check_eq "ONE TWO" "$(sed 's/=.*//' "$TMPDIR/env" | grep -vx -e PWD -e SHLVL -e _ -e OLDPWD | sort | xargs)" "environment of hooks"

# The terminal of a user namespace belongs to its root, and is not the host's.
chown -R 100000:100000 "$bundle/rootfs"
echo "$own" | jq '.process.terminal = true | .process.args = ["sh", "-c", "stat -c %u:%t /dev/console; stat -Lc %u /dev/fd/0; tty"]
  | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
  | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]' >"$bundle/config.json"
check script -qec "'$SLIP' --root '$TMPDIR/slip-run' run --bundle '$bundle' $id" /dev/null
check_eq "0:88 0 /dev/pts/0" "$(tr -d '\r' <<<"$out" | sed 's/\^@//' | xargs)" "the terminal in a user namespace"
