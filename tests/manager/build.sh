#!/bin/bash
# labels: root cgroup
# timeout: 240
# build: the instructions, the cache, .dockerignore, stages, and mistakes.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command jq
busybox_image base

context=$TMPDIR/context
mkdir -p "$context/dir/sub" "$context/skip"
echo one >"$context/file"
echo two >"$context/dir/two"
echo deep >"$context/dir/sub/deep"
echo hidden >"$context/skip/hidden"
echo 'kept' >"$context/skip/kept"
printf '# comment\nskip\n!skip/kept\n**/*.log\n' >"$context/.dockerignore"
touch "$context/dir/x.log"
tar -C "$context" -czf "$context/archive.tgz" dir/two
cat >"$context/Dockerfile" <<'DOCKERFILE'
# escape=\
ARG BASE=base
FROM $BASE AS first
ARG WHO=nobody
ENV GREETING="hello $WHO" \
    OTHER=x
# a comment
RUN echo "$GREETING" >/greeting && \
    mkdir -p /data && chmod 700 /data

FROM base
LABEL key="a value"
WORKDIR /work/here
COPY file dir /target/
COPY --chown=1000:50 --chmod=600 file renamed
COPY skip /skip/
ADD archive.tgz /unpacked/
COPY --from=first /greeting /greeting
RUN ["sh", "-c", "rm /etc/group; echo $GREETING >/none"]
ENV PATH=$PATH:/more
EXPOSE 80/tcp
USER user
ENTRYPOINT ["cat"]
CMD ["/greeting"]
DOCKERFILE

check slipway build -t app:1 --build-arg WHO=world "$context"
check_contains "$out" "Successfully tagged app:1"
id=$(slipway images -q --no-trunc app:1)
check slipway run --rm app:1
check_eq "hello world" "$out"
check slipway run --rm --entrypoint sh -u 0 app:1 -c 'pwd; cat /target/file /target/two /target/sub/deep /unpacked/dir/two
  stat -c "%a %u %g" renamed; ls /skip; ls /target; [ ! -e /etc/group ] && echo $PATH'
check_eq $'/work/here\none\ntwo\ndeep\ntwo\n600 1000 50\nkept\nfile\nsub\ntwo' "$(head -10 <<<"$out")"
check_contains "$(tail -1 <<<"$out")" ":/more"
check slipway image inspect -f '{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{.Config.User}} {{.Config.Labels.key}}' app:1
check_eq '["/greeting"] ["cat"] user a value' "$out"
check slipway history --no-trunc --format '{{.CreatedBy}}' app:1
check_contains "$out" '/bin/sh -c #(nop)  CMD ["/greeting"]'
check_contains "$out" 'sh -c rm /etc/group'
# In docker's words: lists and pairs are what they come to.
check_contains "$out" '#(nop)  LABEL key=a value'
printf 'FROM base\nARG V=1\nENV A=$V B="x y" A2=${A}0\nENV OLD $V way\nENV A=$A$A\nCMD echo hi\nENTRYPOINT ["a", "b c"]\n' >"$TMPDIR/words"
check slipway build -q -t words --progress plain --platform linux --build-arg V=2 -f "$TMPDIR/words" "$context"
check_eq $'ENTRYPOINT ["a" "b c"]\nCMD ["/bin/sh" "-c" "echo hi"]\nENV A=22\nENV OLD=2 way\nENV A=2 B=x y A2=0' \
  "$(slipway history --no-trunc --format '{{.CreatedBy}}' words | sed -n 's/.*#(nop)  \([CE][^X]\)/\1/p')"

# The same again is the same image, by the cache; a changed file is seen, its time is not.
touch "$context/file"
check slipway build -t app:2 --build-arg WHO=world "$context"
check_contains "$out" "Using cache"
check_eq "$id" "$(slipway images -q --no-trunc app:2)"
echo changed >"$context/file"
check slipway build -q -t app:3 --build-arg WHO=world "$context"
[[ $out =~ ^sha256:[0-9a-f]{64}$ ]] || fail "build -q: $out"
[ "$out" != "$id" ] || fail "a changed file was not seen"
printf 'FROM base\nRUN echo shown; echo wrong >&2\n' >"$TMPDIR/quiet"
check slipway build -q -f "$TMPDIR/quiet" "$context"
[[ $out =~ ^sha256:[0-9a-f]{64}$ ]] || fail "build -q with a RUN that prints: $out"
check_eq "" "$err"
printf 'FROM base\nRUN echo shown; exit 1\n' >"$TMPDIR/quiet"
run slipway build -q -f "$TMPDIR/quiet" "$context"
check_eq "1|" "$status|$out"
check_contains "$err" shown "output of a quiet build that fails"
check slipway build -q --target first --iidfile "$TMPDIR/iid" --label more=1 "$context"
check_eq "$out" "$(cat "$TMPDIR/iid")"
check slipway image inspect -f '{{.Config.Labels.more}}' "$out"
check_eq 1 "$out"
check_eq "" "$(slipway ps -aq)" "containers that build left"

# From standard input, from scratch, with triggers.
slipway build -q -t trigger - >/dev/null <<<$'FROM base\nONBUILD RUN echo fired >/fired'
slipway build -q -t fired - >/dev/null <<<$'FROM trigger\nRUN cat /fired'
check slipway run --rm fired cat /fired
check_eq fired "$out"
printf 'FROM scratch\nCOPY file /only\n' >"$TMPDIR/scratch"
check slipway build -q -t scratch -f "$TMPDIR/scratch" "$context"
check slipway create --name scr scratch /only
check_eq only "$(slipway export scr | tar -t)"
slipway rm scr >/dev/null

# A context on standard input, plain and compressed; its Dockerfile leads nowhere else.
for options in -c -cz; do
  tar -C "$context" $options . >"$TMPDIR/context.tar"
  check slipway build -q -t piped --build-arg WHO=world - <"$TMPDIR/context.tar"
  check_eq "$(slipway images -q --no-trunc app:3)" "$out" "the image of a context on standard input"
done
mkdir "$TMPDIR/other"
printf 'FROM base\nCOPY in /in\n' >"$TMPDIR/other/File"
echo inside >"$TMPDIR/other/in"
check slipway build -q -t other -f File - < <(tar -C "$TMPDIR/other" -c .)
check_eq inside "$(slipway run --rm other cat /in)"
ln -s "$TMPDIR/scratch" "$TMPDIR/other/Dockerfile"
check_fails 1 'No such file' slipway build - < <(tar -C "$TMPDIR/other" -c .)
check_eq "" "$(find "$TMPDIR/slipway/overlay2/tmp" -mindepth 1)" "contexts left"

# Proxies need no ARG, and are no part of a step; labels are taken as they are.
check slipway build -q -t proxy --build-arg HTTP_PROXY=there - <<<$'FROM base\nRUN echo "$HTTP_PROXY" >/proxy'
check_eq there "$(slipway run --rm proxy cat /proxy)"
check_lacks "$(slipway history --no-trunc proxy)" there
check slipway build -q -t labels --label "one=it's" --label 'two=$x "q" \z' - <<<'FROM base'
check_eq "it's|\$x \"q\" \\z" "$(slipway inspect -f '{{.Config.Labels.one}}|{{.Config.Labels.two}}' labels)"

# What RUN's container gets, from the command line and from the Dockerfile.
check slipway build -q -t limits --ulimit nofile=77 --add-host there:1.2.3.4 --shm-size 1m --network host --rm=false --no-cache - <<'DOCKERFILE'
FROM base
RUN ulimit -n >/seen; grep -c there /etc/hosts >>/seen; df -k /dev/shm | grep -c 1024 >>/seen; ls /sys/class/net | wc -l >>/seen
RUN --network=none ls /sys/class/net >>/seen
DOCKERFILE
check_eq "77 1 1 $(ls /sys/class/net | wc -l) lo" "$(slipway run --rm limits cat /seen | xargs)"

# Mistakes.
fails() { # TEXT DOCKERFILE [EXIT-STATUS]
  printf '%b' "$2" >"$TMPDIR/bad"
  run slipway build -f "$TMPDIR/bad" "$context"
  check_eq "${3:-1}" "$status" "exit status of a build"
  check_contains "$err" "$1"
}
fails "The command '/bin/sh -c exit 3' returned a non-zero code: 3" 'FROM base\nRUN exit 3\n' 3
fails "The command '/bin/sh -c none' returned a non-zero code: 127" 'FROM base\nRUN none\n' 127
# What does not even begin has no code.
fails "the command '/none x' could not be run" 'FROM base\nRUN ["/none", "x"]\n'
fails "unknown instruction: NONE" 'FROM base\nNONE x\n'
fails "No such image: nonesuch" 'FROM nonesuch\n'
fails "before FROM" 'RUN x\n'
fails "forbidden path outside the build context" 'FROM base\nCOPY ../../etc/passwd /x\n'
fails "COPY failed: file not found in build context" 'FROM base\nCOPY none /x\n'
fails "excluded by .dockerignore: stat skip/hidden" 'FROM base\nCOPY skip/hidden /x\n'
fails "not supported" 'FROM base\nADD http://x/y /x\n'
fails "Invalid signal: NOPE" 'FROM base\nSTOPSIGNAL NOPE\n'
for option in '--output out' '-o out' '--secret id=x,src=/x' '--ssh default' --push --squash; do
  # shellcheck disable=SC2086 # an option and its value
  check_fails 1 "is not supported: " slipway build $option "$context"
done
fails "RUN --mount is not supported" 'FROM base\nRUN --mount=type=cache,target=/c true\n'
fails "RUN requires a command" 'FROM base\nRUN\n'
fails "line 2: FROM isn't allowed as an ONBUILD trigger" 'FROM base\nONBUILD FROM base\n'
fails "MAINTAINER isn't allowed as an ONBUILD trigger" 'FROM base\nONBUILD maintainer me\n'
fails 'Chaining ONBUILD via `ONBUILD ONBUILD` isn'"'"'t allowed' 'FROM base\nONBUILD ONBUILD RUN true\n'
fails "invalid name for build stage" 'FROM base AS 1bad\n'
fails "FROM requires either one or three arguments" 'FROM base AS one two\n'
fails "one stage name already used" 'FROM base AS one\nFROM base AS one\n'
fails "VOLUME requires at least one argument" 'FROM base\nVOLUME []\n'
fails "SHELL requires at least one argument" 'FROM base\nSHELL []\n'
fails "USER requires exactly one argument" 'FROM base\nUSER\n'
fails "MAINTAINER requires exactly one argument" 'FROM base\nMAINTAINER\n'
fails "ARG requires at least one argument" 'FROM base\nARG\n'
fails "ARG names can not be blank" 'FROM base\nARG =x\n'
fails "cannot normalize nothing" 'FROM base\nWORKDIR ""\n'
fails "Unknown flag: form" 'FROM base\nCOPY --form=base /a /b\n'
fails "but only one was provided" 'FROM base\nCOPY a\n'
fails "NONE takes no arguments" 'FROM base\nHEALTHCHECK NONE x\n'
fails 'Interval "interval" cannot be less than 1ms' 'FROM base\nHEALTHCHECK --interval=0.1ms CMD true\n'
fails "must be at least 1 (not 0)" 'FROM base\nHEALTHCHECK --retries=0 CMD true\n'
fails "cannot be empty" '# nothing\n'
check_eq "" "$(slipway ps -aq)" "containers that failed builds left"
# Links of the context lead nowhere else.
ln -s /etc/passwd "$context/link"
ln -s / "$context/out"
fails "" 'FROM base\nCOPY out/etc/shadow /x\n'
fails "" 'FROM base\nCOPY link /x\n'
rm "$context/link" "$context/out"

# A link that is a source by itself is followed, one in a directory is kept.
ln -s dir/two "$context/to-two"
ln -s two "$context/dir/again"
printf 'FROM base\nCOPY to-two /copied\nCOPY dir /kept\nCOPY to-* /several/\n' >"$TMPDIR/links"
check slipway build -q -t links -f "$TMPDIR/links" "$context"
check slipway run --rm links sh -c '[ ! -L /copied ] && cat /copied; readlink /kept/again; [ ! -L /several/to-two ] && cat /several/to-two'
check_eq $'two\ntwo\ntwo' "$out"
printf 'FROM links AS from\nRUN ln -s /copied /far\nFROM base\nCOPY --from=from /far /near\n' >"$TMPDIR/links"
check slipway build -q -t links2 -f "$TMPDIR/links" "$context"
check slipway run --rm links2 sh -c '[ ! -L /near ] && cat /near'
check_eq two "$out"
