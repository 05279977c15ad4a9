#!/usr/bin/python3
"""Every call that can fail is made to fail, one after the other, in a CGI process of its own each.  Each answer
is the right one, or says what it lacks, or is an error in one sentence; nothing is left behind.  With
GOVERAGE_FAULTS=all every call of every function, which takes its time; otherwise of the thousands of allocations
a part."""

import errno
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fail_call
import faults
import go_fixture
import private_shm
import processes
import tap
import tree
from answer import parse_cgi

MOST = 12  # calls of one function that fail for one kind of request

class Kind:
    """One kind of request: its settings, what is asked, and what has to be put back before each."""

    def __init__(self, title, settings, prepare=None, after=None, **how):
        self.title = title
        self.settings = settings
        self.prepare = prepare or (lambda: None)
        self.after = after or (lambda answer: None)
        self.how = how
        self.reference = None


class Runner:
    def __init__(self, out, bench, control):
        self.out = out
        self.bench = bench
        self.control = control

    def ask(self, kind):
        """One process; its answer, whatever its exit status is."""
        body = kind.how.get("body", b"")
        env = cgi_client.environment({**self.bench.env, **self.control.settings, **kind.settings},
                                     kind.how.get("method", "POST"),
                                     kind.how.get("path", "/v1/cover/profile"), kind.how.get("query", ""),
                                     str(len(body)) if body else None)
        done = subprocess.run([self.bench.work.cgi], env=env, input=body, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr.decode()[-2000:]}"
        return parse_cgi(done.stdout, True, done.stderr)

    def refer(self, kind):
        self.control.off()
        kind.prepare()
        # the baseline of a clear is its own time
        same = faults.SAME[:-1] if kind.title == "clear" else faults.SAME
        kind.reference = faults.Reference(self.ask(kind), same)
        tap.equal(kind.reference.answer.status, 200, f"{kind.title}: status {kind.reference.answer.body[:300]}")

    def one(self, kind, group, at):
        """Whether there was such a call; the answer is judged."""
        kind.prepare()
        self.control.fail(group, at, fail_call.NO_LIBRARY)
        answer = self.ask(kind)
        fired = self.control.fired()
        self.control.off()
        functions, number = group
        log = answer.stderr.decode("utf-8", "replace")
        if functions == "write" and number != errno.EINTR and "client is gone" in log:
            return fired  # the answer itself could not be written
        try:
            kind.reference.check(answer, number in fail_call.EXHAUSTED)
            kind.after(answer)
        except AssertionError as error:
            raise AssertionError(f"{error}\nits log: {log}") from None
        left = os.listdir("/dev/shm")
        if functions in ("unlinkat", "rmdir"):  # removing has failed itself: the next start sweeps
            self.ask(kind)
            left = os.listdir("/dev/shm")
        assert not left, f"left behind: {left}\nits log: {log}"
        return fired

    def group(self, kind, group):
        kind.prepare()
        self.control.fail(group, 0, fail_call.NO_LIBRARY)
        self.ask(kind)
        total = self.control.count()
        self.control.off()
        if total == 0:
            return 0
        done = 0
        with self.out.check(f"{kind.title}: {fail_call.name(group)}, {total} calls"):
            wrong = []
            for at in fail_call.steps(total + 2, MOST):
                try:
                    done += self.one(kind, group, at)
                except (AssertionError, subprocess.TimeoutExpired) as error:
                    wrong.append(f"call {at}: {error}")
                    for name in os.listdir("/dev/shm"):
                        shutil.rmtree(f"/dev/shm/{name}", ignore_errors=True)
            assert not wrong, f"{len(wrong)} of them; " + "\n".join(wrong[:3])
            assert done, "no call has failed"
        return done


def kinds(bench):
    work, covdata = bench.work, bench.env["GOVERAGE_COVDATA"]
    builtin = {"GOVERAGE_ENGINE": "builtin"}
    state = work.join("state")

    def fresh_state():
        shutil.rmtree(state, ignore_errors=True)

    def with_baseline():
        fresh_state()
        shutil.copytree(state + ".kept", state)

    def judge_clear(cleared):
        """Whatever clear has answered, the next profile is right, and says what it is; unless clear has said that
        it had to do without a file."""
        if int(cleared.header("goverage-skipped") or 0):
            return
        env = {**bench.env, **builtin, "GOVERAGE_STATE": state}
        answer = cgi_client.request(work.cgi, env)
        want = since if answer.header("goverage-baseline") else total
        tap.equal((answer.status, answer.body), (200, want.body), "the profile after clear")

    env = {**bench.env, **builtin, "GOVERAGE_STATE": state}
    total = cgi_client.request(work.cgi, env)
    tap.equal(cgi_client.request(work.cgi, env, path="/v1/cover/clear").status, 200, "clear")
    shutil.copytree(state, state + ".kept")
    since = cgi_client.request(work.cgi, env)
    assert since.header("goverage-baseline") and since.body != total.body, since
    assert covdata
    live = {"GOVERAGE_LIVE": "auto", "GOCOVERDIR": work.join("live")}
    body = json.dumps({"skipFile": ["mock", "(?i)TAX"], "coverFile": ["cart|main"]}).encode()
    return [
        Kind("profile by covdata", {"GOVERAGE_ENGINE": "covdata"}),
        Kind("profile, engine auto", {"GOVERAGE_ENGINE": "auto"}),
        Kind("profile by the reader", builtin),
        Kind("profile with patterns in JSON", builtin, body=body),
        Kind("profile with patterns in the query", builtin, query="skipFile=mock&service=shop"),
        Kind("profile after clear", {**builtin, "GOVERAGE_STATE": state}, prepare=with_baseline),
        Kind("clear", {**builtin, "GOVERAGE_STATE": state}, prepare=fresh_state, after=judge_clear,
             path="/v1/cover/clear"),
        Kind("list", live, path="/v1/cover/list", method="GET"),
        Kind("detailed list", live, path="/v1/cover/list", method="GET", query="format=detail"),
        Kind("profile of a running service", {**live, **builtin}),
        Kind("profile of a running service by covdata", {**live, "GOVERAGE_ENGINE": "covdata"}),
    ]


def main():
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    private_shm.enter()
    processes.alarm(7200 if os.environ.get("GOVERAGE_FAULTS") == "all" else 900)
    processes.adopt_orphans()
    with tree.WorkDirectory() as work:
        directory = work.mkdir("coverage")
        shop = go_fixture.build("shop", "count")
        for arguments in ((), ("more",), ("even", "more")):
            go_fixture.run(shop, directory, *arguments)
        go_fixture.run(go_fixture.build("till", "count"), directory)
        bench = faults.Bench(work, {"PATH": "/usr/bin:/bin", "GOCOVERDIR": directory, "GOVERAGE_LIVE": "off",
                                    "GOVERAGE_COVDATA": work.install(covdata, "covdata.real"),
                                    # which would refuse what the preloaded library does itself
                                    "GOVERAGE_SANDBOX": "off",
                                    "GOVERAGE_STATE": work.join("no-state"), "GOVERAGE_TIMEOUT": "20"}, b"")
        service = processes.start([go_fixture.build("waiter", "atomic")], env={"GOCOVERDIR": work.mkdir("live")},
                                  stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        service.stderr.readline()
        runner = Runner(out, bench, fail_call.Control(work, fail_call.build(work)))
        chosen = sys.argv[1:]
        done = 0
        for kind in kinds(bench):
            runner.refer(kind)
            for group in fail_call.GROUPS:
                if chosen and kind.title != chosen[0] or chosen[1:] and fail_call.name(group) not in chosen[1:]:
                    continue
                done += runner.group(kind, group)
        out.diag(f"{done} calls have failed")
        processes.stop(service)
        processes.no_children_left()
    return out.done()


sys.exit(main())
