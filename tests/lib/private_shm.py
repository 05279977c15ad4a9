"""A /dev/shm of one's own, for this test program and what it starts: what is left there was left by this test, and
no program of a test beside it removes what lies there."""

import ctypes
import os

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_PRIVATE, MS_REC = 1 << 18, 1 << 14

_entered = False


def enter():
    """Into a mount namespace with /dev/shm of its own.  OSError where there is none to be had.  For a user who is
    not root it takes a user namespace as well, which is not given to a process with threads: call it before
    processes.alarm(), which starts one."""
    global _entered
    if _entered:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNS | (0 if uid == 0 else CLONE_NEWUSER)) != 0:
        raise OSError(ctypes.get_errno(), "unshare: no namespace of its own for this user")
    if uid != 0:
        for file, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{file}", "w") as out:
                out.write(text)
    mount(libc, None, "/", None, MS_REC | MS_PRIVATE)
    mount(libc, "tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777")
    _entered = True


def enter_as_root():
    """Where it takes no user namespace, in which not everything is as it is outside, and where it is permitted."""
    if os.geteuid() == 0:
        try:
            enter()
        except OSError:
            pass  # a container without CAP_SYS_ADMIN; nothing but another test beside this one is in the way


def mount(libc, source, target, kind, flags, options=None):
    words = [word.encode() if word else None for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), options.encode() if options else None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")
