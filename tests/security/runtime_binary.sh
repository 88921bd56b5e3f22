#!/bin/bash
# A container cannot write the runtime's own binary (CVE-2019-5736).
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
id=$(new_id)
copy=$TMPDIR/slip
cp "$SLIP" "$copy"
before=$(sha256sum <"$copy")
as_copy() {
  "$copy" --root "$TMPDIR/slip-run" "$@"
}

cat >"$bundle/rootfs/attack" <<'X'
#!/bin/sh
# Takes hold of the binary of every process it sees, and writes to it as soon as it runs no more (ETXTBSY until then).
while :; do
  for exe in /proc/[0-9]*/exe; do
    name=$(readlink "$exe") || continue
    [ "$name" != /bin/busybox ] || continue
    {
      echo "held $name" >>/held
      for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        sleep 0.1
        { echo '#!/bin/false' >/proc/self/fd/9; } && echo WRITTEN >>/held
      done
    } 9<"$exe"
  done
done 2>/dev/null
X
chmod 755 "$bundle/rootfs/attack"
edit_config "$bundle" '.process.args = ["/attack"] | .process.capabilities.bounding += ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"]
  | .process.capabilities.effective += ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"]
  | .process.capabilities.permitted += ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"] | del(.linux.maskedPaths)'
check as_copy run --detach --bundle "$bundle" "$id"
for _ in $(seq 20); do
  as_copy exec "$id" true || true
done
# The program that is the runtime itself.
printf '#!/proc/self/exe\n' >"$bundle/rootfs/bin/evil"
chmod 755 "$bundle/rootfs/bin/evil"
for _ in 1 2 3; do
  as_copy exec "$id" /bin/evil >/dev/null 2>&1 || true
  as_copy exec "$id" /proc/self/exe --version >/dev/null 2>&1 || true
done
sleep 2
check as_copy delete --force "$id"
check_eq "$before" "$(sha256sum <"$copy")" "the binary"
[ ! -e "$bundle/rootfs/held" ] || check_lacks "$(cat "$bundle/rootfs/held")" WRITTEN

# As the first program, too.
edit_config "$bundle" '.process.args = ["/proc/self/exe", "--version"]'
run as_copy run --bundle "$bundle" "$id"
check_eq "$before" "$(sha256sum <"$copy")" "the binary"
as_copy delete --force "$id"

# slipway starts containers itself, so all that holds for its binary. It is linked to shared libraries, which a hostile
# image brings along.
manager=$TMPDIR/slipway-copy
cp "$SLIPWAY" "$manager"
before=$(sha256sum <"$manager")
manager() {
  "$manager" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" "$@"
}
tree=$TMPDIR/hostile
cp -a "$bundle/rootfs" "$tree"
rm -f "$tree/held"
ldd "$manager" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$tree${library%/*}"
  cp "$library" "$tree$library"
done
check manager import "$tree" hostile
check manager run -d --name victim --cap-add SYS_PTRACE hostile /attack
# As long as the monitor runs, its binary is busy.
id=$(manager inspect --format '{{.Id}}' victim)
kill -9 "$(jq .MonitorPid "$TMPDIR/slipway/containers/$id/state.json")"
# It waits for its input, so that there is time to take hold of it.
sleep 1 | manager exec -i victim /proc/self/exe import - stolen >/dev/null 2>&1 || true
sleep 1 | manager exec -i victim /bin/evil import - stolen >/dev/null 2>&1 || true
sleep 2
check manager exec victim cat /held
check_contains "$out" held 'the attack took hold of something'
check_lacks "$out" WRITTEN
sleep 1 | manager run --rm -i hostile /proc/self/exe import - stolen >/dev/null 2>&1 || true
check manager rm -f victim
check_eq "$before" "$(sha256sum <"$manager")" "slipway's binary"
