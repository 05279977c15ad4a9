"""Where things are: the sources, the build, the program under test, and a place to work in."""

import os
import shutil
import sys
import tempfile

import private_shm

sys.dont_write_bytecode = True

SOURCE = os.environ.get("abs_top_srcdir") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _build():
    named = os.environ.get("abs_top_builddir")
    if named:
        return named
    program = os.environ.get("GOVERAGE_PROGRAM")
    if program:
        return os.path.dirname(os.path.abspath(program))
    below = os.path.join(SOURCE, "build")
    return below if os.path.exists(os.path.join(below, "goverage.fcgi")) else SOURCE


BUILD = _build()


def program():
    """The program under test: GOVERAGE_PROGRAM, or the one that was built."""
    path = os.path.abspath(os.environ.get("GOVERAGE_PROGRAM") or os.path.join(BUILD, "goverage.fcgi"))
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is no program: build it first, or name it in GOVERAGE_PROGRAM")
    return path


class WorkDirectory:
    """A private directory with a short path (a socket's path has a limit) that every user may enter, with
    the program in it under both of its names; removed at the end.  The program's own private directories are apart
    from those of other tests, too: see private_shm."""

    def __init__(self):
        private_shm.enter_as_root()
        built = program()
        self.path = tempfile.mkdtemp(prefix="goverage-test-", dir="/tmp")
        os.chmod(self.path, 0o755)
        os.mkdir(self.join("bin"))
        self.program = self.join("bin/goverage.fcgi")
        self.cgi = self.join("bin/goverage.cgi")
        shutil.copy(built, self.program)
        os.chmod(self.program, 0o755)
        os.symlink("goverage.fcgi", self.cgi)

    def install(self, tool, name="covdata"):
        """A copy of a program where every user can run it, and not beside the program; its path."""
        path = os.path.join(self.mkdir("tools"), name)
        shutil.copy(tool, path)
        os.chmod(path, 0o755)
        return path

    def join(self, name):
        return os.path.join(self.path, name)

    def mkdir(self, name):
        path = self.join(name)
        os.makedirs(path, exist_ok=True)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.path, ignore_errors=True)
