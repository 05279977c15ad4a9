"""Taking times by turns: whoever is compared runs in the same rounds, and each ratio is the median of the ratios
of its rounds, so that a machine that slows down slows both."""

import os
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fastcgi_client  # noqa: E402
import http_client  # noqa: E402
import tree  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 5)
MIB = 1 << 20


def build_c(work, name):
    """The path of a C program of this directory."""
    program = work.join(name)
    if not os.path.exists(program):
        source = os.path.join(tree.SOURCE, "tests", "bench", f"{name}.c")
        subprocess.run([os.environ.get("CC") or "cc", "-O2", "-o", program, source], check=True)
    return program


class Times:
    """Seconds by name, round by round."""

    def __init__(self):
        self.rounds = {}

    def add(self, name, seconds):
        self.rounds.setdefault(name, []).append(seconds)

    def median(self, name):
        return statistics.median(self.rounds[name])

    def ratio(self, name, other):
        return statistics.median(a / b for a, b in zip(self.rounds[name], self.rounds[other]))

    def share_of_difference(self, name, without, whole):
        """What `name` costs beyond `without`, as a share of `whole`."""
        return statistics.median((a - b) / c for a, b, c in zip(
            self.rounds[name], self.rounds[without], self.rounds[whole]))

    def row(self, what, name, *notes):
        print(f"  {what:<44}{self.median(name) * 1e3:10.2f} ms   {'; '.join(notes)}", flush=True)


def take_turns(contestants, rounds=ROUNDS):
    """contestants: {name: call that gives seconds}; one round more than asked for, to warm up."""
    times = Times()
    for number in range(rounds + 1):
        for name, call in contestants.items():
            seconds = call()
            if number:
                times.add(name, seconds)
    return times


def several(call, repetitions):
    """The median of a few calls, for what takes but a moment."""
    return statistics.median(call() for _ in range(repetitions))


class Process:
    """Runs programs to their end; their wall time, and their peak resident memory by the last run."""

    def __init__(self, work):
        self.runner = build_c(work, "run")
        self.peak = {}

    def run(self, name, arguments, output, env=None):
        """The seconds from start to end, with standard output in a file."""
        done = subprocess.run([self.runner, output, *arguments], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        seconds, kib = done.stdout.split()
        self.peak[name] = int(kib) * 1024
        return float(seconds)


def peak_resident(pid):
    """Of a running process, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


# --- requests whose answers are dropped, so that nothing but the other side is measured --------------

_room = bytearray(1 << 20)


def _drain(sock):
    size = 0
    while got := sock.recv_into(_room):
        size += got
    return size


def _timed_exchange(connect, data, least):
    start = time.perf_counter()
    with connect() as sock:
        sock.sendall(data)
        size = _drain(sock)
    seconds = time.perf_counter() - start
    assert size >= least, f"an answer of {size} bytes"
    return seconds


def http_seconds(port, method, target, least=0, headers=()):
    body = b"" if method == "POST" else None
    data = http_client.request_bytes(method, target, headers, body)
    return _timed_exchange(lambda: http_client.connect(port), data, least)


def fastcgi_seconds(address, least=0, **request):
    """One connection, as a web server that keeps none."""
    body = request.pop("body", b"")
    data = fastcgi_client.request_bytes(fastcgi_client.parameters(body=body, **request), body)

    def connect():
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(address)
        return sock

    return _timed_exchange(connect, data, least)
