#!/bin/bash
# labels: unit
# What the bash completions offer, and that the manual has each command and each global option of slipway.
. "$SOURCE/tests/lib/common.sh"
[ -x "$BUILD/slipway" ] || skip "not the ordinary build"
PATH=$BUILD:$PATH
for program in slip slipway; do
  "$program" --completion bash >"$TMPDIR/$program"
  # shellcheck disable=SC1090
  . "$TMPDIR/$program"
  [ -n "$("$program" --completion zsh)" ] && [ -n "$("$program" --completion fish)" ] || fail "no completions"
done
# offers WANT WORD...: completing the last word.
offers() {
  local want=$1
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  "_$1"
  check_eq "$want" "${COMPREPLY[*]}" "completion of: $*"
}
offers container slipway con
offers "rename restart rm run" slipway container r
offers "--memory --memory-swap --memory-reservation --memory-swappiness" slipway container run --mem
offers "--filter --format" slipway -D --root /x image ls --f
offers create slipway network cr
offers --bundle slip run --bu
offers /etc/hostname slipway run --env-file /etc/hostnam

manual=$(sed 's/\\-/-/g; s/\\f[BRI]//g' "$SOURCE/man/slipway.1")
commands=$(sed -n '/^.SH COMMANDS/,/^.SH "CONF/p' <<<"$manual")
slipway --completion list | awk -F'\t' 'NF == 1' | while read -r verb word; do
  grep -qx ".B $verb" <<<"$commands" || fail "man/slipway.1 has no $verb"
  [ -z "$word" ] || grep -qw -- "$word" <<<"$(grep -A1 -x ".B $verb" <<<"$commands")" || fail "man/slipway.1 has no $verb $word"
done
check_eq "$(slipway --help | sed -n '/^Options/,$s/^ *\(-.,\)* *\(--[a-z-]*\).*/\2/p' | grep -v -- --help)" \
  "$(sed -n '/^.SH "GLOBAL/,/^.SH COMM/s/^\(-., \)*\(--[a-z-]*\).*/\2/p' <<<"$manual")" "global options in --help and in the manual"
