#!/bin/bash
# labels: unit
# timeout: 120
# `make install` puts everything where it belongs, `make uninstall` takes all of it away, and each command has its page.
. "$SOURCE/tests/lib/common.sh"
require_command make
[ -x "$BUILD/slipway" ] && [ -d "$BUILD/man" ] || skip "not the ordinary build"
unset CI
check make -C "$SOURCE" -s install DESTDIR="$TMPDIR/inst" prefix=/usr
for file in bin/slip bin/slipway bin/slipway-monitor share/man/man8/slip.8 share/man/man1/slipway.1 share/man/man1/slipway-run.1 \
  share/bash-completion/completions/slipway share/zsh/site-functions/_slip; do
  [ -s "$TMPDIR/inst/usr/$file" ] || fail "not installed: $file"
done
check_contains "$("$TMPDIR/inst/usr/bin/slip" --version)" "slip version"
if command -v groff >/dev/null; then
  check_eq "" "$(cd "$TMPDIR/inst/usr/share/man" && groff -man -Tutf8 -ww -z man1/*.1 2>&1)" "warnings of groff"
fi
"$BUILD/slipway" --completion list | awk -F'\t' 'NF == 1 { gsub(" ", "-"); print "slipway-" $0 ".1" }' | while read -r page; do
  [ -s "$TMPDIR/inst/usr/share/man/man1/$page" ] || fail "no page $page"
done
# ... also after `make clean`.
check make -C "$SOURCE" -s uninstall DESTDIR="$TMPDIR/inst" prefix=/usr BUILD="$TMPDIR/cleaned"
check_eq "" "$(find "$TMPDIR/inst" -type f)" "left by uninstall"

# A config.h that is gone comes back, though config.mk is there.
mkdir "$TMPDIR/tree"
touch "$TMPDIR/tree"/{configure.ac,config.mk.in,config.h.in}
printf '#!/bin/sh\n: >config.h\n' >"$TMPDIR/tree/configure"
chmod +x "$TMPDIR/tree/configure"
cp "$SOURCE/Makefile" "$SOURCE/config.mk" "$TMPDIR/tree"
check make -C "$TMPDIR/tree" -s config.h
[ -e "$TMPDIR/tree/config.h" ] || fail "no config.h"
