"""Go services that run while they are read from outside, and live_snapshot, which reads them."""

import errno
import functools
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import go_fixture
import processes
import tree
import uuid

SOURCE = os.path.join(tree.SOURCE, "tests", "live", "services")

# Flags of `go build`, and whether cgo is needed.  Every variant is read without its symbol table.
VARIANTS = {
    "plain": ([], False),
    "stripped": (["-ldflags=-s -w"], False),
    "pie": (["-buildmode=pie"], False),
    "pie-stripped": (["-buildmode=pie", "-ldflags=-s -w"], False),
    "external": (["-tags=withcgo", "-ldflags=-linkmode=external"], True),
    "external-pie-stripped": (["-tags=withcgo", "-buildmode=pie", "-trimpath",
                               "-ldflags=-linkmode=external -s -w"], True),
    "coverpkg-all": (["-coverpkg=all"], False),
    "coverpkg-all-stripped": (["-coverpkg=all", "-buildmode=pie", "-ldflags=-s -w"], False),
    "main-not-covered": (["-coverpkg=example.com/service/work"], False),
    "no-sections": ([], False),
    "386": ([], False),
    "arm64": (["-ldflags=-s -w"], False),
    "many": (["-ldflags=-s -w"], False),  # with the functions of many_functions()
    "c-shared": (["-buildmode=c-shared"], True),
    "c-shared-stripped": (["-buildmode=c-shared", "-ldflags=-s -w"], True),
    "plugin-host": ([], True),
    "plugin": (["-buildmode=plugin"], True),
    "test": (["-coverpkg=./..."], False),  # a test binary: go test -c
}
PACKAGES = {"c-shared": "./library", "c-shared-stripped": "./library", "plugin-host": "./pluginhost",
            "plugin": "./plugin", "test": "./suite"}


def driver():
    path = os.environ.get("GOVERAGE_LIVE_SNAPSHOT") or os.path.join(tree.BUILD, "tests", "live",
                                                                    "live_snapshot")
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is no program: build it first, or name it in GOVERAGE_LIVE_SNAPSHOT")
    return path


def remove_section_headers(path):
    """What sstrip(1) does: a program runs without them."""
    with open(path, "r+b") as program:
        program.seek(0x28)
        program.write(struct.pack("<Q", 0))  # e_shoff
        program.seek(0x3c)
        program.write(struct.pack("<HH", 0, 0))  # e_shnum, e_shstrndx


@functools.lru_cache(None)
def source_digest():
    """What is built is kept for as long as its sources stay the same."""
    digest = hashlib.sha256()
    for directory, folders, files in os.walk(SOURCE):
        folders.sort()
        for name in sorted(files):
            with open(os.path.join(directory, name), "rb") as source:
                digest.update(name.encode() + b"\0" + source.read() + b"\0")
    return digest.hexdigest()[:8]


def many_functions():
    """The text of a Go file with 8,000 functions of one to six blocks."""
    lines = ["package main", "", "func init() {", "\tfunctions = []func(int) int{"]
    bodies = []
    for i in range(8000):
        lines.append(f"\t\tf{i},")
        blocks = "".join(f"\tif n > {k} {{\n\t\tn--\n\t}}\n" for k in range(i % 6))
        bodies.append(f"func f{i}(n int) int {{\n{blocks}\treturn n\n}}\n")
    return "\n".join([*lines, "\t}", "}", "", *bodies])


def source_of(variant, directory):
    """Where the sources of a variant are."""
    if variant != "many":
        return SOURCE
    copy = os.path.join(directory, "src")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(SOURCE, copy)
    with open(os.path.join(copy, "many_functions.go"), "w") as out:
        out.write(many_functions())
    return copy


def build(variant, mode, release, name="service", cover=True):
    """The path of a program that is built so, and kept for all tests."""
    command = go_fixture.go(release)
    directory = os.path.join(go_fixture.CACHE, f"live-{source_digest()}-{variant}-{mode}-{release}"
                             f"{'' if cover else '-bare'}")
    program = os.path.join(directory, name)
    with go_fixture.locked(directory):
        if not os.path.exists(program):
            _build_at(program, command, variant, mode, cover)
    return program


def _build_at(program, command, variant, mode, cover):
    directory = os.path.dirname(program)
    flags, cgo = VARIANTS[variant]
    environment = dict(go_fixture.go_environment(), CGO_ENABLED="1" if cgo else "0",
                       GOFLAGS="-mod=mod -buildvcs=false", **({"GOARCH": variant} if variant in ("386", "arm64") else {}))
    covered = ["-cover", f"-covermode={mode}"] if cover else []
    if cover and not any(flag.startswith("-coverpkg") for flag in flags):
        covered.append("-coverpkg=./...")
    new = f"{program}.{uuid.uuid4().hex}"
    verb = ["test", "-c"] if variant == "test" else ["build"]
    subprocess.run([command, *verb, *covered, *flags, "-o", new, PACKAGES.get(variant, ".")],
                   cwd=source_of(variant, directory), env=environment, check=True, timeout=900)
    if variant == "no-sections":
        remove_section_headers(new)
    os.rename(new, program)


def _build_c(name, *libraries):
    program = os.path.join(go_fixture.CACHE, "live-" + name.replace("_", "-"))
    if not os.path.exists(program):
        new = f"{program}.{uuid.uuid4().hex}"
        subprocess.run([os.environ.get("CC") or "cc", "-O1", "-o", new,
                        os.path.join(tree.SOURCE, "tests", "live", "host", f"{name}.c"), *libraries],
                       check=True, timeout=60)
        os.chmod(new, 0o755)
        os.rename(new, program)
    return program


def build_c_host():
    """A C program that loads the library which it is given."""
    return _build_c("c_host", "-ldl")


def build_env_twice():
    """A program that starts another one with a variable given twice, which env(1) can't do."""
    return _build_c("env_twice")


def build_named():
    """A program that starts another one under any name: NAME PROGRAM ARGUMENT..."""
    return _build_c("named")


def disguised(program):
    """How to start a process that has this executable and does not run it: for live.Service."""
    library = _build_c("disguise", "-shared", "-fPIC", "-Wl,-z,now")
    return {"program": "/bin/true", "env": {"LD_PRELOAD": library, "DISGUISE": program}}


def can_run(program):
    """Does the kernel take the executable?  The process ends at once."""
    try:
        subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={}, check=False, timeout=60)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        return False
    return True


# Puts a program into a pid namespace of its own, where it has pid 1, as in a container.
IN_NAMESPACE = ["/usr/bin/unshare", "--pid", "--fork", "--kill-child"]


def can_make_namespaces():
    done = subprocess.run([*IN_NAMESPACE, "/bin/true"], stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


class WorkDirectory:
    """A private directory that every user may enter; removed at the end."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="goverage-test-", dir="/tmp")
        os.chmod(self.path, 0o755)

    def join(self, name):
        return os.path.join(self.path, name)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.path, ignore_errors=True)


class Service:
    """A running service; each command is answered when it has been executed."""

    def __init__(self, program, gocoverdir, *arguments, prefix=(), env=None, cwd=None):
        environment = {"PATH": "/usr/bin:/bin", **(env or {})}
        if gocoverdir is not None:
            environment["GOCOVERDIR"] = gocoverdir
        self.process = processes.start([*prefix, program, *arguments], env=environment, cwd=cwd,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.pid = self.process.pid
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        assert line == word, f"the service said {line!r}, not {word!r}"

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.expect("done")

    def end(self):
        """Let it return from main: it writes its counter file."""
        if self.process.poll() is None:
            self.process.stdin.close()
        status = self.process.wait(processes.PATIENCE)
        self.process.stdout.close()
        return status

    def kill(self):
        self.process.kill()
        self.end()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.end()


class Answer:
    """What live_snapshot said."""

    def __init__(self, text):
        self.text = text
        self.processes, self.files, self.counts = [], [], {}
        for line in text.splitlines():
            if line.startswith("state="):
                self.processes.append(dict(field.split("=", 1) for field in line.split("\t")))
            elif line.startswith("file "):
                self.files.append(line[5:])
            elif line.startswith("read="):
                self.counts = {key: int(value) for key, value in
                               (field.split("=") for field in line.split())}

    def of(self, pid):
        found = [process for process in self.processes if int(process["pid"]) == pid]
        assert len(found) == 1, f"{len(found)} lines about process {pid}: {self.text}"
        return found[0]


def read(directories, out=None, services=(), extra=(), prefix=()):
    """One poll: an Answer."""
    command = [*prefix, driver(), *extra]
    if out:
        os.makedirs(out, exist_ok=True)
        command += ["-o", out]
    for name in services:
        command += ["-s", name]
    done = subprocess.run([*command, *directories], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0 and not done.stderr, f"{done.returncode} {done.stdout} {done.stderr}"
    return Answer(done.stdout)


def fresh(work, name):
    """An empty directory in which everybody may write."""
    path = work.join(name)
    shutil.rmtree(path, ignore_errors=True)
    os.mkdir(path)
    os.chmod(path, 0o777)
    return path


def counters(directory):
    """The one counter file of a directory, decoded: (entries in order, arguments)."""
    names = go_fixture.files(directory, "covcounters")
    assert len(names) == 1, f"{directory} has {names}"
    return decode(os.path.join(directory, names[0]))


def decode(path):
    with open(path, "rb") as source:
        data = source.read()
    assert data[:8] == b"\0cwm\1\0\0\0" and data[-16:-12] == b"\0cwm", "magic numbers"
    at = 32
    count, strings_len, args_len = struct.unpack_from("<QII", data, at)
    strings, _ = _strings(data, at + 16)
    args_at = at + 16 + strings_len
    assert (args_at + args_len) % 4 == 0, "padding"
    pairs, place = _uleb(data, args_at)
    args = {}
    for _ in range(pairs):
        key, place = _uleb(data, place)
        value, place = _uleb(data, place)
        args[strings[key]] = strings[value]
    place = args_at + args_len
    entries = []
    for _ in range(count):
        number, place = _uleb(data, place)
        package, place = _uleb(data, place)
        function, place = _uleb(data, place)
        values = []
        for _ in range(number):
            value, place = _uleb(data, place)
            values.append(value)
        entries.append((package, function, tuple(values)))
    assert place == len(data) - 16, "entries"
    return entries, args


def _uleb(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _strings(data, at):
    count, at = _uleb(data, at)
    strings = []
    for _ in range(count):
        length, at = _uleb(data, at)
        strings.append(data[at:at + length])
        at += length
    return strings, at


def contained(small, big):
    """Is every counter of the one at most as large as in the other?"""
    others = {(package, function): values for package, function, values in big}
    return all(all(a <= b for a, b in zip(values, others.get((package, function), ())))
               and len(others.get((package, function), ())) == len(values)
               for package, function, values in small)


def profile(*directories):
    """What covdata makes of the directories."""
    return go_fixture.textfmt(",".join(directories)).decode()


def lines_of(text, package):
    return [line for line in text.splitlines() if line.startswith(package + "/")]
