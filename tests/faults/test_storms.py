#!/usr/bin/python3
"""What changes while it is read: coverage files and the memory of a service that are written over all the time; what
is mutated in every way: FastCGI; and the program with a capability in the hands of somebody who sets its environment."""

import contextlib
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "live")]

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client as fcgi
import faults
import go_fixture
import live_fixture
import processes
import tap
import tree
from answer import check_profile

SECONDS = 2  # of each storm
NOBODY = 65534
CAP_SYS_PTRACE = 19
SEED = 12
VARIANTS = 12  # of each mutation


@contextlib.contextmanager
def storm(change):
    """change() over and over while the body of the with statement runs; how often, in a list."""
    done, count = threading.Event(), [0]

    def blow():
        while not done.is_set():
            change()
            count[0] += 1

    thread = threading.Thread(target=blow)
    thread.start()
    try:
        yield count
    finally:
        done.set()
        thread.join()
    assert count[0] > 10, f"{count[0]} changes are no storm"


def poll_for_a_while(serving):
    """Whole answers, and the same process, whatever they say."""
    statuses, end = {}, time.monotonic() + SECONDS
    while time.monotonic() < end:
        answer = serving.ask()
        assert answer.whole and answer.status in (200, 409, 500, 503), answer
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
    assert serving.listener.process.poll() is None, "the responder has ended"
    return statuses


# --- files that are written over while they are read -----------------------------------------------------

class Rewriting:
    """Files of a directory: truncated, written in part, at length and as they were, in place."""

    def __init__(self, directory):
        self.random, self.files = random.Random(SEED), {}
        for name in os.listdir(directory):
            with open(os.path.join(directory, name), "rb") as file:
                self.files[os.path.join(directory, name)] = file.read()

    def change(self):
        path, data = self.random.choice(sorted(self.files.items()))
        with open(path, "r+b") as file:
            file.truncate(self.random.randrange(len(data) + 1))
            file.seek(self.random.randrange(len(data)))
            file.write(self.random.randbytes(self.random.randrange(64)))
        self._write(path, data)

    @staticmethod
    def _write(path, data):
        with open(path, "r+b") as file:
            file.truncate(0)
            file.write(data)

    def restore(self):
        for path, data in self.files.items():
            self._write(path, data)


def rewritten_files(out, bench, directory):
    for engine in ("builtin", "covdata"):
        with out.check(f"files that are truncated and rewritten while they are read, engine {engine}"), \
                faults.Serving(bench, {"GOVERAGE_ENGINE": engine}) as serving:
            serving.is_well()
            files = Rewriting(directory)
            with storm(files.change) as count:
                statuses = poll_for_a_while(serving)
            files.restore()
            out.diag(f"{count[0]} rewrites, answers: {statuses}")
            serving.is_well()


# --- memory that is written over while it is read --------------------------------------------------------

def writable(pid):
    """[(address, size)] of the memory that the service may write to."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        for line in maps:
            area, mode, *_ = line.split()
            start, end = (int(number, 16) for number in area.split("-"))
            if mode.startswith("rw") and "[" not in line and end - start < 8 << 20:
                found.append((start, end - start))
    return found


class Overwriting:
    """The memory of a service that is stopped."""

    def __init__(self, pid):
        self.random, self.areas = random.Random(SEED), []
        self.memory = open(f"/proc/{pid}/mem", "r+b", buffering=0)  # pylint: disable=consider-using-with
        for address, size in writable(pid):
            self.memory.seek(address)
            self.areas.append((address, self.memory.read(size)))
        assert self.areas, "no memory"

    def change(self):
        for address, data in self.areas:
            at = self.random.randrange(len(data))
            self._write(address + at, self.random.randbytes(min(self.random.randrange(1, 4096), len(data) - at)))

    def _write(self, address, data):
        self.memory.seek(address)
        self.memory.write(data)

    def restore(self):
        for address, data in self.areas:
            self._write(address, data)
        self.memory.close()


def rewritten_memory(out, bench):
    directory = bench.work.mkdir("overwritten")
    program = live_fixture.build("plain", "atomic", go_fixture.RELEASE)
    settings = {"GOCOVERDIR": directory, "GOVERAGE_LIVE": "auto", "GOVERAGE_ENGINE": "builtin"}
    with out.check("memory of a service that is written over while it is read"), \
            live_fixture.Service(program, directory) as service, faults.Serving(bench, settings) as serving:
        before = serving.ask()
        tap.equal((before.status, before.header("goverage-live").split(" ")[0]), (200, "read=1"), "before")
        os.kill(service.pid, signal.SIGSTOP)
        memory = Overwriting(service.pid)
        with storm(memory.change) as count:
            statuses = poll_for_a_while(serving)
        memory.restore()
        out.diag(f"{count[0]} times, answers: {statuses}")
        check_profile(serving.ask(), before.body)
        os.kill(service.pid, signal.SIGCONT)


# --- FastCGI that is mutated -----------------------------------------------------------------------------

def records_of(data):
    found = []
    while data:
        size = 8 + int.from_bytes(data[4:6], "big") + data[6]
        found.append(data[:size])
        data = data[size:]
    return found


def some(chance, records):
    return chance.randrange(len(records))


def with_byte(at, value):
    """A record whose byte there is another one."""
    def change(chance, records):
        n = some(chance, records)
        record = bytearray(records[n])
        record[at] = chance.randrange(256) if value is None else value
        return records[:n] + [bytes(record)] + records[n + 1:]
    return change


def edited(edit):
    """All the bytes, changed."""
    def change(chance, records):
        return [edit(chance, bytearray(b"".join(records)))]
    return change


def flipped(chance, data):
    for _ in range(chance.randrange(1, 8)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def put_in(*make):
    """A record more, somewhere."""
    def change(chance, records):
        n = chance.randrange(len(records) + 1)
        return records[:n] + [fcgi.record(*make)] + records[n:]
    return change


def left_out(chance, records):
    n = some(chance, records)
    return records[:n] + records[n + 1:]


def twice(chance, records):
    n = some(chance, records)
    return records[:n + 1] + records[n:]


def shuffled(chance, records):
    return chance.sample(records, len(records))


def with_pair(chance, records):
    """A length of a pair that lies."""
    lengths = struct.pack(">II", *(chance.getrandbits(32) | 0x80000000 for _ in range(2)))
    return records[:1] + [fcgi.record(fcgi.PARAMS, lengths + chance.randbytes(20))] + records[1:]


MUTATIONS = {
    "version": with_byte(0, None), "type": with_byte(1, None), "request id, high byte": with_byte(2, None),
    "request id, low byte": with_byte(3, None), "length, high byte": with_byte(4, None),
    "length, low byte": with_byte(5, None), "padding": with_byte(6, None), "reserved byte": with_byte(7, None),
    "no request id": with_byte(3, 0), "flipped bits": edited(flipped),
    "cut off": edited(lambda chance, data: bytes(data[:chance.randrange(len(data))])),
    "cut out": edited(lambda chance, data: bytes(data[:chance.randrange(len(data))] + data[chance.randrange(len(data)):])),
    "noise behind": edited(lambda chance, data: bytes(data) + chance.randbytes(300)),
    "noise in front": edited(lambda chance, data: chance.randbytes(chance.randrange(1, 20)) + bytes(data)),
    "a record left out": left_out, "a record twice": twice, "records in another order": shuffled,
    "an abort": put_in(fcgi.ABORT_REQUEST), "another beginning": put_in(fcgi.BEGIN_REQUEST, b"\0\1\1" + bytes(5)),
    "a question for values": put_in(fcgi.GET_VALUES, b"\xff\xff\xff\xff" * 2, 0),
    "a record of data": put_in(fcgi.DATA, bytes(1000)), "a pair that lies": with_pair,
}


def mutated_fastcgi(out, bench):
    chance = random.Random(SEED)
    whole = fcgi.request_bytes(fcgi.parameters(body=b"{}"), b"{}", flags=fcgi.KEEP_CONN)
    with faults.Serving(bench) as serving:
        serving.is_well()
        for what, mutate in MUTATIONS.items():
            with out.check(f"FastCGI with {what}: the connection ends, and others are answered"):
                for _ in range(VARIANTS):
                    with fcgi.Connection(serving.listener.address) as connection:
                        connection.send(b"".join(mutate(chance, records_of(whole))))
                        with contextlib.suppress(OSError):
                            connection.sock.shutdown(1)
                        assert connection.closed_by_peer(), "it is still open"
                serving.is_well()
                assert serving.listener.process.poll() is None, "the responder has ended"
        with out.check(f"after {len(MUTATIONS)} kinds of mutations nothing is left"):
            serving.remember()
            serving.as_before()


# --- a program with a capability --------------------------------------------------------------------------

def may_have_capabilities(program):
    """Give it CAP_SYS_PTRACE, as setcap(8) does, where files can have that."""
    data = struct.pack("<IIIII", 0x02000001, 1 << CAP_SYS_PTRACE, 0, 0, 0)
    try:
        os.setxattr(program, "security.capability", data)
    except OSError:
        return False
    return os.geteuid() == 0


def hostile_library(work):
    """A library that leaves a file where it is loaded."""
    source, library, mark = work.join("evil.c"), work.join("evil.so"), work.join("loaded")
    with open(source, "w", encoding="ascii") as code:
        code.write('#include <fcntl.h>\n__attribute__((constructor)) static void evil(void)\n{\n'
                   f'\topen("{mark}", O_CREAT | O_WRONLY, 0666);\n}}\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    return library, mark


def hostile_tool(work):
    """Somebody's own covdata, which says what it may."""
    path = work.join("covdata")
    with open(path, "w", encoding="ascii") as script:
        script.write("#!/bin/sh\nwhile read -r name value; do case $name in Cap*) said=\"$said $name$value\" ;; esac; done "
                     "</proc/$$/status\necho \"$said preload=$LD_PRELOAD debug=$GODEBUG.\" >&2\nexit 1\n")
    os.chmod(path, 0o755)
    return path


def with_capability(out, bench, directory):
    program = os.path.join(bench.work.mkdir("capable"), "goverage.cgi")
    shutil.copy(bench.work.program, program)
    os.chmod(program, 0o755)
    if not may_have_capabilities(program):
        out.diag("files can't have capabilities here: the program with one is not tried")
        return
    os.chmod(bench.work.path, 0o777)
    library, mark = hostile_library(bench.work)
    tool = hostile_tool(bench.work)
    hostile = {"LD_PRELOAD": library, "LD_LIBRARY_PATH": bench.work.path, "LD_AUDIT": library, "GCONV_PATH": "/nowhere",
               "MALLOC_TRACE": mark, "PATH": bench.work.path, "TMPDIR": bench.work.path, "GOCOVERDIR": directory,
               "GOVERAGE_COVDATA": tool, "GOVERAGE_ENGINE": "covdata", "GOVERAGE_LIVE": "off", "GODEBUG": "x" * 5000}

    def as_nobody(settings):
        # the environment is the program's alone, which is started by programs without a capability
        words = [f"{name}={value}" for name, value in cgi_client.environment(settings).items()]
        return cgi_client.run(shutil.which("setpriv"), {"PATH": "/usr/bin:/bin"}, argv=(
            f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/usr/bin/env", "-i", *words, program))

    with out.check("a program with CAP_SYS_PTRACE, another user and a hostile environment: nothing is loaded, and what it "
                   "runs has no capability"):
        answer = as_nobody(hostile)
        tap.equal(answer.status, 500, "status with a covdata that fails")
        assert not os.path.exists(mark), "the library was loaded"
        said = answer.body.decode()
        for name in ("CapPrm", "CapEff", "CapAmb"):
            tap.contains(said, f"{name}:{0:016x}", "what covdata may")
        tap.contains(said, "preload= debug=.", "its environment")
    with out.check("the same, engine builtin: the profile is right"):
        check_profile(as_nobody(dict(hostile, GOVERAGE_ENGINE="builtin")), bench.profile)
        assert not os.path.exists(mark), "the library was loaded"


def main():
    processes.alarm(600)
    processes.adopt_orphans()
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": work.install(covdata),
               "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin"}
        bench = faults.Bench(work, env, profile)
        rewritten_files(out, bench, os.path.realpath(scenes.path))
        rewritten_memory(out, bench)
        mutated_fastcgi(out, bench)
        with_capability(out, bench, scenes.path)
        with out.check("no process and no private directory is left"):
            processes.no_children_left()
    return out.done()


sys.exit(main())
