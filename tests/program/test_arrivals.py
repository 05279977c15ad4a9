#!/usr/bin/python3
"""Who accepts a connection while others are busy, in one process and in several at one listening socket."""

import os
import signal
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tools
import tree
from answer import check_profile

PLAIN = fcgi.request_bytes(fcgi.parameters())
PROCESSES = 3


class Bench:
    """The settings, and the profile to expect."""

    def __init__(self, work, scenes, covdata):
        self.work, self.scenes, self.covdata = work, scenes, covdata
        self.profile = scenes.enter("good")
        self.env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": covdata,
                    "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin"}
        self.count = 0

    def listener(self, **settings):
        self.count += 1
        return processes.Listener(self.work.program, dict(self.env, **settings),
                                  self.work.join(f"socket{self.count}"), self.work.join(f"log{self.count}"))

    def well(self, address):
        check_profile(fcgi.request(address), self.profile)


def switches(pid):
    """How often the thread that accepts connections has waited for something."""
    with open(f"/proc/{pid}/task/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))


def while_it_works(out, bench):
    with out.check("while one request is in work another one is accepted, and both are answered"):
        gated, gate = tools.gated(bench.work, bench.covdata)
        with bench.listener(GOVERAGE_ENGINE="covdata", GOVERAGE_COVDATA=gated, GOVERAGE_WORKERS="1",
                            **tools.MARKING) as listener:
            with fcgi.Connection(listener.address) as first, fcgi.Connection(listener.address) as second:
                first.send(PLAIN)
                tools.begun(gate, 1)
                second.send(PLAIN)
                processes.wait_until(lambda: listener.log_text().count("incoming request") == 2, "both to be there")
                tools.open_gate(gate)
                check_profile(first.read_answer(), bench.profile)
                check_profile(second.read_answer(), bench.profile)


def is_asleep(pid):
    """Not even the look once a second."""
    before = switches(pid)
    time.sleep(3)
    return switches(pid) == before


def after_a_rest(out, bench):
    wide = bench.work.join("wide")
    go_fixture.run(go_fixture.build("wide", "atomic"), wide)
    with out.check("a process that has slept is awake for its next request: a client who takes no answer is given up"), \
            bench.listener(GOCOVERDIR=wide, GOVERAGE_TIMEOUT="1") as listener:
        processes.wait_until(lambda: is_asleep(listener.pid), "it to sleep", patience=120)
        with fcgi.Connection(listener.address) as deaf:
            deaf.send(PLAIN)
            processes.wait_until(lambda: "client is gone" in listener.log_text(), "it to be given up", patience=240)


# --- several processes --------------------------------------------------------------------------------

class Together:
    """Processes that have one listening socket, as a web server or spawn-fcgi starts them."""

    def __init__(self, bench, **settings):
        self.address, self.logs = bench.work.join("together"), []
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(self.address)
        listening.listen(64)
        self.processes = [self._start(bench, listening, number, settings) for number in range(PROCESSES)]
        listening.close()
        processes.wait_until(lambda: all("is ready" in text for text in self.log_texts()), "all of them to be ready")

    def _start(self, bench, listening, number, settings):
        self.logs.append(bench.work.join(f"together{number}.log"))
        with open(self.logs[-1], "wb") as log:
            return processes.start([bench.work.program], env=dict(bench.env, **settings), stdin=listening, stdout=log,
                                   stderr=log)

    def log_texts(self):
        texts = []
        for name in self.logs:
            with open(name, encoding="utf-8") as log:
                texts.append(log.read())
        return texts

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        statuses = [processes.stop(process) for process in self.processes]
        os.unlink(self.address)
        assert kind or not any(statuses), f"exit statuses {statuses}"


def share_work(out, bench):
    with out.check(f"{PROCESSES} processes at one socket, one worker each: who works leaves the next one to the others"):
        gated, gate = tools.gated(bench.work, bench.covdata)
        tools.clean_gate(gate)
        settings = {"GOVERAGE_ENGINE": "covdata", "GOVERAGE_COVDATA": gated, "GOVERAGE_WORKERS": "1",
                    **tools.MARKING}
        with Together(bench, **settings) as together:
            for process in together.processes:
                processes.wait_until(lambda pid=process.pid: is_asleep(pid), "it to sleep", patience=120)
            waiting = []
            for number in range(PROCESSES):
                waiting.append(fcgi.Connection(together.address))
                waiting[-1].send(PLAIN)
                tools.begun(gate, number + 1)
            tools.open_gate(gate)
            for connection in waiting:
                check_profile(connection.read_answer(), bench.profile)
                connection.close()


def end_one_by_one(out, bench):
    with out.check("they end one by one: each request is answered by those that are left"), Together(bench) as together:
        for process in together.processes:
            for _ in range(10):
                bench.well(together.address)
            held = fcgi.Connection(together.address)
            os.kill(process.pid, signal.SIGTERM)
            held.send(PLAIN)
            if process is not together.processes[-1]:
                check_profile(held.read_answer(), bench.profile)
            held.close()
            tap.equal(process.wait(processes.PATIENCE), 0, "exit status")


def main():
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        bench = Bench(work, go_fixture.Scenes(work), work.install(covdata))
        while_it_works(out, bench)
        after_a_rest(out, bench)
        share_work(out, bench)
        end_one_by_one(out, bench)
    with out.check("no process is left"):
        processes.no_children_left()
    return out.done()


sys.exit(main())
