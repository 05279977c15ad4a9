#!/usr/bin/python3
"""Every way to build a service with -cover: what is read from the running process is what it writes itself
at its end."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import live_fixture as live

# pylint: disable=wrong-import-order
import go_fixture
import processes
import tap

RELEASES = (os.environ.get("GOVERAGE_LIVE_RELEASES") or "1.21 1.23 1.27").split()
MODES = ("set", "count", "atomic")
EXACT = [("plain", MODES), ("stripped", MODES), ("pie", ("count",)), ("pie-stripped", ("atomic",)),
         ("external", ("count",)), ("external-pie-stripped", ("set", "atomic")),
         ("no-sections", ("count",))]
ALL_PACKAGES = [("coverpkg-all", ("set", "atomic")), ("coverpkg-all-stripped", ("count",))]
# These releases lose track of the package of a function that runs before all else: with -coverpkg=all the
# process itself writes it as one of package 0, which may not have such a function.
FORGETFUL = ("1.23", "1.24")
WORK = "example.com/service/work"


def some_work(service):
    service.do("work 3")
    service.do("literal")


def exact(out, work, release, variant, mode):
    """The service is idle between the snapshot and its end: not one counter may differ."""
    with out.check(f"go {release}, {variant}, {mode}: the snapshot is the exit file"):
        program = live.build(variant, mode, release)
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(program, coverage, "an argument", "") as service:
            some_work(service)
            before = os.listdir(coverage)
            line = live.read([coverage], snapshot).of(service.pid)
            tap.equal(line["state"], "read", "state")
            tap.equal(line["mode"], mode, "mode")
            tap.equal(line["wrote_meta"], "0", "covmeta written")
            tap.equal(line["slots_dropped"], "0", "slots dropped")
            tap.equal(os.listdir(coverage), before, "the directory")
            with_snapshot = live.profile(coverage, snapshot)
            tap.equal(service.end(), 0, "exit status")
        got, want = live.counters(snapshot), live.counters(coverage)
        tap.equal(got[0], want[0], "entries, in order")
        tap.equal(got[1], want[1], "arguments")
        tap.equal(int(line["touched"]), len(want[0]), "functions touched")
        tap.equal(with_snapshot, live.profile(coverage), "covdata's profile")


def meta_from_memory(out, work, release, variant, mode):
    """Without its covmeta file: the one that is made is byte for byte the same."""
    with out.check(f"go {release}, {variant}, {mode}: covmeta from memory"):
        program = live.build(variant, mode, release)
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(program, coverage) as service:
            some_work(service)
            (name,) = go_fixture.files(coverage, "covmeta")
            path = os.path.join(coverage, name)
            with open(path, "rb") as source:
                written = source.read()
            os.unlink(path)
            line = live.read([coverage], snapshot).of(service.pid)
            tap.equal(line["wrote_meta"], "1", "covmeta written")
            with open(os.path.join(snapshot, name), "rb") as source:
                assert source.read() == written, "covmeta differs"
            tap.contains(live.profile(snapshot), WORK + "/work.go", "the profile")


def all_packages(out, work, release, variant, mode):
    """Ending executes code of the standard library, which has counters of its own here."""
    with out.check(f"go {release}, {variant}, {mode}: the snapshot is within the exit file"):
        program = live.build(variant, mode, release)
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(program, coverage) as service:
            some_work(service)
            line = live.read([coverage], snapshot).of(service.pid)
            tap.equal(line["state"], "read", "state")
            if release not in FORGETFUL:
                tap.equal(line["slots_dropped"], "0", "slots dropped")
            service.end()
        got, want = live.counters(snapshot)[0], live.counters(coverage)[0]
        assert live.contained(got, want), "a counter is higher in the snapshot"
        assert len(want) - len(got) < len(want) / 8, f"{len(got)} functions in the snapshot, {len(want)} at the end"
        order = {entry[:2]: i for i, entry in enumerate(want)}
        places = [order[entry[:2]] for entry in got]
        tap.equal(places, sorted(places), "order")
        meta = go_fixture.files(coverage, "covmeta")[0]
        os.link(os.path.join(coverage, meta), os.path.join(snapshot, meta))
        ours, theirs = live.profile(snapshot), live.profile(coverage)
        tap.equal(live.lines_of(ours, WORK), live.lines_of(theirs, WORK), "lines of the package work")
        assert live.lines_of(ours, WORK) and "runtime/" in ours, "the runtime's own packages"


def expected_work_lines(work, release, mode):
    """The lines of package work after Loop(10) was called three times, as Go itself counts them."""
    coverage = live.fresh(work, "expected")
    with live.Service(live.build("plain", mode, release), coverage) as service:
        service.do("work 3")
        service.end()
    return live.lines_of(live.profile(coverage), WORK)


def c_shared(out, work, release, variant, mode):
    """A Go library in a C program: Go itself never writes its counters."""
    with out.check(f"go {release}, {variant}, {mode}: read from a C program"):
        library = live.build(variant, mode, release, "library.so")
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(live.build_c_host(), coverage, library) as service:
            service.do("work")
            line = live.read([coverage], snapshot).of(service.pid)
            tap.equal(line["state"], "read", "state")
            tap.equal(line["library"], library, "library")
            tap.equal(line["program"], "live-c-host", "program")
            got = live.lines_of(live.profile(coverage, snapshot), WORK)
        tap.equal(got, expected_work_lines(work, release, mode), "lines of the package work")


def replaced_library(out, work, release, mode):
    """The library was deleted, another file has its name: what is mapped is read."""
    with out.check(f"go {release}, c-shared, {mode}: the library was replaced"):
        library = work.join("library.so")
        with open(live.build("c-shared", mode, release, "library.so"), "rb") as source:
            content = source.read()
        with open(library, "wb") as target:
            target.write(content)
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(live.build_c_host(), coverage, library) as service:
            service.do("work")
            os.unlink(library)
            with open(library, "wb") as target:
                target.write(b"something else" * 1000)
            tap.equal(live.read([coverage], snapshot).of(service.pid)["state"], "read", "state")
            got = live.lines_of(live.profile(coverage, snapshot), WORK)
        tap.equal(got, expected_work_lines(work, release, mode), "lines of the package work")


def replaced_executable(out, work, release, mode):
    with out.check(f"go {release}, {mode}: the executable was replaced while it runs"):
        program = work.join("replaced")
        with open(live.build("stripped", mode, release), "rb") as source:
            content = source.read()
        with open(program, "wb") as target:
            target.write(content)
        os.chmod(program, 0o755)
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(program, coverage) as service:
            some_work(service)
            os.unlink(program)
            with open(program, "w") as target:
                target.write("something else")
            line = live.read([coverage], snapshot).of(service.pid)
            tap.equal((line["state"], line["program"]), ("read", "replaced"), "line")
            service.end()
        tap.equal(live.counters(snapshot)[0], live.counters(coverage)[0], "entries")


def plugins(out, work, release, mode):
    """The counters of a plugin, and of the package that it shares with its host."""
    with out.check(f"go {release}, plugin, {mode}"):
        host = live.build("plugin-host", mode, release, "host")
        plugin = live.build("plugin", mode, release, "plugin.so")
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(host, coverage) as service:
            service.do(f"plugin {plugin}")
            service.do("work")
            line = live.read([coverage], snapshot).of(service.pid)
            tap.equal(line["state"], "read", "state")
            tap.equal(line["wrote_meta"], "1", "covmeta with the plugin's packages")
            text = live.profile(coverage, snapshot)
        got = [text_line for text_line in live.lines_of(text, WORK) if " 0" not in text_line[-2:]]
        want = [text_line for text_line in expected_work_lines(work, release, mode)
                if " 0" not in text_line[-2:]]
        tap.equal(got, want, "executed lines of the package work")
        tap.contains(text, "example.com/service/plugin/plugin.go:", "the profile")


def main_not_covered(out, work, release, mode):
    """Such a program never writes anything itself."""
    with out.check(f"go {release}, main not covered, {mode}"):
        coverage, snapshot = live.fresh(work, "coverage"), live.fresh(work, "snapshot")
        with live.Service(live.build("main-not-covered", mode, release), coverage) as service:
            service.do("work 3")
            line = live.read([coverage], snapshot).of(service.pid)
            tap.equal((line["state"], line["wrote_meta"]), ("read", "1"), "line")
            got = live.lines_of(live.profile(snapshot), WORK)
            service.end()
            tap.equal(os.listdir(coverage), [], "what the service wrote")
        tap.equal(got, expected_work_lines(work, release, mode), "lines of the package work")


def one_release(out, work, release):
    for variant, modes in EXACT:
        for mode in modes:
            exact(out, work, release, variant, mode)
    meta_from_memory(out, work, release, "stripped", "count")
    meta_from_memory(out, work, release, "coverpkg-all", "set")
    for variant, modes in ALL_PACKAGES:
        for mode in modes:
            all_packages(out, work, release, variant, mode)
    c_shared(out, work, release, "c-shared", "count")
    c_shared(out, work, release, "c-shared-stripped", "atomic")
    replaced_library(out, work, release, "count")
    replaced_executable(out, work, release, "atomic")
    plugins(out, work, release, "count")
    main_not_covered(out, work, release, "count")


def main():
    processes.alarm(3000)
    out = tap.Tap()
    with live.WorkDirectory() as work:
        for release in RELEASES:
            try:
                go_fixture.go(release)
            except go_fixture.Unavailable as error:
                out.ok(False, f"go {release}", error)
                continue
            one_release(out, work, release)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
