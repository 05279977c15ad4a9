#!/usr/bin/python3
"""A machine that is out of something: descriptors, processes, memory, disk.  At each limit the answer is the right
one, or 503 with Retry-After; nothing is left behind, and what is served after that is right."""

import ctypes
import os
import resource
import select
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client as fcgi
import faults
import go_fixture
import private_shm
import processes
import tap
import tree
from answer import check_error, parse_cgi

ENGINES = ("builtin", "covdata", "auto")
NOT_STARTED = (127, 126)  # the system could not even load the program


class Limited:
    """CGI processes under a limit."""

    def __init__(self, bench):
        self.bench = bench

    def ask(self, settings, limits, user=None, **how):
        """(answer, or None where the system could not load the program)"""
        body = how.get("body", b"")
        env = cgi_client.environment({**self.bench.env, **settings}, path=how.get("path", "/v1/cover/profile"),
                                     length=str(len(body)) if body else None)

        def limit():
            for what, most in limits:
                resource.setrlimit(what, (most, most))
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
        done = subprocess.run([self.bench.work.cgi], env=env, input=body, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, preexec_fn=limit)
        if done.returncode in NOT_STARTED and not done.stdout:
            return None
        assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr.decode()[-1000:]}"
        return parse_cgi(done.stdout, True, done.stderr)


def each_value(out, what, values, ask, reference, exhausted=True):
    """Ask under each limit; the last ones have to be enough."""
    with out.check(what):
        wrong, statuses = [], []
        for value in values:
            try:
                answer = ask(value)
                if answer is not None:
                    reference.check(answer, exhausted)
                    statuses.append(answer.status)
                left = os.listdir("/dev/shm")
                assert not left, f"left behind: {left}"
            except (AssertionError, subprocess.TimeoutExpired) as error:
                wrong.append(f"at {value}: {error}")
                for name in os.listdir("/dev/shm"):
                    shutil.rmtree(f"/dev/shm/{name}", ignore_errors=True)
        assert not wrong, f"{len(wrong)} of them; " + "\n".join(wrong[:3])
        tap.equal(statuses[-1:], [200], "the status when there is enough")
        assert 503 in statuses, f"it was always enough: {statuses}"


def descriptors(out, bench, limited):
    for engine in ENGINES:
        settings = {"GOVERAGE_ENGINE": engine}
        reference = faults.Reference(bench.cgi(settings))
        each_value(out, f"RLIMIT_NOFILE from 3 up, engine {engine} (CGI)", range(3, 26),
                   lambda n, s=settings: limited.ask(s, [(resource.RLIMIT_NOFILE, n)]), reference)
    live = {"GOVERAGE_LIVE": "auto", "GOVERAGE_ENGINE": "builtin", "GOCOVERDIR": bench.work.join("live")}
    each_value(out, "RLIMIT_NOFILE from 3 up, a running service (CGI)", range(3, 30),
               lambda n: limited.ask(live, [(resource.RLIMIT_NOFILE, n)]), faults.Reference(bench.cgi(live)))


def descriptors_of_responder(out, bench):
    for engine in ENGINES:
        with out.check(f"RLIMIT_NOFILE from none to enough, engine {engine} (FastCGI)"):
            with faults.Serving(bench, {"GOVERAGE_ENGINE": engine, "GOVERAGE_CACHE": "0"}) as serving:
                pid = serving.listener.pid
                reference = faults.Reference(serving.ask())
                serving.remember()
                used = max(int(fd) for fd in os.listdir(f"/proc/{pid}/fd")) + 1
                _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
                statuses = []
                for most in range(used - 2, used + 16):
                    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, hard))
                    with fcgi.Connection(serving.listener.address) as connection:
                        connection.send(fcgi.request_bytes(fcgi.parameters()))
                        # while there is none to accept it with, it waits in the queue
                        if not select.select([connection.sock], [], [], 1)[0]:
                            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
                        answer = connection.read_answer()
                    resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
                    if answer.status is not None:
                        reference.check(answer, True)
                    statuses.append(answer.status)
                    reference.check(serving.ask())
                    tap.equal(os.listdir("/dev/shm"), [], "left behind")
                serving.as_before()
                tap.equal(statuses[-1], 200, "the status when there is enough")
                assert 503 in statuses, statuses


def tasks(out, bench, limited):
    """Root has no such limit."""
    user = processes.own_users(1)[0] if os.geteuid() == 0 else None
    for engine in ENGINES:
        with out.check(f"no process may be started, engine {engine}"):
            answer = limited.ask({"GOVERAGE_ENGINE": engine}, [(resource.RLIMIT_NPROC, 1)], user)
            if engine == "builtin":
                faults.Reference(bench.cgi({"GOVERAGE_ENGINE": engine})).check(answer)
            else:
                check_error(answer, 503, "covdata", "temporarily unavailable")
            tap.equal(os.listdir("/dev/shm"), [], "left behind")


def memory(out, bench, limited):
    steps = range(4 << 20, 48 << 20, 1 << 20)
    for engine in ("builtin", "auto"):
        settings = {"GOVERAGE_ENGINE": engine}
        reference = faults.Reference(bench.cgi(settings))
        with out.check(f"RLIMIT_AS from 4 MiB up, engine {engine}"):
            statuses = []
            for most in steps:
                answer = limited.ask(settings, [(resource.RLIMIT_AS, most)])
                if answer is not None:
                    reference.check(answer, True)
                    statuses.append(answer.status)
                tap.equal(os.listdir("/dev/shm"), [], f"left behind at {most}")
            tap.equal(statuses[-1:], [200], "the status when there is enough")


# --- disk ---------------------------------------------------------------------------------------------

def file_sizes(out, bench, limited):
    """covdata's memory file has the limit of any file; the signal that comes with it must end no process of ours."""
    for engine in ENGINES:
        settings = {"GOVERAGE_ENGINE": engine}
        reference = faults.Reference(bench.cgi(settings))
        with out.check(f"RLIMIT_FSIZE from 0 up, engine {engine}"):
            statuses = []
            for most in (0, 1, 100, 1000, 1 << 20):
                answer = limited.ask(settings, [(resource.RLIMIT_FSIZE, most)])
                reference.check(answer)
                statuses.append(answer.status)
            tap.equal(statuses[-1], 200, "the status when there is enough")
            if engine == "covdata":
                assert any(status >= 500 for status in statuses), statuses
            else:
                # the reader writes its text without any file, and answers for a covdata that can't
                tap.equal(set(statuses), {200}, "the statuses")


class Disk:
    """A small file system at a path."""

    def __init__(self, path, options):
        self.path = path
        self.libc = ctypes.CDLL(None, use_errno=True)
        os.makedirs(path, exist_ok=True)
        private_shm.mount(self.libc, "tmpfs", path, "tmpfs", 0, options)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.libc.umount2(self.path.encode(), 2)


def full_shm(out, bench):
    live = {"GOVERAGE_LIVE": "auto", "GOVERAGE_ENGINE": "covdata", "GOCOVERDIR": bench.work.join("live")}
    by_reader = {**live, "GOVERAGE_ENGINE": "builtin"}
    for title, settings in (("covdata", {"GOVERAGE_ENGINE": "covdata"}), ("covdata and a running service", live)):
        reference = faults.Reference(bench.cgi(settings))
        with out.check(f"the file system of private directories is full at any point, {title}: 503, or right"):
            statuses = []
            for inodes in range(2, 16):
                with Disk("/dev/shm", f"nr_inodes={inodes},mode=1777"):
                    with Disk(bench.work.join("tmp"), f"nr_inodes={inodes}"):
                        answer = bench.cgi({**settings, "TMPDIR": bench.work.join("tmp")})
                        reference.check(answer, True)
                        statuses.append(answer.status)
                        tap.equal(os.listdir("/dev/shm"), [], "left behind")
            tap.equal(statuses[-1], 200, "the status when there is enough")
            assert 503 in statuses, statuses
    # from here on the meta-data comes from the process, too
    for name in go_fixture.files(live["GOCOVERDIR"], "covmeta"):
        os.unlink(os.path.join(live["GOCOVERDIR"], name))
    with out.check("the reader needs no file for a running service"):
        want = faults.Reference(bench.cgi(by_reader))
        with Disk("/dev/shm", "nr_inodes=1,mode=1777"), Disk(bench.work.join("tmp"), "nr_inodes=1"):
            answer = bench.cgi({**by_reader, "TMPDIR": bench.work.join("tmp")})
            tap.equal(answer.status, 200, "status")
            want.check(answer)
    with out.check("no byte is left for the counters of a running service and covdata: 503, or right"):
        reference = faults.Reference(bench.cgi(live))
        statuses = []
        for size in (4096, 8192, 12288, 16384, 65536):
            with Disk("/dev/shm", f"size={size},mode=1777"):
                answer = bench.cgi(live)
                reference.check(answer, True)
                statuses.append(answer.status)
        tap.equal(statuses[-1], 200, "the status when there is enough")
        assert 503 in statuses, statuses
    with out.check("/dev/shm is full, and TMPDIR is not: TMPDIR is taken"):
        with Disk("/dev/shm", "nr_inodes=1,mode=1777"):
            answer = bench.cgi({"GOVERAGE_ENGINE": "covdata", "TMPDIR": bench.work.mkdir("tmp")})
            tap.equal((answer.status, answer.body), (200, bench.profile), "status and profile")
            tap.equal(os.listdir(bench.work.join("tmp")), [], "left behind")


def full_state(out, bench):
    place = bench.work.join("disk")
    env = {"GOVERAGE_ENGINE": "builtin", "GOVERAGE_STATE": os.path.join(place, "state")}
    with out.check("the disk of GOVERAGE_STATE is full: 503, and the baseline before it stays"):
        with Disk(place, "size=128k"):
            tap.equal(bench.cgi(env, path="/v1/cover/clear").status, 200, "clear")
            before = bench.cgi(env)
            baseline = before.header("goverage-baseline")
            assert baseline, "no baseline"
            with open(os.path.join(place, "fill"), "wb", buffering=0) as fill:
                try:
                    while True:
                        fill.write(b"x" * 4096)
                except OSError:
                    pass
            answer = bench.cgi(env, path="/v1/cover/clear")
            check_error(answer, 503, "no space left on device")
            after = bench.cgi(env)
            tap.equal((after.status, after.body, after.header("goverage-baseline")),
                      (200, before.body, baseline), "the profile after that")
            os.unlink(os.path.join(place, "fill"))
            tap.equal(bench.cgi(env, path="/v1/cover/clear").status, 200, "clear when there is room again")
            left = [name for name in os.listdir(env["GOVERAGE_STATE"]) if name.startswith("new.")]
            tap.equal(left, [], "left behind")


def main():
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    private_shm.enter()
    processes.alarm(900)
    processes.adopt_orphans()
    with tree.WorkDirectory() as work:
        directory = work.mkdir("coverage")
        shop = go_fixture.build("shop", "count")
        for arguments in ((), ("more",)):
            go_fixture.run(shop, directory, *arguments)
        profile = go_fixture.textfmt(directory)
        bench = faults.Bench(work, {"PATH": "/usr/bin:/bin", "GOCOVERDIR": directory, "GOVERAGE_LIVE": "off",
                                    "GOVERAGE_COVDATA": work.install(covdata, "covdata.real"),
                                    "GOVERAGE_TIMEOUT": "20", "GOVERAGE_WORKERS": "2"}, profile)
        service = processes.start([go_fixture.build("waiter", "atomic")], env={"GOCOVERDIR": work.mkdir("live")},
                                  stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        service.stderr.readline()
        limited = Limited(bench)
        descriptors(out, bench, limited)
        descriptors_of_responder(out, bench)
        tasks(out, bench, limited)
        memory(out, bench, limited)
        file_sizes(out, bench, limited)
        full_shm(out, bench)
        full_state(out, bench)
        processes.stop(service, signal.SIGKILL)
        processes.no_children_left()
    return out.done()


sys.exit(main())
