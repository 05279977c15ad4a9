#!/usr/bin/python3
"""Web servers that keep their connections to the program open for further requests (FCGI_KEEP_CONN): thousands of
POSTs, none of which is lost; with nginx not even while responders end and others take over."""

import os
import signal
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import go_fixture
import processes
import tap
import tree
import web_server
import wrk
from answer import check_profile
from poller import nothing_lost

PROFILE = "/v1/cover/profile"
HEADING = "# Connections stay open for further requests"
SERVERS = ("nginx", "apache-proxy-fcgi")
POSTS = 4000
CONNECTIONS = 16
ROUNDS = 8
CLIENTS = 6


# scripts/servers/run ends when what it has started does: this outlives the responder.
KEEPER = """#!/bin/sh
"%s" "$@" &
trap 'kill $! 2>/dev/null; wait; exit 0' TERM
wait
while :; do sleep 0.2; done
"""


def responder(server):
    return next(pid for pid in processes.descendants(server.process.pid)
                if os.path.basename(processes.command(pid).split(" ")[0]) == "goverage.fcgi")


def connections(pid):
    """How many sockets a process has open."""
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found += os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
        except OSError:
            pass  # it has just been closed
    return found


def load(out, server, profile, work):
    with out.check(f"{server.name}: {POSTS} POSTs on kept connections, and not one is lost"):
        answered = 0
        while answered < POSTS:  # wrk goes by time
            # each client has a connection of its own to Apache: see test_load.py
            got = wrk.run(work, server.port, PROFILE, profile, CONNECTIONS, 3, close=server.name.startswith("apache"))
            tap.equal(sorted(got.counts), ["200"], "answers")
            got.check()
            answered += got.counts["200"]
    with out.check(f"{server.name}: connections are kept, and the process is idle"):
        pid = responder(server)
        assert connections(pid) > 1, "none but the listener"
        check_profile(server.request("POST", PROFILE, body=b""), profile)


class Held:
    """Responders at a listening socket that outlives them, in the place of the one that the server had."""

    def __init__(self, server, work, env):
        self.program, self.env, self.log = work.program, env, work.join("held.log")
        self.socket = socket.socket(socket.AF_UNIX)
        path = work.join("held.sock")
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen(512)
        os.rename(path, os.path.join(server.run_dir, "goverage.sock"))

    def start(self):
        with open(self.log, "ab") as log:
            return processes.start([self.program], stdin=self.socket, stdout=log, stderr=log, env=self.env)

    def log_text(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()


def steady(pollers):
    wanted = [poller.good + 20 for poller in pollers]
    processes.wait_until(lambda: all(poller.good >= want or poller.bad for poller, want in zip(pollers, wanted)),
                         "answers")


def take_over(out, server, profile, work, env):
    with out.check(f"{server.name}: {ROUNDS} times another responder takes over under load, and no POST is lost"):
        place = Held(server, work, env)
        old = place.start()
        os.kill(responder(server), signal.SIGTERM)  # its kept connections are nobody's any more
        with nothing_lost(lambda: server.request("POST", PROFILE, body=b""), CLIENTS) as pollers:
            for _ in range(ROUNDS):
                steady(pollers)
                new = place.start()
                tap.equal(processes.stop(old), 0, "exit status of the old one")
                old = new
            steady(pollers)
        check_profile(server.request("POST", PROFILE, body=b""), profile)
        tap.equal(processes.stop(old), 0, "exit status")
        place.socket.close()
        assert place.log_text().count("served textfmt") > ROUNDS, "they have not been asked"


def serve(out, name, work, run, scenes, profile):
    env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin"}
    program, work.program = work.program, work.join("keeper")
    with open(work.program, "w", encoding="ascii") as script:
        script.write(KEEPER % program)
    os.chmod(work.program, 0o755)
    server = web_server.WebServer(name, "listen-unix", work, env, run=run)
    work.program = program
    try:
        load(out, server, profile, work)
        if name == "nginx":  # Apache can't be told not to use a connection again: see the manual, LOAD
            take_over(out, server, profile, work, env)
    finally:
        status = server.stop()
    with out.check(f"{name}: a clean end"):
        tap.equal(status, 0, "exit status")


def main():
    lacking = web_server.missing("wrk", "apache2", "nginx")
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    processes.alarm(600)
    processes.adopt_orphans()
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        run = web_server.scripts_with(HEADING, work, SERVERS)
        for name in SERVERS:
            serve(out, name, work, run, scenes, profile)
    return out.done()


sys.exit(main())
