#!/usr/bin/python3
"""Services whose file does not show that it is a Go program: what is read from their memory is what they write
themselves at their end.  Where nothing can be read that is told."""

import os
import shutil
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
import tree

GO_SECTIONS = (".go.buildinfo", ".gopclntab", ".note.go.buildid", ".go.module")


def upx():
    done = subprocess.run([os.path.join(tree.SOURCE, "scripts", "upx")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=600, check=False)
    assert done.returncode == 0, f"scripts/upx: {done.stderr.strip()[-500:]}"
    return done.stdout.strip()


def packed(work, variant, mode, release):
    program = work.join("packed")
    shutil.copy(live.build(variant, mode, release), program)
    subprocess.run([upx(), "-1", "-q", program], check=True, timeout=300, stdout=subprocess.DEVNULL)
    return program


def renamed(work, variant, mode, release, sections):
    """With other names for these sections."""
    program = work.join("renamed")
    names = [f"--rename-section={name}={name.replace('.go', '.x').replace('note.x', 'note.y')}" for name in sections]
    subprocess.run(["objcopy", *names, live.build(variant, mode, release), program], check=True, timeout=60)
    return program


def exact(out, work, name, make):
    with out.check(f"{name}: the snapshot is the exit file"):
        program = make()
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(program, coverage, "an argument") as service:
            service.do("work 3")
            service.do("literal")
            # the second time by what is kept of the file
            live.read([coverage], snapshot, extra=["-n", "2"])
            answer = live.read([coverage], live.fresh(work, "snapshot"))
            tap.equal([int(line["pid"]) for line in answer.processes], [service.pid], "processes")
            line = answer.of(service.pid)
            tap.equal((line["state"], line["program"]), ("read", os.path.basename(program)), "the line")
            tap.equal(service.end(), 0, "exit status")
        got, want = live.counters(snapshot), live.counters(coverage)
        tap.equal(got[0], want[0], "entries, in order")
        tap.equal(got[1], want[1], "arguments")


def several(out, work, program):
    """What is kept of a packed file is right for each process that runs it."""
    with out.check("two processes of one packed file, polled by one reader"):
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(program, coverage) as one, live.Service(program, coverage) as two:
            one.do("work 1")
            two.do("work 2")
            answer = live.read([coverage], snapshot, extra=["-n", "3"])
            tap.equal(answer.counts["read"], 2, "processes read at the last poll")
            text = live.profile(coverage, os.path.join(snapshot, "2"))
            one.end()
            two.end()
        work_lines = "example.com/service/work"
        tap.equal(live.lines_of(text, work_lines), live.lines_of(live.profile(coverage), work_lines), "the profile")


def not_found(out, work, program):
    """Its line table is gone from memory, and its file tells nothing."""
    coverage = live.fresh(work, "coverage")
    with out.check("counters that can't be found: unsupported, with the reason"):
        with live.Service(program, coverage) as service:
            service.do("work 1")
            service.do("hide")
            line = live.read([coverage]).of(service.pid)
            (meta,) = go_fixture.files(coverage, "covmeta")
        tap.equal(line["state"], "unsupported", "state")
        tap.contains(line["reason"], meta, "reason")
    with out.check("not where another directory has the meta-data"):
        other = live.fresh(work, "other")
        with live.Service(program, other) as service:
            service.do("hide")
            for name in go_fixture.files(other, "covmeta"):
                os.unlink(os.path.join(other, name))
            tap.equal(live.read([other]).processes, [], "processes")
    with out.check("not a program without coverage beside it"):
        bare = live.build("plain", "set", go_fixture.RELEASE, cover=False)
        with live.Service(bare, coverage), live.Service(live.build_c_host(), coverage,
                                                        live.build("c-shared", "count", go_fixture.RELEASE,
                                                                   "library.so")) as host:
            answer = live.read([coverage])
            tap.equal([int(line["pid"]) for line in answer.processes], [host.pid], "processes")
            tap.equal(answer.counts["unsupported"], 0, "unsupported")


def main():
    processes.alarm(1500)
    out = tap.Tap()
    newest, usual = go_fixture.NEWEST, go_fixture.RELEASE
    with live.WorkDirectory() as work:
        exact(out, work, "packed with upx", lambda: packed(work, "plain", "atomic", usual))
        exact(out, work, "stripped and packed with upx", lambda: packed(work, "stripped", "count", newest))
        with live.WorkDirectory() as other:
            several(out, work, packed(other, "stripped", "count", usual))
        for name in GO_SECTIONS[:3]:
            exact(out, work, f"{name} renamed", lambda n=name: renamed(work, "plain", "count", usual, [n]))
        for variant, release in (("plain", usual), ("pie-stripped", usual), ("stripped", newest)):
            exact(out, work, f"all of Go's sections renamed, {variant}, go {release}",
                  lambda v=variant, r=release: renamed(work, v, "atomic", r, GO_SECTIONS))
        not_found(out, work, renamed(work, "stripped", "count", usual, GO_SECTIONS))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
