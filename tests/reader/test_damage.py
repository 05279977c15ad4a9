#!/usr/bin/python3
"""A damaged file costs that file: every prefix of real coverage files, every byte of them changed, files that
are no files, and formats that are not known.  What is not damaged is answered as if it were alone."""

import os
import shutil
import struct
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import coverage_files as files
import driver
import go_fixture
import tap


class Scene:
    """A directory with a sound program, and one whose files are being damaged; the reader answers from a
    process that keeps nothing."""

    def __init__(self, work):
        self.path = os.path.join(work, "scene")
        go_fixture.run(go_fixture.build("shop", "count"), self.path)
        self.rest = self.oracle()
        sound = set(os.listdir(self.path))
        go_fixture.run(go_fixture.build("till", "count"), self.path)
        self.whole = self.oracle()
        (self.meta,) = (n for n in go_fixture.files(self.path, "covmeta") if n not in sound)
        (self.counters,) = (n for n in go_fixture.files(self.path, "covcounters") if n not in sound)
        original = self.read(self.counters)
        os.unlink(os.path.join(self.path, self.counters))
        self.without_counters = self.oracle()
        self.write(self.counters, original)
        self.rest_lines = set(self.rest.splitlines()[1:])

    def oracle(self):
        status, text = driver.covdata(go_fixture.covdata(), self.path)
        assert status == 0
        return text

    def read(self, name):
        with open(os.path.join(self.path, name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(os.path.join(self.path, name), "wb") as file:
            file.write(data)


def prefixes(out, scene, server):
    for name, expected, skipped in ((scene.meta, scene.rest, 2), (scene.counters, scene.without_counters, 1)):
        data = scene.read(name)
        with out.check(f"every prefix of {name.split('.')[0]} ({len(data)} of them)"):
            for size in range(len(data)):
                scene.write(name, data[:size])
                answer = server.poll()
                tap.equal(answer.profile(), expected, f"the profile with {size} bytes")
                tap.equal(answer.number("skipped"), skipped, f"files left out with {size} bytes")
        scene.write(name, data)
        tap.equal(server.poll().profile(), scene.whole, "the profile when it is whole again")


def changes(byte):
    return sorted({byte ^ 0x01, byte ^ 0x80, byte ^ 0xFF, 0, 0x7F, (byte + 1) & 0xFF} - {byte})


def judge(scene, answer, status, text, what):
    """The answer to a directory with one wrong byte, of which covdata made (status, text).  Returns whether
    the reader saw more damage than covdata did."""
    if answer.error is not None:
        # the byte is in the version or in the granularity
        assert answer.error[:3] in ("409", "500"), f"{what}: {answer.error}"
        assert status != 0, f"{what}: covdata has an answer, the reader says {answer.error}"
        return False
    refused = answer.number("skipped") or answer.number("ignored")
    if status == 0 and not refused:
        tap.equal(answer.profile(), text, f"{what}: the profile")
    if not answer.number("mixed"):
        missing = scene.rest_lines - set(answer.text.splitlines())
        assert not missing, f"{what}: lines of the sound program are missing: {tap.shorten(missing)}"
    return status == 0 and refused


def wrong_bytes(out, scene, server):
    for name in (scene.meta, scene.counters):
        data = scene.read(name)
        tries = accepted = stricter = 0
        with out.check(f"every byte of {name.split('.')[0]} changed"):
            for at, byte in enumerate(data):
                for value in changes(byte):
                    scene.write(name, data[:at] + bytes([value]) + data[at + 1:])
                    status, text = driver.covdata(go_fixture.covdata(), scene.path)
                    stricter += bool(judge(scene, server.poll(), status, text, f"byte {at} is {value:#x}"))
                    tries += 1
                    accepted += status == 0
            out.diag(f"{tries} tries, covdata had an answer to {accepted}, of which {stricter} were refused")
            assert tries > accepted > 0, "nothing was tried"
            assert stricter < accepted / 20, "the reader refuses what covdata takes"
        scene.write(name, data)


def names(out, scene, server):
    data = scene.read(scene.meta)
    with out.check("a source file whose name has a line feed, which would make two lines of one"):
        scene.write(scene.meta, data.replace(b"/main.go", b"/ma\nn.go"))
        assert scene.read(scene.meta) != data
        answer = server.poll()
        tap.equal((answer.profile(), answer.number("skipped")), (scene.rest, 2), "the profile, files left out")
    scene.write(scene.meta, data)


def no_files(out, scene, server):
    """Things under a coverage name that are no coverage files, one after another."""
    tag = scene.counters.split(".")[1]
    name = f"covcounters.{tag}.1.1"
    path = os.path.join(scene.path, name)

    def left_out(what, expected=scene.whole):
        with out.check(f"left out: {what}"):
            answer = server.poll()
            tap.equal(answer.profile(), expected, "the profile")
            tap.equal(answer.number("skipped"), 1, "files left out")

    os.mkfifo(path)
    left_out("a named pipe")
    os.unlink(path)
    os.symlink("/nowhere", path)
    with out.check("a link that leads nowhere is a file that is gone"):
        tap.equal(server.poll().profile(), scene.whole, "the profile")
    os.unlink(path)
    os.symlink("/tmp", path)
    left_out("a link to a directory")
    os.unlink(path)
    scene.write(name, b"")
    os.truncate(path, (64 << 20) + 1)
    left_out("a file that is too large")
    scene.write(name, scene.read(scene.meta))
    left_out("meta-data under the name of counters")
    scene.write(name, scene.read(scene.counters)[:-16] + bytes(16))
    left_out("a file whose end was lost")
    os.unlink(path)
    scene.write("covmeta.abc", scene.read(scene.counters))
    left_out("counters under the name of meta-data")
    os.unlink(os.path.join(scene.path, "covmeta.abc"))


def hostile(out, scene, server):
    """Small files that claim to be large."""
    entries = [(0, 0, [1] * 3)]
    good = files.counters(entries)
    cases = {
        "four thousand million entries": good[:32] + struct.pack("<Q", (1 << 32) - 1) + good[40:],
        "a string table of 4 GiB": good[:40] + struct.pack("<I", (1 << 32) - 1) + good[44:],
        "args of 4 GiB": good[:44] + struct.pack("<I", (1 << 32) - 1) + good[48:],
        "a function with 2^60 counters": good[:-16 - 6] + files.uleb(1 << 60) + good[-16 - 5:],
        "a number without an end": good[:-16] + b"\x80" * 5000 + good[-16:],
        "keys that come twice": good.replace(b"\x04argc", b"\x05argv0").replace(b"\x03\x01", b"\x03\x01"),
    }
    tag = scene.counters.split(".")[1]
    for what, data in cases.items():
        scene.write(f"covcounters.{tag}.1.1", data)
        with out.check(f"counters with {what}"):
            answer = server.poll()
            missing = scene.rest_lines - set(answer.profile().splitlines())
            assert not missing, f"lines are missing: {tap.shorten(missing)}"
    os.unlink(os.path.join(scene.path, f"covcounters.{tag}.1.1"))
    unit = [(1, 1, 2, 1, 1)] * 50
    package = files.Package("example.org/p", [files.Function(f"f{n}", "example.org/p/f.go", unit)
                                              for n in range(400)])
    blob = package.blob()
    again = struct.unpack_from("<I", blob, 44)[0]
    overlapping = blob[:44] + struct.pack("<I", again) * 400 + blob[44 + 1600:]
    data = files.meta([package], files.COUNT).replace(blob, overlapping)
    for what, bad in (("four thousand million packages", data[:16] + struct.pack("<Q", 1 << 32) + data[24:]),
                      ("2^60 packages", data[:16] + struct.pack("<Q", 1 << 60) + data[24:])):
        scene.write("covmeta.abc", bad)
        with out.check(f"meta-data with {what}"):
            answer = server.poll()
            tap.equal(answer.profile(), scene.whole, "the profile")
            tap.equal(answer.number("skipped"), 1, "files left out")
    scene.write("covmeta.abc", data)
    with out.check("meta-data in which all functions have the same record"):
        tap.equal(server.poll().profile(), scene.oracle(), "the profile")
    os.unlink(os.path.join(scene.path, "covmeta.abc"))


def newer(out, scene, server):
    for name in (scene.meta, scene.counters):
        data = scene.read(name)
        scene.write(name, data[:4] + struct.pack("<I", 2) + data[8:])
        with out.check(f"{name.split('.')[0]} of format version 2 is not guessed at"):
            error = server.poll().error
            tap.contains(error or "", "500 the coverage files are of a format that is newer", "the error")
            tap.contains(error, name, "the error")
        scene.write(name, data)


def modes(out, work):
    """Programs with different counter modes: covered or not can still be told."""
    directory = os.path.join(work, "modes")
    tag = {}
    for path, mode, values in (("a", files.COUNT, [5, 0]), ("b", files.SET, [1, 0]), ("c", files.ATOMIC, [0, 9])):
        package = files.Package(f"example.org/{path}", [files.Function(
            "f", f"example.org/{path}/f.go", [(1, 1, 2, 2, 1), (3, 1, 4, 4, 2)])])
        tag[path] = files.meta_hash([package], mode).hex()
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, f"covmeta.{tag[path]}"), "wb") as out_file:
            out_file.write(files.meta([package], mode))
        with open(os.path.join(directory, f"covcounters.{tag[path]}.1.1"), "wb") as out_file:
            out_file.write(files.counters([(0, 0, values)]))
    want = b"mode: set\n"
    for path, values in (("a", (1, 0)), ("b", (1, 0)), ("c", (0, 1))):
        want += (f"example.org/{path}/f.go:1.1,2.2 1 {values[0]}\n"
                 f"example.org/{path}/f.go:3.1,4.4 2 {values[1]}\n").encode()
    with out.check("different counter modes give a profile of mode set"):
        answer = driver.read(directory)
        tap.equal(answer.profile(), want, "the profile")
        tap.equal(answer.number("mixed"), 1, "mixed modes")
    with out.check("different counter modes are an error where that is asked for"):
        tap.contains(driver.read(directory, "--strict").error, "409 ", "the error")
    with out.check("one counter mode is no error then"):
        for path in "bc":
            os.unlink(os.path.join(directory, f"covmeta.{tag[path]}"))
        tap.contains(driver.read(directory, "--strict").profile(), b"mode: count\n", "the profile")


def second_meta(out, scene, work):
    """The first meta-data file with a tag is broken, the second is not."""
    other = os.path.join(work, "other")
    shutil.copytree(scene.path, other)
    with open(os.path.join(other, scene.meta), "r+b") as meta:
        meta.truncate(100)
    with out.check("broken meta-data, and a whole copy of it in the next directory"):
        answer = driver.read(f"{other},{scene.path}")
        tap.equal(answer.profile(), driver.read(f"{scene.path},{other}").profile(), "the profile")
        tap.equal(answer.number("skipped"), 1, "files left out")


def main():
    out = tap.Tap()
    work = tempfile.mkdtemp(prefix="goverage-reader-")
    try:
        scene = Scene(work)
        with driver.Server(scene.path, "--keep", "0") as server:
            prefixes(out, scene, server)
            wrong_bytes(out, scene, server)
            names(out, scene, server)
            no_files(out, scene, server)
            hostile(out, scene, server)
            newer(out, scene, server)
        second_meta(out, scene, work)
        modes(out, work)
    except go_fixture.Unavailable as error:
        out.skip("the rest", error)
    finally:
        shutil.rmtree(work)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
