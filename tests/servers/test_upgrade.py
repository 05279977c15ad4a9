#!/usr/bin/python3
"""A new version takes the place of the old one while clients ask without a pause, and no request is lost."""

import os
import shutil
import signal
import socket
import subprocess
import sys

import server_test  # finds the library

import fastcgi_client
import go_fixture
import processes
import tap
import tools
import tree
import web_server
from answer import check_profile
from poller import Background, nothing_lost

PROFILE = "/v1/cover/profile"
CLIENTS = 4
ROUNDS = 4
INSTALLATIONS = 10
STEADY = 20  # answers to a client before the next thing is done


def replace(program):
    """What dpkg and make install do: the new file is complete before it gets the name."""
    shutil.copy(tree.program(), program + ".new")
    os.chmod(program + ".new", 0o755)
    os.rename(program + ".new", program)


def running(process, program):
    """The pids below a process that run the file which has this path now."""
    file = os.stat(program)
    found = []
    for pid in processes.descendants(process.pid):
        try:
            executable = os.stat(f"/proc/{pid}/exe")
        except OSError:
            continue
        if (executable.st_dev, executable.st_ino) == (file.st_dev, file.st_ino):
            found.append(pid)
    return found


def apache_graceful(server):
    conf = os.path.join(server.run_dir, "apache.conf")
    path = os.environ["PATH"] + ":" + web_server.SBIN
    subprocess.run([shutil.which("apache2", path=path), "-f", conf, "-k", "graceful"], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)


def lighttpd_graceful(server):
    pids = [pid for pid in processes.descendants(server.process.pid) if "lighttpd" in processes.command(pid).split()[0]]
    assert pids, "no lighttpd"
    os.kill(pids[0], signal.SIGUSR1)


def behind(out, name, graceful, clients, scenes, work):
    """The server starts the program; its graceful restart brings the new one."""
    server = web_server.WebServer(name, None, work, settings(scenes))

    def ask():
        return server.request("POST", PROFILE, body=b"")

    with out.check(f"{name}: a new program and a graceful restart, {ROUNDS} times, lose no request"):
        try:
            with nothing_lost(ask, clients) as pollers:
                for _ in range(ROUNDS):
                    steady(pollers)
                    replace(work.program)
                    graceful(server)
                    processes.wait_until(lambda: running(server.process, work.program), "the new program")
                steady(pollers)
            check_profile(ask(), scenes.enter("good"))
        finally:
            tap.equal(server.stop(), 0, "exit status of scripts/servers/run")
        processes.no_children_left()


def steady(pollers):
    """Wait until each of the clients has had so many answers more."""
    wanted = [poller.good + STEADY for poller in pollers]
    processes.wait_until(lambda: all(poller.good >= want or poller.bad for poller, want in zip(pollers, wanted)),
                         "answers")


def settings(scenes):
    return {"GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin"}


def reinstalled(out, scenes, work):
    """Every request starts the program anew, while make puts it there again and again."""
    prefix = work.mkdir("prefix")
    place = f"cgibindir={prefix}/cgi-bin"
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}

    def install():
        subprocess.run(["make", "-C", tree.BUILD, "install-exec", f"prefix={prefix}", place], check=True, env=env,
                       timeout=120, stdout=subprocess.DEVNULL)

    install()
    work.program = f"{prefix}/cgi-bin/goverage.fcgi"
    server = web_server.WebServer("lighttpd-cgi", None, work, settings(scenes))
    with out.check(f"lighttpd-cgi: make install over the program, {INSTALLATIONS} times, loses no request"):
        try:
            with nothing_lost(lambda: server.request("POST", PROFILE, body=b""), CLIENTS) as pollers:
                for _ in range(INSTALLATIONS):
                    install()
                steady(pollers)
        finally:
            tap.equal(server.stop(), 0, "exit status of scripts/servers/run")
        processes.no_children_left()


class Held:
    """A listening socket that outlives the responders behind it."""

    def __init__(self, scenes, work):
        self.scenes, self.work = scenes, work
        self.path = work.join("held.sock")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(512)

    def start(self, **more):
        with open(self.work.join("held.log"), "ab") as log:
            return processes.start([self.work.program], stdin=self.socket, stdout=log, stderr=log,
                                   env={**settings(self.scenes), **more})

    def ask(self):
        return fastcgi_client.request(self.path)


def ends_told(work):
    """How many responders have said that they accept no more."""
    with open(work.join("held.log"), encoding="utf-8") as log:
        return log.read().count("ending after signal")


def held(out, covdata, scenes, work):
    """A supervisor holds the socket: the old one ends, the new one takes over, in either order."""
    place = Held(scenes, work)
    for order in ("before", "after"):
        with out.check(f"a held socket: the new one starts {order} the old one has ended; no request is lost"):
            old = place.start()
            with nothing_lost(place.ask, CLIENTS) as pollers:
                for _ in range(ROUNDS):
                    steady(pollers)
                    replace(work.program)
                    new = place.start() if order == "before" else None
                    tap.equal(processes.stop(old), 0, "exit status of the old one")
                    old = new or place.start()
                steady(pollers)
            tap.equal(processes.stop(old), 0, "exit status")
    with out.check("a held socket: what is under way is answered by the old one, after the new one is there"):
        tool, gate = tools.gated(work, covdata)
        old = place.start(GOVERAGE_ENGINE="covdata", GOVERAGE_COVDATA=tool, **tools.MARKING)
        slow = Background(place.ask)
        processes.wait_until(lambda: os.listdir(gate), "covdata")
        ended = ends_told(work)
        old.send_signal(signal.SIGTERM)
        new = place.start()
        processes.wait_until(lambda: ends_told(work) > ended, "the end of accepting")
        check_profile(place.ask(), scenes.enter("good"))
        assert old.poll() is None, "the old one did not wait for its request"
        open(os.path.join(gate, "go"), "w", encoding="ascii").close()
        check_profile(slow.result(), scenes.enter("good"))
        tap.equal(old.wait(processes.PATIENCE), 0, "exit status of the old one")
        tap.equal(processes.stop(new), 0, "exit status of the new one")
    place.socket.close()


def main():
    lacking = web_server.missing("apache2", "/usr/lib/apache2/modules/mod_fcgid.so", "lighttpd")
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    covdata = go_fixture.covdata_or_skip()
    processes.alarm(600)
    processes.adopt_orphans()
    out = tap.Tap()
    scenarios = [
        lambda *place: behind(out, "lighttpd-fastcgi", lighttpd_graceful, CLIENTS, *place),
        # A worker of Apache that asks mod_fcgid's process manager for one more process just when that manager ends
        # waits for ever, on a pipe that nobody writes to.  One client always finds the process that it had.
        lambda *place: behind(out, "apache-fcgid", apache_graceful, 1, *place),
        lambda *place: reinstalled(out, *place),
        lambda *place: held(out, covdata, *place),
    ]
    for scenario in scenarios:
        with tree.WorkDirectory() as work:
            scenes = go_fixture.Scenes(work)
            scenes.enter("good")
            scenario(scenes, work)
    return out.done()


sys.exit(main())
