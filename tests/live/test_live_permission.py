#!/usr/bin/python3
"""What may not be read is told, with the reason and what to do; never a silent nothing."""

import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import live_fixture as live

# pylint: disable=wrong-import-order
import go_fixture
import processes
import tap

RELEASE = go_fixture.RELEASE
NOBODY, OTHER = processes.own_users(2)
GROUP = 65534
USER_NAMESPACE = ["/usr/bin/unshare", "--user", "--map-root-user"]


def as_user(uid, *options):
    return ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={GROUP}", "--clear-groups", *options]


class Place:
    """The service and the reader where every user can run them."""

    def __init__(self, work):
        self.work = work
        self.service = self._copy(live.build("stripped", "atomic", RELEASE), "service")
        self.named = self._copy(live.build_named(), "named")
        os.environ["GOVERAGE_LIVE_SNAPSHOT"] = self._copy(live.driver(), "live_snapshot")

    def _copy(self, path, name):
        copy = self.work.join(name)
        shutil.copy(path, copy)
        os.chmod(copy, 0o755)
        return copy


def denied(out, place, name, reason, service_as, reader_as, prepare=()):
    """The service is seen and not read; the reason has these words in it."""
    with out.check(f"denied: {name}"):
        coverage = live.fresh(place.work, "coverage")
        with live.Service(place.service, coverage, prefix=service_as) as service:
            service.do("work 1")
            for command in prepare:
                service.do(command)
            answer = live.read([coverage], prefix=reader_as)
            line = answer.of(service.pid)
        tap.equal((line["state"], answer.counts["read"]), ("denied", 0), "state, processes read")
        tap.equal(line["program"], "service", "program")
        for words in reason:
            tap.contains(line["reason"], words, "reason")


def readable(out, place, name, service_as, reader_as, prepare=()):
    with out.check(f"read: {name}"):
        coverage, snapshot = live.fresh(place.work, "coverage"), live.fresh(place.work, "snapshot")
        with live.Service(place.service, coverage, prefix=service_as) as service:
            service.do("work 1")
            for command in prepare:
                service.do(command)
            line = live.read([coverage], snapshot, prefix=reader_as).of(service.pid)
            service.end()
        tap.equal(line["state"], "read", "state")
        names = go_fixture.files(coverage, "covcounters")
        tap.equal(live.counters(snapshot)[0], live.decode(os.path.join(coverage, names[0]))[0], "entries")


def innocent(out, place):
    """Processes of the same user that have nothing to do with coverage."""
    with out.check("other programs of that user are not counted"):
        coverage = live.fresh(place.work, "coverage")
        with live.Service(place.service, coverage, prefix=as_user(OTHER)) as service:
            sleepers = [processes.start([*as_user(OTHER), place.named, name, "/bin/sleep", "600"])
                        for name in ("/bin/sleep", "sleep", "-sleep", "sleep: a title")]
            for sleeper in sleepers:
                processes.wait_until(lambda pid=sleeper.pid: "sleep" in os.readlink(f"/proc/{pid}/exe"),
                                     "the sleeper")
            answer = live.read([coverage], prefix=as_user(NOBODY))
            for sleeper in sleepers:
                processes.stop(sleeper)
        tap.equal([int(line["pid"]) for line in answer.processes], [service.pid], "processes")
        tap.equal(answer.counts["denied"], 1, "processes denied")
    with out.check("nor is anybody when nothing says that he writes there"):
        with live.Service(place.service, None, prefix=as_user(OTHER)):
            answer = live.read([live.fresh(place.work, "coverage")], prefix=as_user(NOBODY))
        tap.equal(answer.processes, [], "processes")
    with out.check("a denied service that was not asked for is not counted"):
        coverage = live.fresh(place.work, "coverage")
        with live.Service(place.service, coverage, prefix=as_user(OTHER)):
            answer = live.read([coverage], services=["another"], prefix=as_user(NOBODY))
        tap.equal(answer.processes, [], "processes")


def dropped(out, place):
    """Services that were root's, and wrote their meta-data as such; their user can't read them either."""
    def deleted(program):
        os.unlink(program)

    def nothing(_):
        pass

    box = place.work.join("dropped")
    for name, command, after in (("by its path", "{box}/service", nothing),
                                 ("by a relative path", "./service", nothing),
                                 ("by the path of a script", "{box}/script", nothing),
                                 ("from a file that is deleted", "{box}/service", deleted)):
        with out.check(f"denied: rights dropped after the start, run {name}"):
            shutil.rmtree(box, ignore_errors=True)
            os.mkdir(box)
            program = shutil.copy(place.service, os.path.join(box, "service"))
            with open(os.path.join(box, "script"), "w") as script:
                script.write(f"#!/bin/bash\nexec -a \"$0\" {box}/service\n")
            os.chmod(os.path.join(box, "script"), 0o755)
            coverage = live.fresh(place.work, "coverage")
            with live.Service(command.format(box=box), coverage, cwd=box) as service:
                service.do("work 1")
                service.do(f"setuid {OTHER}")
                after(program)
                answer = live.read([coverage], prefix=as_user(OTHER))
                line = answer.of(service.pid)
                tap.equal((line["state"], answer.counts["denied"]), ("denied", 1), "state, processes denied")
                tap.equal(live.read([coverage]).of(service.pid)["state"], "read", "state by root")
    with out.check("denied: a second process, much later, by its name"):
        coverage = live.fresh(place.work, "coverage")
        with live.Service("./service", coverage, cwd=place.work.path) as service:
            (meta,) = go_fixture.files(coverage, "covmeta")
            os.utime(os.path.join(coverage, meta), (1e9, 1e9))
            answer = live.read([coverage], prefix=as_user(OTHER))
            tap.equal(answer.of(service.pid)["state"], "denied", "state")


def suspected(out, place):
    """Root has written meta-data there, and runs programs that nobody may look into."""
    coverage = live.fresh(place.work, "coverage")
    with live.Service(place.service, coverage) as service:
        service.kill()
    hidden = place.work.join("hidden")
    os.mkdir(hidden)
    os.chmod(hidden, 0o700)
    agent = shutil.copy(live.build("plain", "set", RELEASE, cover=False), os.path.join(hidden, "agent"))
    covered = shutil.copy(live.build("main-not-covered", "set", RELEASE), os.path.join(hidden, "covered"))
    sleeper = shutil.copy("/bin/sleep", os.path.join(hidden, "sleep"))
    readable = shutil.copy(agent, place.work.join("agent"))
    for name, program, arguments in (("a Go program in a directory of its own", agent, ()),
                                     ("a covered one, which has to do with another directory", covered, ()),
                                     ("a program that can be read", readable, ())):
        with out.check(f"only suspected, not counted: {name}"):
            with live.Service(program, None, *arguments):
                answer = live.read([coverage], prefix=as_user(NOBODY))
            tap.equal(answer.processes, [], "processes")
    with out.check("only suspected, not counted: no Go program, whatever it is called"):
        found = [processes.start([sleeper, "600"])]
        found += [processes.start([place.named, name, sleeper, "600"]) for name in ("service", "./service", "")]
        answer = live.read([coverage], prefix=as_user(NOBODY))
        for process in found:
            processes.stop(process)
        tap.equal(answer.processes, [], "processes")
    with out.check("a covered program whose meta-data are not in the directory"):
        other = live.fresh(place.work, "other")
        program = shutil.copy(live.build("main-not-covered", "count", RELEASE), place.work.join("elsewhere"))
        with live.Service(program, other):
            answer = live.read([coverage], prefix=as_user(NOBODY))
        tap.equal(answer.processes, [], "processes")


def main():
    processes.alarm(600)
    out = tap.Tap()
    if os.geteuid() != 0:
        tap.skip_all("only root can run a service and its reader as different users")
    works = subprocess.run([*as_user(NOBODY), "/bin/true"], check=False)
    if works.returncode != 0:
        tap.skip_all("setpriv(1) can't change the user here")
    with live.WorkDirectory() as work:
        place = Place(work)
        nobody, other = as_user(NOBODY), as_user(OTHER)
        readable(out, place, "by the same user", nobody, nobody)
        readable(out, place, "by root", nobody, [])
        readable(out, place, "by another user with CAP_SYS_PTRACE alone", other,
                 as_user(NOBODY, "--inh-caps=+sys_ptrace", "--ambient-caps=+sys_ptrace"))
        denied(out, place, "the service of another user",
               [f"uid {OTHER}", f"uid {NOBODY}", "CAP_SYS_PTRACE"], other, nobody)
        denied(out, place, "a service of the same user that is not dumpable", ["not dumpable"], nobody,
               nobody, ["undumpable"])
        if subprocess.run(USER_NAMESPACE + ["/bin/true"], stderr=subprocess.DEVNULL, check=False).returncode:
            out.skip("a responder in a user namespace of its own", "none can be made here")
        else:
            denied(out, place, "by root of a user namespace of its own", ["user namespace of this program"],
                   [], USER_NAMESPACE)
        denied(out, place, "a service of root", ["uid 0", f"uid {NOBODY}"], [], nobody)
        readable(out, place, "by root, though it is not dumpable", nobody, [], ["undumpable"])
        innocent(out, place)
        dropped(out, place)
        suspected(out, place)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
