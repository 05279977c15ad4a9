#!/usr/bin/python3
"""What has ended without its counters is told: killed services, alone and among others, seen and not seen before."""

import os
import re
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import live_fixture as live

# pylint: disable=wrong-import-order
import cgi_client
import fastcgi_client
import go_fixture
import processes
import tap
import tree
from answer import check_error

RELEASE = go_fixture.RELEASE
NO_NAMESPACES = "user or PID namespaces can't be made here"


class Place:
    def __init__(self, work):
        self.work = work
        self.fresh()

    def fresh(self):
        self.coverage = live.fresh(self.work, "coverage")

    def settings(self, **more):
        return {"GOCOVERDIR": self.coverage, "GOVERAGE_ENGINE": "builtin", **more}

    def poll(self, query="", prefix=(), path="/v1/cover/profile", method="POST", **settings):
        env = cgi_client.environment(self.settings(**settings), method, path, query)
        command = [*prefix, self.work.cgi]
        return cgi_client.run(command[0], env, argv=command[1:])

    def responder(self):
        return processes.Listener(self.work.program, self.settings(), self.work.join("socket"),
                                  self.work.join("log"))

    def check(self, prefix=()):
        return subprocess.run([*prefix, self.work.program, "--check"], env=self.settings(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, timeout=60)


def expect(answer, name=None, **counts):
    """A 200 that says so much in Goverage-Live, and warns of the program where something is lost."""
    tap.equal(answer.status, 200, f"status (with the body {answer.body!r})")
    told = dict(re.findall(r"(\w+)=(\d+)", answer.header("goverage-live") or ""))
    for key, count in {"lost": 0, **counts}.items():
        tap.equal(told.get(key), str(count), f"{key} in {told}")
    warning = answer.header("goverage-warning")
    if name:
        tap.contains(warning or "", f"missing here: {name}", "the warning")
    else:
        tap.equal(warning, None, "Goverage-Warning")


def kinds_of_death(out, place, program):
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
        place.fresh()
        with out.check(f"a service that ended by {number.name} is lost, and named"):
            with place_service(program, place) as service:
                service.do("work 3")
                expect(place.poll(), read=1, ended=0)
                service.process.send_signal(number)
                service.process.wait(60)  # or it might see the end of its input first, and end well
                service.end()
                answer = place.poll()
                expect(answer, "service", read=0, ended=0, lost=1)
                tap.contains(answer.stderr.decode(), "counters lost program=service", "the log")
    with out.check("GOVERAGE_LIVE=off says nothing of it"):
        answer = place.poll(GOVERAGE_LIVE="off")
        tap.equal((answer.header("goverage-live"), answer.header("goverage-warning")), (None, None), "headers")
    with out.check("the list has it as lost"):
        answer = place.poll("format=detail", path="/v1/cover/list", method="GET")
        tap.contains(answer.text(), '"state":"lost"', "the list")
        tap.contains(answer.header("goverage-live") or "", "ended=0 lost=1", "Goverage-Live")
    with out.check("a run that ends well is all that is told of then"):
        with place_service(program, place) as service:
            service.end()
        expect(place.poll(), ended=1)


def place_service(program, place, **how):
    return live.Service(program, place.coverage, **how)


def not_lost(out, place, program):
    place.fresh()
    with out.check("what is merged, and what lies in two directories, is not lost"):
        with place_service(program, place) as service:
            service.end()
        merged, metas = live.fresh(place.work, "merged"), live.fresh(place.work, "metas")
        subprocess.run([go_fixture.covdata(RELEASE), "merge", f"-i={place.coverage}", f"-o={merged}"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        expect(place.poll(GOCOVERDIR=merged), ended=1)
        (meta,) = go_fixture.files(place.coverage, "covmeta")
        os.rename(os.path.join(place.coverage, meta), os.path.join(metas, meta))
        expect(place.poll(GOCOVERDIR=f"{place.coverage},{metas}"), ended=1)
        shutil.copy(os.path.join(metas, meta), place.coverage)
        expect(place.poll(GOCOVERDIR=f"{metas},{place.coverage}"), ended=1)
    with out.check("of meta-data in two directories one is lost"):
        expect(place.poll(GOCOVERDIR=f"{metas},{metas}"), "service", ended=0, lost=1)
    with out.check("an empty or cut counter file is lost counters"):
        (name,) = go_fixture.files(place.coverage, "covcounters")
        for size in (100, 0):
            os.truncate(os.path.join(place.coverage, name), size)
            answer = place.poll()
            expect(answer, "service", ended=0, lost=1)
            tap.equal(answer.header("goverage-skipped"), "1", "Goverage-Skipped")


def chosen(out, place, program):
    """With `service` the others are not looked at: they have not ended."""
    place.fresh()
    with out.check("a service under another name than it was built by runs, whoever is asked for"):
        other = place.work.join("renamed")
        shutil.copy(program, other)
        with place_service(other, place):
            expect(place.poll("service=service"), read=0)
            expect(place.poll("service=renamed"), read=1)


def seen_before(out, place, program):
    """A responder knows the processes that it has read."""
    place.fresh()
    with place.responder() as server:
        def poll(query="", headers=()):
            return fastcgi_client.request(server.address, query=query, **dict(headers))

        with out.check("counter files of other runs hide no loss from a responder that has read the process"):
            with place_service(program, place) as service:
                service.end()
            with place_service(program, place) as first, place_service(program, place) as second:
                expect(poll(), read=2, ended=1)
                first.kill()
                answer = poll()
                expect(answer, "service", read=1, ended=1, lost=1)
                second.end()
                expect(poll(), "service", read=0, ended=2, lost=1)
        with out.check("a validator doesn't hide that something was lost"):
            with place_service(program, place) as service:
                def unchanged():
                    tag = poll().header("etag")
                    return poll(headers={"HTTP_IF_NONE_MATCH": tag}).status == 304 and tag

                etag = processes.wait_until(unchanged, "304 while nothing happens")
                before = poll().header("goverage-live")
                service.kill()
                answer = poll(headers={"HTTP_IF_NONE_MATCH": etag})
                expect(answer, "service", ended=2, lost=2)
                assert before != answer.header("goverage-live") and answer.header("etag") != etag, etag
        with out.check("a directory that is cleared has lost nothing"):
            for name in os.listdir(place.coverage):
                os.unlink(os.path.join(place.coverage, name))
            check_error(poll(), 503)
            with place_service(program, place) as service:
                expect(poll(), read=1, ended=0)
                service.end()
            expect(poll(), ended=1)


def no_shared_namespace(out, place, program):
    place.fresh()
    prefix = ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc"]
    name = "a PID namespace that is not shared"
    if subprocess.run([*prefix, "/bin/true"], stderr=subprocess.DEVNULL, check=False).returncode:
        out.skip(name, NO_NAMESPACES)
        return
    with place_service(program, place), out.check(f"{name}: a warning, an error where required, a failed check"):
        expect(place.poll(), read=1)
        # meta-data that is older than the look at the processes
        processes.wait_until(lambda: place.poll(prefix=prefix).header("goverage-warning"), "the warning")
        answer = place.poll(prefix=prefix)
        expect(answer, "service", read=0, lost=1)
        tap.contains(answer.header("goverage-warning"), "PID namespace", "the warning")
        check_error(place.poll(prefix=prefix, GOVERAGE_LIVE="required"), 500, "PID namespace", "service")
        done = place.check(prefix)
        tap.contains(done.stdout, "PID namespace", "--check")
        assert done.returncode != 0, done.stdout
        tap.equal(place.check().returncode, 0, "status of --check in the same namespace")


def main():
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        program = live.build("plain", "atomic", RELEASE)
        place = Place(work)
        kinds_of_death(out, place, program)
        not_lost(out, place, program)
        chosen(out, place, program)
        seen_before(out, place, program)
        no_shared_namespace(out, place, program)
    return out.done()


if __name__ == "__main__":
    processes.alarm(600)
    sys.exit(main())
