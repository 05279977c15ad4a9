#!/usr/bin/python3
"""Services that are at work, start, end, are killed and run other programs while they are read."""

import glob
import os
import random
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import live_fixture as live

# pylint: disable=wrong-import-order
import go_fixture
import processes
import tap

RELEASE = go_fixture.RELEASE
POLLS = int(os.environ.get("GOVERAGE_LIVE_POLLS") or 300)


class Poller:
    """live_snapshot, polling with one cache as the persistent process does, while the test goes on."""

    def __init__(self, coverage, out, polls, *extra):
        self.out = out
        self.text = os.path.join(out, "text")
        with open(self.text, "w") as text:
            self.process = processes.start([live.driver(), "-n", str(polls), "-o", out, *extra, coverage],
                                           stdout=text, stderr=text)

    def running(self):
        return self.process.poll() is None

    def answers(self):
        """One Answer a poll, when all are done."""
        status = self.process.wait(600)
        with open(self.text) as source:
            text = source.read()
        assert status == 0, f"exit status {status}: {text[-2000:]}"
        parts, part = [], []
        for line in text.splitlines():
            part.append(line)
            if line.startswith("read="):
                parts.append(live.Answer("\n".join(part)))
                part = []
        return parts

    def snapshots(self, poll):
        """The decoded counter files of one poll."""
        return [live.decode(path)[0]
                for path in sorted(glob.glob(os.path.join(self.out, str(poll), "covcounters.*")))]


def under_load(out, work, mode, variant, commands):
    """One service that works as fast as it can: every poll is good, no count goes down, and the last one is
    what the service writes itself."""
    with out.check(f"{POLLS} polls of a service under load: {variant}, {mode}"):
        coverage, polls = live.fresh(work, "coverage"), live.fresh(work, "polls")
        with live.Service(live.build(variant, mode, RELEASE), coverage) as service:
            poller = Poller(coverage, polls, POLLS)
            for command in commands:
                service.do(command)
            poller.process.wait(600)
            service.do("end")
            last = live.fresh(work, "last")
            live.read([coverage], last)
            service.end()
        answers = poller.answers()
        tap.equal(len(answers), POLLS, "answers")
        for number, answer in enumerate(answers):
            tap.equal((answer.counts["read"], len(answer.processes)), (1, 1), f"read in poll {number}")
            tap.equal(answer.of(service.pid)["slots_dropped"], "0", f"slots dropped in poll {number}")
        before = []
        for number in range(POLLS):
            (entries,) = poller.snapshots(number)
            assert live.contained(before, entries), f"a count went down in poll {number}"
            before = entries
        final, _ = live.counters(coverage)
        assert live.contained(before, final), "a count went down at the end"
        tap.equal(live.counters(last)[0], final, "the last poll, and the exit file")


def parseable(out, work, mode):
    """go tool cover takes what comes out of it."""
    with out.check(f"go tool cover takes the profile of a service under load: {mode}"):
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(live.build("stripped", mode, RELEASE), coverage) as service:
            service.do("load 4")
            live.read([coverage], snapshot)
            text = live.profile(coverage, snapshot)
            service.do("end")
        path = work.join("profile")
        with open(path, "w") as target:
            target.write(text)
        source = shutil.copytree(live.SOURCE, work.join("source"), dirs_exist_ok=True)
        done = subprocess.run([go_fixture.go(RELEASE), "tool", "cover", "-func", path], cwd=source,
                              env=go_fixture.go_environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        tap.equal(done.returncode, 0, f"exit status ({done.stdout})")
        tap.contains(done.stdout, "example.com/service/work/work.go:5:\tLoop", "its output")


def spawning(out, work):
    """A child between fork and exec has its parent's memory and environment: it must not count again."""
    with out.check("a service that starts programs all the time is read once"):
        coverage, polls = live.fresh(work, "coverage"), live.fresh(work, "polls")
        with live.Service(live.build("stripped", "count", RELEASE), coverage) as service:
            service.do("work 7")
            poller = Poller(coverage, polls, POLLS)
            while poller.running():
                service.do("spawn 20")
            answers = poller.answers()
        for number, answer in enumerate(answers):
            tap.equal(answer.counts["read"], 1, f"processes read in poll {number}")


def total(entries_of_all):
    """How often Loop was called, over all files: package work has index 0 and Loop is its function 0."""
    return sum(values[0] for entries in entries_of_all for package, function, values in entries
               if (package, function) == (0, 0))


class Crowd:
    """Short-lived services that call Loop a known number of times each."""

    def __init__(self, coverage, seed):
        self.coverage = coverage
        self.program = live.build("stripped", "count", RELEASE)
        self.random = random.Random(seed)
        self.services = []
        self.called = 0  # by services that have ended well, and by those that run

    def step(self):
        if len(self.services) < 3 or self.random.random() < 0.4:
            self.services.append(live.Service(self.program, self.coverage))
        service = self.random.choice(self.services)
        times = self.random.randint(1, 5)
        self.called += times
        service.do(f"work {times}")
        if len(self.services) > 5:
            self.services.pop(0).end()

    def end(self):
        for service in self.services:
            service.end()


def ending(out, work):
    """What ends between the snapshot and the listing of the directory is counted once, in every poll."""
    with out.check(f"{POLLS} polls while services start and end: each call is counted exactly once"):
        coverage, polls = live.fresh(work, "coverage"), live.fresh(work, "polls")
        crowd = Crowd(coverage, 1)
        crowd.step()
        poller = Poller(coverage, polls, POLLS, "-r")
        while poller.running():
            crowd.step()
        crowd.end()
        answers = poller.answers()
        decoded = {}
        before = 0
        for number, answer in enumerate(answers):
            entries = poller.snapshots(number)
            for path in answer.files:
                if os.path.basename(path).startswith("covcounters."):
                    if path not in decoded:
                        decoded[path] = live.decode(path)[0]
                    entries.append(decoded[path])
            calls = total(entries)
            assert before <= calls <= crowd.called, \
                f"poll {number}: {calls} calls after {before}, of {crowd.called} in all\n{answer.text}"
            before = calls
        finished = [live.decode(path)[0] for path in glob.glob(os.path.join(coverage, "covcounters.*"))]
        tap.equal(total(finished), crowd.called, "calls in the end")
        out.diag(f"{sum(answer.counts['dropped'] for answer in answers)} snapshots dropped, "
                 f"{sum(answer.counts['gone'] for answer in answers)} processes gone, "
                 f"{len(finished)} services")


def killed(out, work):
    with out.check("services that are killed while they are read"):
        coverage, polls = live.fresh(work, "coverage"), live.fresh(work, "polls")
        program = live.build("stripped", "atomic", RELEASE)
        poller = Poller(coverage, polls, POLLS)
        while poller.running():
            with live.Service(program, coverage) as service:
                service.do("load 2")
                service.process.send_signal(signal.SIGKILL)
                service.process.wait(60)
        for number, answer in enumerate(poller.answers()):
            for process in answer.processes:
                assert process["state"] in ("read", "gone"), f"poll {number}: {process}"
            poller.snapshots(number)


def executing(out, work):
    """exec keeps the pid, the start time and the environment; the counters begin anew, or there are none."""
    program = live.build("stripped", "count", RELEASE)
    coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
    with out.check("a service that ran itself anew"):
        with live.Service(program, coverage) as service:
            service.do("work 5")
            service.process.stdin.write(f"exec {program}\n")
            service.process.stdin.flush()
            service.expect("ready")
            service.do("work 2")
            live.read([coverage], snapshot)
            tap.equal(total([live.counters(snapshot)[0]]), 2, "calls")
    with out.check("a service that became another program"):
        with live.Service(program, coverage) as service:
            service.process.stdin.write("exec /bin/cat\n")
            service.process.stdin.flush()
            processes.wait_until(lambda: os.readlink(f"/proc/{service.pid}/exe") != program, "the exec")
            tap.equal(live.read([coverage]).processes, [], "processes")
    with out.check("services that run themselves anew while they are read"):
        polls = live.fresh(work, "polls")
        with live.Service(program, coverage) as service:
            poller = Poller(coverage, polls, POLLS)
            while poller.running():
                service.do("work 1")
                service.process.stdin.write(f"exec {program}\n")
                service.process.stdin.flush()
                service.expect("ready")
            for number, answer in enumerate(poller.answers()):
                for process in answer.processes:
                    assert process["state"] in ("read", "gone", "unsupported"), f"poll {number}: {process}"
                assert total(poller.snapshots(number)) <= 1, f"poll {number}: {answer.text}"


def main():
    processes.alarm(1500)
    out = tap.Tap()
    with live.WorkDirectory() as work:
        for mode in ("set", "count", "atomic"):
            under_load(out, work, mode, "stripped", ["load 4"])
            under_load(out, work, mode, "many", ["many 1000"] * 8)
        parseable(out, work, "atomic")
        spawning(out, work)
        ending(out, work)
        killed(out, work)
        executing(out, work)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
