#!/bin/bash
# labels: root
# timeout: 60
# Another container exchanges a directory of a shared volume for a link while mounts go onto it (CVE-2021-30465), and
# while directories are made in it (CVE-2024-45310). Nothing may appear on the host.
. "$SOURCE/tests/lib/common.sh"
require_root

make_bundle b /bin/true
mkdir -p outside volume/dir
up=../../../../../../../../../..
cat >swap.c <<'END'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char** argv) {
  (void)argc;
  for (;;) syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], 2 /* RENAME_EXCHANGE */);
}
END
"${CC:-cc}" -O1 -o swap swap.c 2>/dev/null || skip "no C compiler"
ln -s "$up$TMPDIR/outside" volume/link
edit_config b '.mounts += [{destination: "/volume", type: "bind", source: $v, options: ["rbind"]},
  {destination: "/volume/dir/made/here", type: "tmpfs", source: "tmpfs"},
  {destination: "/volume/dir/file", type: "bind", source: $s, options: ["bind"]}]' \
  --arg v "$TMPDIR/volume" --arg s "$TMPDIR/swap.c"
./swap volume/dir volume/link &
swapper=$!
trap 'kill $swapper' EXIT
made=0
for ((i = 0; i < 60; i++)); do
  run slip run --bundle b "$(new_id)"
  [ "$status" != 0 ] || made=$((made + 1))
  [ -z "$(ls -A outside)" ] || fail "run $i made something on the host: $(ls -A outside)"
done
[ "$made" -gt 0 ] || { show; fail "not one container ran"; }
echo "$made of 60 containers ran; the others failed cleanly"
