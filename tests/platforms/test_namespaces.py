#!/usr/bin/python3
"""The service and the program in user and PID namespaces, as containers put them there: what is read is what the
service writes itself, and what can't be read or seen is told."""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

# pylint: disable=wrong-import-position
import cgi_client
import live_fixture as live

# pylint: disable=wrong-import-order
import go_fixture
import processes
import tap
import tree
from answer import check_error, parse_cgi

(USER,) = processes.own_users(1)
AS_USER = ["/usr/bin/setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
USER_NAMESPACE = ["/usr/bin/unshare", "--user", "--map-root-user"]
PID_NAMESPACE = ["/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
CONTAINER = [*USER_NAMESPACE, *PID_NAMESPACE[1:]]


class Scene:
    """A service of an ordinary user, and one directory for all."""

    def __init__(self, work):
        self.work = work
        self.program = work.install(live.build("stripped", "count", go_fixture.RELEASE), "service")
        self.coverage = None

    def service(self, prefix):
        """A running one in a directory of its own, which has done some work."""
        self.coverage = live.fresh(self.work, "coverage")
        service = live.Service(self.program, self.coverage, prefix=prefix)
        service.do("work 7")
        return service

    def poll(self, prefix=(), **settings):
        env = cgi_client.environment({"GOCOVERDIR": self.coverage, "GOVERAGE_ENGINE": "builtin", **settings})
        done = subprocess.run([*prefix, self.work.cgi], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, check=True)
        return parse_cgi(done.stdout, True, done.stderr)


def innermost(process):
    """The pid of the service itself, whatever has put it into its namespaces."""
    return processes.wait_until(lambda: next((pid for pid in [process.pid, *processes.descendants(process.pid)]
                                              if processes.command(pid).endswith("/service")
                                              and not processes.command(pid).startswith("/usr/bin/")), None),
                                "the service in its namespace")


def check_same_at_the_end(scene, service, answer):
    """What was read of it is what it writes, whoever reads that."""
    tap.equal(answer.status, 200, f"status ({answer.body[:300]})")
    assert re.match(r"read=1 denied=0 gone=0 unsupported=0", answer.header("goverage-live") or ""), answer
    tap.equal(service.end(), 0, "exit status of the service")
    tap.equal(answer.body, go_fixture.textfmt(scene.coverage), "the poll, and the exit file")


def read_from_outside(out, scene):
    for name, prefix, reader in (
            ("a user namespace, by root outside", [*AS_USER, *USER_NAMESPACE], []),
            ("a user namespace, by the user who made it", [*AS_USER, *USER_NAMESPACE], AS_USER),
            ("a PID namespace, by root outside", [*PID_NAMESPACE, *AS_USER], []),
            ("a PID namespace, by the same user outside", [*PID_NAMESPACE, *AS_USER], AS_USER),
            ("both, by root outside", [*AS_USER, *CONTAINER], []),
            ("both, by the user who made them", [*AS_USER, *CONTAINER], AS_USER)):
        with out.check(f"a service in {name}"), scene.service(prefix) as service:
            check_same_at_the_end(scene, service, scene.poll(reader))


def read_from_inside(out, scene):
    """As two containers of one pod that share their PID namespace."""
    with out.check("a service and its reader in the same user and PID namespace"), \
            scene.service([*AS_USER, *CONTAINER]) as service:
        inside = ["/usr/bin/nsenter", f"--target={innermost(service.process)}", "--user", "--pid", "--mount"]
        check_same_at_the_end(scene, service, scene.poll(inside))


def denied(out, scene):
    with out.check("a reader in a user namespace of its own: denied, and this namespace is the reason"), \
            scene.service(AS_USER):
        answer = scene.poll([*AS_USER, *USER_NAMESPACE], GOVERAGE_LIVE="required")
        check_error(answer, 500, "service", "can't be read", "user namespace")


def unseen(out, scene):
    with out.check("a reader in a PID namespace of its own, where the service is not to be seen: it is told"), \
            scene.service(AS_USER):
        check_error(scene.poll(PID_NAMESPACE, GOVERAGE_LIVE="required"), 500, "PID namespace")


def main():
    processes.alarm(600)
    if os.geteuid() != 0:
        tap.skip_all("only root can run a service and its reader as different users")
    if subprocess.run([*AS_USER, *CONTAINER, "/bin/true"], check=False).returncode != 0:
        tap.skip_all("this machine lets nobody make user and PID namespaces")
    processes.adopt_orphans()
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        scene = Scene(work)
        read_from_outside(out, scene)
        read_from_inside(out, scene)
        denied(out, scene)
        unseen(out, scene)
        with out.check("no process is left"):
            processes.no_children_left()
    return out.done()


sys.exit(main())
