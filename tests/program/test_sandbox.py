#!/usr/bin/python3
"""GOVERAGE_SANDBOX: what the program gives up is refused by the kernel, in the program and in covdata."""

import contextlib
import ctypes
import os
import platform
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tools
import tree
from answer import check_error, check_profile

PROBE = os.path.join(tree.BUILD, "tests", "program", "sandbox_probe")
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}.get(platform.machine())
SYS_LANDLOCK = 444
ENOSYS, EOPNOTSUPP = 38, 95
CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE = 1 << 2, 1 << 19

# what no profile lets pass
DANGEROUS = {"socket", "socket-unix", "connect", "bind", "listen", "ptrace", "process_vm_writev", "pidfd_getfd",
             "mount", "umount", "unshare", "chroot", "finit_module", "bpf", "perf_event_open", "io_uring_setup",
             "userfaultfd", "keyctl", "setuid", "fchown", "kill-all", "TIOCSTI", "clone-namespaces"}
PROGRAMS = {"fork", "execve"}
SIGNALS = {"kill", "tgkill"}
# of these one is enough to change a file that is there
CHANGES = {"open-write", "open-append", "open-truncate", "open-nameless", "chmod", "truncate"}
MAKING = {"make-file", "make-directory", "make-link", "make-fifo"}
HARMLESS = {"open-read", "memory-file", "thread", "raise"}
# the search for leaks needs them in a build with sanitizers
SANITIZERS = {"ptrace", "clone-namespaces", "fork"}


class Place:
    """Another process, a file of somebody else, and a directory that is not the program's to write in."""

    def __init__(self, work, sanitized):
        self.work = work
        self.sanitized = SANITIZERS if sanitized else set()
        self.dir = "/var/tmp/goverage-test-foreign-%d" % os.getpid()
        os.mkdir(self.dir)
        self.file = os.path.join(self.dir, "file")
        with open(self.file, "w") as out:
            out.write("whole")
        self.process = processes.start(["/bin/sleep", "1000"], stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        processes.stop(self.process)
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(self.dir)

    def probe(self, who, **settings):
        """What came of each call."""
        env = {"GOCOVERDIR": self.work.path, **settings}
        with open(self.file, "w") as file:
            file.write("whole")
        done = subprocess.run([PROBE, who, str(self.process.pid), self.file, self.dir], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr}"
        got = dict(line.split() for line in done.stdout.splitlines())
        assert len(got) > 40, done.stdout
        for name in os.listdir(self.dir):
            if name != "file":
                os.unlink(os.path.join(self.dir, name))
        return got

    def refused(self, got, names, error="EPERM"):
        bad = {name: got[name] for name in names - self.sanitized if got[name] != error}
        assert not bad, f"not {error}: {bad}"

    @staticmethod
    def allowed(got, names):
        bad = {name: got[name] for name in names if got[name] != "ok"}
        assert not bad, f"refused: {bad}"


def profiles(out, place):
    landlock = processes.landlock_version()
    with out.check("off: nothing is refused, so the probe shows what is"):
        got = place.probe("self", GOVERAGE_SANDBOX="off", GOVERAGE_ENGINE="builtin")
        place.allowed(got, PROGRAMS | CHANGES | MAKING | HARMLESS | SIGNALS |
                      {"socket", "connect", "ptrace", "process_vm_writev", "process_vm_readv", "kill-all"})
        missing = {name for name in DANGEROUS if got[name] == "EPERM"}
        assert not missing - {"chroot", "mount", "umount", "TIOCSTI"} or os.getuid() != 0, missing
    with out.check("the built-in reader alone: only what it needs passes"):
        got = place.probe("self", GOVERAGE_SANDBOX="auto", GOVERAGE_ENGINE="builtin")
        place.refused(got, DANGEROUS | PROGRAMS | SIGNALS | CHANGES | {"make-fifo", "make-link"})
        place.refused(got, {"newer-call", "clone3"}, "ENOSYS")
        place.allowed(got, HARMLESS | {"process_vm_readv", "make-file", "make-directory"})
    with out.check("with covdata: programs start, and the rest is refused"):
        got = place.probe("self", GOVERAGE_SANDBOX="auto", GOVERAGE_ENGINE="covdata")
        place.refused(got, DANGEROUS)
        place.allowed(got, HARMLESS | PROGRAMS | {"process_vm_readv", "kill"})
    if not landlock:
        out.skip("files are changed in the program's own places only", "this kernel has no Landlock")
        return
    for engine in ("builtin", "covdata"):
        with out.check(f"no running processes, {engine}: files are changed in the program's own places only"):
            got = place.probe("self", GOVERAGE_SANDBOX="on", GOVERAGE_ENGINE=engine, GOVERAGE_LIVE="off")
            place.refused(got, DANGEROUS)
            bad = {name: got[name] for name in (CHANGES | MAKING) - {"chmod"}
                   if got[name] not in ("EPERM", "EACCES")}
            assert not bad, f"not refused: {bad}"
            place.allowed(got, HARMLESS)
            with open(place.file) as file:
                tap.equal(file.read(), "whole", "the foreign file")
    with out.check("in its own places files can be made"):
        foreign, place.dir = place.dir, place.work.mkdir("own")
        try:
            got = place.probe("self", GOVERAGE_SANDBOX="on", GOVERAGE_LIVE="off", GOVERAGE_ENGINE="builtin")
            place.allowed(got, {"make-file", "make-directory"})
        finally:
            place.dir = foreign
    for live in ("auto", "off"):
        with out.check(f"a child, started as covdata is, changes no file and reaches no process (live {live})"):
            got = place.probe("child", GOVERAGE_SANDBOX="on", GOVERAGE_ENGINE="covdata", GOVERAGE_LIVE=live)
            place.refused(got, DANGEROUS | {"process_vm_readv"})
            place.refused(got, (CHANGES | MAKING) - {"chmod"}, "EACCES")
            place.allowed(got, HARMLESS | PROGRAMS)
            if landlock >= 6:
                place.refused(got, SIGNALS)


# --- the program itself --------------------------------------------------------------------------

def status_of(path):
    with open(f"{path}/status") as status:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    return {"seccomp": int(fields["Seccomp"]), "no_new_privs": int(fields["NoNewPrivs"]),
            **{name: int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")}}


def check_status(path, capabilities, bounding):
    """bounding: of no use any more without new privileges, and a child can't make it smaller."""
    status = status_of(path)
    tap.equal((status["seccomp"], status["no_new_privs"]), (2, 1), f"Seccomp, NoNewPrivs of {path}")
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert status[name] & ~capabilities == 0, f"{name} of {path}: {status[name]:x}"
    assert os.getuid() != 0 or status["CapBnd"] & ~bounding == 0, f"CapBnd of {path}: {status['CapBnd']:x}"


@contextlib.contextmanager
def listening(work, env):
    log = tempfile.mkstemp(dir=work.path)[1]
    with processes.Listener(work.program, env, work.join("listen.sock"), log) as listener:
        yield listener


def all_threads(pid, count):
    tasks = os.listdir(f"/proc/{pid}/task")
    return tasks if len(tasks) >= count else None


def responders(out, work, env):
    wanted = CAP_DAC_READ_SEARCH | CAP_SYS_PTRACE
    if os.getuid() == 0:
        held = status_of("/proc/self")["CapPrm"]
        if not held & CAP_SYS_PTRACE:
            out.diag("without CAP_SYS_PTRACE the program keeps all that it has, to read its like")
            wanted = held
    for engine in ("builtin", "covdata"):
        with out.check(f"{engine}: every thread of a responder is confined"):
            with listening(work, dict(env, GOVERAGE_ENGINE=engine, GOVERAGE_WORKERS="4")) as listener:
                fcgi.request(listener.address)
                tasks = processes.wait_until(lambda pid=listener.pid: all_threads(pid, 2), "its threads")
                for task in tasks:
                    check_status(f"/proc/{listener.pid}/task/{task}", wanted, wanted)
                tap.contains(listener.log_text(), "sandbox: no new privileges", "the log")
                tap.contains(listener.log_text(), "seccomp", "the log")
    with out.check("off: it is not, and the log says so"):
        with listening(work, dict(env, GOVERAGE_SANDBOX="off")) as listener:
            status = status_of(f"/proc/{listener.pid}")
            tap.equal((status["seccomp"], status["no_new_privs"]),
                      tuple(status_of("/proc/self")[name] for name in ("seccomp", "no_new_privs")),
                      "Seccomp, NoNewPrivs, as those of this test")
            processes.wait_until(lambda: "sandbox: off" in listener.log_text(), "the line")
    with out.check("a covdata child is confined, and has no capability but the one to read"):
        settings = dict(env, GOVERAGE_ENGINE="covdata", GOVERAGE_COVDATA=tools.hanging(work),
                        GOVERAGE_TIMEOUT="5")
        with listening(work, settings) as listener, fcgi.Connection(listener.address) as connection:
            connection.send(fcgi.request_bytes(fcgi.parameters()))
            children = processes.wait_until(lambda: [p for p in processes.descendants(listener.pid)
                                                     if "sleep" in processes.command(p)], "covdata")
            may_override = 1 << 1 if not status_of("/proc/self")["CapPrm"] & CAP_DAC_READ_SEARCH else 0
            for child in children:
                check_status(f"/proc/{child}", CAP_DAC_READ_SEARCH | may_override, wanted)
            check_error(connection.read_answer(), 504, "covdata")
        processes.no_children_left()


def answers(out, work, env, profile):
    for engine in ("builtin", "covdata"):
        for live in ("auto", "off"):
            with out.check(f"the answer is the same with and without ({engine}, live {live})"):
                settings = dict(env, GOVERAGE_ENGINE=engine, GOVERAGE_LIVE=live)
                for setting in (processes.sandbox(), "off"):
                    settings["GOVERAGE_SANDBOX"] = setting
                    check_profile(cgi_client.request(work.cgi, settings), profile)
                    with listening(work, settings) as listener:
                        check_profile(fcgi.request(listener.address), profile)
    with out.check("go tool covdata, which is built at its first use, works in the sandbox"):
        go = go_fixture.go(go_fixture.NEWEST)
        settings = {name: value for name, value in env.items() if name != "GOVERAGE_COVDATA"}
        settings.update(PATH=os.path.dirname(go), GOCACHE=work.mkdir("gocache"), GOVERAGE_TIMEOUT="600",
                        GOVERAGE_ENGINE="covdata", GOVERAGE_LIVE="off", GOVERAGE_SANDBOX=processes.sandbox())
        check_profile(cgi_client.request(work.cgi, settings), profile)
    for live in ("auto", "off"):
        with out.check(f"clear works in the sandbox, with its directory made by it or there (live {live})"):
            settings = dict(env, GOVERAGE_ENGINE="builtin", GOVERAGE_LIVE=live,
                            GOVERAGE_STATE=os.path.join(work.mkdir(f"state-{live}"), "state"),
                            GOVERAGE_SANDBOX=processes.sandbox())
            for _ in range(2):
                with listening(work, settings) as listener:
                    for _ in range(2):
                        answer = fcgi.request(listener.address, path="/v1/cover/clear")
                        tap.equal(answer.status, 200, f"status of clear ({answer.text()})")


# --- where the kernel has it not -----------------------------------------------------------------

class Filter(ctypes.Structure):
    _fields_ = [("n", ctypes.c_ushort), ("steps", ctypes.c_void_p)]


def without(call, errno):
    """For preexec_fn: a kernel in which this call fails so."""
    steps = b"".join(struct.pack("=HBBI", *step) for step in (
        (0x20, 0, 0, 0), (0x15, 0, 1, call), (0x06, 0, 0, 0x00050000 | errno), (0x06, 0, 0, 0x7fff0000)))
    room = ctypes.create_string_buffer(steps, len(steps))
    program = Filter(len(steps) // 8, ctypes.addressof(room))
    libc = ctypes.CDLL(None, use_errno=True)

    def enter():
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), room and 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
    return enter


def missing_parts(out, work, env):
    cases = [("Landlock", SYS_LANDLOCK, ENOSYS, {"GOVERAGE_LIVE": "off"}, "no Landlock"),
             ("Landlock, switched off", SYS_LANDLOCK, EOPNOTSUPP, {"GOVERAGE_LIVE": "off"}, "switched off")]
    if SYS_SECCOMP:
        cases.append(("seccomp", SYS_SECCOMP, ENOSYS, {}, "no seccomp filters"))
    for title, call, errno, settings, words in cases:
        def check(setting, call=call, errno=errno, settings=settings):
            return subprocess.run([work.program, "--check"],
                                  env={**env, "GOVERAGE_ENGINE": "builtin", **settings,
                                       "GOVERAGE_SANDBOX": setting},
                                  preexec_fn=without(call, errno), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=120)
        with out.check(f"a kernel without {title}: auto goes on, and says so"):
            done = check("auto")
            tap.equal(done.returncode, 0, f"exit status ({done.stdout})")
            assert re.search(rf"^ok: sandbox: .*{words}", done.stdout, re.MULTILINE), done.stdout
        with out.check(f"a kernel without {title}: on is an error that names it"):
            done = check("on")
            tap.equal(done.returncode, 1, f"exit status ({done.stdout})")
            assert re.search(rf"^FAILED: GOVERAGE_SANDBOX is on, .*{words}", done.stdout, re.MULTILINE), \
                done.stdout
        with out.check(f"a kernel without {title}: on, and a responder does not start; CGI answers 500"):
            settings = {**env, "GOVERAGE_ENGINE": "builtin", **settings, "GOVERAGE_SANDBOX": "on"}
            done = subprocess.run([work.program, "--listen", "unix:" + work.join("none.sock")], env=settings,
                                  preexec_fn=without(call, errno), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=120)
            tap.equal(done.returncode, 1, "exit status")
            tap.contains(done.stdout, words, "the log")
            done = subprocess.run([work.cgi], env=cgi_client.environment(settings), stdin=subprocess.DEVNULL,
                                  preexec_fn=without(call, errno), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=120)
            check_error(cgi_client.parse_cgi(done.stdout, True, done.stderr), 500, words)


def is_sanitized():
    with open(os.path.join(tree.BUILD, "config.h")) as config:
        return "#define WITH_SANITIZERS 1" in config.read()


def main():
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    if not SYS_SECCOMP:
        tap.skip_all(f"there is no seccomp filter for {platform.machine()}")
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": work.install(covdata)}
        with Place(work, is_sanitized()) as place:
            profiles(out, place)
        responders(out, work, env)
        answers(out, work, env, profile)
        missing_parts(out, work, env)
    return out.done()


sys.exit(main())
