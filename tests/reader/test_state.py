#!/usr/bin/python3
"""A reader that keeps its state answers as one that begins anew each time: random sequences of files that
come, go and are replaced, with snapshots of running processes beside them, covdata as the measure; and the
profiles of what ran between two polls add up to the whole."""

import collections
import contextlib
import os
import random
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import coverage_files as files
import driver
import go_fixture
import tap

STEPS = int(os.environ.get("READER_STEPS") or 60)


def programs(mode):
    """Five programs that share some of their packages."""
    pool = []
    for name in "abcdef":
        path = f"example.org/{name}"
        pool.append(files.Package(path, [files.Function(f"f{n}", f"{path}/{name}.go", [
            (10 * n + unit, 1, 10 * n + unit + 1, 2, unit) for unit in range(1, 5)]) for n in range(6)]))
    for chosen in ((0,), (0, 1), (1, 2, 3), (0, 3, 4), (5,)):
        packages = [pool[n] for n in chosen]
        yield files.meta_hash(packages, mode).hex(), packages


class Directory:
    """Coverage files under a path, and random things that happen to them."""

    def __init__(self, rng, path, mode):
        self.rng, self.path, self.mode = rng, path, mode
        self.programs = dict(programs(mode))
        self.clock = 0
        os.makedirs(path, exist_ok=True)

    def write(self, name, data):
        """As Go does: written aside, then renamed."""
        aside = os.path.join(self.path, "tmp." + name)
        with open(aside, "wb") as out:
            out.write(data)
        os.rename(aside, os.path.join(self.path, name))

    def random_counters(self, tag):
        values = (0, 1, 2, 300, 1 << 31) if self.mode != files.SET else (0, 1)
        entries = [(p, f, [self.rng.choice(values) for _ in range(4)])
                   for p in range(len(self.programs[tag])) for f in range(6) if self.rng.random() < 0.5]
        return files.counters(entries)

    def run(self, tag=None):
        """A process has ended."""
        tag = tag or self.rng.choice(list(self.programs))
        self.clock += 1
        self.write(f"covmeta.{tag}", files.meta(self.programs[tag], self.mode))
        self.write(f"covcounters.{tag}.{self.rng.randrange(100)}.{self.clock}", self.random_counters(tag))

    def present(self, kind):
        return [name for name in sorted(os.listdir(self.path)) if name.startswith(kind + ".")]

    def delete(self, kind="covcounters"):
        with contextlib.suppress(IndexError):
            os.unlink(os.path.join(self.path, self.rng.choice(self.present(kind))))

    def replace(self):
        """Another file under the same name, renamed there or written in place."""
        with contextlib.suppress(IndexError):
            name = self.rng.choice(self.present("covcounters"))
            data = self.random_counters(name.split(".")[1])
            if self.rng.random() < 0.5:
                self.write(name, data)
            else:
                with open(os.path.join(self.path, name), "wb") as out:
                    out.write(data)

    def clear(self):
        for name in os.listdir(self.path):
            os.unlink(os.path.join(self.path, name))

    def swap(self):
        """Another directory takes its place."""
        aside = self.path + ".old"
        os.rename(self.path, aside)
        shutil.copytree(aside, self.path)
        shutil.rmtree(aside)
        self.delete()

    def step(self):
        what = self.rng.random()
        if what < 0.6:
            for _ in range(self.rng.choice((1, 1, 2, 20))):
                self.run()
        elif what < 0.75:
            self.delete()
        elif what < 0.8:
            self.delete("covmeta")
        elif what < 0.9:
            self.replace()
        elif what < 0.97:
            self.swap()
        else:
            self.clear()


def compare(answer, dirs, what):
    status, text = driver.covdata(go_fixture.covdata(), dirs)
    assert status == 0, f"{what}: covdata ended with {status}"
    if not text:
        tap.contains(answer.error or "", "503 there is no coverage data", what)
    else:
        tap.equal(answer.profile(), text, what)


def sequences(out, work):
    for number, keep in enumerate((256 << 20, 256 << 20, 256 << 20, 60000, 20000, 1, 0)):
        with out.check(f"{STEPS} changes and polls, {keep} bytes kept"):
            rng = random.Random(number)
            mode = (files.SET, files.COUNT, files.ATOMIC)[number % 3]
            places = [Directory(rng, os.path.join(work, f"{number}-{n}"), mode) for n in range(2)]
            dirs = ",".join(place.path for place in places)
            with driver.Server(dirs, "--keep", str(keep)) as server:
                for step in range(STEPS):
                    rng.choice(places).step()
                    compare(server.poll(), dirs, f"step {step}")
                    if rng.random() < 0.2:
                        compare(server.poll(), dirs, f"step {step}, once more")


def live(out, work):
    """Snapshots come and go with each poll, and leave nothing behind."""
    for keep in (256 << 20, 0):
        with out.check(f"snapshots of running processes, {keep} bytes kept"):
            rng = random.Random(7)
            disk = Directory(rng, os.path.join(work, f"disk-{keep}"), files.COUNT)
            running = Directory(rng, os.path.join(work, f"running-{keep}"), files.COUNT)
            both = f"{disk.path},{running.path}"
            with driver.Server(disk.path, "--live", running.path, "--keep", str(keep)) as server:
                for step in range(STEPS // 2):
                    rng.choice((disk.run, disk.run, disk.step))()
                    running.clear()
                    for _ in range(rng.randrange(4)):
                        running.run()
                    compare(server.poll(), both, f"step {step}")


def parsed(text):
    lines = text.decode().splitlines()
    return collections.Counter({line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1]) for line in lines[1:]})


def since(out, work):
    for mode, name in ((files.COUNT, "count"), (files.SET, "set")):
        with out.check(f"what ran between polls adds up to the whole, mode {name}"):
            rng = random.Random(3)
            place = Directory(rng, os.path.join(work, f"since-{name}"), mode)
            place.programs = dict(list(place.programs.items())[:3])
            for tag in place.programs:
                place.run(tag)
            place.clock += 1
            with driver.Server(place.path) as server:
                first = server.poll()
                total, state = parsed(first.profile()), first.words["digest"]
                for step in range(STEPS):
                    values = place.random_counters
                    tag = rng.choice(list(place.programs))
                    data = values(tag) if mode == files.SET else files.counters(
                        [(0, f, [1, 0, 2, 500]) for f in range(6) if rng.random() < 0.5])
                    place.clock += 1
                    place.write(f"covcounters.{tag}.5.{place.clock}", data)
                    part = server.ask(f"since {state}")
                    state = part.words["digest"]
                    total.update(parsed(part.profile()))
                whole = server.poll()
                tap.equal(whole.words["digest"], state, "the state")
                # counters that are full stay full
                want = parsed(whole.profile())
                wrong = {line for line in want if min(total[line], (1 << 32) - 1) != want[line]}
                assert not wrong, f"the sum is wrong for {sorted(wrong)[:5]}"
    with out.check("a state that is not held"):
        with driver.Server(place.path) as server:
            tap.contains(server.ask("since 0123").error, "404 no such state", "the error")
    with out.check("nothing ran: nothing is in the profile of what ran since"):
        with driver.Server(place.path) as server:
            state = server.poll().words["digest"]
            tap.equal(set(parsed(server.ask(f"since {state}").profile()).values()), {0}, "the counts")


def digests(out, work):
    with out.check("the digest depends on the content alone"):
        rng = random.Random(5)
        place = Directory(rng, os.path.join(work, "digest"), files.COUNT)
        for _ in range(5):
            place.run()
        before = driver.read(place.path).words["digest"]
        copy = os.path.join(work, "digest-copy")
        shutil.copytree(place.path, copy)
        tap.equal(driver.read(copy).words["digest"], before, "of a copy")
        with driver.Server(copy) as server:
            tap.equal([server.poll().words["digest"] for _ in range(2)], [before] * 2, "from a server")
        place.run()
        assert driver.read(place.path).words["digest"] != before, "the digest has not changed"


def main():
    out = tap.Tap()
    work = tempfile.mkdtemp(prefix="goverage-reader-")
    try:
        go_fixture.covdata()
        sequences(out, work)
        live(out, work)
        since(out, work)
        digests(out, work)
    except go_fixture.Unavailable as error:
        out.skip("the rest", error)
    finally:
        shutil.rmtree(work)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
