#!/usr/bin/python3
"""What a process has written itself, and its snapshot: nothing is counted twice, nothing is lost."""

import contextlib
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import live_fixture as live

# pylint: disable=wrong-import-order
import go_fixture
import processes
import tap

RELEASES = ("1.21", "1.27")


def calls(answer, snapshot):
    """How often Loop was called, over the files that were left and the snapshots."""
    paths = [path for path in answer.files if os.path.basename(path).startswith("covcounters.")]
    paths += [os.path.join(snapshot, name) for name in go_fixture.files(snapshot, "covcounters")]
    return sum(values[0] for path in paths for package, function, values in live.decode(path)[0]
               if (package, function) == (0, 0))


def poll(work, coverage):
    snapshot = live.fresh(work, "snapshot")
    answer = live.read([coverage], snapshot, extra=["-r"])
    return answer, calls(answer, snapshot)


def written(out, work, release):
    """runtime/coverage.WriteCountersDir: each file holds all since the start, or since it was cleared."""
    program = live.build("stripped", "atomic", release)
    coverage = live.fresh(work, "coverage")
    with live.Service(program, coverage) as service:
        with out.check(f"go {release}: two files that the process wrote are within its snapshot"):
            service.do("work 1")
            service.do(f"write {coverage}")
            service.do("work 2")
            service.do(f"write {coverage}")
            service.do("work 4")
            answer, got = poll(work, coverage)
            tap.equal((got, answer.counts["superseded"], answer.counts["dropped"]), (7, 2, 0),
                      "calls, files left out, snapshots dropped")
        with out.check(f"go {release}: idle since the last file: counted once"):
            service.do(f"write {coverage}")
            tap.equal(poll(work, coverage)[1], 7, "calls")
            time.sleep(1.1)  # it is an old file from now on
            answer, got = poll(work, coverage)
            tap.equal((got, answer.counts["superseded"]), (7, 3), "calls, files left out")
        with out.check(f"go {release}: counters that were cleared are added to what was written before"):
            service.do("clear")
            service.do("work 1")
            # which is what covdata makes of these files and the exit file, too
            answer, got = poll(work, coverage)
            tap.equal((got, answer.counts["superseded"], answer.counts["dropped"]),
                      (1 + 3 + 7 + 1, 0, 0), "calls, files left out, snapshots dropped")
        with out.check(f"go {release}: the directory is not touched"):
            tap.equal(len(go_fixture.files(coverage, "covcounters")), 3, "files")
        service.end()


def ended(out, work, release, mode):
    """A process ended after it was read: its file replaces its snapshot."""
    program = live.build("stripped", mode, release)
    with out.check(f"go {release}, {mode}: an exit file alone, an ended process is not looked for"):
        coverage = live.fresh(work, "coverage")
        with live.Service(program, coverage) as service:
            service.do("work 3")
            service.end()
        answer, got = poll(work, coverage)
        tap.equal((got, len(answer.processes)), (3, 0), "calls, processes")
    with out.check(f"go {release}, {mode}: a new process beside the files of ended ones"):
        with live.Service(program, coverage) as service:
            service.do("work 4")
            answer, got = poll(work, coverage)
            tap.equal((got, answer.counts["dropped"], answer.counts["superseded"]), (7, 0, 0),
                      "calls, snapshots dropped, files left out")


def same_pid(out, work, release, mode):
    """Files with the same hash and pid that a running process can't have written."""
    program = live.build("stripped", mode, release)
    with out.check(f"go {release}, {mode}: files of an earlier process with the same pid stay"):
        coverage = live.fresh(work, "coverage")
        with live.Service(program, coverage) as earlier:
            earlier.do("work 3")
            earlier.end()
        (name,) = go_fixture.files(coverage, "covcounters")
        kind, tag, _, when = name.split(".")
        time.sleep(0.1)  # start times are known to 20 ms
        with live.Service(program, coverage) as service:
            service.do("work 5")
            os.rename(os.path.join(coverage, name),
                      os.path.join(coverage, f"{kind}.{tag}.{service.pid}.{when}"))
            answer, got = poll(work, coverage)
            tap.equal((got, answer.counts["superseded"], answer.counts["dropped"]), (8, 0, 0),
                      "calls, files left out, snapshots dropped")


def old_file_in_count_mode(out, work, release):
    """Only in atomic mode can a running process write a file: another one's stays, whatever it holds."""
    program = live.build("stripped", "count", release)
    with out.check(f"go {release}, count: a file that is younger than the process but not its own stays"):
        coverage = live.fresh(work, "coverage")
        with live.Service(program, coverage) as service:
            service.do("work 5")
            with live.Service(program, coverage) as other:
                other.do("work 3")
                other.end()
            (name,) = go_fixture.files(coverage, "covcounters")
            kind, tag, _, when = name.split(".")
            os.rename(os.path.join(coverage, name),
                      os.path.join(coverage, f"{kind}.{tag}.{service.pid}.{when}"))
            time.sleep(1.1)
            answer, got = poll(work, coverage)
            tap.equal((got, answer.counts["superseded"]), (8, 0), "calls, files left out")


def damaged(out, work, release):
    program = live.build("stripped", "atomic", release)
    with out.check(f"go {release}: an own file that makes no sense changes nothing about the snapshot"):
        coverage = live.fresh(work, "coverage")
        with live.Service(program, coverage) as service:
            service.do("work 1")
            service.do(f"write {coverage}")
            (name,) = go_fixture.files(coverage, "covcounters")
            path = os.path.join(coverage, name)
            with open(path, "r+b") as target:
                target.seek(32)
                target.write(b"\xff" * 4)  # far more functions than there are
            service.do("work 2")
            snapshot = live.fresh(work, "snapshot")
            answer = live.read([coverage], snapshot, extra=["-r"])
            tap.equal((answer.counts["read"], answer.counts["dropped"]), (1, 0), "read, dropped")
            tap.equal(len(go_fixture.files(snapshot, "covcounters")), 1, "snapshots")


@contextlib.contextmanager
def between(work, coverage):
    """The body is executed after the processes were read and before the directory is listed; the list that it
    gets has the Answer and the calls in it afterwards."""
    snapshot, gate, result = live.fresh(work, "snapshot"), live.fresh(work, "gate"), []
    command = f"touch {gate}/read; while [ ! -e {gate}/go ]; do sleep 0.01; done"
    with open(work.join("answer"), "w+") as text:
        poller = processes.start([live.driver(), "-r", "-x", command, "-o", snapshot, coverage], stdout=text)
        processes.wait_until(lambda: os.path.exists(f"{gate}/read"), "the reading")
        yield result
        with open(f"{gate}/go", "w"):
            pass
        tap.equal(poller.wait(60), 0, "exit status")
        text.seek(0)
        answer = live.Answer(text.read())
    result += [answer, calls(answer, snapshot)]


def meanwhile(out, work, release, mode):
    """What happens to a process after it was read and before the directory is listed."""
    program = live.build("stripped", mode, release)
    for name, command, want in (("ended", None, (3, 1)), ("went on and ended", "work 2", (5, 1))):
        with out.check(f"go {release}, {mode}: a process that {name} meanwhile counts once"):
            coverage = live.fresh(work, "coverage")
            with live.Service(program, coverage) as service:
                service.do("work 3")
                with between(work, coverage) as result:
                    if command:
                        service.do(command)
                    service.end()
            tap.equal((result[1], result[0].counts["dropped"]), want, "calls, snapshots dropped")
    with out.check(f"go {release}, {mode}: a process that was killed meanwhile is not lost"):
        coverage = live.fresh(work, "coverage")
        with live.Service(program, coverage) as service:
            service.do("work 3")
            with between(work, coverage) as result:
                service.kill()
        tap.equal((result[1], result[0].counts["dropped"]), (3, 0), "calls, snapshots dropped")
    name = f"go {release}, {mode}: of two processes with pid 1, one ended meanwhile"
    if not live.can_make_namespaces():
        out.skip(name, "unshare --pid is not permitted here")
        return
    with out.check(name):
        coverage = live.fresh(work, "coverage")
        with live.Service(program, coverage, prefix=live.IN_NAMESPACE) as stays, \
                live.Service(program, coverage, prefix=live.IN_NAMESPACE) as ends:
            stays.do("work 3")
            ends.do("work 10")
            with between(work, coverage) as result:
                ends.end()
            tap.equal((result[1], result[0].counts["dropped"]), (13, 1), "calls, snapshots dropped")
            stays.end()


def cleared_meanwhile(out, work, release):
    program = live.build("stripped", "atomic", release)
    with out.check(f"go {release}: a process that cleared its counters meanwhile and goes on"):
        coverage = live.fresh(work, "coverage")
        with live.Service(program, coverage) as service:
            service.do("work 3")
            with between(work, coverage) as result:
                service.do("clear")
                service.do("work 1")
                service.do(f"write {coverage}")
        tap.equal((result[1], result[0].counts["dropped"], result[0].counts["superseded"]), (4, 0, 0),
                  "calls, snapshots dropped, files left out")
    with out.check(f"go {release}: a process that wrote its counters meanwhile and goes on"):
        coverage = live.fresh(work, "coverage")
        with live.Service(program, coverage) as service:
            service.do("work 3")
            with between(work, coverage) as result:
                service.do("work 1")
                service.do(f"write {coverage}")
        tap.equal((result[1], result[0].counts["dropped"]), (4, 1), "calls, snapshots dropped")


def main():
    processes.alarm(1500)
    out = tap.Tap()
    with live.WorkDirectory() as work:
        for release in RELEASES:
            written(out, work, release)
            ended(out, work, release, "count")
            ended(out, work, release, "atomic")
            same_pid(out, work, release, "atomic")
            old_file_in_count_mode(out, work, release)
            damaged(out, work, release)
            meanwhile(out, work, release, "count")
            meanwhile(out, work, release, "atomic")
            cleared_meanwhile(out, work, release)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
