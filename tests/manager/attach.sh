#!/bin/bash
# labels: root cgroup
# timeout: 120
# A person at a terminal: run -it, attach (several at once, detach keys, --sig-proxy, --no-stdin), start -ai, window sizes.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command python3
busybox_image busybox
export PYTHONPATH=$SOURCE/tests/lib PYTHONDONTWRITEBYTECODE=1
export COMMAND="$SLIPWAY --root $TMPDIR/slipway --run-root $TMPDIR/slipway-run"

check python3 - <<'PYTHON'
import os, signal, subprocess
from terminal import Terminal

command = os.environ["COMMAND"].split()

def on_terminal(*words, **size):
    return Terminal(command + list(words), **size)

def slipway(*words):
    return subprocess.run(command + list(words), stdout=subprocess.PIPE, check=True).stdout.decode().strip()

def until_attached(count):
    """That many clients have attached to the containers of this name, those that started them among them."""
    while len(slipway("events", "--since", "5m", "--until", "0s", "-f", "container=box", "-f", "event=attach").split("\n")) < count:
        pass

def equal(want, got, what):
    assert want == got, "%s: want %r, got %r" % (what, want, got)

# The shell says what it sees; the marks are not what was typed.
mark = b"echo do''ne\n"

# Sizes from the first moment on, ^C, and the detach keys, which are not typed into the container.
run = on_terminal("run", "-it", "--name", "box", "busybox", "sh", rows=30, columns=100)
run.type(b"stty size\n")
run.expect(b"30 100")
run.resize(40, 120)
run.type(b"until [ \"$(stty size)\" = '40 120' ]; do :; done; " + mark)
run.expect(b"done")
equal("30 100\n40 120", slipway("events", "--since", "5m", "--until", "0s", "-f", "event=resize", "--format",
    "{{.Actor.Attributes.height}} {{.Actor.Attributes.width}}"), "sizes that events tell")
# (By the program that ^C is for: the shell is the terminal's foreground until that has begun.)
run.type(b"sh -c 'echo sle\"\"eping; exec sleep 1000'\n")
run.expect(b"sleeping")
run.type(b"\x03")
run.type(b"echo status $?; " + mark)
run.expect(b"status 130")
run.expect(b"done")
assert run.is_raw()
run.type(b"\x10\x11")
equal(0, run.status(), "run after the detach keys")
assert not run.is_raw()
keys = on_terminal("run", "-it", "--rm", "--name", "keys", "--detach-keys", "ctrl-x,x", "busybox", "cat")
keys.type(b"typ''ed\n")
keys.expect(b"typ''ed\r\ntyp''ed")
keys.type(b"\x18x")
equal(0, keys.status(), "run after --detach-keys")
slipway("stop", "-t", "0", "keys")
equal("true", slipway("inspect", "-f", "{{.State.Running}}", "box"), "running after the detach keys")

# Two at once see the same; the first half of the detach keys is typed when another key follows.
first = on_terminal("attach", "box", rows=20, columns=70)
second = on_terminal("attach", "--detach-keys", "ctrl-x,x", "box", rows=20, columns=70)
second.type(mark)
second.expect(b"done")
first.type(b"echo fi''rst\n")
first.expect(b"first")
second.expect(b"first")
second.type(b"\x18x")
equal(1, second.status(), "attach after the detach keys")
assert b"read escape sequence" in second.seen, second.seen
first.type(b"echo lis''tening; cat -v\n")
first.expect(b"listening")
first.type(b"\x10a\x10b\n")
first.expect(b"\r\n^Pa^Pb\r\n")
first.type(b"\x04")
first.type(mark)
first.expect(b"done")

# What another client types is seen by all; one that takes no input gives none.
third = on_terminal("attach", "--no-stdin", "box")
until_attached(4)
third.type(b"echo no''thing\n")
first.type(b"echo some''thing\n")
third.expect(b"something")
assert b"nothing\r\n" not in third.seen.replace(b"echo no''thing", b"")
fourth = on_terminal("start", "-ai", "box")  # which runs already
until_attached(5)
fourth.type(b"echo fo''urth\n")
fourth.expect(b"fourth")
first.type(b"exit 6\n")
equal(6, first.status(), "attach at the end")
equal(6, fourth.status(), "start -ai of a running container at the end")
equal(6, third.status(), "attach --no-stdin at the end")
start = on_terminal("start", "-ai", "box")
start.type(b"exit 4\n")
equal(4, start.status(), "start -ai")
slipway("rm", "box")

# Without a terminal of its own, ^C is a signal for the program, or with --sig-proxy=false for the client alone.
script = 'trap "echo got it; exit 9" INT TERM; echo ready; while :; do sleep 0.05; done'
run = on_terminal("run", "--name", "box", "busybox", "sh", "-c", script)
run.expect(b"ready")
run.type(b"\x03")
run.expect(b"got it")
equal(9, run.status(), "run after ^C")
slipway("rm", "box")
run = on_terminal("run", "--sig-proxy=false", "--name", "box", "busybox", "sh", "-c", script)
run.expect(b"ready")
run.type(b"\x03")
equal(-signal.SIGINT, run.status(), "run --sig-proxy=false after ^C")
attach = on_terminal("attach", "--sig-proxy=false", "box")
until_attached(9)
attach.type(b"\x03")
equal(-signal.SIGINT, attach.status(), "attach --sig-proxy=false after ^C")
equal("true", slipway("inspect", "-f", "{{.State.Running}}", "box"), "running after the client's death")
attach = subprocess.Popen(command + ["attach", "box"], stdout=subprocess.PIPE)
until_attached(10)
attach.send_signal(signal.SIGTERM)
equal(b"got it\n", attach.stdout.read(), "output after SIGTERM")
equal(9, attach.wait(), "attach after SIGTERM")
slipway("rm", "box")
PYTHON
check slipway ps -aq
check_eq "" "$out" "containers left"
