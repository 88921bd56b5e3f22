#!/bin/bash
# NOTIFY_SOCKET: the container's READY=1 reaches the service manager, with the process ID that the host knows.
# labels: root cgroup
# timeout: 60
. "$SOURCE/tests/lib/common.sh"
require_root
require_command perl

# The service manager: prints each datagram.
cat >"$TMPDIR/manager" <<'END'
use IO::Socket::UNIX;
$| = 1;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
my $message;
print "$message\n" while defined $socket->recv($message, 4096);
END
perl "$TMPDIR/manager" "$TMPDIR/host.sock" >"$TMPDIR/heard" &
manager=$!
trap 'kill $manager 2>/dev/null' EXIT
wait_for 5 test -S "$TMPDIR/host.sock"
export NOTIFY_SOCKET=$TMPDIR/host.sock
say() { # PID MESSAGE: as the container's program would
  perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; send($s, $ARGV[1], 0, sockaddr_un($ARGV[0])) or die "$!"' \
    "/proc/$1/root/run/notify/notify.sock" "$2"
}

bundle=$TMPDIR/b
make_bundle "$bundle" sh -c 'echo $NOTIFY_SOCKET; ls /run/notify; sleep 1000'
mkdir "$bundle/rootfs/run"
edit_config "$bundle" '.process.user = {"uid": 1000, "gid": 1000}'

# create and start: start stays until the container is ready.
id=$(new_id)
check slip create --bundle "$bundle" "$id"
pid=$(slip state "$id" | jq .pid)
slip start "$id" &
starter=$!
wait_for 5 sh -c "'$SLIP' --root '$TMPDIR/slip-run' state '$id' | grep -q running"
say "$pid" "STATUS=warming up"
kill -0 $starter || fail "start did not wait"
say "$pid" $'STATUS=fine\nREADY=1\nMAINPID=1'
wait $starter
wait_for 5 grep -q READY "$TMPDIR/heard"
check_eq "READY=1 MAINPID=$pid" "$(xargs <"$TMPDIR/heard")"
check slip delete --force "$id"
check_eq "" "$(ls "$TMPDIR/slip-run/.notify")"

# run in the foreground: relayed beside it.
"$SLIP" --root "$TMPDIR/slip-run" run --bundle "$bundle" "$id" >"$TMPDIR/out" &
runner=$!
wait_for 5 test -s "$TMPDIR/out"
pid=$(slip state "$id" | jq .pid)
say "$pid" READY=1
wait_for 5 grep -q "MAINPID=$pid" "$TMPDIR/heard"
check_eq "/run/notify/notify.sock notify.sock" "$(xargs <"$TMPDIR/out")"
check slip kill "$id" KILL
wait $runner || true
check_eq "" "$(ls "$TMPDIR/slip-run/.notify")"

# One that ends without a word, and a socket that nobody reads.
edit_config "$bundle" '.process.args = ["true"]'
check slip run --detach --bundle "$bundle" "$id"
check slip delete --force "$id"
NOTIFY_SOCKET=/nowhere check slip run --bundle "$bundle" "$id"
NOTIFY_SOCKET='' check slip run --bundle "$bundle" "$id"
# A failure leaves nothing.
edit_config "$bundle" '.process.args = ["nope"]'
check_fails 1 'executable file not found' slip run --bundle "$bundle" "$id"
check_eq "" "$(ls "$TMPDIR/slip-run/.notify")"
