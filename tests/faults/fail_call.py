"""The preloaded library that makes calls fail (fail_call.c), and the file by which it is told what to do."""

import errno
import mmap
import os
import struct
import subprocess

import tree

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fail_call.c")
LAYOUT = struct.Struct("256s7q")
ALL, NO_LIBRARY, FCGI_ALONE, JSON_ALONE, ONIG_ALONE = range(5)

# What can fail, and how.  Each group is counted as one function.
EXHAUSTED = (errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOSPC)
GROUPS = (
    ("malloc calloc realloc reallocarray aligned_alloc strdup", errno.ENOMEM),
    ("open", errno.EMFILE), ("openat", errno.EMFILE), ("open", errno.EIO), ("openat", errno.EIO),
    ("openat", errno.EINTR),
    ("read", errno.EIO), ("read", errno.EINTR), ("pread", errno.EIO), ("pread", errno.EINTR),
    ("write", errno.EIO), ("write", errno.ENOSPC), ("write", errno.EINTR), ("pwrite", errno.ENOSPC),
    ("mmap", errno.ENOMEM), ("memfd_create", errno.EMFILE), ("memfd_create", errno.ENOSYS),
    ("clone", errno.EAGAIN), ("pthread_create", errno.EAGAIN), ("prlimit", errno.EPERM),
    ("pipe2", errno.EMFILE), ("eventfd", errno.EMFILE), ("signalfd", errno.EMFILE),
    ("fcntl", errno.EMFILE), ("poll", errno.EINTR), ("poll", errno.ENOMEM),
    ("stat", errno.EIO), ("lstat", errno.EIO), ("fstat", errno.EIO), ("fstatat", errno.EIO),
    ("fstatat", errno.ENOMEM), ("access faccessat", errno.EIO),
    ("realpath", errno.ENOMEM), ("realpath", errno.EIO), ("readlink readlinkat", errno.EIO),
    ("opendir", errno.EMFILE), ("fdopendir", errno.ENOMEM), ("readdir", errno.EIO),
    ("mkdtemp", errno.ENOSPC), ("mkdtemp", errno.EACCES), ("mkdir mkdirat", errno.ENOSPC),
    ("symlinkat", errno.ENOSPC), ("renameat", errno.EIO), ("unlinkat", errno.EIO), ("unlink", errno.EIO),
    ("rmdir", errno.EIO), ("ftruncate", errno.ENOSPC), ("lseek", errno.EIO), ("fsync", errno.EIO),
    ("inotify_init1", errno.EMFILE), ("inotify_add_watch", errno.ENOSPC), ("fstatfs", errno.EIO),
    ("flock", errno.ENOLCK), ("process_vm_readv", errno.ENOSYS), ("process_vm_readv", errno.EFAULT),
    ("syscall", errno.ENOSYS), ("waitpid", errno.EINTR),
)


def name(group):
    functions, number = group
    return f"{functions.split()[0]} ({errno.errorcode[number]})"


def build(work):
    library = work.join("fail_call.so")
    subprocess.run([os.environ.get("CC", "cc").split()[0], "-std=gnu11", "-O2", "-shared", "-fPIC", "-o", library,
                    SOURCE, "-ldl"], check=True)
    return library


def brings_its_own_functions():
    """A program with a sanitizer built in: calls of its own functions can't be made to fail from outside."""
    with open(tree.program(), "rb") as program:
        return b"__asan_init" in program.read()


class Control:
    """What the library is told; count and fired are what it tells."""

    def __init__(self, work, library, name="control"):
        self.path = work.join(name)
        with open(self.path, "wb") as file:
            file.write(b"\0" * LAYOUT.size)
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), LAYOUT.size)
        self.settings = {"LD_PRELOAD": library, "FAIL_CALL_CONTROL": self.path}
        self.off()

    def _write(self, functions, *numbers):
        self.map[:] = LAYOUT.pack(f" {functions} ".encode(), *numbers)

    def off(self):
        self._write("", 0, -1, 0, 0, 0, 0, 0)

    def fail(self, group, at, callers=ALL):
        """The call number `at` fails; 0 = they are counted."""
        functions, number = group
        self._write(functions, at, 0, 0, number, callers, 0, 0)

    def delay(self, functions, milliseconds, shift=0):
        """Each call takes that long; the clock of the day is off by `shift` seconds."""
        self._write(functions, 0, 0, 0, 0, ALL, milliseconds, shift * 10 ** 9)

    def shift(self, seconds):
        self._write("", 0, -1, 0, 0, 0, 0, seconds * 10 ** 9)

    def _number(self, index):
        return LAYOUT.unpack(self.map[:])[1 + index]

    def count(self):
        return self._number(1)

    def fired(self):
        return self._number(2)


def steps(total, most):
    """Which of the calls 1 ... total are made to fail: all of them, or every nth so that they are `most`;
    GOVERAGE_FAULTS=all in the environment means all."""
    if os.environ.get("GOVERAGE_FAULTS") == "all" or total <= most:
        return range(1, total + 1)
    return range(1, total + 1, -(-total // most))
