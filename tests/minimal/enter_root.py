#!/usr/bin/python3
"""Run a program in mount and PID namespaces of its own, in a root directory that is empty but for what is named.

    enter_root.py [OPTION ...] DIRECTORY -- COMMAND ...

DIRECTORY         where the root is mounted meanwhile; nobody else sees it
--file FILE       a copy of this file in it, such as the program
--volume DIR:PATH a directory and where it is in there; what begins with DIR in an argument (also behind unix:) or
                  in the environment begins with PATH then
--read-only       nothing can be written there but on the volumes
--no-network      a network namespace of its own as well, in which not even the loopback device is up
--from-outside    the command is one of the machine's, such as spawn-fcgi -c DIRECTORY, and changes root itself
--closed          descriptors 0, 1 and 2 are closed

/proc is there as well.  The exit status is the command's; TERM, INT and HUP are handed on to it, and it dies with
this process."""

import argparse
import ctypes
import os
import shutil
import signal
import sys

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
SYS_pivot_root = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
HANDED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *args):
    """A function of libc; an error ends us."""
    args = [arg.encode() if isinstance(arg, str) else arg for arg in args]
    if getattr(libc, name)(*args) < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags, data=None):
    call("mount", source, target, kind, ctypes.c_ulong(flags), data)


def make_root(options):
    root = options.directory
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    for file in options.file:
        shutil.copy(file, root)
    os.mkdir(f"{root}/proc")
    mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for volume in options.volume:
        source, _, target = volume.partition(":")
        os.makedirs(root + target)
        mount(source, root + target, None, MS_BIND)
    if options.read_only:
        mount("none", root, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def translated(text, volumes):
    """The path as it is in the new root."""
    scheme, colon, path = text.rpartition(":")
    for volume in volumes:
        source, _, target = volume.partition(":")
        if path == source or path.startswith(source + "/"):
            path = target + path[len(source):]
    return scheme + colon + path


def change_root(root):
    os.chdir(root)
    call("syscall", ctypes.c_long(SYS_pivot_root), ".", ".")
    call("umount2", ".", MNT_DETACH)
    os.chdir("/")


def become_command(options):
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    make_root(options)
    if not options.from_outside:
        change_root(options.directory)
    if options.closed:
        os.closerange(0, 3)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    volumes = () if options.from_outside else options.volume
    environment = {name: translated(value, volumes) for name, value in os.environ.items()}
    os.execvpe(options.command[0], [translated(word, volumes) for word in options.command], environment)


def wait_for(child):
    for number in HANDED_ON:
        signal.signal(number, lambda number, _: os.kill(child, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("--file", "--volume"):
        parser.add_argument(name, action="append", default=[])
    for name in ("--read-only", "--no-network", "--from-outside", "--closed"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("directory")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    call("unshare", CLONE_NEWNS | CLONE_NEWPID | (CLONE_NEWNET if options.no_network else 0))
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDED_ON)
    child = os.fork()
    if child:
        return wait_for(child)
    try:
        become_command(options)
    except OSError as error:
        print(f"enter_root.py: {error}", file=sys.stderr)
    os._exit(127)


if __name__ == "__main__":
    sys.exit(main())
