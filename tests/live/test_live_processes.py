#!/usr/bin/python3
"""Which processes are read, and as what: directories by many names, several programs, child namespaces."""

import os
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


def pids(answer):
    return sorted(int(process["pid"]) for process in answer.processes)


def by_name(out, work, program):
    """The directory decides, not what it is called."""
    coverage = live.fresh(work, "coverage")
    other = live.fresh(work, "other")
    link, parent = work.join("link"), work.join("parent")
    os.symlink(coverage, link)
    os.makedirs(os.path.join(parent, "coverage"), exist_ok=True)
    for name, value, cwd, ours in (
            ("its path", coverage, None, True),
            ("a path with dots", coverage + "/../coverage/.", None, True),
            ("a symbolic link", link, None, True),
            ("a relative path", "coverage", work.path, True),
            ("another directory", other, None, False),
            ("the same relative path elsewhere", "coverage", parent, False),
            ("a directory that is not there, while its meta-data are in this one", work.join("missing"), None, True),
            ("no value", None, None, False),
            ("an empty value", "", None, False)):
        with out.check(f"GOCOVERDIR is {name}: {'read' if ours else 'not read'}"):
            with live.Service(program, value, cwd=cwd) as service:
                tap.equal(pids(live.read([coverage])), [service.pid] if ours else [], "processes")
    with out.check("two directories: each process once"):
        with live.Service(program, coverage) as one, live.Service(program, other) as two:
            answer = live.read([coverage, other, link])
            tap.equal(pids(answer), sorted([one.pid, two.pid]), "processes")
    with out.check("the first of several GOCOVERDIR counts, as in Go"):
        with live.Service(program, None, prefix=[
                live.build_env_twice(), f"GOCOVERDIR={coverage}", f"GOCOVERDIR={other}"]) as service:
            tap.equal(pids(live.read([coverage])), [service.pid], "of the first")
            tap.equal(pids(live.read([other])), [], "of the second")
    with out.check("a process in another working directory by now"):
        with live.Service(program, coverage) as service:
            service.do("chdir /")
            tap.equal(pids(live.read([coverage])), [service.pid], "processes")


def not_ours(out, work):
    """What has GOCOVERDIR in its environment and no counters."""
    coverage = live.fresh(work, "coverage")
    with out.check("a Go program without coverage"):
        with live.Service(live.build("plain", "set", RELEASE, cover=False), coverage):
            tap.equal(live.read([coverage]).counts["read"], 0, "processes read")
    with out.check("a C program"):
        sleeper = processes.start(["/bin/sleep", "600"], env={"GOCOVERDIR": coverage})
        answer = live.read([coverage])
        processes.stop(sleeper)
        tap.equal(answer.processes, [], "processes")


def other_class(out, work):
    name = "a 32-bit program is named as unsupported"
    coverage = live.fresh(work, "coverage")
    how = {"program": live.build("386", "count", RELEASE)}
    if not live.can_run(how["program"]):  # some hypervisors' kernels run no 32-bit program
        if os.geteuid() != 0:
            out.skip(name, "the kernel runs no 32-bit program, and only root can disguise a process")
            return
        how = live.disguised(how["program"])
    with out.check(name):
        with live.Service(gocoverdir=coverage, **how) as service:
            line = live.read([coverage]).of(service.pid)
        tap.equal(line["state"], "unsupported", "state")
        tap.contains(line["reason"], "32-bit", "reason")


def several(out, work):
    coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
    one = live.build("plain", "count", RELEASE)
    two = live.build("main-not-covered", "count", RELEASE, "other")
    with out.check("three processes of one program, and another program, in one directory"):
        with live.Service(one, coverage) as a, live.Service(one, coverage) as b, \
                live.Service(one, coverage) as c, live.Service(two, coverage) as d:
            for service, times in ((a, 1), (b, 2), (c, 4), (d, 8)):
                service.do(f"work {times}")
            answer = live.read([coverage], snapshot)
            tap.equal(pids(answer), sorted(s.pid for s in (a, b, c, d)), "processes")
            text = live.profile(coverage, snapshot)
            for service in (a, b, c, d):
                service.end()
            # the other program never writes its counters
            line = next(text_line for text_line in text.splitlines()
                        if text_line.startswith("example.com/service/work/work.go:"))
            tap.equal(line.split()[-1], "15", "calls of work.Loop")
    with out.check("only the services that are asked for"):
        with live.Service(one, coverage) as a, live.Service(two, coverage) as d:
            tap.equal(pids(live.read([coverage], services=["other"])), [d.pid], "processes")
            tap.equal(pids(live.read([coverage], services=["service"])), [a.pid], "processes")
            tap.equal(pids(live.read([coverage], services=["other", "service"])),
                      sorted([a.pid, d.pid]), "processes")
            tap.equal(pids(live.read([coverage], services=["serv"])), [], "processes")


def description(out, work):
    """What is told about a process."""
    coverage = live.fresh(work, "coverage")
    program = live.build("stripped", "atomic", RELEASE)
    with out.check("the line about a process"):
        with live.Service(program, coverage) as service:
            service.do("work 1")
            line = live.read([coverage]).of(service.pid)
            hertz = os.sysconf("SC_CLK_TCK")
            with open(f"/proc/{service.pid}/stat") as stat:
                ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
            with open("/proc/stat") as stat:
                boot = next(int(text.split()[1]) for text in stat if text.startswith("btime"))
        (meta,) = go_fixture.files(coverage, "covmeta")
        for key, want in (("program", "service"), ("executable", program), ("mode", "atomic"),
                          ("hash", meta.split(".")[1]), ("main", "example.com/service"),
                          ("module", "example.com/service"), ("ns_pid", line["pid"])):
            tap.equal(line[key], want, key)
        tap.contains(line["go"], f"go{RELEASE}.", "Go release")
        assert int(line["touched"]) < int(line["functions"]), line
        # /proc/stat tells the boot time in whole seconds
        assert abs(int(line["start_ns"]) / 1e9 - boot - ticks / hertz) < 2, line["start_ns"]
    with out.check("the start time is the same each time, and before anything the process writes"):
        with live.Service(program, coverage) as service:
            starts = {live.read([coverage]).of(service.pid)["start_ns"] for _ in range(5)}
            service.end()
        tap.equal(len(starts), 1, "different start times")
        written = max(int(name.split(".")[3]) for name in go_fixture.files(coverage, "covcounters"))
        assert int(starts.pop()) < written
    with out.check("nothing is written without a directory to write to"):
        with live.Service(program, coverage) as service:
            line = live.read([coverage]).of(service.pid)
        assert "file" not in line and line["state"] == "read", line


def namespaces(out, work, program):
    """In a container every first process has pid 1."""
    if not live.can_make_namespaces():
        out.skip("processes in child pid namespaces", "unshare --pid is not permitted here")
        return
    coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
    with out.check("two processes with pid 1, each in its namespace"):
        with live.Service(program, coverage, prefix=live.IN_NAMESPACE) as a, \
                live.Service(program, coverage, prefix=live.IN_NAMESPACE) as b:
            a.do("work 1")
            b.do("work 2")
            answer = live.read([coverage], snapshot)
            tap.equal([process["ns_pid"] for process in answer.processes], ["1", "1"], "pids")
            tap.equal(len({process["file"] for process in answer.processes}), 2, "snapshots")
            text = live.profile(coverage, snapshot)
            a.end()
            b.end()
        tap.equal(text, live.profile(coverage), "the profile")


def roots(out, work, program):
    """A process in another root directory, as in a container: its GOCOVERDIR has another name there."""
    if os.geteuid() != 0:
        out.skip("a process in another root directory", "chroot(2) is for root alone")
        return
    root = live.fresh(work, "root")
    coverage = os.path.join(root, "data", "coverage")
    os.makedirs(coverage)
    os.symlink("/data", os.path.join(root, "link"))
    with open(program, "rb") as source, open(os.path.join(root, "service"), "wb") as target:
        target.write(source.read())
    os.chmod(os.path.join(root, "service"), 0o755)
    for name, value in (("its path there", "/data/coverage"),
                        ("an absolute link there", "/link/coverage")):
        with out.check(f"a process in another root directory, GOCOVERDIR is {name}"):
            snapshot = live.fresh(work, "snapshot")
            with live.Service("/service", value, prefix=["/usr/sbin/chroot", root]) as service:
                service.do("work 1")
                tap.equal(pids(live.read([coverage], snapshot)), [service.pid], "processes")
                service.end()
            names = go_fixture.files(coverage, "covcounters")
            want = live.decode(os.path.join(coverage, names[-1]))
            tap.equal(live.counters(snapshot), want, "counters")


def deadlines(out, work, program):
    coverage = live.fresh(work, "coverage")
    with out.check("a deadline that has passed is an error of its own"):
        with live.Service(program, coverage):
            done = subprocess.run([live.driver(), "-t", "0", coverage], stdout=subprocess.PIPE, text=True,
                                  timeout=60, check=False)
        tap.equal(done.returncode, 1, "exit status")
        tap.contains(done.stdout, "error=504 ", "the answer")


def main():
    processes.alarm(1500)
    out = tap.Tap()
    program = live.build("stripped", "count", RELEASE)
    with live.WorkDirectory() as work:
        by_name(out, work, program)
        not_ours(out, work)
        other_class(out, work)
        several(out, work)
        description(out, work)
        namespaces(out, work, program)
        roots(out, work, program)
        deadlines(out, work, program)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
