#!/usr/bin/python3
"""The static programs, with musl and with glibc, each in root directories that hold nothing but the program (and
covdata), /proc and the volume of the coverage files."""

import contextlib
import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import empty_root

# pylint: disable=wrong-import-order
import cgi_client
import fastcgi_client
import go_fixture
import http_service
import processes
import tap
import tree
import web_server
from answer import check_error, check_profile

LIBCS = ("musl", "glibc")
ELF_DYN, PT_INTERP = 3, 3
SERVICE = "shopfront"


def elf(path):
    """(type, kinds of program headers) of a 64-bit ELF file."""
    with open(path, "rb") as file:
        data = file.read()

    def number(at, size):
        return int.from_bytes(data[at:at + size], sys.byteorder)

    start, size, count = number(32, 8), number(54, 2), number(56, 2)
    return number(16, 2), {number(start + i * size, 4) for i in range(count)}


class Variant:
    """One program in one kind of root: with covdata beside it; or without, and then nothing in it can be written."""

    def __init__(self, work, program, covdata, flags=("--no-network",)):
        if not covdata:
            flags = ("--read-only", *flags)
        self.root = empty_root.EmptyRoot(work, program, covdata, flags)
        self.engine = "covdata" if covdata else "builtin"
        self.work = work
        # nothing of the machine's is there, whatever the names say
        self.env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": self.root.mkdir("coverage")}

    def fill(self):
        """Files of a program that has ended; the profile of them."""
        directory = self.env["GOCOVERDIR"]
        go_fixture.run(go_fixture.build("shop", "atomic"), directory)
        return go_fixture.textfmt(directory)

    def check(self, answer, whole):
        check_profile(answer, whole)
        tap.equal(answer.header("goverage-engine"), self.engine, "Goverage-Engine")

    def check_root(self, pid):
        """Nothing is left behind there between two requests."""
        tap.equal(set(os.listdir(f"/proc/{pid}/root")), self.root.names, "what is in the root directory")

    def run(self, *argv, env=None):
        return subprocess.run([self.root.program, *argv], env=env if env is not None else self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=processes.PATIENCE, check=False)

    def listen(self, address, extra=()):
        return processes.Listener(self.root.program, self.env, address, self.work.join("log"), extra)


def what_it_is(out, libc, program):
    with out.check(f"{libc}: one static, position-independent executable"):
        kind, headers = elf(program)
        tap.equal(kind, ELF_DYN, "the ELF type")
        assert PT_INTERP not in headers, "it wants a dynamic linker"
        out.diag(f"{libc}: {os.path.getsize(program)} bytes")


def commands(out, name, variant):
    with out.check(f"{name}: --version"):
        done = variant.run("--version", env={})
        tap.equal((done.returncode, done.stderr), (0, ""), "exit status and stderr")
        tap.contains(done.stdout, "goverage-fcgi ", "what it says")
    with out.check(f"{name}: --check"):
        done = variant.run("--check")
        tap.equal(done.returncode, 0, f"exit status ({done.stdout}{done.stderr})")
        tap.contains(done.stdout, "GOCOVERDIR /volume/coverage is readable", "what it says")
        for words in ("private directories can be made", "covdata textfmt gives") \
                if variant.engine == "covdata" else ("the built-in reader answers without covdata",):
            tap.contains(done.stdout, words, "what it says")
    with out.check(f"{name}: --check without GOCOVERDIR"):
        done = variant.run("--check", env={"PATH": "/usr/bin"})
        tap.equal(done.returncode, 1, "exit status")
        tap.contains(done.stdout, "GOCOVERDIR is not set", "what it says")


def plain_cgi(out, name, variant, whole):
    with out.check(f"{name}: plain CGI, with a pattern that doesn't compile and then without"):
        check_error(cgi_client.request(variant.root.cgi, variant.env, body=b'{"skipFile":["mo[ck"]}'), 400,
                    "mo[ck")
        variant.check(cgi_client.request(variant.root.cgi, variant.env), whole)


def listening(out, name, variant, whole):
    socket = variant.root.join("goverage.sock")
    with out.check(f"{name}: --listen on a unix socket of the volume"), variant.listen(socket) as listener:
        variant.check(fastcgi_client.request(socket), whole)
        variant.check(fastcgi_client.request(socket), whole)
        variant.check_root(empty_root.inside(listener.pid))
    with out.check(f"{name}: its descriptors 0, 1 and 2 are closed: the log goes to the web server"):
        enter = list(variant.root.enter)
        enter.insert(2, "--closed")
        process = processes.start([*enter, "/goverage.fcgi", "--listen", f"unix:{socket}"], env=variant.env)
        try:
            processes.wait_until(lambda: processes.can_connect(socket), "the socket")
            answer = fastcgi_client.request(socket)
            variant.check(answer, whole)
            tap.contains(answer.stderr, b"served textfmt", "the log")
        finally:
            tap.equal(processes.stop(process), 0, "exit status")


def listening_on_tcp(out, name, work, program):
    """In the network of the machine."""
    variant = Variant(work, program, None, flags=())
    whole = variant.fill()
    addresses = [("127.0.0.1", processes.free_ports(1)[0])]
    if os.path.exists("/proc/net/if_inet6"):
        addresses.append(("::1", processes.free_ports(1)[0]))
    for address in addresses:
        with out.check(f"{name}: --listen on TCP, {address[0]}"), variant.listen(address):
            variant.check(fastcgi_client.request(address), whole)
    with out.check(f"{name}: --listen wants an address, since there is nobody to ask for a name"):
        done = variant.run("--listen", "localhost:9000")
        tap.equal(done.returncode, 1, "exit status")
        tap.contains(done.stderr, "it must be an address such as", "what it says")


@contextlib.contextmanager
def spawned(arguments, socket, env):
    """spawn-fcgi -n, and what it becomes."""
    process = processes.start(["spawn-fcgi", "-n", *arguments], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL)
    try:
        processes.wait_until(lambda: process.poll() is not None or processes.can_connect(socket), "the socket")
        yield process
    finally:
        tap.equal(processes.stop(process), 0, "exit status")


def under_spawn_fcgi(out, name, variant, whole):
    socket = variant.root.join("spawned.sock")
    with out.check(f"{name}: spawn-fcgi is outside, the program inside"), \
            spawned(["-s", socket, "--", variant.root.program], socket, variant.env) as process:
        variant.check(fastcgi_client.request(socket), whole)
        variant.check_root(empty_root.inside(process.pid))
    with out.check(f"{name}: spawn-fcgi -c changes to that root"):
        os.unlink(socket)
        enter = list(variant.root.enter)
        enter.insert(2, "--from-outside")
        arguments = ["-s", "/volume/spawned.sock", "-c", variant.root.mount_point, "--", "/goverage.fcgi"]
        process = processes.start([*enter, "/usr/bin/spawn-fcgi", "-n", *arguments], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, env=dict(variant.env, GOCOVERDIR="/volume/coverage"))
        try:
            processes.wait_until(lambda: processes.can_connect(socket), "the socket")
            variant.check(fastcgi_client.request(socket), whole)
        finally:
            tap.equal(processes.stop(process), 0, "exit status")


def watch_service(variant, service, socket, coverage):
    """What is read while it runs is what it writes itself when it ends."""
    before = fastcgi_client.request(socket)
    service.get(*http_service.PAGES)
    after = fastcgi_client.request(socket)
    for answer in (before, after):
        tap.equal(answer.status, 200, f"status ({answer})")
        tap.equal(answer.header("goverage-live"), "read=1 denied=0 gone=0 unsupported=0 ended=0 lost=0", "Goverage-Live")
        tap.equal(answer.header("goverage-engine"), variant.engine, "Goverage-Engine")
    assert before.body != after.body, "the pages have changed nothing"
    tap.equal(service.end(), 0, "exit status of the service")
    check_profile(after, go_fixture.textfmt(coverage))
    variant.check(fastcgi_client.request(socket), after.body)


def running_service(out, name, variant):
    """A service with a root of its own, in the PID namespace of the program."""
    socket = variant.root.join("live.sock")
    for mode in ("set", "atomic"):
        with out.check(f"{name}: a running service in the same PID namespace is read, mode {mode}"):
            coverage = variant.root.mkdir(f"live-{mode}")
            variant.env["GOCOVERDIR"] = coverage
            with variant.listen(socket) as listener:
                inside = empty_root.inside(listener.pid)
                prefix = ["/usr/bin/nsenter", f"--target={inside}", "--pid", "--"]
                service = http_service.Service(http_service.build(SERVICE, mode, go_fixture.RELEASE), coverage,
                                               prefix)
                try:
                    watch_service(variant, service, socket, coverage)
                finally:
                    service.end()  # process 1 of a namespace ends after all others
                variant.check_root(inside)


def ends_of_the_first_process(out, name, variant):
    """The program is process 1 there, which the kernel protects from the signals that it has no handler for."""
    socket = variant.root.join("end.sock")
    for number in (signal.SIGTERM, signal.SIGINT):
        with out.check(f"{name}: as process 1 it ends by {number.name}"):
            with variant.listen(socket) as listener:
                tap.equal(processes.stop(listener.process, number), 0, "exit status")
            assert not os.path.exists(socket), "the socket is still there"


def whole_program(out, libc, program, covdata):
    for tool in (covdata, None):
        name = f"{libc}, {'with covdata' if tool else 'alone'}"
        with tree.WorkDirectory() as work:
            variant = Variant(work, program, tool)
            whole = variant.fill()
            commands(out, name, variant)
            plain_cgi(out, name, variant, whole)
            listening(out, name, variant, whole)
            under_spawn_fcgi(out, name, variant, whole)
            running_service(out, name, variant)
            ends_of_the_first_process(out, name, variant)


def main():
    lacking = web_server.missing("spawn-fcgi", "nsenter")
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    if os.geteuid() != 0:
        tap.skip_all("an empty root directory: only root can make one")
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    covdata = go_fixture.covdata()
    for libc in LIBCS:
        program = empty_root.static_program(libc)
        what_it_is(out, libc, program)
        whole_program(out, libc, program, covdata)
        with tree.WorkDirectory() as work:
            listening_on_tcp(out, libc, work, program)
    with out.check("nothing is left running"):
        processes.no_children_left()
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
