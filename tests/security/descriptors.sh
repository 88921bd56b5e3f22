#!/bin/bash
# No descriptor and no working directory of the host reaches the container (CVE-2024-21626, CVE-2016-9962).
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sh -c 'for f in /proc/self/fd/*; do echo "${f##*/}"; done'
id=$(new_id)
fds() {
  # The shell's own descriptor of the directory is among them.
  xargs <<<"$out"
}

# The caller is careless: descriptors 3 to 9 are open and not close-on-exec.
careless() {
  "$@" 3</ 4</etc 5</ 6</dev/null 7</proc 8</ 9</
}
run careless slip run --bundle "$bundle" "$id"
check_eq 0 "$status"
check_eq "0 1 2 3" "$(fds)" "descriptors of the container"

# In the created state: nothing that leads to the host but the two fifos of the runtime.
edit_config "$bundle" '.process.args = ["sleep", "1000"]'
careless slip create --bundle "$bundle" "$id"
pid=$(slip state "$id" | jq .pid)
for fd in "/proc/$pid/fd"/*; do
  target=$(readlink "$fd")
  case $target in
    "$TMPDIR"/slip-run/*/exec.fifo | "$TMPDIR"/slip-run/*/exec.result | "$TMPDIR"/.out | "$TMPDIR"/.err | /dev/null) ;;
    socket:* | pipe:*) ;;
    *) [ "${fd##*/}" -le 2 ] || [ "$(stat -L -c %F "$fd")" != directory ] || fail "descriptor ${fd##*/} leads to $target" ;;
  esac
done
check slip start "$id"
check_eq "0 1 2" "$(ls "/proc/$pid/fd" | xargs)" "descriptors of init"
check careless slip exec "$id" sh -c 'for f in /proc/self/fd/*; do echo "${f##*/}"; done'
check_eq "0 1 2 3" "$(fds)" "descriptors of exec"

# Working directories that are descriptors.
for n in 3 4 5 6 7 8 9 10 11 12; do
  for base in /proc/self/fd/$n /proc/self/fd/$n/ /proc/1/fd/$n /proc/self/fd/$n/../../../../..; do
    run careless slip exec --cwd "$base" "$id" sh -c 'pwd; ls /; ls -d bin/busybox'
    # It fails, or is a directory of the container.
    [ "$status" != 0 ] || [ -n "$(grep -F bin/busybox <<<"$out")" ] || { show; fail "exec with cwd $base left the container"; }
    [ "$status" != 0 ] || check_lacks "$out" unreachable
  done
done
check slip delete --force "$id"
for n in 3 4 5 6 7 8 9 10; do
  edit_config "$bundle" '.process.cwd = "/proc/self/fd/'$n'" | .process.args = ["ls", "-d", "etc"]'
  run careless slip run --bundle "$bundle" "$id"
  [ "$status" != 0 ] || fail "run with cwd /proc/self/fd/$n succeeded: $out"
done

# preserved ones arrive, and only those
edit_config "$bundle" '.process.cwd = "/" | .process.args = ["sh", "-c", "cat <&3; cat <&4; ls /proc/self/fd"]'
echo three >"$TMPDIR/three"
echo four >"$TMPDIR/four"
slip run --preserve-fds 2 --bundle "$bundle" "$id" 3<"$TMPDIR/three" 4<"$TMPDIR/four" 5</ >"$TMPDIR/out"
check_eq "three four 0 1 2 3 4 5" "$(xargs <"$TMPDIR/out")"
check_fails 1 "preserved-fd" slip run --preserve-fds 40 --bundle "$bundle" "$id"
