"""Processes: starting and ending them, and seeing that nothing of them is left."""

import ctypes
import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 60  # seconds until a thing that has to happen counts as not happening


def adopt_orphans():
    """Whatever loses its parent from now on becomes a child of this process, and so can be found."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def wait_until(condition, what, patience=PATIENCE):
    """Ask again and again, until it holds; gives what the condition gave."""
    deadline = time.monotonic() + patience
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def _parents():
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:
                    fields = stat.read().rsplit(b")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(name)] = (int(fields[1]), fields[0] == b"Z")
    return parents


def descendants(pid, zombies=False):
    """The pids of all living descendants of a process."""
    parents = _parents()
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        children = [p for p, (of, _) in parents.items() if of == parent]
        todo += children
        found += [p for p in children if zombies or not parents[p][1]]
    return found


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return line.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def commands(pids):
    return [f"{pid}: {command(pid)}" for pid in pids]


def no_children_left(but=()):
    """Wait until this process has no descendants (adopt_orphans() comes first) but these."""
    def none():
        reap()
        return not [pid for pid in descendants(os.getpid()) if pid not in but]

    try:
        wait_until(none, "the end of all children", patience=20)
    except AssertionError:
        left = [pid for pid in descendants(os.getpid()) if pid not in but]
        words = commands(left)
        kill_all(left)
        raise AssertionError(f"still there: {words}") from None


def reap():
    """Collect orphans that have ended; Popen objects collect their own."""
    for pid, (parent, zombie) in _parents().items():
        if parent == os.getpid() and zombie and pid not in _ours:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


_ours = set()


def _take_signals_up():
    """A job in the background of a shell ignores these, and so would all that it starts; a shell script among them
    could not even trap them."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


_take_signals_up()


def start(arguments, **how):
    process = subprocess.Popen(arguments, **how)
    _ours.add(process.pid)
    return process


def stop(process, number=signal.SIGTERM, patience=PATIENCE):
    """End a process by a signal; its exit status (negative: the signal that killed it)."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"no end within {patience} s of signal {number}") from None


# --- what a test must have alone ------------------------------------------------------------------

_reserved = []


def reserve(name):
    """Is what is called so this test program's alone now, among all that run side by side?  Until its end."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0goverage-test-{name}")
    except OSError:
        lock.close()
        return False
    _reserved.append(lock)
    return True


def _is_free(port):
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    """Ports of the loopback address that nobody listens on now, and that nobody takes until a server is started:
    no other test, nor an outgoing connection."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first_outgoing = int(file.read().split()[0])
    ports = list(range(10000, first_outgoing)) or list(range(10000, 65536))
    random.shuffle(ports)
    found = []
    while len(found) < count:
        port = ports.pop()
        if reserve(f"port-{port}") and _is_free(port):
            found.append(port)
    return found


def own_users(count):
    """Ids of users who have no process on this machine but those that this test starts for them."""
    with_processes, found = set(), []
    for pid in _parents():
        try:
            with open(f"/proc/{pid}/status", "rb") as status:
                with_processes |= {int(uid) for line in status if line.startswith(b"Uid:") for uid in line.split()[1:]}
        except (FileNotFoundError, ProcessLookupError):
            continue
    for uid in range(65533, 60000, -1):
        if len(found) < count and reserve(f"user-{uid}") and uid not in with_processes:
            found.append(uid)
    assert len(found) == count, "no users are left"
    return found


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def has_other_allocator(pid):
    """Than that of the C library: a sanitizer's, which keeps what was freed."""
    with open(f"/proc/{pid}/maps") as maps:
        text = maps.read()
    return "libasan" in text or "libtsan" in text


# --- private directories of the program --------------------------------------------------------

STAGING_PLACES = sorted({"/dev/shm", "/tmp", os.environ.get("TMPDIR") or "/tmp"})


def staging_directories():
    """Those that no living process holds: each has a lock on it for as long as its owner lives."""
    found = set()
    for place in STAGING_PLACES:
        if not os.path.isdir(place):
            continue
        for name in os.listdir(place):
            # the cache of the go command is there to stay
            if name.startswith("goverage-fcgi-") and not name.endswith("-gocache"):
                path = os.path.join(place, name)
                if _unlocked(path):
                    found.add(path)
    return found


def _unlocked(path):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return os.path.lexists(path) and not os.access(path, os.R_OK)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.lexists(path)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)


def staging_of(pid):
    """The private directory that this living process holds."""
    held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    found = [path for path in held if os.path.basename(path).startswith("goverage-fcgi-") and os.path.isdir(path)]
    assert len(found) == 1, f"private directories of {pid}: {found}"
    return found[0]


def no_staging_left(before):
    """Wait until there is no directory without an owner but those that were there before."""
    wait_until(lambda: not staging_directories() - before,
               f"the removal of {staging_directories() - before}", patience=20)


# --- the program as a FastCGI server that listens by itself -------------------------------------

class Listener:
    """goverage.fcgi --listen ADDRESS; `address` is what fastcgi_client.Connection takes."""

    def __init__(self, program, settings, address, log, extra=(), stdin=subprocess.DEVNULL):
        self.log = log
        if isinstance(address, str):
            argument = f"unix:{address}"
        elif ":" in address[0]:
            argument = f"[{address[0]}]:{address[1]}"
        else:
            argument = f"{address[0]}:{address[1]}"
        self.address = address
        with open(log, "ab") as out:
            self.process = start([program, "--listen", argument, *extra], env=settings, stdin=stdin,
                                 stdout=out, stderr=out)
        wait_until(self._answers, f"{argument} to accept connections; its log: {log}")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the program ended with {self.process.returncode}: {self.log_text()}")
        return can_connect(self.address)

    @property
    def pid(self):
        return self.process.pid

    def log_text(self):
        with open(self.log, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if self.process.poll() is None:
            status = stop(self.process)
            assert kind or status == 0, f"exit status {status}: {self.log_text()[-4000:]}"


def can_connect(address):
    family = socket.AF_UNIX if isinstance(address, str) else \
        socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(address)
        except OSError:
            return False
    return True


def alarm(seconds):
    """End this test program with a trace when it hangs."""
    import faulthandler
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.stderr)


# --- the sandbox ---------------------------------------------------------------------------------

def landlock_version():
    """The version of the kernel's Landlock; 0 where there is none."""
    create_ruleset, ask_version = 444, 1
    return max(0, ctypes.CDLL(None).syscall(create_ruleset, None, 0, ask_version))


def sandbox():
    """The strictest GOVERAGE_SANDBOX with which the program starts on this machine."""
    return "on" if landlock_version() else "auto"
