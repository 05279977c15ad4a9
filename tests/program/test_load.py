#!/usr/bin/python3
"""More requests than can be worked on, slow ones among them: they wait, or are refused; none is lost."""

import glob
import json
import os
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

MOCK = json.dumps({"skipFile": ["mock"]}).encode()
PLAIN = fcgi.request_bytes(fcgi.parameters())
WITH_BODY = fcgi.request_bytes(fcgi.parameters(body=MOCK), MOCK)
THREADS = 128  # connections that have a thread, at most


class Bench:
    """The settings, the profile to expect, listeners."""

    def __init__(self, work, scenes, covdata):
        self.work = work
        self.profile = scenes.enter("good")
        self.covdata = covdata
        self.env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": covdata,
                    "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "covdata", "GOVERAGE_CACHE": "0",
                    "GOVERAGE_WORKERS": "2"}
        self.count = 0

    def listener(self, program=None, **settings):
        self.count += 1
        return processes.Listener(program or self.work.program, dict(self.env, **settings),
                                  self.work.join(f"socket{self.count}"), self.work.join(f"log{self.count}"))

    def gate(self):
        """A covdata that waits, and the directory with the file that it waits for."""
        path, gate = tools.gated(self.work, self.covdata)
        tools.clean_gate(gate)
        return path, gate

    def well(self, answer):
        check_profile(answer, self.profile)


def send(address, data, count):
    """Connections on each of which this was sent."""
    connections = [fcgi.Connection(address) for _ in range(count)]
    for connection in connections:
        connection.send(data)
    return connections


def answers(connections):
    got = [connection.read_answer() for connection in connections]
    for connection in connections:
        connection.close()
    return got


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def is_idle(listener, before):
    """Nothing is kept of what has been."""
    for what, count, number in zip(("descriptors", "threads"), (processes.open_descriptors, threads), before):
        processes.wait_until(lambda c=count, n=number: c(listener.pid) <= n, f"no more than {number} {what}")


def bounded_work(out, bench):
    with out.check("60 requests, 2 workers: all are answered, and 2 covdata run at once, no more"):
        counted, numbers = tools.counted(bench.work, bench.covdata)
        with bench.listener(GOVERAGE_COVDATA=counted, **tools.MARKING) as listener:
            for answer in answers(send(listener.address, PLAIN, 60)):
                bench.well(answer)
            tap.equal(len(numbers()), 60, "runs of covdata")
            tap.equal(max(numbers()), 2, "most of them at once")
    with out.check("256 equal polls at once: all are answered, and covdata runs once a worker at most"):
        settings = {"GOVERAGE_COVDATA": counted, "GOVERAGE_ENGINE": "auto", "GOVERAGE_CACHE": "",
                    **tools.MARKING}
        before = len(numbers())
        with bench.listener(**settings) as listener:
            for answer in answers(send(listener.address, PLAIN, 256)):
                bench.well(answer)
            runs = len(numbers()) - before
            assert 1 <= runs <= 2, f"{runs} runs of covdata"


def slow_peers(out, bench):
    with bench.listener(GOVERAGE_TIMEOUT="300") as listener:
        bench.well(fcgi.request(listener.address))
        idle = settled(listener.pid)
        with out.check("100 clients whose body trickles in hinder nobody, and get their answers"):
            trickling = send(listener.address, WITH_BODY[:-12], 100)
            for number in range(20):
                for connection in trickling:
                    if number % 5 == 0:
                        connection.send(WITH_BODY[-12 + number // 5:][:1])
                bench.well(fcgi.request(listener.address))
            for connection in trickling:
                connection.send(WITH_BODY[-8:])
            for answer in answers(trickling):
                check_profile(answer, go_fixture.filtered(bench.profile, skip=["mock"]))
        with out.check("after that: descriptors and threads as before"):
            is_idle(listener, idle)


def settled(pid):
    """The numbers of descriptors and threads once nothing is under way any more."""
    seen = []
    processes.wait_until(lambda: seen.append((processes.open_descriptors(pid), threads(pid))) or len(seen) > 50, "")
    return min(descriptors for descriptors, _ in seen), min(count for _, count in seen)


def slow_takers(out, bench):
    """Of an answer that is larger than what a socket holds."""
    wide = bench.work.join("wide")
    go_fixture.run(go_fixture.build("wide", "atomic"), wide)
    profile = go_fixture.textfmt(wide)
    with bench.listener(GOCOVERDIR=wide, GOVERAGE_TIMEOUT="300") as listener:
        check_profile(fcgi.request(listener.address), profile)
        idle = settled(listener.pid)
        with out.check("30 clients who do not take their answer yet hinder nobody, and get it whole"):
            slow = send(listener.address, PLAIN, 30)
            for connection in slow:
                assert connection.sock.recv(1), "no answer"
            for _ in range(5):
                check_profile(fcgi.request(listener.address), profile)
            for connection in slow:
                connection.sock.settimeout(60)
                size = 1
                while part := connection.sock.recv(1 << 16):
                    size += len(part)
                assert size > len(profile), f"{size} bytes"
                connection.close()
        with out.check("50 clients who leave in the middle of their answer: nothing is left of it"):
            for connection in send(listener.address, PLAIN, 50):
                assert connection.sock.recv(1000), "no answer"
                connection.close()
            is_idle(listener, idle)
            check_profile(fcgi.request(listener.address), profile)
        with out.check("50 clients who leave in the middle of their body: nothing is left of it"):
            for connection in send(listener.address, WITH_BODY[:-12], 50):
                connection.close()
            is_idle(listener, idle)
            check_profile(fcgi.request(listener.address), profile)
    with out.check("a client who never takes its answer is given up"):
        few = {"coverFile": ["few"]}
        with bench.listener(GOCOVERDIR=wide, GOVERAGE_TIMEOUT="1", GOVERAGE_ENGINE="builtin") as listener:
            body = json.dumps(few).encode()
            deaf = send(listener.address, fcgi.request_bytes(fcgi.parameters(body=body), body), 3)
            processes.wait_until(lambda: listener.log_text().count("client is gone") == 3, "three to be given up",
                                 patience=240)
            for connection in deaf:
                connection.close()
            check_profile(fcgi.request(listener.address), profile)


def memory_afterwards(out, bench):
    """Of many large answers at once."""
    wide = bench.work.join("wide")
    with bench.listener(GOCOVERDIR=wide, GOVERAGE_ENGINE="builtin") as listener:
        if processes.has_other_allocator(listener.pid):
            return  # it gives back nothing
        fcgi.request(listener.address)
        before = processes.resident_kib(listener.pid)
        with out.check("60 large answers at once: what they took goes back to the system when it is calm"):
            for answer in answers(send(listener.address, PLAIN, 60)):
                tap.equal(answer.status, 200, "status")
            peak = processes.resident_kib(listener.pid)
            assert peak > before + 8192, f"{peak} KiB are no peak beside {before} KiB"
            processes.wait_until(lambda: processes.resident_kib(listener.pid) < before + 2048,
                                 f"less than 2 MiB more than {before} KiB", patience=120)


def beyond_the_bound(out, bench):
    gated, gate = bench.gate()
    with bench.listener(GOVERAGE_COVDATA=gated, GOVERAGE_CONNECTIONS="4", GOVERAGE_WORKERS="1",
                        **tools.MARKING) as listener:
        with out.check("more than GOVERAGE_CONNECTIONS: 503 with Retry-After at once, bodies and all"):
            # that of the look whether it listens
            processes.wait_until(lambda: "connection dropped" in listener.log_text(), "no connection to be left")
            held = send(listener.address, PLAIN, 4)
            tools.begun(gate, 1)
            processes.wait_until(lambda: listener.log_text().count("incoming request") == 4, "four to be held")
            for number in range(30):
                body = MOCK if number % 2 else b""
                check_error(fcgi.request(listener.address, body=body), 503, "too many requests")
        with out.check("those within it are answered, and so is the next one"):
            tools.open_gate(gate)
            for answer in answers(held):
                bench.well(answer)
            for _ in range(10):
                bench.well(fcgi.request(listener.address))
        with out.check("refusals are counted in the log, in a line now and then"):
            processes.wait_until(lambda: "refused=" in listener.log_text(), "a line about them")
            lines = [line for line in listener.log_text().splitlines() if "refused=" in line]
            assert len(lines) <= 3, f"{len(lines)} lines for 30 refusals"
            tap.contains(lines[0], "status=503", "the line")
            tap.equal(listener.log_text().count("incoming request"), 14, "requests with lines of their own")
    with out.check("GOVERAGE_CONNECTIONS=1: a client that has its whole answer can come again at once"):
        with bench.listener(GOVERAGE_CONNECTIONS="1", GOVERAGE_ENGINE="builtin") as listener:
            processes.wait_until(lambda: "connection dropped" in listener.log_text(), "no connection to be left")
            for _ in range(300):
                bench.well(fcgi.request(listener.address))


def too_long(out, bench):
    gated, gate = bench.gate()
    with out.check("who has waited for half of GOVERAGE_TIMEOUT is told so; who is in work is not disturbed"):
        with bench.listener(GOVERAGE_COVDATA=gated, GOVERAGE_TIMEOUT="20", GOVERAGE_WORKERS="1",
                            **tools.MARKING) as listener:
            first = send(listener.address, PLAIN, 1)
            tools.begun(gate, 1)
            for answer in answers(send(listener.address, PLAIN, 10)):
                check_error(answer, 503, "turn", "goverage_workers is 1")
            tools.open_gate(gate)
            bench.well(answers(first)[0])
            bench.well(fcgi.request(listener.address))
    with out.check("what waits without a thread for too long is refused, too"):
        tools.clean_gate(gate)
        with bench.listener(GOVERAGE_COVDATA=gated, GOVERAGE_TIMEOUT="20", GOVERAGE_WORKERS="1",
                            **tools.MARKING) as listener:
            first = send(listener.address, PLAIN, 1)
            tools.begun(gate, 1)
            for answer in answers(send(listener.address, PLAIN, THREADS + 20)):
                check_error(answer, 503)
            tools.open_gate(gate)
            bench.well(answers(first)[0])
            bench.well(fcgi.request(listener.address))
    with out.check("more clients than threads stop in their bodies: others are answered, and they get 504"):
        with bench.listener(GOVERAGE_TIMEOUT="6") as listener:
            stuck = send(listener.address, WITH_BODY[:-12], 2 * THREADS)
            for answer in answers(send(listener.address, PLAIN, 10)):
                bench.well(answer)
            for answer in answers(stuck):
                check_error(answer, 504, "did not arrive in time")
            bench.well(fcgi.request(listener.address))


def the_gone(out, bench):
    with out.check("a client who has gone before its turn is not worked for"):
        gated, gate = bench.gate()
        with bench.listener(GOVERAGE_COVDATA=gated, GOVERAGE_WORKERS="1", **tools.MARKING) as listener:
            first = send(listener.address, PLAIN, 1)
            tools.begun(gate, 1)
            for connection in send(listener.address, PLAIN, 10):
                connection.close()
            last = send(listener.address, PLAIN, 1)
            processes.wait_until(lambda: listener.log_text().count("incoming request") == 12, "all to be there")
            tools.open_gate(gate)
            for answer in answers(first + last):
                bench.well(answer)
            tap.equal(len(glob.glob(gate + "/started.*")), 2, "runs of covdata")


def endings(out, bench):
    for number in (signal.SIGTERM, signal.SIGHUP):
        name = signal.Signals(number).name
        gated, gate = bench.gate()
        with out.check(f"{name}: what is in work is finished, what waits gets 503, and that is the end"):
            with bench.listener(GOVERAGE_COVDATA=gated, GOVERAGE_WORKERS="1", **tools.MARKING) as listener:
                descriptors = settled(listener.pid)[0]
                trickling = send(listener.address, WITH_BODY[:-12], 5)
                processes.wait_until(lambda: processes.open_descriptors(listener.pid) >= descriptors + 5,
                                     "those that trickle to be there")
                first = send(listener.address, PLAIN, 1)
                tools.begun(gate, 1)
                waiting = send(listener.address, PLAIN, 20)
                processes.wait_until(lambda: listener.log_text().count("incoming request") == 21,
                                     "all others to be there")
                os.kill(listener.pid, number)
                for answer in answers(waiting):
                    check_error(answer, 503)
                for answer in answers(trickling):
                    check_error(answer, 503, "did not arrive in time", "ends")
                tools.open_gate(gate)
                bench.well(answers(first)[0])
                tap.equal(listener.process.wait(60), 0, "exit status")
    with out.check("SIGTERM: what waits has a moment to be answered properly"):
        gated, gate = bench.gate()
        with bench.listener(GOVERAGE_COVDATA=gated, **tools.MARKING) as listener:
            waiting = send(listener.address, PLAIN, 4)
            tools.begun(gate, 2)
            os.kill(listener.pid, signal.SIGTERM)
            processes.wait_until(lambda: "ending after signal" in listener.log_text(), "the signal to be seen")
            tools.open_gate(gate)
            got = answers(waiting)
            tap.equal(listener.process.wait(60), 0, "exit status")
            assert sum(answer.status == 200 for answer in got) >= 2, "those in work are not answered"
            for answer in got:
                if answer.status == 503:
                    check_error(answer, 503)
                else:
                    bench.well(answer)


def few_descriptors(out, bench):
    with out.check("few descriptors: fewer connections are held, the log says so, and none is lost"):
        limited = tools.limited(bench.work, bench.work.program, "-n 150")
        with bench.listener(limited) as listener:
            processes.wait_until(lambda: "connections at once, not 512" in listener.log_text(), "a line about it")
            for answer in answers(send(listener.address, PLAIN, 100)):
                if answer.status == 503:
                    check_error(answer, 503)
                else:
                    bench.well(answer)
            bench.well(fcgi.request(listener.address))


def main():
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        bench = Bench(work, go_fixture.Scenes(work), work.install(covdata))
        bounded_work(out, bench)
        slow_peers(out, bench)
        slow_takers(out, bench)
        memory_afterwards(out, bench)
        beyond_the_bound(out, bench)
        too_long(out, bench)
        the_gone(out, bench)
        endings(out, bench)
        few_descriptors(out, bench)
        with out.check("no process and no private directory is left"):
            processes.no_children_left()
            processes.no_staging_left(staging_before)
    return out.done()


sys.exit(main())
