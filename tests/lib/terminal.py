"""A program on a terminal of its own, for tests that type: from terminal import Terminal."""
import fcntl
import os
import pty
import select
import struct
import termios
import time


class Terminal:
    def __init__(self, words, rows=24, columns=80):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(words[0], words)
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text)

    def is_raw(self):
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return
        try:
            self.seen += os.read(self.fd, 65536)
        except OSError:  # the program has ended
            time.sleep(0.01)

    def expect(self, text, seconds=20):
        """Waits for the text; what came before it and itself are taken off what was seen."""
        end = time.time() + seconds * int(os.environ.get("SLOWER", "1"))
        while text not in self.seen:
            assert time.time() < end, "waited in vain for %r; seen: %r" % (text, self.seen)
            self.read(0.1)
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def status(self, seconds=20):
        """The exit status; minus the signal that ended it."""
        end = time.time() + seconds * int(os.environ.get("SLOWER", "1"))
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.read(0 if pid else 0.05)
            if pid:
                return os.waitstatus_to_exitcode(status)
            assert time.time() < end, "did not end; seen: %r" % self.seen
