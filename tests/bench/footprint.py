"""What it takes to have the program there at all: its size, how soon it answers, and what is resident; beside the
smallest program in Go that answers HTTP, which is what a service has to carry that serves its coverage itself."""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "minimal"))

import empty_root  # noqa: E402
import fastcgi_client  # noqa: E402
import go_fixture  # noqa: E402
import processes  # noqa: E402
import tree  # noqa: E402
from measure import Process, several, take_turns  # noqa: E402

PROFILE = "/v1/cover/profile"
STARTS = 40  # of which the median is one round
OTHER = "Go, net/http alone"
FIGURES = ("Rss", "Pss", "private")

GO_PROGRAM = """package main

import (
	"net"
	"net/http"
	"os"
)

func main() {
	if os.Args[1] == "--version" {
		os.Stdout.WriteString("minimal\\n")
		return
	}
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	http.Serve(listener, http.NotFoundHandler())
}
"""


def go_program(work):
    source = work.mkdir("minimal")
    for name, text in (("main.go", GO_PROGRAM), ("go.mod", "module example.com/minimal\n\ngo 1.20\n")):
        with open(os.path.join(source, name), "w") as out:
            out.write(text)
    program = os.path.join(source, "minimal")
    subprocess.run([go_fixture.go(), "build", "-ldflags=-s -w", "-o", program, "."], cwd=source,
                   env=go_fixture.go_environment(), check=True)
    return program


class Contestant:
    """A program that listens on a unix socket."""

    def __init__(self, work, name, program, arguments, requests):
        self.name, self.program = name, program
        self.socket = work.join(f"{program.rsplit('/', 1)[1]}.sock")
        self.arguments = [word.replace("SOCKET", self.socket) for word in arguments]
        self.first, self.poll = requests
        self.env = {"GOCOVERDIR": work.join("coverage"), "GOVERAGE_ENGINE": "builtin"}

    def start(self):
        with open(os.devnull, "wb") as null:
            return processes.start([self.program, *self.arguments], env=self.env, stdin=null, stdout=null,
                                   stderr=null)

    def exchange(self, data):
        """A request and its whole answer; tried again and again until somebody listens."""
        while True:
            with socket.socket(socket.AF_UNIX) as sock:
                try:
                    sock.connect(self.socket)
                except OSError:
                    time.sleep(0.0001)
                    continue
                sock.sendall(data)
                answer = b""
                while part := sock.recv(1 << 16):
                    answer += part
                return answer

    def end(self, process):
        process.kill()
        process.wait()
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def seconds_to_answer(self):
        begin = time.perf_counter()
        process = self.start()
        self.exchange(self.first)
        seconds = time.perf_counter() - begin
        self.end(process)
        return seconds

    def resident(self):
        """({figure: KiB} idle, the same after a poll)."""
        process = self.start()
        self.exchange(self.first)
        time.sleep(0.1)
        idle = resident_kib(process.pid)
        answer = self.exchange(self.poll)
        assert b"mode: atomic" in answer or self.poll == self.first, f"{self.name}: {answer[:400]}"
        polled = resident_kib(process.pid)
        self.end(process)
        return idle, polled


def resident_kib(pid):
    sums = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file.readlines()[1:]:
            name, value = line.split(":")
            sums[name] = int(value.split()[0])
    return {"Rss": sums["Rss"], "Pss": sums["Pss"], "private": sums["Private_Clean"] + sums["Private_Dirty"]}


def stripped(work, program, name):
    copy = work.join(name)
    shutil.copy(program, copy)
    subprocess.run(["strip", copy], check=True)
    return copy


def shared_libraries(program):
    """The bytes of what the loader brings along."""
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    paths = [word for line in said.splitlines() for word in line.split() if word.startswith("/")]
    return sum(os.path.getsize(path) for path in paths)


def contestants(work):
    def fastcgi(path):
        return fastcgi_client.request_bytes(fastcgi_client.parameters("GET", path))

    http = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    ours = (fastcgi("/v1/cover/nowhere"), fastcgi(PROFILE))
    listen = ["--listen", "unix:SOCKET"]
    yield Contestant(work, "shared libraries", stripped(work, tree.program(), "shared"), listen, ours)
    for libc in ("glibc", "musl"):
        program = stripped(work, empty_root.static_program(libc), libc)
        yield Contestant(work, f"static, {libc}", program, listen, ours)
    yield Contestant(work, OTHER, go_program(work), ["SOCKET"], (http, http))


def row(what, unit, values, digits=2):
    """values: (figure, the other's figure) by name."""
    other = values[OTHER]
    print(f"  {what + ', ' + unit:<32}" + "".join(
        f"{value:>10.{digits}f} {f'({value / other:.3f})' if name != OTHER else '':<8}" for name, value in
        values.items()), flush=True)


def run(work):
    go_fixture.run(go_fixture.build("shop", "atomic"), work.mkdir("coverage"))
    all_of_them = list(contestants(work))
    process = Process(work)
    print("footprint: the ratio to the last column in brackets\n  " + " " * 32 + "".join(
        f"{c.name:<19}" for c in all_of_them))
    row("size, stripped", "MiB", {c.name: os.path.getsize(c.program) / (1 << 20) for c in all_of_them})
    versions = take_turns({c.name: lambda c=c: several(
        lambda: process.run(c.name, [c.program, "--version"], work.join("said")), STARTS) for c in all_of_them})
    row("--version", "ms", {c.name: versions.median(c.name) * 1e3 for c in all_of_them})
    answers = take_turns({c.name: lambda c=c: several(c.seconds_to_answer, STARTS) for c in all_of_them})
    row("exec to the first answer", "ms", {c.name: answers.median(c.name) * 1e3 for c in all_of_them})
    memory = {c.name: [c.resident() for _ in range(5)] for c in all_of_them}
    for number, moment in enumerate(("idle", "after a poll")):
        for figure in FIGURES:
            row(f"{moment}: {figure}", "MiB", {name: statistics.median(
                sample[number][figure] for sample in samples) / 1024 for name, samples in memory.items()})
    shared = all_of_them[0].program
    print(f"  the shared libraries are {shared_libraries(shared) / (1 << 20):.2f} MiB more", flush=True)
