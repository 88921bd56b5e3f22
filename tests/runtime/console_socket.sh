#!/bin/bash
# Terminals: in the foreground, and handed over a console socket.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root
require_command python3

bundle=$TMPDIR/b
make_bundle "$bundle" sh -c 'tty; stty size; ls -l /dev/console; read -r line; echo "got $line"; exit 5'
id=$(new_id)
edit_config "$bundle" '.process.terminal = true | .process.consoleSize = {height: 33, width: 99}'

# A terminal and no way to hand it on; a socket and no terminal.
check_fails 1 "without setting console socket" slip run --detach --bundle "$bundle" "$id"
check_fails 1 "without setting console socket" slip create --bundle "$bundle" "$id"
edit_config "$bundle" '.process.terminal = false'
check_fails 1 "cannot use console socket" slip create --console-socket "$TMPDIR/sock" --bundle "$bundle" "$id"
edit_config "$bundle" '.process.terminal = true'

# The receiver of a console socket: prints how many descriptors came, with what payload; then talks to the terminal.
cat >"$TMPDIR/receiver.py" <<'X'
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1]); server.listen(1)
open(sys.argv[1] + ".ready", "w").close()
connection, _ = server.accept()
payload, ancillary, _, _ = connection.recvmsg(4096, 1024)
fds = array.array("i")
for level, kind, data in ancillary:
    fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
print("fds", len(fds), "payload", payload.decode(), flush=True)
master = fds[0]
os.write(master, sys.argv[2].encode() + b"\n")
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data:
        break
    sys.stdout.write(data.decode()); sys.stdout.flush()
X
# A path longer than a socket address has room for.
long=$TMPDIR/$(printf 'd%.0s' $(seq 100))
mkdir "$long"
ln -s "$long" "$TMPDIR/l"
receive() { # WORD
  rm -f "$TMPDIR/l/s" "$TMPDIR/l/s.ready"
  python3 "$TMPDIR/receiver.py" "$TMPDIR/l/s" "$1" >"$TMPDIR/received" &
  receiver=$!
  wait_for 10 test -e "$TMPDIR/l/s.ready"
}
receive hello
check slip create --console-socket "$long/s" --bundle "$bundle" "$id"
check slip start "$id"
wait "$receiver"
received=$(tr -d '\r' <"$TMPDIR/received")
check_contains "$received" "fds 1 payload"
check_contains "$received" "/dev/pts/0"
check_contains "$received" "33 99"
check_contains "$received" "got hello"
check slip delete --force "$id"

# exec
edit_config "$bundle" '.process.terminal = false | .process.args = ["sleep", "1000"]'
check slip run --detach --bundle "$bundle" "$id"
receive word
check slip exec --tty --detach --console-socket "$long/s" "$id" sh -c 'tty; read -r x; echo "$x from exec"'
wait "$receiver"
check_contains "$(cat "$TMPDIR/received")" "word from exec"

# In the foreground, under a terminal of the test's own: size, exit code, ^C.
cat >"$TMPDIR/on_terminal.py" <<'X'
import fcntl, os, pty, struct, sys, termios, time
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 21, 43, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
out = b""
sent = False
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data:
        break
    out += data
    if b"ready" in out and not sent:
        sent = True
        os.write(master, eval(sys.argv[1]))
_, status = os.waitpid(pid, 0)
sys.stdout.write(out.decode())
print("status", os.waitstatus_to_exitcode(status))
X
on_terminal() { # INPUT COMMAND...
  check python3 "$TMPDIR/on_terminal.py" "$@"
}
on_terminal 'b"typed\n"' "$SLIP" --root "$TMPDIR/slip-run" exec --tty "$id" \
  sh -c 'stty size; tty; echo ready; read -r x; echo "got $x"; exit 6'
check_contains "$out" "21 43"
check_contains "$out" "got typed"
check_contains "$out" "status 6"
# shellcheck disable=SC2016
on_terminal 'b"\x03"' "$SLIP" --root "$TMPDIR/slip-run" exec --tty "$id" \
  sh -c 'trap "echo interrupted; exit 9" INT; echo ready; while :; do sleep 0.1; done'
check_contains "$out" "interrupted"
check_contains "$out" "status 9"
check slip delete --force "$id"

edit_config "$bundle" '.process.terminal = true | del(.process.consoleSize)
  | .process.args = ["sh", "-c", "tty; stty size; echo ready; read -r x; echo \"got $x\"; exit 3"]'
on_terminal 'b"run\n"' "$SLIP" --root "$TMPDIR/slip-run" run --bundle "$bundle" "$id"
check_contains "$out" "21 43"
check_contains "$out" "got run"
check_contains "$out" "status 3"
# The terminal belongs to the user.
edit_config "$bundle" '.process.user = {uid: 1000, gid: 1000} | .process.args = ["sh", "-c", "echo ready; stat -c %u $(tty); read -r x <$(tty); echo \"$x\" >$(tty)"]'
on_terminal 'b"mine\n"' "$SLIP" --root "$TMPDIR/slip-run" run --bundle "$bundle" "$id"
check_contains "$out" "1000"
check_contains "$out" "status 0"
