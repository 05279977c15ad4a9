"""The static programs, and empty root directories to run them in."""

import os
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
for near in ("../lib", "../live", "../servers"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), near))

# pylint: disable=wrong-import-position
import go_fixture
import processes
import tree

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 900  # seconds for building the libraries, where scripts/check has not done so before


def static_program(libc, host=None):
    """The path of the program, built by scripts/static-program with musl or glibc, for this machine or another."""
    script = os.path.join(tree.SOURCE, "scripts", "static-program")
    into = os.path.join(go_fixture.CACHE, f"static-{libc}" + (f"-{host}" if host else ""))
    os.makedirs(into, exist_ok=True)
    done = subprocess.run([script, "--libc", libc, *(["--host", host] if host else []), "--into", into],
                          stdout=subprocess.PIPE, timeout=PATIENCE, check=True, text=True)
    return done.stdout.strip()


class EmptyRoot:
    """A root directory with the program, with covdata where it is named, /proc, and a volume at /volume.

    Its `program` and `cgi` run the static program in such a root, each time in a new one; paths below the
    volume, in arguments and environment, may be named as they are outside."""

    def __init__(self, work, static_program_path, covdata=None, flags=()):
        self.mount_point = tempfile.mkdtemp(prefix="root", dir=work.path)
        self.volume = work.mkdir("volume")
        os.chmod(self.volume, 0o777)
        self.names = {os.path.basename(static_program_path), "proc", "volume"}
        arguments = ["--file", static_program_path, "--volume", f"{self.volume}:/volume", *flags]
        if covdata:
            arguments += ["--file", covdata]
            self.names.add(os.path.basename(covdata))
        self.enter = ["/usr/bin/python3", os.path.join(HERE, "enter_root.py"), *arguments, self.mount_point,
                      "--"]
        self.path = tempfile.mkdtemp(prefix="bin", dir=work.path)
        self.program = self._wrapper("goverage.fcgi")
        self.cgi = self._wrapper("goverage.cgi")

    def _wrapper(self, name):
        path = os.path.join(self.path, name)
        with open(path, "w") as out:
            out.write(f'#!/bin/sh\nexec {shlex.join(self.enter)} /goverage.fcgi "$@"\n')
        os.chmod(path, 0o755)
        return path

    def join(self, name):
        """A path on the volume, as it is outside."""
        return os.path.join(self.volume, name)

    def mkdir(self, name):
        path = self.join(name)
        os.makedirs(path, exist_ok=True)
        return path


def inside(wrapper_pid):
    """The pid (as it is outside) of the program that such a wrapper runs."""
    return processes.wait_until(lambda: processes.descendants(wrapper_pid), "the program in its root")[0]
