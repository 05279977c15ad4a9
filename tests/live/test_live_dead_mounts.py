#!/usr/bin/python3
"""Processes that have to do with a file system which does not answer: they are told of as unsupported, the others are
read, and no worker waits for them."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import live_fixture as live

# pylint: disable=wrong-import-order
import fastcgi_client
import go_fixture
import private_shm
import processes
import tap
import tree
from dead_mount import DeadMount

RELEASE = go_fixture.RELEASE
SANITIZED = {"ASAN_OPTIONS": "detect_leaks=0"}  # which would wait for the stuck threads, too


def poll(server):
    answer = fastcgi_client.request(server.address, method="POST", path="/v1/cover/profile")
    tap.equal(answer.status, 200, f"status (with the body {answer.body[:300]!r})")
    return answer.header("goverage-live")


class Place:
    def __init__(self, work):
        self.work = work
        self.program = live.build("stripped", "atomic", RELEASE)
        self.coverage = None

    def mount(self, *files):
        self.coverage = live.fresh(self.work, "coverage")
        return DeadMount(self.work.join("dead"), *files)

    def responder(self, **more):
        log = self.work.join("log")
        if os.path.exists(log):
            os.unlink(log)
        settings = {"GOCOVERDIR": self.coverage, "GOVERAGE_ENGINE": "builtin", "GOVERAGE_WORKERS": "2",
                    "GOVERAGE_TIMEOUT": "20", **SANITIZED, **more}
        return processes.Listener(self.work.program, settings, self.work.join("socket"), log)


def named(out, place, name, start):
    """start(mount) makes a process that hangs on the mount, for a with statement; its pid."""
    with out.check(f"{name}: unsupported, and the others are read, whoever asks how often"):
        with place.mount(place.program) as mount, live.Service(place.program, place.coverage) as service:
            service.do("work 1")
            process = start(mount)
            mount.stop()
            with place.responder() as server:
                for _ in range(5):
                    tap.equal(poll(server), "read=1 denied=0 gone=0 unsupported=1 ended=0 lost=0", "Goverage-Live")
                tap.contains(server.log_text(), f"pid={process.pid} ", "the log")
                tap.contains(server.log_text(), "does not answer", "the log")
                mount.go()
                want = "read=2 denied=0 gone=0 unsupported=0 ended=0 lost=0" if name.startswith("its exec") else \
                    "read=1 denied=0 gone=0 unsupported=0 ended=0 lost=0"
                processes.wait_until(lambda: poll(server) == want, f"{want}, now that it answers again")
            end(process)


def end(process):
    if isinstance(process, live.Service):
        process.end()
    else:
        processes.stop(process)


def sleeper(coverage, cwd="/"):
    return processes.start(["/bin/sleep", "600"], env={"GOCOVERDIR": coverage}, cwd=cwd)


def many(out, place):
    """A thread is lost for each, and the time for all of them is bounded."""
    with out.check("ten processes at once, in time, and by a single request"):
        with place.mount() as mount, live.Service(place.program, place.coverage) as service:
            service.do("work 1")
            found = [sleeper(os.path.join(mount.target, f"coverage-{i}")) for i in range(10)]
            mount.stop()
            answer = live.read([place.coverage], extra=["-t", "60000"])
            tap.equal((answer.counts["read"], answer.counts["unsupported"]), (1, 10), "read, unsupported")
            pids = [int(line["pid"]) for line in answer.processes]
            tap.equal(pids, sorted(pids), "in the order of their numbers")
            answer = live.read([place.coverage], services=["service"], extra=["-t", "60000"])
            tap.equal(answer.counts["unsupported"], 0, "of those that were not asked for")
            for process in found:
                processes.stop(process)


def alone():
    """Whoever looks at the processes of this test would see dead file systems: they are for this test only."""
    if os.environ.get("IN_OWN_PROCESSES"):
        return
    os.environ["IN_OWN_PROCESSES"] = "1"
    os.execv("/usr/bin/unshare", ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable,
                                  *sys.argv])


def main():
    if os.geteuid() != 0:
        tap.skip_all("mount(2) is for root alone")
    alone()
    if not os.path.exists("/dev/fuse"):
        tap.skip_all("this kernel has no FUSE")
    private_shm.enter()
    processes.alarm(900)
    os.environ.update(SANITIZED)
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        place = Place(work)
        named(out, place, "its GOCOVERDIR", lambda mount: sleeper(os.path.join(mount.target, "coverage")))
        named(out, place, "its working directory, from which GOCOVERDIR goes on",
              lambda mount: sleeper("coverage", cwd=mount.target))
        named(out, place, "its executable", lambda mount: live.Service(
            os.path.join(mount.target, os.path.basename(place.program)), place.coverage))
        many(out, place)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
