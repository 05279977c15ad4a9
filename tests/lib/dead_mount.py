#!/usr/bin/python3
"""A real FUSE file system of a few read-only files, which can stop answering, as a dead server does, and begin again.
Run as a program it is its server: TARGET FILE..., and "stop" and "go" on its standard input."""

import ctypes
import os
import select
import struct
import subprocess
import sys

import processes

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT, OPENDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = \
    1, 2, 3, 14, 15, 18, 25, 26, 27, 29, 36, 42
ENOENT, ENOSYS = 2, 38
PARALLEL_DIROPS = 1 << 18
MNT_DETACH = 2
DIRECTORY, FILE = 0o40755, 0o100755


class DeadMount:
    """Mounted at a directory, in the mount namespace of this process, with copies of these files in it."""

    def __init__(self, target, *files):
        self.target = target
        os.makedirs(target, exist_ok=True)
        self.server = processes.start([sys.executable, os.path.abspath(__file__), target, *files],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._expect("mounted")

    def _expect(self, word):
        line = self.server.stdout.readline().strip()
        assert line == word, f"the file system said {line!r}, not {word!r}"

    def _say(self, word):
        self.server.stdin.write(word + "\n")
        self.server.stdin.flush()
        self._expect(word)

    def stop(self):
        self._say("stop")

    def go(self):
        self._say("go")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        processes.stop(self.server, 9)  # whoever waits for it gets an error
        self.server.stdin.close()
        self.server.stdout.close()
        ctypes.CDLL(None).umount2(self.target.encode(), MNT_DETACH)


class Server:
    """Node 1 is the directory, the others are the files in their order."""

    def __init__(self, target, paths):
        self.names = [os.path.basename(path) for path in paths]
        self.contents = []
        for path in paths:
            with open(path, "rb") as source:
                self.contents.append(source.read())
        self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"dead", target.encode(), b"fuse.dead", 0, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), "mount")

    def attributes(self, node):
        size = 0 if node == 1 else len(self.contents[node - 2])
        mode, links = (DIRECTORY, 2) if node == 1 else (FILE, 1)
        return struct.pack("<6Q10I", node, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, links, 0, 0, 0, 4096, 0)

    def answer(self, opcode, node, body):
        """(error, data), or None where nothing is to be answered.  Nothing is valid for longer than it takes."""
        if opcode == INIT:
            return 0, struct.pack("<4I2H2I2H8I", 7, 31, 1 << 17, PARALLEL_DIROPS, 12, 9, 1 << 17, 1, 32, 0, *[0] * 8)
        if opcode == LOOKUP:
            name = body.split(b"\0")[0].decode()
            if name not in self.names:
                return -ENOENT, b""
            found = self.names.index(name) + 2
            return 0, struct.pack("<4Q2I", found, 0, 0, 0, 0, 0) + self.attributes(found)
        if opcode == GETATTR:
            return 0, struct.pack("<Q2I", 0, 0, 0) + self.attributes(node)
        if opcode in (OPEN, OPENDIR):
            return 0, struct.pack("<Q2I", 0, 0, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<2QI", body)
            return 0, self.contents[node - 2][offset:offset + size]
        if opcode in (RELEASE, RELEASEDIR, FLUSH):
            return 0, b""
        return None if opcode in (FORGET, BATCH_FORGET, INTERRUPT) else (-ENOSYS, b"")

    def serve_one(self):
        data = os.read(self.fd, 1 << 18)
        length, opcode, unique, node = struct.unpack_from("<2I2Q", data)
        answer = self.answer(opcode, node, data[40:length])
        if answer:
            error, body = answer
            try:
                os.write(self.fd, struct.pack("<IiQ", 16 + len(body), error, unique) + body)
            except FileNotFoundError:
                pass  # whoever asked has been interrupted

    def serve(self):
        dead = False
        print("mounted", flush=True)
        while True:
            ready, _, _ = select.select([0] + ([] if dead else [self.fd]), [], [])
            if 0 in ready:
                word = sys.stdin.readline().strip()
                if not word:
                    return
                dead = word == "stop"
                print(word, flush=True)
            elif ready:
                self.serve_one()


if __name__ == "__main__":
    Server(sys.argv[1], sys.argv[2:]).serve()
