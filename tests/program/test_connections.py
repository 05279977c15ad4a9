#!/usr/bin/python3
"""What a connection carries: one request after the other, heads and bodies at their limits, and whatever peers send
who want no answer."""

import json
import os
import resource
import signal
import sys

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
KEPT = fcgi.request_bytes(fcgi.parameters(SERVER_SOFTWARE="Apache/2.4"), flags=fcgi.KEEP_CONN)
NGINX = fcgi.request_bytes(fcgi.parameters(SERVER_SOFTWARE="nginx/1.22.1"), flags=fcgi.KEEP_CONN)
KEPT_MOCK = fcgi.request_bytes(fcgi.parameters(body=MOCK), MOCK, flags=fcgi.KEEP_CONN)
PLAIN = fcgi.request_bytes(fcgi.parameters())
HEAD_MOST = 98304  # bytes of parameters
MANY = 4000  # connections of peers who mean no good


class Bench:
    """The settings, the profile to expect, listeners."""

    def __init__(self, work, scenes, covdata):
        self.work, self.covdata = work, covdata
        self.profile = scenes.enter("good")
        self.without_mock = filtered(self.profile, skip=["mock"])
        self.env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": covdata,
                    "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin", "GOVERAGE_WORKERS": "2"}
        self.count = 0

    def listener(self, **settings):
        self.count += 1
        return processes.Listener(self.work.program, dict(self.env, **settings), self.work.join(f"socket{self.count}"),
                                  self.work.join(f"log{self.count}"))

    def well(self, answer):
        check_profile(answer, self.profile)

    def asks_on(self, connection, data=KEPT):
        assert connection.send(data), "the connection is closed"
        self.well(connection.read_answer())


def is_told(connection):
    """Not to send another request here: by an empty record, where no record belongs."""
    kind, _, content = connection.read_record()
    tap.equal((kind, content), (fcgi.STDERR, b""), "what it is told")


# --- one request after the other ------------------------------------------------------------------------

def kept(out, bench, listener):
    address = listener.address
    with out.check("FCGI_KEEP_CONN: 100 requests on one connection, and the last one without it closes"):
        with fcgi.Connection(address) as connection:
            for number in range(100):
                connection.send(KEPT_MOCK if number % 2 else KEPT)
                check_profile(connection.read_answer(), bench.without_mock if number % 2 else bench.profile)
            bench.asks_on(connection, PLAIN)
            assert connection.closed_by_peer(), "it is still open"
    with out.check("requests that are sent before the answers to those before them"):
        with fcgi.Connection(address) as connection:
            connection.send(KEPT * 5 + KEPT_MOCK + PLAIN[:-3])
            for _ in range(5):
                bench.well(connection.read_answer())
            check_profile(connection.read_answer(), bench.without_mock)
            connection.send(PLAIN[-3:])
            bench.well(connection.read_answer())
    with out.check("another request id for each"):
        with fcgi.Connection(address) as connection:
            for number in (1, 2, 513, 65535):
                connection.send(fcgi.request_bytes(fcgi.parameters(), request_id=number, flags=fcgi.KEEP_CONN))
                record = connection.read_record()
                tap.equal(record[1], number, "request id")
                bench.well(connection.read_answer(record))
    with out.check("errors leave the connection as it is: 404, 400, 413 with a long body, 431"):
        with fcgi.Connection(address) as connection:
            for status, body, params in (
                    (404, b"", {"path": "/v1/cover/nowhere"}), (400, b'{"skipFile":["["]}', {}),
                    (413, b" " * 3000000, {}), (431, MOCK, {"HTTP_COOKIE": "c" * 200000})):
                connection.send(fcgi.request_bytes(fcgi.parameters(body=body, **params), body, flags=fcgi.KEEP_CONN))
                check_error(connection.read_answer(), status)
                bench.asks_on(connection)
    with out.check("an abort in the head, in the body, and of a request that has been answered"):
        with fcgi.Connection(address) as connection:
            for size in (20, len(KEPT_MOCK) - 9):
                connection.send(whole_records(KEPT_MOCK, size) + fcgi.record(fcgi.ABORT_REQUEST))
                check_error(connection.read_answer(), 400, "aborted")
                bench.asks_on(connection)
            connection.send(fcgi.record(fcgi.ABORT_REQUEST))
            bench.asks_on(connection)
    with out.check("a second request on a connection in use is told FCGI_CANT_MPX_CONN, and the first one is answered"):
        with fcgi.Connection(address) as connection:
            other = fcgi.request_bytes(fcgi.parameters(body=MOCK), MOCK, request_id=2, flags=fcgi.KEEP_CONN)
            connection.send(KEPT[:-8] + other)
            kind, number, content = connection.read_record()
            tap.equal((kind, number, content[4]), (fcgi.END_REQUEST, 2, fcgi.CANT_MPX_CONN), "its end")
            connection.send(KEPT[-8:])
            bench.well(connection.read_answer())
            bench.asks_on(connection)
    with out.check("a role that is none of ours is told FCGI_UNKNOWN_ROLE, and the next request is answered"):
        with fcgi.Connection(address) as connection:
            connection.send(fcgi.begin(role=fcgi.AUTHORIZER, flags=fcgi.KEEP_CONN) + fcgi.record(fcgi.PARAMS))
            kind, _, content = connection.read_record()
            tap.equal((kind, content[4]), (fcgi.END_REQUEST, fcgi.UNKNOWN_ROLE), "its end")
            bench.asks_on(connection)


def record_length(data):
    return int.from_bytes(data[4:6], "big") + data[6]


def whole_records(data, size):
    """The records of data that end within size bytes."""
    at = 0
    while at + 8 <= len(data) and at + 8 + record_length(data[at:]) <= size:
        at += 8 + record_length(data[at:])
    return data[:at]


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def idle(out, bench):
    with out.check("more idle connections than GOVERAGE_CONNECTIONS keep no thread, and no place from others"):
        with bench.listener(GOVERAGE_CONNECTIONS="20") as listener:
            bench.well(fcgi.request(listener.address))
            before, connections = threads(listener.pid), []
            for _ in range(100):
                connections.append(fcgi.Connection(listener.address))
                bench.asks_on(connections[-1], NGINX)
            processes.wait_until(lambda: threads(listener.pid) <= before, "no thread more")
            bench.asks_on(connections[-1])  # who came last is kept
            is_told(connections[0])
            tap.equal(connections[0].read_record(), None, "what comes then")
            bench.well(fcgi.request(listener.address))
            for connection in connections:
                connection.close()


def endings(out, bench):
    gated, gate = tools.gated(bench.work, bench.covdata)
    with out.check("SIGTERM: nginx is told not to use a connection again, and what it is just sending is answered"):
        tools.open_gate(gate)
        with bench.listener(GOVERAGE_ENGINE="covdata", GOVERAGE_COVDATA=gated, GOVERAGE_CACHE="0", **tools.MARKING) \
                as listener, fcgi.Connection(listener.address) as resting, fcgi.Connection(listener.address) as late, \
                fcgi.Connection(listener.address) as working:
            for connection in (resting, late, working):
                bench.asks_on(connection, NGINX)
            tools.clean_gate(gate)
            working.send(NGINX)
            tools.begun(gate, 1)
            os.kill(listener.pid, signal.SIGTERM)
            is_told(resting)
            late.send(NGINX)  # it has not looked
            tools.begun(gate, 2)
            tools.open_gate(gate)
            is_told(late)
            for connection in (late, working):
                bench.well(connection.read_answer())
                is_told(connection)
            tap.equal(listener.process.wait(60), 0, "exit status")
    with out.check("SIGTERM: Apache, which can't be told, is waited for while it sends one request after the other"):
        with bench.listener() as listener, fcgi.Connection(listener.address) as connection:
            bench.asks_on(connection)
            os.kill(listener.pid, signal.SIGTERM)
            for _ in range(20):
                bench.asks_on(connection)
            tap.equal(connection.read_record(), None, "what comes when it sends no more")
            tap.equal(listener.process.wait(60), 0, "exit status")


# --- limits ---------------------------------------------------------------------------------------------

def padded_parameters(size):
    """Parameters whose stream has so many bytes."""
    plain = fcgi.parameters(body=MOCK)
    have = sum(len(fcgi.pair(*item)) for item in plain.items())
    return dict(plain, HTTP_COOKIE="c" * (size - have - len("HTTP_COOKIE") - 1 - 4))


def heads(out, bench, listener):
    for record_size in (65535, 1000, 1):
        with out.check(f"a head of {HEAD_MOST} bytes in records of {record_size} is taken, and one more is 431"):
            for size, status in ((HEAD_MOST - 1, 200), (HEAD_MOST, 200), (HEAD_MOST + 1, 431)):
                with fcgi.Connection(listener.address) as connection:
                    connection.send(fcgi.request_bytes(padded_parameters(size), MOCK, record_size=record_size))
                    answer = connection.read_answer()
                    if status == 200:
                        check_profile(answer, bench.without_mock)
                    else:
                        check_error(answer, 431, str(HEAD_MOST))
    with out.check("a head of 3 MB, with a body of 3 MB: 431, and no reset"):
        answer = fcgi.request(listener.address, body=b" " * 3000000, HTTP_COOKIE="c" * 3000000)
        check_error(answer, 431, "over the limit")


# --- peers who want no answer ----------------------------------------------------------------------------

UNFINISHED = {
    "nothing": b"",
    "half a header": KEPT[:5],
    "half a head": KEPT[:60],
    "a head and half a body": KEPT_MOCK[:-12],
    "a body over the limit, without its end": KEPT_MOCK[:-8] + fcgi.record(fcgi.STDIN, b" " * 60000),
}


def unfinished(out, bench):
    """Peers that send part of a request, many more than there are places: an honest client is answered meanwhile."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed[1], allowed[1]))
    many = min(MANY, allowed[1] - 200)
    for name, data in UNFINISHED.items():
        with out.check(f"{many} peers that send {name}: an honest client is answered meanwhile"):
            with bench.listener() as listener:
                peers = []
                for number in range(many):
                    peers.append(fcgi.Connection(listener.address))
                    peers[-1].send(data)
                    if number % 100 == 99:
                        bench.well(fcgi.request(listener.address))
                        tap.equal(fcgi.request(listener.address, body=MOCK).status, 200, "status of another one")
                assert processes.open_descriptors(listener.pid) < 700, "descriptors"
                for peer in peers:
                    peer.close()
                bench.well(fcgi.request(listener.address))
                processes.wait_until(lambda: "no whole request comes: dropped=" in listener.log_text(), "a line about it")
    with out.check("who had to go is told 503 where that can be told"):
        with bench.listener(GOVERAGE_CONNECTIONS="1") as listener:
            peers = []
            for _ in range(60):
                peers.append(fcgi.Connection(listener.address))
                peers[-1].send(KEPT_MOCK[:-12])
                bench.well(fcgi.request(listener.address))
            check_error(peers[0].read_answer(), 503, "too slowly")
            for peer in peers:
                peer.close()
    with out.check("few descriptors (ulimit -n 150): the same"):
        with processes.Listener(tools.limited(bench.work, bench.work.program, "-n 150"), bench.env,
                                bench.work.join("few"), bench.work.join("few.log")) as listener:
            peers = []
            for number in range(500):
                peers.append(fcgi.Connection(listener.address))
                peers[-1].send(KEPT[:60])
                if number % 50 == 49:
                    bench.well(fcgi.request(listener.address))
            for peer in peers:
                peer.close()
            assert "accept:" not in listener.log_text(), listener.log_text()


def main():
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        bench = Bench(work, go_fixture.Scenes(work), work.install(covdata))
        with bench.listener() as listener:
            kept(out, bench, listener)
            heads(out, bench, listener)
        idle(out, bench)
        endings(out, bench)
        unfinished(out, bench)
    with out.check("no process is left"):
        processes.no_children_left()
    return out.done()


sys.exit(main())
