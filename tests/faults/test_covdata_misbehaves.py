#!/usr/bin/python3
"""A covdata that does everything but its work.  Scripts stand in for it: the real one can't be made to.  Each
fault ends in an answer, a line in the log, nothing left behind, and a responder that serves on."""

import contextlib
import ctypes
import os
import shutil
import signal
import struct
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import faults
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tools
import tree
from answer import check_error, check_profile

DAMAGED = 120  # more than the log names, and far more than covdata is started again for
PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
PROFILE = "mode: set\\nexample.com/a.go:1.1,2.2 1 1\\n"

# What it does as a shell script, and what an answer without it says.  Where it writes to is "$3", "-o=FILE".
SCRIPTS = (
    ("dies of SIGKILL", "kill -KILL $$", 500, "signal 9"),
    ("dies of SIGABRT, and the kernel would dump its core", "kill -ABRT $$", 500, "signal 6"),
    ("exits with 0 without output", "exit 0", 500, "no whole profile"),
    ("exits with 0 after something that is no profile", 'echo "hello, world"', 500, "no whole profile"),
    ("exits with 0 in the middle of a line", f'printf "{PROFILE}example.com/a.go:1" >"${{3#-o=}}"', 500,
     "no whole profile"),
    ("writes half and fails", f'printf "{PROFILE}" >"${{3#-o=}}"; echo "error: no ink left" >&2; exit 1', 500,
     "no ink left"),
    ("floods stderr and fails", "head -c 50000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo the end >&2; exit 1",
     500, "the end"),
    ("floods stderr and hangs", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx >&2; done", 504,
     "did not finish"),
    ("floods its output until it is stopped", 'exec cat /dev/zero >"${3#-o=}"', 500, "signal 25"),
    ("hangs, with its stderr closed", "exec 2>&-; exec sleep 1000", 504, "did not finish"),
    ("hangs, stopped by a signal", "kill -STOP $$", 504, "did not finish"),
    ("ends and leaves a child that holds its stderr", "sleep 1000 & exit 3", 500, "status 3"),
    ("ends and leaves a child that holds its output", "sleep 1000 2>&- & exit 3", 500, "status 3"),
    ("leaves a child that ignores all signals", "trap '' TERM HUP INT; sleep 1000 & exit 3", 500, "status 3"),
)


def script(bench, number, text):
    path = os.path.join(bench.work.mkdir("tools"), f"misbehaving-{number}")
    with open(path, "w") as out:
        out.write(f"#!/bin/sh\n{text}\n")
    os.chmod(path, 0o755)
    return path


def misbehaviour(out, bench):
    for number, (what, text, status, words) in enumerate(SCRIPTS):
        tool = script(bench, number, text)
        flag = bench.work.join("misbehave")
        moody = script(bench, f"moody-{number}",
                       f"[ ! -e {flag} ] || exec {tool} \"$@\"\nexec {bench.env['GOVERAGE_COVDATA']} \"$@\"")
        settings = {"GOVERAGE_COVDATA": moody, "GOVERAGE_TIMEOUT": "2"}
        with out.check(f"covdata {what}: {status} and a line in the log"):
            open(flag, "w").close()
            answer = bench.cgi(settings)
            check_error(answer, status, "covdata", words)
            faults.log_has(answer, "request failed", words)
            bench.nothing_left()
        with out.check(f"covdata {what}: the responder serves on, and has kept nothing of it"):
            os.unlink(flag)
            with faults.Serving(bench, settings) as serving:
                serving.is_well()
                serving.remember()
                open(flag, "w").close()
                check_error(serving.ask(), status, "covdata", words)
                os.unlink(flag)
                serving.as_before()
                serving.is_well()
                serving.as_before()
            bench.nothing_left()
        if status == 500:
            with out.check(f"covdata {what}, engine auto: the reader answers, now and the next time"):
                auto = {**settings, "GOVERAGE_COVDATA": tool, "GOVERAGE_ENGINE": "auto",
                        "GOVERAGE_CACHE": "1000000"}
                with faults.Serving(bench, auto) as serving:
                    for _ in range(2):
                        answer = serving.ask()
                        check_profile(answer, bench.profile)
                        tap.equal(answer.header("goverage-engine"), "builtin", "Goverage-Engine")
                    tap.contains(serving.listener.log_text(), "answering without covdata", "the log")
                bench.nothing_left()


def killed_responder(out, bench):
    """Nobody is left to keep covdata's deadline."""
    for name, tool in (("hangs", tools.hanging(bench.work)), ("hangs, deaf to SIGTERM", tools.stubborn(bench.work))):
        with out.check(f"the responder is killed while covdata {name}: covdata ends with it"):
            settings = {"GOVERAGE_COVDATA": tool, "GOVERAGE_TIMEOUT": "600"}
            listener = bench.listener(settings)
            connection = fcgi.Connection(listener.address)
            connection.send(fcgi.request_bytes(fcgi.parameters()))
            leader = processes.wait_until(lambda pid=listener.pid: children(pid), "covdata's start")[0]
            processes.stop(listener.process, signal.SIGKILL)
            processes.wait_until(lambda pid=leader: gone(pid), "covdata's end", patience=20)
            connection.close()
            end_orphans()
        with out.check(f"and a new one sweeps its private directory ({name})"):
            with bench.listener() as listener:
                check_profile(fcgi.request(listener.address), bench.profile)
            bench.nothing_left()


def children(pid):
    """Of a process, once they have got to their own program."""
    found = processes.descendants(pid)
    return [child for child in found if "goverage.fcgi" not in processes.command(child)]


def gone(pid):
    processes.reap()
    return not os.path.exists(f"/proc/{pid}")


def end_orphans():
    """The kernel kills covdata; what covdata itself has started lives, as it does with any program."""
    processes.kill_all(processes.descendants(os.getpid()))
    processes.no_children_left()


class Tracer:
    """A debugger that is attached to a process, in a thread, which is what the kernel counts: the process's end
    is told to the debugger first, and its parent can't reap it before.  So looks a process in the eyes of its
    parent that waits for a broken disk, deaf to SIGKILL."""

    def __init__(self, pid):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.pid = pid
        self.errno = None
        self.attached, self.let_go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        self.attached.wait()
        assert not self.errno, f"PTRACE_SEIZE: {os.strerror(self.errno)}"

    def _run(self):
        if self.libc.ptrace(PTRACE_SEIZE, self.pid, None, None) != 0:
            self.errno = ctypes.get_errno()
        self.attached.set()
        if not self.errno:
            self.let_go.wait()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)

    def release(self):
        self.let_go.set()
        self.thread.join()


def unkillable(out, bench):
    with out.check("covdata outlives SIGKILL: the answer comes all the same, and the zombie is reaped in the end"):
        hanging = tools.hanging(bench.work)
        settings = {"GOVERAGE_COVDATA": hanging, "GOVERAGE_TIMEOUT": "2"}
        with bench.listener(settings) as listener:
            with fcgi.Connection(listener.address, timeout=30) as connection:
                connection.send(fcgi.request_bytes(fcgi.parameters()))
                leader = processes.wait_until(
                    lambda: [pid for pid in children(listener.pid) if processes.command(pid).startswith("sleep")],
                    "covdata's start")
                tracers = [Tracer(pid) for pid in leader]
                try:
                    check_error(connection.read_answer(), 504, "covdata")
                    assert processes.descendants(listener.pid, zombies=True), "the zombie was reaped after all"
                finally:
                    for tracer in tracers:
                        tracer.release()
            processes.wait_until(lambda: not processes.descendants(listener.pid, zombies=True), "the reaping")
            tap.contains(listener.log_text(), "left behind", "the log")
        bench.nothing_left()


def many_damaged(out, bench):
    """Files that only a reader finds damaged: covdata crashes on each."""
    directory = bench.work.mkdir("many-damaged")
    go_fixture.run(go_fixture.build("shop", "count"), directory)
    profile = go_fixture.textfmt(directory)
    good = go_fixture.files(directory, "covcounters")[0]
    stem, pid, time = good.rsplit(".", 2)
    for number in range(1, DAMAGED + 1):
        path = os.path.join(directory, f"{stem}.{pid}.{int(time) + number}")
        shutil.copy(os.path.join(directory, good), path)
        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) - 48)
            file.write(b"\xff" * 32)
    for engine in ("covdata", "builtin", "auto"):
        with out.check(f"{DAMAGED} damaged files, engine {engine}: all left out, and counted"):
            answer = bench.cgi({"GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine})
            check_profile(answer, profile, skipped=DAMAGED)
            if engine != "builtin":
                tap.equal(answer.header("goverage-engine"), "covdata", "Goverage-Engine")
    with out.check("a damaged file beside one of a newer format: covdata is handed the newer one alone"):
        spy, spied = tools.spying(bench.work, "/bin/true")
        newer = f"{stem}.{pid}.{int(time) + DAMAGED + 1}"
        path = os.path.join(directory, newer)
        shutil.copy(os.path.join(directory, good), path)
        with open(path, "r+b") as file:
            file.seek(4)
            file.write(struct.pack("<I", 2))
        with open(spy, "w") as text:
            text.write(f'#!/bin/sh\nls "${{2#-i=}}" >{spied}\nprintf "{PROFILE}" >"${{3#-o=}}"\n')
        answer = bench.cgi({"GOCOVERDIR": directory, "GOVERAGE_ENGINE": "covdata", "GOVERAGE_COVDATA": spy,
                            **tools.MARKING})
        tap.equal(answer.status, 200, "status")
        with open(spied) as report:
            names = [name for name in report.read().split() if name.startswith("covcounters.")]
        tap.equal(sorted(names), sorted([good, newer]), "the files")


def vanishing(out, bench):
    """Files that go away, or are damaged, between the reader's look and covdata's."""
    def with_covdata(name, engine):
        directory = bench.work.join(f"vanishing-{name}-{engine}")
        shutil.copytree(bench.env["GOCOVERDIR"], directory)
        kept = bench.work.mkdir("vanished")
        counters = go_fixture.files(directory, "covcounters")
        victims = counters + go_fixture.files(directory, "covmeta") if name == "all" else counters[:1]
        moves = [f"mv {directory}/{victim} {kept}/ 2>/dev/null; " for victim in victims]
        if name == "spoiled":  # and not again when covdata is run again
            moves = [f"[ -e {kept}/{victims[0]} ] || {{ {moves[0]} : >{directory}/{victims[0]}; }}; "]
        tool = script(bench, f"sweeping-{name}", f"{''.join(moves)}exec {bench.env['GOVERAGE_COVDATA']} \"$@\"")
        return {"GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine, "GOVERAGE_COVDATA": tool,
                "GOVERAGE_CACHE": "1000000", **tools.MARKING}, directory, kept

    def restore(directory, kept):
        for name in os.listdir(kept):
            os.rename(os.path.join(kept, name), os.path.join(directory, name))

    for name, what in (("one", "one vanishes"), ("all", "all vanish"), ("spoiled", "one is emptied")):
        with out.check(f"{what} under covdata, engine auto: the answer is what the reader saw"):
            settings, directory, kept = with_covdata(name, "auto")
            with faults.Serving(bench, settings) as serving:
                for _ in range(2):
                    serving.is_well()
                    restore(directory, kept)
        with out.check(f"{what} under covdata, engine covdata: no validator, and no profile kept under it"):
            settings, directory, kept = with_covdata(name, "covdata")
            with faults.Serving(bench, settings) as serving:
                for _ in range(2):
                    answer = serving.ask()
                    if name == "all":
                        check_error(answer, 503, "vanished")
                    else:
                        tap.equal(answer.status, 200, "status")
                        tap.equal(answer.header("etag"), None, "ETag")
                        tap.equal(answer.header("goverage-skipped"), "1" if name == "spoiled" else "0", "skipped")
                        assert answer.body != bench.profile, "nothing vanished"
                    restore(directory, kept)


def main():
    processes.alarm(600)
    processes.adopt_orphans()
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        bench = faults.Bench(work, {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off",
                                    "GOVERAGE_COVDATA": work.install(covdata, "covdata.real"),
                                    "GOVERAGE_ENGINE": "covdata", "GOVERAGE_CACHE": "0"}, profile)
        misbehaviour(out, bench)
        killed_responder(out, bench)
        unkillable(out, bench)
        many_damaged(out, bench)
        vanishing(out, bench)
    return out.done()


sys.exit(main())
