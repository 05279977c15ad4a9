#!/usr/bin/python3
"""The program as a FastCGI responder, with a client that misbehaves in every way."""

import glob
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tools
import tree
from answer import check_error, check_profile
from go_fixture import filtered

MOCK = json.dumps({"skipFile": ["mock"]}).encode()
IN_A_ROW = 2000
WARM_UP = 1500  # allocators, those of the sanitizers above all, come to rest slowly


class Bench:
    """What all checks need: the work directory, the settings, the profile to expect, listeners."""

    def __init__(self, work, env, profile, covdata):
        self.work = work
        self.env = env
        self.profile = profile
        self.covdata = covdata
        self.count = 0

    def listener(self, address=None, extra=(), **settings):
        self.count += 1
        return processes.Listener(self.work.program, dict(self.env, **settings),
                                  address or self.work.join(f"socket{self.count}"),
                                  self.work.join(f"log{self.count}"), extra)

    def well(self, address):
        """A proper request gets its whole answer."""
        check_profile(fcgi.request(address), self.profile)


def addresses(out, bench):
    """--listen on everything, and the inherited socket."""
    with out.check("--listen unix:PATH: the socket has mode 0660, and is removed at the end"):
        path = bench.work.join("plain")
        with bench.listener(path) as listener:
            tap.equal(stat.S_IMODE(os.stat(path).st_mode), 0o660, "mode")
            bench.well(path)
            tap.equal(processes.stop(listener.process), 0, "exit status")
        assert not os.path.exists(path), "the socket is still there"
    with out.check("--mode 0600"):
        path = bench.work.join("private")
        with bench.listener(path, ["--mode", "0600"]):
            tap.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
            bench.well(path)
    with out.check("a socket that nobody listens on any more is replaced"):
        path = bench.work.join("stale")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
        with bench.listener(path):
            bench.well(path)
    with out.check("a socket in use is not taken away"):
        path = bench.work.join("used")
        with bench.listener(path):
            second = subprocess.run([bench.work.program, "--listen", f"unix:{path}"], env=bench.env,
                                    stderr=subprocess.PIPE, timeout=60)
            tap.equal(second.returncode, 1, "exit status of the second one")
            tap.contains(second.stderr, path.encode(), "its words")
            bench.well(path)
    with out.check("a file at the path is not taken away"):
        path = bench.work.join("file")
        with open(path, "w") as file:
            file.write("mine")
        done = subprocess.run([bench.work.program, "--listen", f"unix:{path}"], env=bench.env,
                              stderr=subprocess.PIPE, timeout=60)
        tap.equal(done.returncode, 1, "exit status")
        with open(path) as file:
            tap.equal(file.read(), "mine", "the file")
    with out.check("--listen 127.0.0.1:PORT"):
        address = ("127.0.0.1", processes.free_ports(1)[0])
        with bench.listener(address):
            bench.well(address)
    if has_ipv6():
        with out.check("--listen [::1]:PORT"):
            address = ("::1", processes.free_ports(1)[0])
            with bench.listener(address):
                bench.well(address)
    else:
        out.diag("no IPv6 on this machine: --listen [::1]:PORT is not tried")
    for kind in ("unix", "TCP"):
        with out.check(f"an inherited listening {kind} socket on descriptor 0"):
            inherited(bench, kind)
    for kind in ("unix", "TCP"):
        with out.check(f"an inherited {kind} socket that its owner shuts down: a line in the log, and a clean end"):
            shut_down(bench, kind)
    with out.check("an inherited socket: options and the CGI's variables count for nothing"):
        inherited(bench, "unix", ["--version"], GATEWAY_INTERFACE="CGI/1.1", REQUEST_METHOD="GET")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def inherited(bench, kind, arguments=(), **more):
    path = bench.work.join(f"inherited{len(more)}")
    listening = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
    listening.bind(path if kind == "unix" else ("127.0.0.1", 0))
    listening.listen(16)
    address = listening.getsockname()
    with open(bench.work.join("inherited.log"), "ab") as log:
        process = processes.start([bench.work.program, *arguments], env=dict(bench.env, **more),
                                  stdin=listening, stdout=log, stderr=log)
    listening.close()
    try:
        bench.well(address)
        bench.well(address)
    finally:
        tap.equal(processes.stop(process), 0, "exit status")


def shut_down(bench, kind):
    """Nobody can connect to it any more."""
    log = bench.work.join("shut-down.log")
    with socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET) as listening, open(log, "wb") as lines:
        listening.bind(bench.work.join("shut-down") if kind == "unix" else ("127.0.0.1", 0))
        listening.listen(16)
        process = processes.start([bench.work.program], env=bench.env, stdin=listening, stdout=lines, stderr=lines)
        try:
            bench.well(listening.getsockname())
            listening.shutdown(socket.SHUT_RDWR)
            tap.equal(process.wait(processes.PATIENCE), 0, "exit status")
        finally:
            processes.stop(process)
    with open(log, encoding="utf-8") as text:
        tap.contains(text.read(), "the listening socket has been shut down", "the log")


def requests(out, bench, address):
    """Proper requests in unusual records."""
    without_mock = filtered(bench.profile, skip=["mock"])
    with out.check("a body"):
        check_profile(fcgi.request(address, body=MOCK), without_mock)
    with out.check("records of one byte each"):
        check_profile(fcgi.request(address, body=MOCK, record_size=1), without_mock)
    with out.check("records with padding"):
        params = b"".join(fcgi.pair(*item) for item in fcgi.parameters(body=MOCK).items())
        data = fcgi.begin() + fcgi.record(fcgi.PARAMS, params, padding=200) + fcgi.record(fcgi.PARAMS) + \
            fcgi.record(fcgi.STDIN, MOCK, padding=255) + fcgi.record(fcgi.STDIN, padding=7)
        with fcgi.Connection(address) as connection:
            connection.send(data)
            check_profile(connection.read_answer(), without_mock)
    with out.check("heads of many lengths, up to the limit"):
        for length in [*range(3300, 4200, 50), 8000, 20000, 50000, 90000]:
            check_profile(fcgi.request(address, body=MOCK, HTTP_COOKIE="c" * length), without_mock)
    for length in ("-1", "", None):
        with out.check(f"CONTENT_LENGTH {length!r}: the stream says where the body ends"):
            check_profile(fcgi.request(address, body=MOCK, CONTENT_LENGTH=length), without_mock)
    with out.check("CONTENT_LENGTH larger than the body"):
        check_error(fcgi.request(address, body=MOCK, CONTENT_LENGTH="100000"), 400, "incomplete")
    with out.check("CONTENT_LENGTH smaller than the body: the stream is read to its end all the same"):
        answer = fcgi.request(address, body=MOCK, CONTENT_LENGTH="3")
        assert answer.whole and answer.status in (200, 400), answer
    with out.check("CONTENT_LENGTH is no number"):
        check_error(fcgi.request(address, body=MOCK, CONTENT_LENGTH="many"), 400, "content_length")
    with out.check("a body over the limit is read to its end, and refused"):
        check_error(fcgi.request(address, body=b" " * 3000000), 413)
    with out.check("no parameters at all"):
        with fcgi.Connection(address) as connection:
            connection.send(fcgi.begin() + fcgi.record(fcgi.PARAMS) + fcgi.record(fcgi.STDIN))
            check_error(connection.read_answer(), 500, "request_method")
    with out.check("keep-connection: the answer is whole, and others are served meanwhile"):
        with fcgi.Connection(address) as connection:
            connection.send(fcgi.request_bytes(fcgi.parameters(), flags=fcgi.KEEP_CONN))
            check_profile(connection.read_answer(), bench.profile)
            for _ in range(3):
                bench.well(address)
    with out.check("a request id other than 1"):
        with fcgi.Connection(address) as connection:
            connection.send(fcgi.request_bytes(fcgi.parameters(), request_id=513))
            check_profile(connection.read_answer(), bench.profile)
    with out.check("parameters never name a program or a path to look in"):
        check_profile(fcgi.request(address, PATH="/nowhere", GOVERAGE_COVDATA="/bin/false", TMPDIR="/nowhere",
                                   GOVERAGE_TIMEOUT="0"), bench.profile)
    with out.check("GOCOVERDIR as a parameter does not beat the environment"):
        check_profile(fcgi.request(address, GOCOVERDIR="/nowhere"), bench.profile)
    with out.check("GOCOVERDIR as a parameter counts where the environment has none"):
        directory = bench.env["GOCOVERDIR"]
        with bench.listener(GOCOVERDIR="") as listener:
            check_profile(fcgi.request(listener.address, GOCOVERDIR=directory), bench.profile)
            check_error(fcgi.request(listener.address), 500, "gocoverdir is not set")


def huge(name_length, value_length, kind=fcgi.PARAMS, request_id=1):
    """A parameter that claims these lengths, and none of its bytes."""
    return fcgi.record(kind, (name_length | 0x80000000).to_bytes(4, "big") +
                       (value_length | 0x80000000).to_bytes(4, "big"), request_id)


HUGE = {
    "a name of 2 GB": (0x7fffffff, 0),
    "a value of 2 GB": (1, 0x7fffffff),
    "a name and a value of 2 GB": (0x7fffffff, 0x7fffffff),
    "a name and a value of just under 2 GB": (0x7ffffffe, 0x7ffffffe),
    "a name of 500 MB": (500000000, 10),
}

GARBAGE = {
    "text": b"GET / HTTP/1.0\r\n\r\n",
    "zeros": b"\0" * 4096,
    "ones": b"\xff" * 4096,
    "half a header": b"\x01\x01\x00",
    "another version": fcgi.record(fcgi.BEGIN_REQUEST, bytes(8), version=2) +
                       fcgi.record(fcgi.PARAMS, version=2),
    "an unknown type of record": fcgi.record(77, b"x" * 100),
    "a question for values": fcgi.record(fcgi.GET_VALUES, fcgi.pair("FCGI_MAX_CONNS", ""), 0),
    "parameters without a beginning": fcgi.stream(fcgi.PARAMS, fcgi.pair("A", "b")),
    "a beginning that is too short": fcgi.record(fcgi.BEGIN_REQUEST, b"\0\1"),
    "an unknown role": fcgi.begin(role=9) + fcgi.record(fcgi.PARAMS) + fcgi.record(fcgi.STDIN),
    "a record that is longer than what follows": fcgi.begin() +
                                                 fcgi.record(fcgi.PARAMS, b"abc", length=60000),
    "an abort at once": fcgi.begin() + fcgi.record(fcgi.ABORT_REQUEST),
    "an abort in the parameters": fcgi.begin() + fcgi.record(fcgi.PARAMS, fcgi.pair("A", "b")) +
                                  fcgi.record(fcgi.ABORT_REQUEST),
    "an abort in the body": fcgi.request_bytes(fcgi.parameters(body=MOCK), MOCK)[:-8 - 5] +
                            fcgi.record(fcgi.ABORT_REQUEST),
    "two requests in one": fcgi.begin() + fcgi.begin(request_id=2) + fcgi.record(fcgi.PARAMS, b"", 2),
    "a second request behind the first": fcgi.request_bytes(fcgi.parameters(), flags=fcgi.KEEP_CONN) * 3,
    "nothing": b"",
}


def send_garbage(bench, listener, data):
    """The connection is closed, the program lives, and others are served."""
    with fcgi.Connection(listener.address) as connection:
        connection.send(data)
        connection.sock.shutdown(socket.SHUT_WR)
        assert connection.closed_by_peer(), "the connection is still open"
    assert listener.process.poll() is None, f"the program died: {listener.process.returncode}"
    bench.well(listener.address)


def lies(out, bench):
    """Lengths that no one should believe."""
    for name, lengths in HUGE.items():
        with out.check(f"a question for values among the body that claims {name}"), bench.listener() as listener:
            params = b"".join(fcgi.pair(*item) for item in fcgi.parameters(body=b"{}").items())
            with fcgi.Connection(listener.address) as connection:
                connection.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, params) +
                                huge(*lengths, fcgi.GET_VALUES, 0) + fcgi.stream(fcgi.STDIN, b"{}"))
                check_profile(connection.read_answer(), bench.profile)
            bench.well(listener.address)
        with out.check(f"the same in padding of the head that claims {name}"), bench.listener() as listener:
            question = huge(*lengths, fcgi.GET_VALUES, 0)
            for data in (fcgi.record(fcgi.BEGIN_REQUEST, b"\0\1" + bytes(6), padding=question) +
                         fcgi.stream(fcgi.PARAMS, params),
                         fcgi.begin() + fcgi.record(fcgi.PARAMS, params, padding=question) +
                         fcgi.record(fcgi.PARAMS, padding=question)):
                with fcgi.Connection(listener.address) as connection:
                    connection.send(data + fcgi.stream(fcgi.STDIN, b"{}"))
                    check_profile(connection.read_answer(), bench.profile)
                bench.well(listener.address)
    for name, lengths in HUGE.items():
        with out.check(f"a parameter that claims {name}"), bench.listener() as listener:
            send_garbage(bench, listener, fcgi.begin() + huge(*lengths) + fcgi.record(fcgi.PARAMS))


def garbage(out, bench, address, listener):
    """One peer's garbage ends that connection only."""
    for name, data in GARBAGE.items():
        with out.check(f"garbage: {name}"):
            send_garbage(bench, listener, data)
    with out.check("connections that are gone before they are looked at"):
        for _ in range(200):
            with fcgi.Connection(address) as connection:
                connection.send(b"\x01")
        bench.well(address)
    with out.check("clients that do not wait for their answer"):
        for _ in range(20):
            with fcgi.Connection(address) as connection:
                connection.send(fcgi.request_bytes(fcgi.parameters()))
        bench.well(address)


def stalls(out, bench):
    """Peers that stop talking hold nobody up for longer than GOVERAGE_TIMEOUT."""
    request = fcgi.request_bytes(fcgi.parameters(body=MOCK), MOCK)
    places = {"before the first byte": 0, "in the beginning": 5, "in the parameters": 60,
              "in the body": len(request) - 20, "before the end of the body": len(request) - 8}
    with bench.listener(GOVERAGE_TIMEOUT="2", GOVERAGE_WORKERS="2") as listener:
        for name, size in places.items():
            with out.check(f"a peer that stops {name}"):
                silent = [fcgi.Connection(listener.address) for _ in range(3)]
                for connection in silent:
                    connection.send(request[:size])
                bench.well(listener.address)
                for connection in silent:
                    assert connection.closed_by_peer(), "it is still waited for"
                    connection.close()
        with out.check("a peer that sends a byte now and then"):
            drip = fcgi.Connection(listener.address)
            stop = threading.Event()

            def dripping():
                for byte in request[:-8]:
                    if stop.wait(0.1) or not drip.send(bytes([byte])):
                        return

            thread = threading.Thread(target=dripping)
            thread.start()
            assert drip.closed_by_peer(), "it is still waited for"
            stop.set()
            thread.join()
            drip.close()
            bench.well(listener.address)


def at_once(out, bench):
    """Several requests at the same time."""
    with out.check("as many requests at once as there are workers"):
        gated, gate = tools.gated(bench.work, bench.covdata)
        with bench.listener(GOVERAGE_WORKERS="4", GOVERAGE_COVDATA=gated, **tools.MARKING) as listener:
            waiting = [fcgi.Connection(listener.address) for _ in range(4)]
            for connection in waiting:
                connection.send(fcgi.request_bytes(fcgi.parameters()))
            processes.wait_until(lambda: len(glob.glob(gate + "/started.*")) == 4,
                                 "four times covdata at the same time")
            tools.open_gate(gate)
            for connection in waiting:
                check_profile(connection.read_answer(), bench.profile)
                connection.close()
    with out.check("100 connections at once, half of them with garbage"):
        with bench.listener(GOVERAGE_WORKERS="3") as listener:
            all_of_them = [fcgi.Connection(listener.address) for _ in range(100)]
            for i, connection in enumerate(all_of_them):
                connection.send(b"garbage" * 9 if i % 2 else fcgi.request_bytes(fcgi.parameters()))
            for i, connection in enumerate(all_of_them):
                if i % 2 == 0:
                    check_profile(connection.read_answer(), bench.profile)
                else:
                    connection.sock.shutdown(socket.SHUT_WR)
                    assert connection.closed_by_peer()
                connection.close()


def endings(out, bench):
    """A signal to end: what is under way is finished, nothing more is taken."""
    gated, gate = tools.gated(bench.work, bench.covdata)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        name = signal.Signals(number).name
        with out.check(f"{name} while idle: exit status 0"):
            with bench.listener() as listener:
                tap.equal(processes.stop(listener.process, number), 0, "exit status")
        with out.check(f"{name} with a request under way: it is answered, another one is not taken"):
            tools.clean_gate(gate)
            with bench.listener(GOVERAGE_COVDATA=gated, GOVERAGE_WORKERS="2", **tools.MARKING) as listener:
                first = fcgi.Connection(listener.address)
                first.send(fcgi.request_bytes(fcgi.parameters()))
                processes.wait_until(lambda: glob.glob(gate + "/started.*"), "covdata to run")
                os.kill(listener.pid, number)
                processes.wait_until(lambda: "signal" in listener.log_text(), "the signal to be seen")
                late = not_answered(listener.address)
                tools.open_gate(gate)
                check_profile(first.read_answer(), bench.profile)
                first.close()
                tap.equal(listener.process.wait(60), 0, "exit status")
                assert late is None or late.closed_by_peer(), "the late one waits for ever"
                tap.equal(len(glob.glob(gate + "/started.*")), 1, "covdata was started")
        with out.check(f"{name} while a body comes in: the request is answered"):
            with bench.listener() as listener:
                request = fcgi.request_bytes(fcgi.parameters(body=MOCK), MOCK)
                descriptors = settled_descriptors(listener.pid)
                with fcgi.Connection(listener.address) as connection:
                    connection.send(request[:-20])
                    processes.wait_until(lambda: processes.open_descriptors(listener.pid) > descriptors,
                                         "the request to be seen")
                    os.kill(listener.pid, number)
                    processes.wait_until(lambda: "signal" in listener.log_text(), "the signal to be seen")
                    connection.send(request[-20:])
                    check_profile(connection.read_answer(), filtered(bench.profile, skip=["mock"]))
                tap.equal(listener.process.wait(60), 0, "exit status")


def not_answered(address):
    """A request that comes too late; None where the connection is refused."""
    try:
        late = fcgi.Connection(address)
    except OSError:
        return None
    late.send(fcgi.request_bytes(fcgi.parameters()))
    return late


def storm(out, bench):
    """Signals that mean nothing to the program arrive all the time."""
    with out.check("a storm of signals loses no request"):
        with bench.listener(GOVERAGE_WORKERS="2") as listener:
            stop = threading.Event()

            def thunder():
                while not stop.wait(0.0005):
                    for number in (signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH, signal.SIGURG,
                                   signal.SIGPIPE):
                        os.kill(listener.pid, number)

            thread = threading.Thread(target=thunder)
            thread.start()
            try:
                for i in range(100):
                    body = MOCK + b" " * (i * 1000)
                    check_profile(fcgi.request(listener.address, body=body),
                                  filtered(bench.profile, skip=["mock"]))
            finally:
                stop.set()
                thread.join()


def one_of_each(bench, address, i):
    """Now and then something other than a plain request."""
    if i % 50 == 1:
        check_error(fcgi.request(address, path="/v1/cover/nowhere"), 404)
    elif i % 50 == 2:
        check_error(fcgi.request(address, body=b'{"skipFile":["["]}'), 400)
    elif i % 50 == 3:
        with fcgi.Connection(address) as connection:
            connection.send(b"garbage" * 10)
    elif i % 50 == 4:
        check_profile(fcgi.request(address, body=MOCK), filtered(bench.profile, skip=["mock"]))
    else:
        bench.well(address)


def in_a_row(out, bench):
    """Nothing grows."""
    # the address sanitizer keeps freed memory for a while, which is no growth
    keep_none = "quarantine_size_mb=0:thread_local_quarantine_size_kb=0:"
    settings = {"ASAN_OPTIONS": keep_none + os.environ.get("ASAN_OPTIONS", "")}
    with bench.listener(GOVERAGE_WORKERS="2", **settings) as listener:
        for i in range(WARM_UP):
            one_of_each(bench, listener.address, i)
        descriptors = settled_descriptors(listener.pid)
        resident = processes.resident_kib(listener.pid)
        with out.check(f"{IN_A_ROW} requests in a row are all answered"):
            for i in range(IN_A_ROW):
                one_of_each(bench, listener.address, i)
        with out.check(f"{IN_A_ROW} requests leave the descriptors where they were"):
            processes.wait_until(lambda: processes.open_descriptors(listener.pid) <= descriptors,
                                 f"no more than {descriptors} descriptors", patience=20)
        if watches_threads(listener.pid):
            return  # the thread sanitizer keeps something for each address that was ever used
        with out.check(f"{IN_A_ROW} requests leave the memory where it was"):
            grown = processes.resident_kib(listener.pid) - resident
            assert grown < 1024, f"{grown} KiB more than {resident} KiB"


def watches_threads(pid):
    with open(f"/proc/{pid}/maps") as maps:
        return "libtsan" in maps.read()


def settled_descriptors(pid):
    """Their number once nothing is under way any more: the smallest that is seen."""
    seen = []
    processes.wait_until(lambda: seen.append(processes.open_descriptors(pid)) or len(seen) > 50, "")
    return min(seen)


def main():
    processes.alarm(1200)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        covdata = work.install(covdata)
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": covdata,
               "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "covdata", "GOVERAGE_CACHE": "0"}
        bench = Bench(work, env, profile, covdata)
        addresses(out, bench)
        with bench.listener() as listener:
            requests(out, bench, listener.address)
            garbage(out, bench, listener.address, listener)
            with out.check("after all that: a clean end"):
                tap.equal(processes.stop(listener.process), 0, "exit status")
        lies(out, bench)
        stalls(out, bench)
        at_once(out, bench)
        endings(out, bench)
        storm(out, bench)
        in_a_row(out, bench)
        with out.check("no process and no private directory is left"):
            processes.no_children_left()
            with bench.listener():
                pass  # a start removes what a killed one has left
            processes.no_staging_left(staging_before)
    return out.done()


sys.exit(main())
