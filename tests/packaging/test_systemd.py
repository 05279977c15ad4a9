#!/usr/bin/python3
"""The units of scripts/systemd/: what systemd-analyze says of them, and a real systemd, process 1 of namespaces of
its own, that runs them: activation by the socket, reading a running service in spite of the hardening, and a
restart that loses no request."""

import os
import re
import signal
import subprocess
import sys

import shipped  # finds the library

import fastcgi_client
import go_fixture
import private_root
import processes
import tap
import tree
import web_server
from answer import check_common
from poller import Background, nothing_lost

UNITS = os.path.join(tree.SOURCE, "scripts", "systemd")
SERVICE, SOCKET = "goverage-fcgi.service", "goverage-fcgi.socket"
MOST_EXPOSURE = 10  # of 100; systemd calls everything below 15 safe
SYSTEMD = "/lib/systemd/systemd"
USER, OTHER = "daemon", "games"  # that every Debian has
COVERAGE = "/var/lib/coverage"

# A systemd that has nothing to start but what is asked for.
STUBS = {name: "[Unit]\nDefaultDependencies=no\n" for name in (
    "sysinit.target", "basic.target", "sockets.target", "shutdown.target", "umount.target")}
STUBS["test.target"] = "[Unit]\nDefaultDependencies=no\nWants=goverage-fcgi.socket shop.service\n"
STUBS["shop.service"] = f"""[Service]
ExecStart=/usr/local/bin/shop
User={USER}
Group={USER}
Environment=GOCOVERDIR={COVERAGE}
"""

# What an operator writes with "systemctl edit", and a log for the test.
DROP_IN = f"""[Service]
User={USER}
Group={USER}
StandardError=append:/run/goverage.log
"""

# A covdata that waits for a word before it works.
GATED = b"""#!/bin/sh
: >/var/cache/goverage/started
while [ ! -e /var/cache/goverage/go ]; do sleep 0.05; done
exec /usr/local/bin/covdata "$@"
"""

# Processes of a systemd go into control groups, so it is given one to make them in.
IN_A_GROUP = ["unshare", "--mount", "sh", "-ec", """
mount --make-rprivate /
mount -t cgroup2 cgroup2 "$1"
mkdir "$1/$2"
echo $$ >"$1/$2/cgroup.procs"
umount "$1"
shift 2
exec "$@"
""", "group"]
REMOVE_GROUP = """mount --make-rprivate /; mount -t cgroup2 cgroup2 "$1"
find "$1/$2" -depth -type d -exec rmdir {} +"""


class Machine:
    """One systemd with the units as they are installed."""

    def __init__(self, work):
        self.root = private_root.PrivateRoot(work.mkdir("machine"))
        shipped.make("install", f"DESTDIR={self.root.over}", "prefix=/usr", "cgibindir=/usr/lib/cgi-bin",
                     "docdir=/usr/share/doc/goverage-fcgi", "mandir=/usr/share/man")
        for name in (SERVICE, SOCKET):
            self.root.place(f"/etc/systemd/system/{name}", os.path.join(UNITS, name), 0o644)
        for name, text in STUBS.items():
            self.root.place(f"/etc/systemd/system/{name}", text.encode(), 0o644)
        self.drop_in("test", DROP_IN)
        self.root.place("/usr/local/bin/shop", shipped.demo())
        self.root.place("/usr/local/bin/covdata", go_fixture.covdata())
        self.root.place("/usr/local/bin/gated", GATED)
        self.root.directory(COVERAGE, 0o1777)
        self.root.directory("/home", 0o755)
        self.socket = os.path.join(self.root.shared, "run/goverage/goverage.sock")
        self.group_mount, self.group = work.mkdir("group"), f"goverage-test-{os.getpid()}"
        self.log = open(work.join("systemd.log"), "w+b")

    def drop_in(self, name, text):
        self.root.place(f"/etc/systemd/system/{SERVICE}.d/{name}.conf", text.encode(), 0o644)

    def start(self):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "container": "goverage-test", "LC_ALL": "C.UTF-8",
               "SYSTEMD_UNIT_PATH": "/etc/systemd/system"}
        self.root.enter(SYSTEMD, "--system", "--unit=test.target", "--log-target=console", "--show-status=no",
                        prefix=[*IN_A_GROUP, self.group_mount, self.group], cgroup=True, env=env,
                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        processes.wait_until(self._up, "systemd and the service")

    def _up(self):
        assert self.root.process.poll() is None, f"it ended\n{self.words()}"
        return os.path.exists(self.socket) and self.show("shop.service", "ActiveState") == "active" and \
            os.listdir(self.root.path(COVERAGE))

    def systemctl(self, *arguments, good=True):
        done = subprocess.run(self.root.inside("systemctl", *arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_IGNORE_CHROOT": "1"})
        assert done.returncode == 0 or not good, f"systemctl {arguments}: {done.stdout}\n{self.words()}"
        return done.stdout.strip()

    def show(self, unit, name):
        return self.systemctl("show", "--value", f"--property={name}", unit, good=False)

    def edit(self, text):
        """Another drop-in, in the running machine, and the responder with it."""
        with open(self.root.path(f"/etc/systemd/system/{SERVICE}.d/zz-edit.conf"), "w", encoding="ascii") as file:
            file.write(text)
        self.systemctl("daemon-reload")
        self.systemctl("restart", SERVICE)

    def words(self):
        self.log.seek(0)
        text = self.log.read().decode("utf-8", "replace")
        path = os.path.join(self.root.shared, "run/goverage.log")
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                text += file.read()
        return "\n".join(text.splitlines()[-40:])

    def responder(self):
        """Its pid outside: 0 where it doesn't run."""
        inside = int(self.show(SERVICE, "MainPID") or 0)
        for pid in processes.descendants(self.root.process.pid) if inside else []:
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
                if re.search(rf"^NSpid:.*\t{inside}$", status.read(), re.MULTILINE):
                    return pid
        return 0

    def ask(self, method="POST", path="/v1/cover/profile", **more):
        return fastcgi_client.request(self.socket, method, path, **more)

    def stop(self):
        self.root.leave()
        self.log.close()
        shipped.run("unshare", "--mount", "sh", "-ec", REMOVE_GROUP, "remove", self.group_mount, self.group)


def said_by(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                          check=False)
    return done.returncode, done.stdout


def analysis(out, machine):
    with out.check("systemd-analyze verify has nothing to say about them, installed"):
        machine.root.enter("systemd-analyze", "verify", "--man=no", SERVICE, SOCKET, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = machine.root.process.communicate(timeout=120)[0]
        ours = [line for line in said.splitlines() if "goverage-fcgi" in line]
        tap.equal((machine.root.process.returncode, ours), (0, []), f"exit status, and of ours in {said}")
    with out.check(f"systemd-analyze security: an exposure of {MOST_EXPOSURE} of 100 at most"):
        status, said = said_by(["systemd-analyze", "security", "--offline=true", "--no-pager",
                                f"--threshold={MOST_EXPOSURE}", os.path.join(UNITS, SERVICE)])
        assert status == 0, said
    with out.check("and it would say so, were it worse"):
        status, said = said_by(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=1",
                                os.path.join(UNITS, SERVICE)])
        assert status != 0, said


def uncommented(out, work):
    """What an operator does who edits a copy of the unit instead of adding to it."""
    with out.check("the lines for CAP_SYS_PTRACE count where they stand, once they are no comment"):
        with open(os.path.join(UNITS, SERVICE), encoding="utf-8") as unit:
            text = re.sub(r"^#(\w+=CAP_SYS_PTRACE)$", r"\1", unit.read(), flags=re.MULTILINE)
        path = os.path.join(work.mkdir("uncommented"), SERVICE)
        with open(path, "w", encoding="utf-8") as unit:
            unit.write(text)
        said = said_by(["systemd-analyze", "security", "--offline=true", "--no-pager", path])[1]
        found = re.findall(r"^(\S) CapabilityBoundingSet=~CAP_SYS_PTRACE", said, re.MULTILINE)
        tap.equal(found, ["\u2717"], "whether the bounding set lacks CAP_SYS_PTRACE")


def live(answer, denied=0):
    tap.equal(answer.status, 200, f"status (with {tap.shorten(answer.body)})")
    check_common(answer)
    tap.equal(answer.header("goverage-live"), f"read=1 denied={denied} gone=0 unsupported=0 ended=0 lost=0", "Goverage-Live")
    tap.contains(answer.text(), "main.go", "the profile")


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def activation(out, machine):
    with out.check("the socket is there before the responder"):
        tap.equal(machine.responder(), 0, "the responder")
    with out.check("the first request starts it, and has the running service's coverage"):
        live(machine.ask())
    with out.check("it runs as the unit says: no capability, no new privileges, with a filter of system calls"):
        status = status_of(machine.responder())
        tap.equal([status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")], ["0" * 16] * 5,
                  "capabilities")
        tap.equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "NoNewPrivs, Seccomp")
    with out.check("baselines have their directory: clear, and a profile since then"):
        tap.equal(machine.ask(path="/v1/cover/clear").status, 200, "clear")
        answer = machine.ask()
        live(answer)
        assert answer.header("goverage-baseline"), "no Goverage-Baseline"
    with out.check("covdata runs under the same restrictions"):
        machine.edit("[Service]\nEnvironment=GOVERAGE_ENGINE=covdata\n")
        answer = machine.ask(query="total=true")
        live(answer)
        tap.equal(answer.header("goverage-engine"), "covdata", "Goverage-Engine")


def others(out, machine):
    """A responder of another user: it says what it can't do, and with the capability it can."""
    with out.check("the responder of another user tells that the service is denied"):
        machine.edit(f"[Service]\nUser={OTHER}\nGroup={OTHER}\n")
        answer = machine.ask()
        tap.equal(answer.status, 500, f"status (with {tap.shorten(answer.body)})")
        tap.contains(answer.text(), "CAP_SYS_PTRACE", "the sentence")
    with out.check("with CAP_SYS_PTRACE, as the unit's comment gives it, it reads it"):
        with open(os.path.join(UNITS, SERVICE), encoding="utf-8") as unit:
            lines = re.findall(r"^#(\w+=CAP_SYS_PTRACE)$", unit.read(), re.MULTILINE)
        tap.equal(len(lines), 2, "lines in the comment")
        machine.edit(f"[Service]\nUser={OTHER}\nGroup={OTHER}\n" + "\n".join(lines) + "\n")
        live(machine.ask())
        tap.equal(status_of(machine.responder())["CapEff"], f"{1 << 19:016x}", "its capabilities")


def restarts(out, machine):
    with out.check("restarts under load lose no request"):
        machine.edit("")
        pids = {machine.responder()}
        with nothing_lost(machine.ask):
            for _ in range(4):
                machine.systemctl("restart", SERVICE)
                live(machine.ask())
                pids.add(machine.responder())
        assert len(pids) >= 5, f"it was not restarted: {pids}"
        tap.equal(machine.show(SERVICE, "Result"), "success", "the unit's result")
    with out.check("a request under way is answered before the old one ends; later ones wait for the new one"):
        machine.edit("[Service]\nEnvironment=GOVERAGE_ENGINE=covdata GOVERAGE_COVDATA=/usr/local/bin/gated "
                     "GOVERAGE_SANDBOX=off\n")  # the gate is a file, and covdata could change none
        # a profile since a baseline is not covdata's work
        slow = Background(lambda: machine.ask(query="total=true"))
        started = machine.root.path("/var/cache/goverage/started")
        processes.wait_until(lambda: os.path.exists(started), "covdata")
        old = machine.responder()
        machine.systemctl("restart", "--no-block", SERVICE)
        processes.wait_until(lambda: machine.show(SERVICE, "ActiveState") == "deactivating", "the restart")
        later = Background(machine.ask)
        open(machine.root.path("/var/cache/goverage/go"), "w", encoding="ascii").close()
        live(slow.result())
        live(later.result())
        processes.wait_until(lambda: machine.responder() not in (0, old), "the new responder")
    with out.check("one that is killed is started again, and the next request is answered"):
        machine.edit("")
        live(machine.ask())
        os.kill(machine.responder(), signal.SIGKILL)
        live(machine.ask())
    with out.check("the socket's stop takes everything away"):
        machine.systemctl("stop", SOCKET, SERVICE)
        tap.equal(machine.show(SERVICE, "Result"), "success", "the unit's result")
        assert not os.path.exists(machine.socket), "the socket is still there"


def main():
    lacking = web_server.missing("systemd-analyze", SYSTEMD)
    if lacking or private_root.unavailable():
        tap.skip_all(private_root.unavailable() or f"{lacking} is not installed")
    processes.alarm(900)
    processes.adopt_orphans()
    os.umask(0o022)
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        machine = Machine(work)
        analysis(out, machine)
        uncommented(out, work)
        try:
            machine.start()
            activation(out, machine)
            others(out, machine)
            restarts(out, machine)
        finally:
            if out.failed:
                out.diag(machine.words())
            machine.stop()
        with out.check("nothing is left"):
            processes.no_children_left()
    return out.done()


sys.exit(main())
