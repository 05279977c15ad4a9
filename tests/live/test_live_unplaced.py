#!/usr/bin/python3
"""Services whose GOCOVERDIR tells nothing any more: it leads nowhere, or its place was written over.  What covers
them is their meta-data in the watched directory; Go can't write their counters, so that their memory is all there
is.  What runtime/coverage writes at the same moment is the measure."""

import contextlib
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
import private_shm
import processes
import tap

RELEASE = go_fixture.RELEASE
WORK = "example.com/service/work"
IN_MOUNTS = ["/usr/bin/unshare", "--mount", "--propagation", "private"]


def pids(answer):
    return sorted(int(process["pid"]) for process in answer.processes)


def in_mounts_of(service, script, *arguments):
    subprocess.run(["/usr/bin/nsenter", "-t", str(service.pid), "-m", "/bin/sh", "-ec", script, "sh", *arguments],
                   check=True, timeout=60)


class Place:
    def __init__(self, work):
        self.work = work
        self.program = live.build("stripped", "atomic", RELEASE)
        self.coverage = self.snapshot = self.written = None

    @contextlib.contextmanager
    def service(self, value, *arguments, **how):
        """A service with a fresh directory, one call of the package work behind it."""
        with live.Service(self.program, value, *arguments, **how) as service:
            service.do("work 1")
            yield service

    def fresh(self, under=""):
        box = live.fresh(self.work, "box")
        self.coverage = os.path.join(box, under, "coverage")
        os.makedirs(self.coverage, exist_ok=True)
        self.snapshot = live.fresh(self.work, "snapshot")
        self.written = live.fresh(self.work, "written")
        return box

    def is_read(self, service, write_to=None, coverage=None):
        """What is read is what the service itself writes: into `written`, or what has that name as it sees it."""
        coverage = coverage or self.coverage
        service.do("work 2")
        service.do("literal")
        answer = live.read([coverage], self.snapshot)
        tap.equal(pids(answer), [service.pid], "processes")
        tap.equal(answer.of(service.pid)["state"], "read", "state")
        service.do(f"write {write_to or self.written}")
        for name in go_fixture.files(coverage, "covmeta"):
            shutil.copy(os.path.join(coverage, name), self.written)
        got = live.lines_of(live.profile(coverage, self.snapshot), WORK)
        tap.equal(got, live.lines_of(live.profile(self.written), WORK), "lines of the package work")
        assert any(line.endswith(" 3") for line in got), got


def moved(out, place):
    """It has gone away from where its GOCOVERDIR led to the directory."""
    with out.check("a relative path, and another working directory by now"):
        box = place.fresh()
        with place.service("coverage", cwd=box) as service:
            service.do("chdir /")
            place.is_read(service)
    with out.check("a relative path, and a working directory that was removed"):
        box = place.fresh()
        cwd = os.path.join(box, "cwd")
        os.mkdir(cwd)
        with place.service("../coverage", cwd=cwd) as service:
            os.rmdir(cwd)
            place.is_read(service)
    with out.check("a root directory of its own by now"):
        box = place.fresh()
        jail = os.path.join(box, "jail")
        os.mkdir(jail)
        os.mkdir(os.path.join(jail, "written"))
        with place.service(place.coverage) as service:
            service.do(f"chroot {jail}")
            shutil.rmtree(place.written)
            os.symlink(os.path.join(jail, "written"), place.written)
            place.is_read(service, "/written")
        os.unlink(place.written)


def removed(out, place):
    """What the path led to, or led through, is gone."""
    with out.check("a directory that was renamed"):
        place.fresh()
        with place.service(place.coverage) as service:
            os.rename(place.coverage, place.coverage + ".old")
            place.is_read(service, coverage=place.coverage + ".old")
    with out.check("a symbolic link that was removed"):
        box = place.fresh()
        link = os.path.join(box, "link")
        os.symlink("coverage", link)
        with place.service(link) as service:
            os.unlink(link)
            place.is_read(service)
    with out.check("a file in the place of a link"):
        box = place.fresh()
        link = os.path.join(box, "link")
        os.symlink("coverage", link)
        with place.service(link) as service:
            os.unlink(link)
            with open(link, "w"):
                pass
            place.is_read(service)


def mounted(out, place):
    """Another file system is in the way, or in between."""
    with out.check("something was mounted over a directory above"):
        box = place.fresh("above")
        with place.service(place.coverage, prefix=IN_MOUNTS) as service:
            in_mounts_of(service, 'mount -t tmpfs none "$1"', os.path.join(box, "above"))
            place.is_read(service)
    with out.check("another root file system by now (pivot_root)"):
        box = place.fresh()
        root = os.path.join(box, "root")
        os.makedirs(os.path.join(root, "old"))
        with place.service(place.coverage, prefix=IN_MOUNTS) as service:
            in_mounts_of(service, 'mount -t tmpfs none "$1"; cd "$1"; mkdir old written; mount --bind "$2" written; '
                         'pivot_root . old', root, place.written)
            place.is_read(service, "/written")
    with out.check("an overlay, whose upper directory is watched"):
        box = place.fresh("tmpfs/upper")
        layers = os.path.join(box, "tmpfs")
        with mount_of("tmpfs", layers):
            for name in ("upper/coverage", "lower", "workdir", "merged"):
                os.makedirs(os.path.join(layers, name))
            with mount_of("overlay", os.path.join(layers, "merged"),
                          f"lowerdir={layers}/lower,upperdir={layers}/upper,workdir={layers}/workdir"):
                with place.service(os.path.join(layers, "merged/coverage")) as service:
                    place.is_read(service)
    with out.check("an overlay that is watched, whose upper directory is named"):
        box = place.fresh("tmpfs/merged")
        layers = os.path.join(box, "tmpfs")
        with mount_of("tmpfs", layers):
            for name in ("upper/coverage", "lower", "workdir", "merged"):
                os.makedirs(os.path.join(layers, name))
            with mount_of("overlay", os.path.join(layers, "merged"),
                          f"lowerdir={layers}/lower,upperdir={layers}/upper,workdir={layers}/workdir"):
                with place.service(os.path.join(layers, "upper/coverage")) as service:
                    place.is_read(service)


@contextlib.contextmanager
def mount_of(kind, target, options=""):
    subprocess.run(["/bin/mount", "-t", kind, *(["-o", options] if options else []), kind, target], check=True,
                   timeout=60)
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "-l", target], check=True, timeout=60)


def by_arguments(out, place):
    """A test binary without GOCOVERDIR, that names the directory in its arguments."""
    program = live.build("test", "atomic", RELEASE, "suite.test")
    for name, arguments in (("-test.gocoverdir=DIR", ["-test.gocoverdir={}"]),
                            ("--test.gocoverdir DIR, behind others", ["-test.v=false", "--test.gocoverdir", "{}"]),
                            ("and no environment at all", ["-test.gocoverdir={}"]),
                            ("the last of two", ["-test.gocoverdir=/", "-test.gocoverdir={}"])):
        with out.check(f"a test binary: {name}"):
            place.fresh()
            given = [argument.format(place.coverage) for argument in arguments]
            bare = ["/usr/bin/env", "-i"] if name.startswith("and no") else []
            with live.Service(program, None, *given, prefix=bare) as service:
                service.do("work 3")
                answer = live.read([place.coverage], place.snapshot)
                tap.equal(pids(answer), [service.pid], "processes")
                got = live.lines_of(live.profile(place.coverage, place.snapshot), WORK)
                service.end()
            tap.equal(got, live.lines_of(live.profile(place.coverage), WORK), "lines of the package work")
            assert any(line.endswith(" 3") for line in got), got
    with out.check("an argument behind --, or another directory: somebody else's"):
        place.fresh()
        with live.Service(program, None, "--", f"-test.gocoverdir={place.coverage}"), \
                live.Service(program, None, f"-test.gocoverdir={place.written}"):
            tap.equal(pids(live.read([place.coverage])), [], "processes")


def written_over(out, place):
    """The environment that the kernel shows is not that of the start."""
    with out.check("a title over arguments and environment"):
        place.fresh()
        with place.service(place.coverage) as service:
            service.do("title all shop: worker")
            with open(f"/proc/{service.pid}/environ", "rb") as environ:
                assert b"GOCOVERDIR" not in environ.read(), "the environment is still there"
            place.is_read(service)
    with out.check("a title over the arguments and a part of the environment"):
        place.fresh()
        with place.service(None, env={"GOCOVERDIR": place.coverage, "LONG": 1000 * "x"}) as service:
            service.do("title part " + 400 * "x")
            with open(f"/proc/{service.pid}/environ", "rb") as environ:
                block = environ.read()
            assert b"GOCOVERDIR" not in block, block
            place.is_read(service)
    with out.check("a title that spares GOCOVERDIR"):
        place.fresh()
        with place.service(place.coverage, env={"A" * 500: "1"}) as service:
            service.do("title part shop: worker")
            place.is_read(service)
    with out.check("an environment that the program itself has cleared"):
        place.fresh()
        with place.service(place.coverage) as service:
            service.do("clearenv")
            place.is_read(service)
    for name, value in (("in place", None), ("that leads nowhere", "coverage")):
        with out.check(f"its first thread has ended, with a GOCOVERDIR {name}"):
            box = place.fresh()
            with place.service(value or place.coverage, "leave-thread", cwd=box) as service:
                processes.wait_until(lambda: state_of(service.pid) == "Z", "the end of the first thread")
                if value:
                    service.do("chdir /")
                place.is_read(service)
                line = live.read([place.coverage]).of(service.pid)
                tap.equal((line["program"], line["ns_pid"]), ("service", str(service.pid)), "the line")


def state_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


def elsewhere(out, place):
    """Only what can't be placed is placed by its meta-data."""
    with out.check("its GOCOVERDIR leads to another directory by now: not read"):
        box = place.fresh()
        link = os.path.join(box, "link")
        os.symlink("coverage", link)
        with place.service(link):
            os.unlink(link)
            os.mkdir(link)
            tap.equal(live.read([place.coverage]).processes, [], "processes")
    with out.check("its meta-data are not in the watched directory: not read"):
        box = place.fresh()
        with place.service("coverage", cwd=box) as service:
            service.do("chdir /")
            os.mkdir(os.path.join(box, "other"))
            tap.equal(live.read([os.path.join(box, "other")]).processes, [], "processes")
            shutil.rmtree(place.coverage)
            os.mkdir(place.coverage)
            tap.equal(live.read([place.coverage]).processes, [], "processes")
    with out.check("it never found its directory, but its meta-data are there by another process"):
        box = place.fresh()
        with place.service(place.coverage) as first, \
                place.service(os.path.join(box, "missing")) as second:
            tap.equal(pids(live.read([place.coverage])), sorted([first.pid, second.pid]), "processes")
    with out.check("two watched directories: once"):
        box = place.fresh()
        other = os.path.join(box, "other")
        os.mkdir(other)
        with place.service(other), place.service("coverage", cwd=box) as service:
            service.do("chdir /")
            tap.equal(len(pids(live.read([place.coverage, other]))), 2, "processes")
    with out.check("programs without coverage that show a title, or have no environment"):
        place.fresh()
        bare = live.build("plain", "set", RELEASE, cover=False)
        with place.service(place.coverage) as service, \
                live.Service(bare, place.coverage) as other, \
                live.Service(bare, None, prefix=["/usr/bin/env", "-i"]):
            other.do("title all bare: worker")
            sleeper = processes.start([live.build_named(), "sleep: a title", "/bin/sleep", "600"],
                                      env={"GOCOVERDIR": "missing"})
            answer = live.read([place.coverage], extra=["-n", "3"])
            processes.stop(sleeper)
            tap.equal(set(pids(answer)), {service.pid}, "processes")
            tap.equal(answer.counts["unsupported"], 0, "unsupported")


def main():
    if os.geteuid() != 0:
        tap.skip_all("chroot(2) and mount(2) are for root alone")
    private_shm.enter()  # the mounts of this test are its own
    processes.alarm(900)
    out = tap.Tap()
    with live.WorkDirectory() as work:
        place = Place(work)
        moved(out, place)
        removed(out, place)
        mounted(out, place)
        by_arguments(out, place)
        written_over(out, place)
        elsewhere(out, place)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
