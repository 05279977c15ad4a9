"""Running services: what it costs to find them, to read them, and what they feel of it."""

import contextlib
import http.client
import os
import shutil
import signal
import statistics
import subprocess
import time

import go_fixture
import http_service
import processes
from measure import ROUNDS, Times, fastcgi_seconds, several, take_turns

MODE = "count"
BLOCKS = 128  # conditions in each function, with two counters each
SIZES = (("256 KiB", 250), ("4 MiB", 4000))  # functions, of 1,028 bytes of counters each
CROWD = 1000
MANY_FILES = 5000
REQUESTS = 1000  # to a service, in one round
NOTHING_TO_SEND = b'{"coverFile":["/no/such/file$"]}'

MAIN = """package main

import (
	"bufio"
	"fmt"
	"os"
)

var functions []func(int) int

func main() {
	for _, f := range functions {
		f(1000)
	}
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		functions[0](1000)
		fmt.Println("done")
	}
}
"""


def write_functions(path, first, count):
    """A Go file with so many functions, all of which main calls."""
    names = range(first, first + count)
    body = "".join(f"\tif n > {k} {{\n\t\tn--\n\t}}\n" for k in range(BLOCKS)) + "\treturn n\n"
    with open(path, "w") as out:
        out.write("package main\n\nfunc init() {\n\tfunctions = append(functions")
        out.write("".join(f", f{n}" for n in names) + ")\n}\n")
        out.writelines(f"\nfunc f{n}(n int) int {{\n{body}}}\n" for n in names)


def big_program(functions):
    """The path of a service with that many functions; the biggest one takes a minute or two to build."""
    directory = os.path.join(go_fixture.CACHE, f"bench-{MODE}-{functions}")
    program = os.path.join(directory, "big")
    if os.path.exists(program):
        return program
    command = go_fixture.go()
    source = os.path.join(directory, "src")
    os.makedirs(source, exist_ok=True)
    for name, text in (("go.mod", "module example.com/big\n\ngo 1.20\n"), ("main.go", MAIN)):
        with open(os.path.join(source, name), "w") as out:
            out.write(text)
    for first in range(0, functions, 250):
        write_functions(os.path.join(source, f"functions{first}.go"), first, 250)
    # not optimised: it is built sooner, and counts the same
    subprocess.run([command, "build", "-cover", f"-covermode={MODE}", "-gcflags=-N -l", "-o", program + ".new",
                    "."], cwd=source, env=go_fixture.go_environment(), check=True)
    os.rename(program + ".new", program)
    return program


class BigService:
    """It runs one of its functions when it is told to."""

    def __init__(self, program, gocoverdir):
        self.process = processes.start([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       env={"GOCOVERDIR": gocoverdir})
        self.process.stdout.readline()

    def move(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def listening(work, directory, live="auto", program=None):
    settings = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": directory, "GOVERAGE_LIVE": live,
                "GOVERAGE_ENGINE": "builtin", "GOVERAGE_TIMEOUT": "300"}
    name = f"{os.path.basename(directory)}-{live}-{os.path.basename(program or '')}"
    return processes.Listener(program or work.program, settings, work.join(name), work.join("log"))


def list_seconds(listener):
    """The list of processes takes finding and reading them, and nothing else."""
    return several(lambda: fastcgi_seconds(listener.address, method="GET", path="/v1/cover/list"), 9)


def poll_seconds(listener, body=b""):
    return several(lambda: fastcgi_seconds(listener.address, 30, body=body), 5)


def reading(work):
    nobody = work.mkdir("nobody")
    for size, functions in SIZES:
        directory = work.mkdir(f"big-{functions}")
        with BigService(big_program(functions), directory) as service, \
                listening(work, directory) as live, listening(work, directory, "off") as off, \
                listening(work, nobody) as empty:

            def moving(body=b"", service=service, live=live):
                service.move()
                return fastcgi_seconds(live.address, 30, body=body)

            times = take_turns({
                "discovery": lambda: list_seconds(empty),
                "list": lambda: list_seconds(live),
                "poll": lambda: several(moving, 3),
                "short": lambda: several(lambda: moving(NOTHING_TO_SEND), 3),
                "rest": lambda: poll_seconds(live),
                "rest, short": lambda: poll_seconds(live, NOTHING_TO_SEND),
                "off": lambda: poll_seconds(off),
                "off, short": lambda: poll_seconds(off, NOTHING_TO_SEND)})
        report_reading(size, times)


def report_reading(size, times):
    print(f"  a service with {size} of counters:")
    times.row("poll after a function of it ran", "poll",
              f"beyond GOVERAGE_LIVE=off: {1e3 * beyond(times, 'poll', 'off'):.2f} ms")
    times.row("the same, all files filtered out", "short")
    times.row("poll while it rests", "rest", f"{times.ratio('rest', 'off'):.2f} x GOVERAGE_LIVE=off")
    times.row("the same, all files filtered out", "rest, short",
              f"beyond GOVERAGE_LIVE=off: {1e3 * beyond(times, 'rest, short', 'off, short'):.2f} ms")
    times.row("poll with GOVERAGE_LIVE=off", "off")
    times.row("finding and reading it (list)", "list")
    times.row("finding alone (list, nobody there)", "discovery")
    print(f"    reading: {1e3 * beyond(times, 'list', 'discovery'):.2f} ms, "
          f"{times.share_of_difference('list', 'discovery', 'poll'):.4f} of a poll", flush=True)


def beyond(times, name, other):
    return statistics.median(a - b for a, b in zip(times.rounds[name], times.rounds[other]))


@contextlib.contextmanager
def crowd():
    """So many processes that have nothing to do with coverage."""
    shell = subprocess.Popen(["/bin/sh", "-c", f"i=0; while [ $i -lt {CROWD} ]; do sleep 600 & i=$((i + 1)); "
                              "done; echo all; wait"], stdout=subprocess.PIPE, start_new_session=True)
    try:
        shell.stdout.readline()
        yield
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
        shell.stdout.close()


def as_stranger(work):
    """The program as a user who may look into no process of anybody else."""
    os.chmod(work.path, 0o777)
    path = work.join("stranger")
    with open(path, "w") as out:
        out.write("#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups "
                  f"'{work.program}' \"$@\"\n")
    os.chmod(path, 0o755)
    return path


def discovery(work):
    directory = work.mkdir("crowd")
    with BigService(big_program(SIZES[0][1]), directory), listening(work, directory) as live, \
            listening(work, directory, program=as_stranger(work)) as stranger:
        turns = {"list": lambda: list_seconds(live), "poll": lambda: poll_seconds(live)}
        if os.geteuid() == 0:
            turns["stranger"] = lambda: list_seconds(stranger)
        before = take_turns(turns)
        present = sum(name.isdigit() for name in os.listdir("/proc"))
        with crowd():
            among = take_turns(turns)
    print(f"  {CROWD} processes more than the {present} that are there:")
    before.row("finding and reading a service without them", "list")
    among.row("finding and reading it among them", "list")
    if "stranger" in turns:
        among.row("the same by a user who may read none of them", "stranger",
                  f"{before.median('stranger') * 1e3:.2f} ms without them")
    extra = among.median("list") - before.median("list")
    print(f"    finding: {1e3 * extra:.2f} ms for {CROWD} processes, {extra / among.median('poll'):.3f} of a "
          "poll", flush=True)


def many_files(work):
    """Nobody runs; who does not run as root must find out whether that is so."""
    directory = work.mkdir("many-files")
    go_fixture.run(go_fixture.build("shop", MODE), directory)
    name = next(name for name in go_fixture.files(directory, "covcounters"))
    kind, tag, _, when = name.split(".")
    for number in range(MANY_FILES):
        shutil.copyfile(os.path.join(directory, name),
                        os.path.join(directory, f"{kind}.{tag}.{number + 1}.{int(when) + 1}"))
    program = as_stranger(work) if os.geteuid() == 0 else None
    with listening(work, directory, program=program) as live, listening(work, directory, "off") as off:
        times = take_turns({"off": lambda: poll_seconds(off), "live": lambda: poll_seconds(live)})
        time.sleep(2.5)  # until then the directory may have changed within a tick of its clock
        later = take_turns({"off": lambda: poll_seconds(off), "live": lambda: poll_seconds(live)})
    print(f"  {MANY_FILES} counter files, by a user who may read no process of others:")
    times.row("poll just after they were written", "live", f"{times.ratio('live', 'off'):.2f} x GOVERAGE_LIVE=off")
    later.row("poll later", "live", f"{later.ratio('live', 'off'):.2f} x GOVERAGE_LIVE=off")


# --- what the service feels --------------------------------------------------------------------------

@contextlib.contextmanager
def polling(listener, pause):
    """Somebody polls from another process; pause: seconds between two polls, None = nobody does."""
    child = os.fork() if pause is not None else None
    if child == 0:
        while True:
            fastcgi_seconds(listener.address)
            time.sleep(pause)
    try:
        yield
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def latencies(service):
    """Seconds of each request, on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port)
    taken = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        http_service.ask(connection, "/primes?below=2000")
        taken.append(time.perf_counter() - start)
    connection.close()
    return sorted(taken)


def latency(work):
    directory = work.mkdir("latency")
    middle, late = Times(), Times()
    cases = {"nobody polls": None, "10 polls a second": 0.1, "one poll after the other": 0}
    program = http_service.build("shopfront", "atomic", go_fixture.RELEASE)
    with http_service.Service(program, directory) as service, listening(work, directory) as listener:
        for number in range(ROUNDS + 1):
            for name, pause in cases.items():
                with polling(listener, pause):
                    taken = latencies(service)
                if number:
                    middle.add(name, taken[len(taken) // 2])
                    late.add(name, taken[len(taken) * 99 // 100])
    print(f"  {REQUESTS} requests to a service, atomic mode:")
    for name in cases:
        middle.row(f"median, {name}", name, f"{middle.ratio(name, 'nobody polls'):.3f} x")
        late.row("  one in a hundred takes longer than", name, f"{late.ratio(name, 'nobody polls'):.3f} x")


def run(work):
    print(f"live: running services, mode {MODE}, {ROUNDS} rounds", flush=True)
    reading(work)
    discovery(work)
    many_files(work)
    latency(work)
