#!/usr/bin/python3
"""The built-in reader gives the bytes of covdata on directories that no Go program leaves behind: all that
the formats allow, and what covdata makes of the odd corners.  The directories are random, by number."""

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

ROUNDS = int(os.environ.get("READER_ROUNDS") or 150)
RELEASES = ("1.21", "1.23", "1.27")
LARGE = (1 << 32) - 1


def random_units(rng, n):
    """Distinct positions, in no order."""
    units = set()
    while len(units) < n:
        line, column = rng.choice((rng.randrange(1, 8), rng.randrange(1, 70000))), rng.randrange(0, 4)
        units.add((line, column, line + rng.randrange(3), rng.randrange(0, 4), rng.choice((0, 1, 2, 300))))
    units = list(units)
    rng.shuffle(units)
    return units


def random_package(rng, path):
    functions, used = [], set()
    for n in range(rng.randrange(5)):
        # functions with equal positions are printed by covdata in an order that changes from run to run
        file = f"{path}/{rng.choice('abc')}.go"
        units = [unit for unit in random_units(rng, rng.choice((1, 2, 9, 40))) if (file, unit) not in used]
        used.update((file, unit) for unit in units)
        functions.append(files.Function(rng.choice(("init", f"f{n}", f"*T.m{n}")), file, units,
                                        rng.random() < 0.2))
    if functions and rng.random() < 0.2:
        # one and the same function twice, blocks and all
        functions.append(rng.choice(functions))
    return files.Package(path, functions)


def random_values(rng, n, mode):
    if mode == files.SET:
        return [rng.choice((0, 1, 1, 7)) for _ in range(n)]
    return [rng.choice((0, 1, 2, 127, 128, 300, 1 << 20, LARGE // 2, LARGE)) for _ in range(n)]


def random_entries(rng, packages, mode):
    entries = []
    for p, package in enumerate(packages):
        for f, function in enumerate(package.functions):
            if rng.random() < 0.4:
                continue
            entries.append((p, f, random_values(rng, len(function.units), mode)))
            if rng.random() < 0.1:
                entries.append(entries[-1])
        if rng.random() < 0.1:
            entries.append((p, len(package.functions), [1, 2]))  # passes covdata's check, and is not used
        if rng.random() < 0.1:
            entries.append((p, len(package.functions) + 1, [1]))
    if rng.random() < 0.1:
        entries.append((len(packages), 0, [5]))
    rng.shuffle(entries)
    return entries


def random_counters(rng, packages, mode):
    flavor = rng.choice((files.ULEB, files.ULEB, files.RAW))
    many = {f"argv{n}": "x" * rng.randrange(9) for n in range(rng.choice((0, 0, 3, 900)))}
    return files.counters(random_entries(rng, packages, mode), flavor=flavor,
                          big_endian=rng.random() < 0.5, version=rng.choice((0, 1, 1, 1)),
                          digest=rng.randbytes(16), args=dict(many, GOOS=rng.choice(("linux", ""))),
                          pad=rng.random() < 0.8, segments=rng.choice((1, 1, 9)),
                          tail=rng.choice((b"", b"", b"rest")), extra=rng.choice((0, 0, 2)))


def odd_lengths(packages):
    """An entry without counters beside each that has them: harmless."""
    right = [(p, f, [1] * len(function.units))
             for p, package in enumerate(packages) for f, function in enumerate(package.functions)]
    return [(p, f, []) for p, f, _ in right] + right


def make_directory(rng, directory):
    mode = rng.choice((files.SET, files.COUNT, files.ATOMIC))
    pool = [random_package(rng, f"example.org/{name}") for name in ("a", "a/b", "a-b", "B", "c", "z/é")]
    for _ in range(rng.choice((1, 1, 2, 5))):
        packages = rng.sample(pool, rng.randrange(1, len(pool)))
        tag = files.meta_hash(packages, mode).hex()
        write(directory, f"covmeta.{tag}", files.meta(packages, mode, version=rng.choice((0, 1))))
        for n in range(rng.choice((0, 1, 3, 60))):
            data = random_counters(rng, packages, mode)
            write(directory, f"covcounters.{tag}.{rng.randrange(9)}.{n}", data)
        if rng.random() < 0.2:
            write(directory, f"covcounters.{tag}.77.77", files.counters(odd_lengths(packages)))
    names(directory)


def names(directory):
    """What covdata passes over."""
    write(directory, "covmeta.", b"x")
    write(directory, "covcounters.0123.1.2", b"no such program")
    write(directory, "covcounters.0123.1.2.gz", b"x")
    write(directory, "tmp.covmeta.0123", b"x")
    os.mkdir(os.path.join(directory, "covmeta.directory"))


def write(directory, name, data):
    with open(os.path.join(directory, name), "wb") as out:
        out.write(data)


def one_round(number, work):
    """Returns whether covdata had an answer."""
    rng = random.Random(number)
    directory = os.path.join(work, f"round-{number}")
    os.mkdir(directory)
    make_directory(rng, directory)
    status, text = driver.covdata(go_fixture.covdata(RELEASES[number % len(RELEASES)]), directory)
    answer = driver.read(directory)
    if status == 0:
        tap.equal(answer.profile(), text, f"directory {number}")
    shutil.rmtree(directory)
    return status == 0


def two_builds(out, work):
    """A function that changed: the blocks of both builds, side by side."""
    def package(name, units):
        return files.Package("example.org/p", [files.Function(name, "example.org/p/f.go", units)])

    one = package("f", [(1, 1, 2, 2, 1), (3, 1, 4, 1, 1)])
    two = package("f", [(1, 1, 2, 2, 1), (3, 1, 5, 1, 2)])
    directory = os.path.join(work, "two-builds")
    os.mkdir(directory)
    for build, count in ((one, 3), (two, LARGE)):
        tag = files.meta_hash([build], files.COUNT).hex()
        write(directory, f"covmeta.{tag}", files.meta([build], files.COUNT))
        write(directory, f"covcounters.{tag}.1.1", files.counters([(0, 0, [count, count])]))
    with out.check("two builds of a package: as covdata prints them, sums kept below 2^32, and said"):
        answer = driver.read(directory)
        tap.equal(answer.profile(), driver.covdata(go_fixture.covdata(), directory)[1], "the profile")
        tap.equal(answer.number("builds"), 1, "packages of several builds")
    with out.check("a renamed function: lines that covdata prints in any order, the first build first"):
        renamed = package("g", [(1, 1, 2, 2, 1), (3, 1, 4, 1, 1)])
        write(directory, "covmeta.zz", files.meta([renamed], files.COUNT))
        write(directory, "covcounters.zz.1.1", files.counters([(0, 0, [5, 5])]))
        text = driver.read(directory).profile()
        tap.equal(sorted(text.splitlines()),
                  sorted(driver.covdata(go_fixture.covdata(), directory)[1].splitlines()), "the lines")
        tap.equal([driver.read(directory).profile() for _ in range(3)], [text] * 3, "each time")


def main():
    out = tap.Tap()
    work = tempfile.mkdtemp(prefix="goverage-reader-")
    try:
        for release in RELEASES:
            go_fixture.covdata(release)
        answered = 0
        for number in range(ROUNDS):
            with out.check(f"directory {number}"):
                answered += one_round(number, work)
        out.ok(answered > ROUNDS / 2, f"covdata answered {answered} of {ROUNDS} times")
        two_builds(out, work)
    except go_fixture.Unavailable as error:
        out.skip("the rest", error)
    finally:
        shutil.rmtree(work)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
