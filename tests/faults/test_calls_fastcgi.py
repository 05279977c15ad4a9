#!/usr/bin/python3
"""Every call that can fail is made to fail in a FastCGI responder, one in a request.  Each answer is the right one,
or says what it lacks, or is an error; the next request gets the right bytes, and nothing has been kept open.  The
coverage directory changes from request to request, so that what is kept between them is made anew each time.  With
GOVERAGE_FAULTS=all every call of every function."""

import errno
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import fail_call
import fastcgi_client as fcgi
import faults
import go_fixture
import private_shm
import processes
import tap
import tree

MOST = 15  # calls of one function that fail for one kind of request


class Scenes:
    """Two states of one coverage directory, of which one at a time stands at `path`."""

    def __init__(self, work):
        self.path = work.join("coverage")
        self.aside = work.join("aside")
        for directory, runs in ((self.path, 2), (self.aside, 4)):
            shop = go_fixture.build("shop", "count")
            for run in range(runs):
                go_fixture.run(shop, directory, *["word"] * run)
            go_fixture.run(go_fixture.build("till", "count"), directory)

    def swap(self):
        os.rename(self.path, self.path + ".new")
        os.rename(self.aside, self.path)
        os.rename(self.path + ".new", self.aside)


class Kind:
    def __init__(self, title, settings, **how):
        self.title = title
        self.settings = settings
        self.how = how


class Runner:
    def __init__(self, out, bench, control, scenes, kind):
        self.out = out
        self.bench = bench
        self.control = control
        self.scenes = scenes
        self.kind = kind
        self.serving = None
        self.references = []

    def start(self):
        self.control.off()
        self.serving = faults.Serving(self.bench, {**self.control.settings, **self.kind.settings})
        self.references = []
        for _ in range(2):
            answer = self.serving.ask(**self.kind.how)
            tap.equal(answer.status, 200, f"status ({answer.body[:300]})")
            self.references.append(faults.Reference(answer))
            self.scenes.swap()
        for _ in range(4):  # each worker has done its part
            self.serving.ask(**self.kind.how)
        self.serving.remember()

    def died(self):
        return self.serving.listener.process.poll() is not None

    def stop(self):
        if not self.died():
            processes.stop(self.serving.listener.process)

    def next(self):
        """To the other state: the answer without a fault, from a responder that knows this one alone."""
        self.scenes.swap()
        self.references.reverse()
        return self.references[0]

    def one(self, group, at, callers):
        """A request with a fault for a new state, and another without for the same, and one for the old."""
        reference = self.next()
        self.control.fail(group, at, callers)
        answer = self.serving.ask(**self.kind.how)
        fired = self.control.fired()
        self.control.off()
        lost = answer.status is None or not answer.whole
        assert not lost or not self.died(), f"the responder ended with {self.serving.listener.process.poll()}"
        if not lost:
            reference.check(answer, group[1] in fail_call.EXHAUSTED)
        else:  # the connection itself could not be read or written
            assert group[0].split()[0] in ("read", "write", "poll", "fcntl", "recv", "setsockopt", "accept4",
                                           "malloc"), f"no whole answer: {answer}"
        for turn in range(2):
            wanted = self.next() if turn else reference
            again = self.serving.ask(**self.kind.how)
            tap.equal((again.status, again.body), (200, wanted.answer.body), "the next answer")
            for name in faults.SAME + ("goverage-skipped", "goverage-live", "etag"):
                tap.equal(again.header(name), wanted.answer.header(name), f"{name} of the next answer")
        return fired

    def group(self, group, callers=fail_call.NO_LIBRARY):
        self.next()
        self.control.fail(group, 0, callers)
        self.serving.ask(**self.kind.how)
        total = self.control.count()
        self.control.off()
        done = 0
        if total == 0:
            return 0
        with self.out.check(f"{self.kind.title}: {fail_call.name(group)}, {total} calls"):
            wrong = []
            for at in fail_call.steps(total, MOST):
                try:
                    done += self.one(group, at, callers)
                except (AssertionError, OSError) as error:
                    wrong.append(f"call {at}: {error}")
                    self.control.off()
                    if self.died():
                        self.start()
            assert not wrong, f"{len(wrong)} of them; " + "\n".join(wrong[:3])
            self.serving.as_before()
            left = [name for name in os.listdir("/dev/shm")]
            if group[0] not in ("unlinkat", "rmdir"):
                assert not left, f"left behind: {left}"
        for name in os.listdir("/dev/shm"):
            shutil.rmtree(f"/dev/shm/{name}", ignore_errors=True)
        return done


def libraries(out, bench, control, scenes):
    """These end the process where they get no memory: then it is started again, and all is well."""
    body = b'{"skipFile":["(?i)mock|[a-z]+_gen"],"total":true}'
    for name, callers, how in (("libfcgi", fail_call.FCGI_ALONE, {}),
                               ("json-c", fail_call.JSON_ALONE, {"body": body}),
                               ("Oniguruma", fail_call.ONIG_ALONE, {"body": body})):
        with out.check(f"{name} gets no memory: an answer, or an end that the next start knows nothing of"):
            runner = Runner(out, bench, control, scenes, Kind("", {"GOVERAGE_ENGINE": "builtin"}, **how))
            runner.start()
            group = fail_call.GROUPS[0]
            control.fail(group, 0, callers)
            runner.serving.ask(**how)
            total = control.count()
            control.off()
            assert total, "it allocates nothing"
            ended = 0
            for at in fail_call.steps(total, MOST):
                control.fail(group, at, callers)
                answer = runner.serving.ask(**how)
                control.off()
                if answer.status is not None:
                    runner.references[0].check(answer)
                    continue
                ended += 1
                status = processes.wait_until(runner.serving.listener.process.poll, "the end of the responder")
                assert status < 0, f"exit status {status}"
                runner.start()
            out.diag(f"{ended} of {total} ended the process")
            runner.stop()
            tap.equal(os.listdir("/dev/shm"), [], "left behind")


def kinds(live):
    body = json.dumps({"skipFile": ["mock", "(?i)TAX"], "coverFile": ["cart|main"]}).encode()
    builtin = {"GOVERAGE_ENGINE": "builtin"}
    return [
        Kind("profile by the reader", builtin),
        Kind("profile by the reader, nothing kept", {**builtin, "GOVERAGE_CACHE": "0"}),
        Kind("profile, engine auto", {"GOVERAGE_ENGINE": "auto"}),
        Kind("profile with patterns", builtin, body=body),
        Kind("detailed list", {"GOVERAGE_LIVE": "auto"}, path="/v1/cover/list", method="GET",
             query="format=detail"),
        Kind("profile with a running service", {**builtin, "GOVERAGE_LIVE": "auto", **live}),
    ]


def main():
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    private_shm.enter()
    processes.alarm(7200 if os.environ.get("GOVERAGE_FAULTS") == "all" else 900)
    processes.adopt_orphans()
    with tree.WorkDirectory() as work:
        scenes = Scenes(work)
        bench = faults.Bench(work, {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off",
                                    "GOVERAGE_COVDATA": work.install(covdata, "covdata.real"),
                                    # which would refuse what the preloaded library does itself
                                    "GOVERAGE_SANDBOX": "off",
                                    "GOVERAGE_STATE": work.join("state"), "GOVERAGE_TIMEOUT": "20",
                                    "GOVERAGE_WORKERS": "2"}, b"")
        control = fail_call.Control(work, fail_call.build(work))
        live = work.mkdir("live")
        service = processes.start([go_fixture.build("waiter", "atomic")], env={"GOCOVERDIR": live},
                                  stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        service.stderr.readline()
        done = 0
        chosen = sys.argv[1:]
        for kind in kinds({"GOCOVERDIR": f"{scenes.path},{live}"}):
            if chosen and kind.title != chosen[0]:
                continue
            runner = Runner(out, bench, control, scenes, kind)
            runner.start()
            for group in fail_call.GROUPS:
                if group[1] != errno.EINTR and (not chosen[1:] or fail_call.name(group) in chosen[1:]):
                    done += runner.group(group)
            runner.stop()
        libraries(out, bench, control, scenes)
        out.diag(f"{done} calls have failed")
        processes.stop(service)
        processes.no_children_left()
    return out.done()


sys.exit(main())
