#!/usr/bin/python3
"""Under load: clients leave, web servers die, responders get signals at random moments.  Every answer that comes
is whole, nothing is left over, and the next request is served.  GOVERAGE_SEED repeats a run."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import fastcgi_client as fcgi
import go_fixture
import http_client
import processes
import tap
import tree
import web_server
from answer import check_error, check_profile

PROFILE = "/v1/cover/profile"
CLIENTS = 12
ROUNDS = 6
CONFIGURATIONS = os.path.join(tree.SOURCE, "scripts", "servers")
ANY_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Clients:
    """Threads that ask again and again; `ask` gives an answer, or None where the connection failed."""

    def __init__(self, ask, profile):
        self.ask, self.profile = ask, profile
        self.good = self.refused = self.lost = 0
        self.faults = []
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _work(self):
        while not self.ending.is_set():
            try:
                self._count(self.ask())
            except AssertionError as fault:
                self.faults.append(str(fault))

    def _count(self, answer):
        with self.lock:
            if answer is None:
                self.lost += 1
            elif answer.status == 200:
                self.good += 1
            else:
                self.refused += 1
        if answer is None:
            time.sleep(0.02)
        elif answer.status == 200:
            check_profile(answer, self.profile)
        else:
            check_error(answer, 503)

    def wait_for_more(self, count=20):
        """Until the load has gone on for a while."""
        target = self.good + count
        processes.wait_until(lambda: self.good >= target or self.faults, f"{count} good answers more")

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        assert not self.faults, f"{len(self.faults)} faults, the first: {self.faults[0]}"
        assert self.good, "not one good answer"
        return f"{self.good} good, {self.refused} refused, {self.lost} without an answer"


def asked_of(address, may_break):
    """One request at a FastCGI socket; None where it broke, which is a fault unless it may."""
    def ask():
        try:
            answer = fcgi.request(address)
        except OSError as error:
            assert may_break, f"no answer: {error}"
            return None
        if may_break and not answer.whole:
            return None
        assert answer.whole and answer.status, f"cut off: {answer}"
        return answer
    return ask


class Scene:
    """What the checks share: settings, profile, chance."""

    def __init__(self, work, covdata):
        self.work = work
        scenes = go_fixture.Scenes(work)
        self.profile = scenes.enter("good")
        self.settings = {"PATH": ANY_PATH, "GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": covdata,
                         "GOVERAGE_LIVE": "off", "GOVERAGE_CACHE": "0", "GOVERAGE_WORKERS": "2"}
        self.seed = int(os.environ.get("GOVERAGE_SEED") or random.SystemRandom().randrange(1 << 32))
        self.chance = random.Random(self.seed)
        self.count = 0

    def path(self, stem):
        self.count += 1
        return self.work.join(f"{stem}{self.count}")

    def listener(self, **settings):
        return processes.Listener(self.work.program, dict(self.settings, **settings), self.path("socket"),
                                  self.path("log"), ["--mode", "0666"])

    def moment(self):
        time.sleep(self.chance.uniform(0, 0.3))


class Manager:
    """Has the listening socket, as a web server or spawn-fcgi has, and starts the responder on it again."""

    def __init__(self, scene):
        self.scene = scene
        self.address = scene.path("managed")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.address)
        self.socket.listen(1024)
        self.log = scene.path("log")
        self.process = None
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = processes.start([self.scene.work.program], env=self.scene.settings, stdin=self.socket,
                                           stdout=log, stderr=log)

    def replace(self, number):
        """End it by a signal, and have another one; its exit status."""
        status = processes.stop(self.process, number)
        self.start()
        return status

    def end(self):
        status = processes.stop(self.process)
        self.socket.close()
        return status


def nothing_left(manager_pids, staging_before):
    processes.no_children_left(but=manager_pids)
    processes.no_staging_left(staging_before)


def replace_under_load(out, scene, manager, number):
    killed = number == signal.SIGKILL
    clients = Clients(asked_of(manager.address, killed), scene.profile)
    try:
        for _ in range(ROUNDS):
            clients.wait_for_more()
            scene.moment()
            tap.equal(manager.replace(number), -number if killed else 0, "exit status")
        clients.wait_for_more()
    finally:
        words = clients.end()
    out.diag(words)
    check_profile(fcgi.request(manager.address), scene.profile)
    tap.equal(manager.replace(signal.SIGTERM), 0, "exit status")  # a start sweeps what a killed one left
    check_profile(fcgi.request(manager.address), scene.profile)


def signals(out, scene, staging_before):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        killed = number == signal.SIGKILL
        name = signal.Signals(number).name
        words = "each answer that comes is whole" if killed else "no request is lost"
        with out.check(f"{name} at {ROUNDS} random moments under load: {words}, the next one is served"):
            manager = Manager(scene)
            try:
                replace_under_load(out, scene, manager, number)
            finally:
                status = manager.end()
            tap.equal(status, 0, "exit status")
            nothing_left((), staging_before)


class FrontEnd:
    """A web server before a responder that is there already, started again after its death."""

    def __init__(self, scene, name, address):
        self.run_dir = scene.path("run")
        os.mkdir(self.run_dir)
        self.port = processes.free_ports(1)[0]
        self.log = scene.path("log")
        self.env = {"PATH": ANY_PATH, "COVERAGE_HTTP_PORT": str(self.port), "GOVERAGE_RUN_DIR": self.run_dir,
                    "GOVERAGE_SOCKET": address, "GOVERAGE_BACKEND": f"unix/{address}",
                    "XDG_DATA_HOME": self.run_dir, "XDG_CONFIG_HOME": self.run_dir}
        self.command = {
            "lighttpd": ["lighttpd", "-D", "-f", f"{CONFIGURATIONS}/lighttpd-spawn-fcgi.conf"],
            "caddy": ["caddy", "run", "--adapter", "caddyfile", "--config", f"{CONFIGURATIONS}/caddy.Caddyfile"],
        }[name]
        self.process = None
        self.start()

    def start(self):
        program = next(os.path.join(place, self.command[0]) for place in ANY_PATH.split(":")
                       if os.path.exists(os.path.join(place, self.command[0])))
        with open(self.log, "ab") as log:
            self.process = processes.start([program, *self.command[1:]], env=self.env, stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log)
        processes.wait_until(lambda: processes.can_connect(("127.0.0.1", self.port)), f"{self.command[0]} to listen")

    def ask(self):
        try:
            answer = http_client.request(self.port, "POST", PROFILE, body=b"")
        except OSError:
            return None
        return answer if answer.whole and answer.status else None

    def kill(self):
        processes.stop(self.process, signal.SIGKILL)


def idle_descriptors(listener):
    """Their number once nothing is under way any more."""
    seen = []
    processes.wait_until(lambda: seen.append(processes.open_descriptors(listener.pid)) or len(seen) > 50, "")
    return min(seen)


def dying_servers(out, scene, staging_before):
    for name in ("lighttpd", "caddy"):
        if web_server.missing(name):
            out.skip(f"{name} dies", f"{name} is not installed")
            continue
        with out.check(f"{name} is killed at {ROUNDS} random moments under load: the responder serves on, "
                       "and holds nothing of it"), scene.listener() as listener:
            check_profile(fcgi.request(listener.address), scene.profile)
            before = idle_descriptors(listener)
            front = FrontEnd(scene, name, listener.address)
            clients = Clients(front.ask, scene.profile)
            try:
                for _ in range(ROUNDS):
                    clients.wait_for_more()
                    scene.moment()
                    front.kill()
                    check_profile(fcgi.request(listener.address), scene.profile)
                    front.start()
                clients.wait_for_more()
            finally:
                words = clients.end()
            out.diag(words)
            check_profile(http_client.request(front.port, "POST", PROFILE, body=b""), scene.profile)
            front.kill()
            processes.wait_until(lambda: processes.open_descriptors(listener.pid) <= before,
                                 f"no more than {before} descriptors")
            nothing_left((listener.pid,), staging_before)


def leaving_clients(out, scene, staging_before):
    """Through a web server: half a request, or half an answer."""
    whole = http_client.request_bytes("POST", PROFILE, body=b" " * 100000)
    for name in ("lighttpd", "caddy"):
        if web_server.missing(name):
            out.skip(f"clients leave {name}", f"{name} is not installed")
            continue
        with out.check(f"200 clients of {name} who leave at random moments: nothing is left of them"), \
                scene.listener() as listener:
            check_profile(fcgi.request(listener.address), scene.profile)
            before = idle_descriptors(listener)
            front = FrontEnd(scene, name, listener.address)
            clients = Clients(front.ask, scene.profile)
            try:
                for _ in range(200):
                    with http_client.connect(front.port) as sock:
                        sock.sendall(whole[:scene.chance.randrange(1, len(whole) + 1)])
                        if scene.chance.random() < 0.3:
                            sock.settimeout(0.05)
                            try:
                                sock.recv(50)
                            except OSError:
                                pass
            finally:
                words = clients.end()
            out.diag(words)
            check_profile(http_client.request(front.port, "POST", PROFILE, body=b""), scene.profile)
            status = processes.stop(front.process)
            # its own end, not a crash; lighttpd's is 1 now and then when clients have just left
            assert status in (0, 1, -signal.SIGTERM), f"{name} ended with {status}"
            processes.wait_until(lambda: processes.open_descriptors(listener.pid) <= before,
                                 f"no more than {before} descriptors")
            nothing_left((listener.pid,), staging_before)


def main():
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scene = Scene(work, work.install(covdata))
        out.diag(f"GOVERAGE_SEED={scene.seed}")
        signals(out, scene, staging_before)
        leaving_clients(out, scene, staging_before)
        dying_servers(out, scene, staging_before)
        with out.check("no process and no private directory is left"):
            nothing_left((), staging_before)
    return out.done()


sys.exit(main())
