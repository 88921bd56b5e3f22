#!/bin/bash
# labels: root cgroup
# timeout: 60
# Log drivers that send: what a listener gets of a container's output. (The files of json-file are in ps_logs.)
. "$SOURCE/tests/lib/common.sh"
require_root
require_command perl
busybox_image busybox

# listen SOCKET FILE: appends each datagram and a line "--" to FILE, until the test ends it.
listener=
listen() {
  perl -e 'use IO::Socket::UNIX; use Socket; $| = 1;
    my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$ARGV[0]: $!";
    open(my $f, ">>", $ARGV[1]); $f->autoflush(1);
    while (defined $s->recv(my $m, 65536)) { print $f $m, "\n--\n" }' "$1" "$2" &
  listener=$!
  wait_for 5 test -S "$1"
}
stop_listening() { # SOCKET
  kill "$listener"
  wait "$listener" 2>/dev/null || true
  rm -f "$1"
}
has() { grep -qE "$1" "$TMPDIR/got"; }

# The default is the daemon of this machine; there is none at the socket.
[ -e /dev/log ] || check_fails 125 'log driver syslog: connect to `/dev/log`' slipway run --log-driver syslog busybox true
socket=$TMPDIR/log.sock
listen "$socket" "$TMPDIR/got"
syslog=(--log-driver syslog --log-opt "syslog-address=unixgram://$socket")
check slipway run -d --name box "${syslog[@]}" busybox sh -c 'echo out; echo err >&2; printf "no end"'
id=$out
check slipway wait box
wait_for 5 has 'no end'
now='[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}'
has "^<30>$now ${id:0:12}\[[0-9]+\]: out\$" || fail "stdout: $(cat "$TMPDIR/got")"
has "^<27>$now ${id:0:12}\[[0-9]+\]: err\$" || fail "stderr: $(cat "$TMPDIR/got")"
check_fails 1 'does not support reading' slipway logs box
check slipway rm box
check slipway run --name tagged "${syslog[@]}" --log-opt 'tag={{.Name}}/{{.ImageName}}' --log-opt syslog-facility=local3 \
  --log-opt syslog-format=rfc5424micro busybox echo five
wait_for 5 has five
has "^<158>1 [0-9-]{10}T[0-9:]{8}\.[0-9]{6}[+-][0-9:]{5} $(hostname) tagged/busybox [0-9]+ tagged/busybox - five\$" ||
  fail "rfc5424: $(cat "$TMPDIR/got")"
check_eq 'syslog' "$(slipway inspect -f '{{.HostConfig.LogConfig.Type}}' tagged)"
# A line of more than 16 KiB is two; a daemon that comes back is found again.
mkdir "$TMPDIR/gate"
check slipway run -d --name long "${syslog[@]}" -v "$TMPDIR/gate:/gate" busybox sh -c \
  'head -c 20000 /dev/zero | tr "\0" x; echo; read -t 2; echo before
  until [ -e /gate/open ]; do sleep 0.1; done; echo after; sleep 100'
wait_for 5 has before
stop_listening "$socket"
listen "$socket" "$TMPDIR/got"
touch "$TMPDIR/gate/open"
wait_for 5 has after
check_eq '16384 3616' "$(grep -o 'x\{1000,\}' "$TMPDIR/got" | awk '{print length}' | xargs)" 'length of the parts'
check slipway rm -f long tagged
stop_listening "$socket"

check_fails 125 'no such facility' slipway run --log-driver syslog --log-opt syslog-facility=x busybox true
check_fails 125 'must be unix://' slipway run --log-driver syslog --log-opt syslog-address=http://x busybox true
check_fails 125 'no such format' slipway run --log-driver syslog --log-opt syslog-format=x busybox true
check_fails 125 'are known' slipway run --log-driver syslog --log-opt 'tag={{.Nothing}}' busybox true
check_fails 125 "unknown log opt 'max-size' for syslog log driver" slipway run --log-driver syslog --log-opt max-size=1m busybox true
check_fails 125 "unknown log opt 'syslog-format' for json-file log driver" slipway run --log-opt syslog-format=x busybox true
slipway ps -aq | xargs -r "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" rm >/dev/null

# The journal's native protocol, in this test's own mount namespace where the machine has no journal.
if [ ! -e /run/systemd/journal/socket ]; then
  check_fails 125 'there is no journal on this machine' slipway run --log-driver journald busybox true
  check slipway rm "$(slipway ps -lq)"
  mkdir -p "$TMPDIR/run-systemd/journal"
  made=
  [ -d /run/systemd ] || { mkdir /run/systemd && made=yes; }
  mount --bind "$TMPDIR/run-systemd" /run/systemd
  : >"$TMPDIR/got"
  listen /run/systemd/journal/socket "$TMPDIR/got"
  check slipway run --rm --name logged --log-driver journald --log-opt labels=com.example/kind,none --log-opt env=COLOUR -e COLOUR=red \
    -l com.example/kind=test busybox sh -c 'echo out; echo err >&2'
  wait_for 5 has 'MESSAGE=err'
  for line in CONTAINER_NAME=logged IMAGE_NAME=busybox PRIORITY=6 PRIORITY=3 MESSAGE=out COM_EXAMPLE_KIND=test COLOUR=red \
    'CONTAINER_ID_FULL=[0-9a-f]{64}' 'SYSLOG_IDENTIFIER=[0-9a-f]{12}'; do
    has "^$line\$" || fail "no $line in $(cat "$TMPDIR/got")"
  done
  stop_listening /run/systemd/journal/socket
  umount /run/systemd
  [ -z "$made" ] || rmdir /run/systemd
fi
check_eq '' "$(slipway ps -aq)" 'containers left'
