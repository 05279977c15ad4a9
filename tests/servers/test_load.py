#!/usr/bin/python3
"""wrk at real web servers, for a few seconds each: nothing but right answers and refusals, and nothing grows."""

import os
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import go_fixture
import processes
import tap
import tree
import web_server
import wrk
from answer import check_error, check_profile

PROFILE = "/v1/cover/profile"
# Apache's event MPM closes idle connections when it is busy, a static file's as well, and what wrk sends on
# one of these at that moment is lost.  So there each request has a connection of its own.
SERVERS = (("lighttpd-fastcgi", None, False, ("lighttpd",)),
           ("lighttpd-spawn-fcgi", "listen-unix", False, ("lighttpd",)),
           ("apache-fcgid", None, True, ("apache2", "/usr/lib/apache2/modules/mod_fcgid.so")),
           ("apache-proxy-fcgi", "listen-unix", True, ("apache2",)),
           ("caddy", "listen-unix", False, ("caddy",)))
CONNECTIONS = (1, 16, 256)
SECONDS = 3
GROWN_KIB = 1024  # what a process may have grown by after the first 256 connections


def is_sanitized(program):
    """Sanitizers keep freed memory, which is no growth."""
    with open(program, "rb") as binary:
        code = binary.read()
    return b"__asan_" in code or b"__tsan_" in code


class Responders:
    """The processes of the program behind a server, by pid: what they hold when they are idle."""

    def __init__(self, server):
        self.server = server
        seen = []
        processes.wait_until(lambda: seen.append(self._most_threads()) or len(seen) > 50, "")
        self.idle_threads = min(seen)

    def pids(self):
        return [pid for pid in processes.descendants(self.server.process.pid)
                if os.path.basename(processes.command(pid).split(" ")[0]) == "goverage.fcgi"]

    def _most_threads(self):
        return max(len(os.listdir(f"/proc/{pid}/task")) for pid in self.pids())

    def settle(self):
        """{pid: (descriptors, KiB)} once each has its idle number of threads."""
        processes.wait_until(lambda: self._most_threads() <= self.idle_threads, f"{self.idle_threads} threads each")
        seen = {pid: [] for pid in self.pids()}
        for _ in range(30):  # memory is given back a moment after the last thread has ended
            for pid, numbers in seen.items():
                numbers.append((processes.open_descriptors(pid), processes.resident_kib(pid)))
            time.sleep(0.1)
        return {pid: tuple(map(min, zip(*numbers))) for pid, numbers in seen.items()}


def ask_beside(server, profile, load):
    """One client more, which looks at each header, until wrk has ended."""
    count = 0
    while load.poll() is None:
        answer = server.request("POST", PROFILE, body=b"")
        if answer.status == 503:
            check_error(answer, 503)
        else:
            check_profile(answer, profile)
        count += 1
    return count


def load_server(work, server, profile, connections, close):
    process = wrk.start(work, server.port, PROFILE, profile, connections, SECONDS, close=close)
    failed = []

    def ask():
        try:
            assert ask_beside(server, profile, process), "not one answer beside wrk"
        except Exception as error:  # told by the thread that waits for this one
            failed.append(error)

    beside = threading.Thread(target=ask)
    beside.start()
    try:
        load = wrk.finish(process, connections)
    finally:
        beside.join()
    load.check()
    assert not failed, f"beside wrk: {failed[0]}"
    return load


def check_server(out, work, scenes, name, backend, close, covdata):
    profile = scenes.enter("good")
    server = web_server.WebServer(name, backend, work, {
        "GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off", "GOVERAGE_COVDATA": covdata})
    responders = Responders(server)
    try:
        wrk.run(work, server.port, PROFILE, profile, 256, 2, close=close)  # all that is made once is made
        before = responders.settle()
        for connections in CONNECTIONS:
            with out.check(f"{name}, {connections} connections: right answers, or 503 with Retry-After"):
                load = load_server(work, server, profile, connections, close)
                out.diag(f"{load.counts}")
        after = responders.settle()
        with out.check(f"{name}: the same processes as before, with no more descriptors"):
            tap.equal(sorted(after), sorted(before), "processes")
            for pid, (descriptors, _) in after.items():
                processes.wait_until(lambda p=pid, n=before[pid][0]: processes.open_descriptors(p) <= n,
                                     f"{pid} to have {before[pid][0]} descriptors, not {descriptors}")
        out.diag(f"KiB resident before: {[kib for _, kib in before.values()]}, "
                 f"after: {[kib for _, kib in after.values()]}")
        if not is_sanitized(work.program):
            with out.check(f"{name}: no more memory than {GROWN_KIB} KiB beyond what they had"):
                for pid, (_, kib) in after.items():
                    assert kib <= before[pid][1] + GROWN_KIB, f"{pid}: {kib} KiB after {before[pid][1]} KiB"
        with out.check(f"{name}: the next request is served"):
            check_profile(server.request("POST", PROFILE, body=b""), profile)
    except AssertionError:
        out.diag("\n".join(server.log_text().splitlines()[-20:]))
        raise
    finally:
        status = server.stop()
    with out.check(f"{name}: a clean end"):
        tap.equal(status, 0, "exit status")


def main():
    lacking = web_server.missing("wrk")
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    covdata = go_fixture.covdata_or_skip()
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    for name, backend, close, programs in SERVERS:
        lacking = web_server.missing(*programs)
        if lacking:
            out.skip(f"{name}", f"{lacking} is not installed")
            continue
        with tree.WorkDirectory() as work:
            check_server(out, work, go_fixture.Scenes(work), name, backend, close, work.install(covdata))
    with out.check("no process and no private directory is left"):
        processes.no_children_left()
        processes.no_staging_left(staging_before)
    return out.done()


sys.exit(main())
