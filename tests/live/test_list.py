#!/usr/bin/python3
"""GET /v1/cover/list, and `service` in a profile request: real services through the real program."""

import json
import os
import re
import shutil
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
from answer import check_common, check_error, check_json_error

RELEASE = go_fixture.RELEASE
LIST = "/v1/cover/list"
TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ"


class Place:
    """A coverage directory and the program under test as a CGI that looks at it."""

    def __init__(self, work):
        self.work = work
        self.covdata = work.install(go_fixture.covdata())
        self.coverage = None
        self.fresh()

    def fresh(self):
        self.coverage = live.fresh(self.work, "coverage")

    def settings(self, **more):
        return {"GOCOVERDIR": self.coverage, "GOVERAGE_COVDATA": self.covdata, **more}

    def service(self, program, name=None, prefix=()):
        """A running service; name: that of the executable (bytes or text)."""
        if name is not None:
            where = self.work.mkdir("named")
            named = os.path.join(where, os.fsdecode(name))
            if not os.path.exists(named):
                shutil.copy(program, named)
            program = named
        return live.Service(program, self.coverage, prefix=prefix)

    def ask(self, query="", method="GET", settings=None, path=LIST, **more):
        return cgi_client.request(self.work.cgi, settings or self.settings(), method, path, query, **more)

    def list(self, query="", **more):
        return good(self.ask(query, **more))

    def detail(self, query="", **more):
        return self.list("format=detail" + query, **more)


def good(answer):
    """The JSON of a good answer."""
    tap.equal(answer.status, 200, f"status (with the body {answer.body!r})")
    check_common(answer)
    tap.equal(answer.header("content-type"), "application/json; charset=utf-8", "Content-Type")
    tap.equal(answer.header("cache-control"), "no-store", "Cache-Control")
    assert answer.body.endswith(b"\n"), "no line feed at the end"
    return json.loads(answer.body)


def address(service):
    return f"proc://{os.uname().nodename}/{service.pid}"


def the_one(entries, **members):
    found = [entry for entry in entries
             if all(entry.get(key) == value for key, value in members.items())]
    assert len(found) == 1, f"{len(found)} entries with {members} in {entries}"
    return found[0]


def shapes(out, place, program):
    """What is answered while nothing runs, and what is refused."""
    with out.check("nothing runs: an empty object, an empty array"):
        tap.equal(place.ask().body, b"{}\n", "the short list")
        tap.equal(place.ask("format=detail").body, b"[]\n", "the detailed list")
    with out.check("a format that is not known"):
        check_error(place.ask("format=table"), 400, '"table"', "format=detail")
        check_json_error(place.ask("format=table", HTTP_ACCEPT="application/json"), 400, '"table"')
    with out.check("another method"):
        answer = place.ask(method="POST")
        check_error(answer, 405)
        tap.equal(answer.header("allow"), "GET, HEAD, OPTIONS", "Allow")
    with out.check("no directory, and no such directory"):
        check_error(place.ask(settings={"GOVERAGE_COVDATA": place.covdata}), 500, "GOCOVERDIR is not set")
        missing = place.settings(GOCOVERDIR="/nonexistent/coverage")
        check_error(place.ask(settings=missing), 503, "/nonexistent/coverage")
        check_error(place.ask("format=detail", settings=missing), 503, "/nonexistent/coverage")
    with out.check("HEAD has the length and no body"):
        with place.service(program) as service:
            answer = place.ask(method="HEAD")
            tap.equal(answer.body, b"", "the body")
            want = json.dumps({"service": [address(service)]}, separators=(",", ":")) + "\n"
            tap.equal(answer.header("content-length"), str(len(want)), "Content-Length")


def short_list(out, place, program):
    place.fresh()
    with out.check("one address for each process, under the name of its executable"):
        with place.service(program, "till") as till, place.service(program, "shop") as one, \
                place.service(program, "shop") as two:
            got = place.list()
            tap.equal(list(got), ["shop", "till"], "the names")
            tap.equal(got["till"], [address(till)], "till")
            tap.equal(got["shop"], [address(s) for s in sorted((one, two), key=lambda s: s.pid)], "shop")
            tap.equal(place.list("service=till&service=none"), {"till": [address(till)]}, "chosen")
            tap.equal(place.ask().header("goverage-live"), "read=3 denied=0 gone=0 unsupported=0",
                      "Goverage-Live")
    with out.check("the name is what the process was called by, while it runs and after its end"):
        link = place.work.join("link")
        os.symlink(program, link)
        with live.Service(link, place.coverage) as service:
            tap.equal(place.list(), {"link": [address(service)]}, "the list")
            service.end()
            tap.equal(the_one(place.detail("&service=link"))["state"], "ended", "the state after its end")
    with out.check("a name of any bytes"):
        with place.service(program, b'a"\xff\n') as service:
            tap.equal(place.list(), {'a"\ufffd\n': [address(service)]}, "the list")
            tap.equal(the_one(place.detail(), state="live")["name"], 'a"\ufffd\n', "the detailed name")
    with out.check("what has ended is not in it"):
        tap.equal(place.list(), {}, "the list")
    with out.check("the persistent program"):
        with place.service(program) as service, \
                processes.Listener(place.work.program, place.settings(), place.work.join("socket"),
                                   place.work.join("log")) as server:
            for _ in range(2):
                answer = fastcgi_client.request(server.address, method="GET", path=LIST)
                tap.equal(good(answer), {"service": [address(service)]}, "the list")


def details(out, place, mode):
    place.fresh()
    program = live.build("plain", mode, RELEASE)
    with out.check(f"{mode}: what is known of a running process, and of what it leaves behind"):
        with place.service(program) as service:
            before = the_one(place.detail())
            service.do("work 3")
            after = the_one(place.detail())
            service.end()
            ended = the_one(place.detail())
        hashes = [name.split(".")[1] for name in go_fixture.files(place.coverage, "covmeta")]
        tap.equal({key: before[key] for key in ("name", "state", "pid", "address", "executable", "mainPackage",
                                                "modulePath", "mode")},
                  {"name": "service", "state": "live", "pid": service.pid, "address": address(service),
                   "executable": program, "mainPackage": "example.com/service",
                   "modulePath": "example.com/service", "mode": mode}, "the process")
        tap.equal([before["hash"]], hashes, "the hash")
        assert before["goVersion"].startswith(f"go{RELEASE}"), before["goVersion"]
        assert re.fullmatch(TIME, before["startTime"]), before["startTime"]
        assert before["functions"] >= after["functionsTouched"] > before["functionsTouched"] > 0, after
        tap.equal(after["startTime"], before["startTime"], "the start")
        check_ended(place, ended, after)


def check_ended(place, ended, process):
    """An entry of a program that was `process` when it ran."""
    tap.equal({key: ended.get(key) for key in ("name", "state", "mainPackage", "modulePath", "mode", "hash",
                                               "functions", "counterFiles", "pid", "startTime")},
              {"name": process["name"], "state": "ended", "mainPackage": process["mainPackage"],
               "modulePath": process["modulePath"], "mode": process["mode"], "hash": process["hash"],
               "functions": process["functions"], "counterFiles": 1, "pid": None, "startTime": None},
              "the ended program")
    entries, _ = live.counters(place.coverage)
    tap.equal(ended["functionsTouched"], len({entry[:2] for entry in entries}), "functions touched")
    assert re.fullmatch(TIME, ended["newest"]), ended["newest"]


def together(out, place, program):
    """Processes and ended programs in one list."""
    place.fresh()
    other = go_fixture.build("till", "set", RELEASE)
    go_fixture.run(other, place.coverage)
    go_fixture.run(other, place.coverage)
    with out.check("a process, and a program that has ended"):
        with place.service(program) as service:
            tap.equal([(entry["name"], entry["state"]) for entry in place.detail()],
                      [("service", "live"), ("till", "ended")], "the entries")
            tap.equal(the_one(place.detail("&service=till"))["counterFiles"], 2, "files of till")
            tap.equal(the_one(place.detail("&service=service"))["pid"], service.pid, "the pid")
            tap.equal(place.list(), {"service": [address(service)]}, "the short list")
    with out.check("off: only files are told of"):
        off = place.settings(GOVERAGE_LIVE="off")
        with place.service(program):
            answer = place.ask(settings=off)
            tap.equal(answer.body, b"{}\n", "the short list")
            tap.equal(answer.header("goverage-live"), None, "Goverage-Live")
            tap.equal({entry["state"] for entry in place.detail(settings=off)}, {"ended"}, "states")


def as_user(user):
    """What to put in front of a command."""
    return ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]


def unreadable(out, place, program):
    """A process that this program may not look into: of another user, or else one that forbids it."""
    place.fresh()
    root = os.getuid() == 0
    prefix, (command, *argv) = [], [place.work.cgi]
    if root:
        owner, reader = processes.own_users(2)
        prefix, (command, *argv) = as_user(owner), as_user(reader) + [place.work.cgi]

    def ask(query, **settings):
        env = cgi_client.environment(place.settings(**settings), "GET", LIST, query)
        return good(cgi_client.run(command, env, argv=argv))

    with out.check("a process that can't be read is told of, with the reason"):
        with place.service(program, "locked", prefix) as service:
            if not root:
                service.do("undumpable")
            tap.equal(ask(""), {}, "the short list")
            for setting in ("auto", "required"):
                entries = ask("format=detail", GOVERAGE_LIVE=setting)
                tap.equal([entry["state"] for entry in entries], ["denied", "unknown"], "the states")
                entry = entries[0]
                tap.equal([entry["name"], entry["state"], entry["pid"]],
                          ["locked", "denied", service.pid], "the entry")
                assert len(entry["reason"]) > 20 and "functions" not in entry, entry


def service_profile(out, place, program):
    """`service` chooses what a profile is made of: one binary under two names, running and ended."""
    place.fresh()
    with out.check("a profile of one service: while it runs, and after its end"):
        with place.service(program, "alpha") as alpha, place.service(program, "beta") as beta:
            alpha.do("work 3")
            beta.do("work 5")
            answer = profile_of(place, service=["alpha"])
            both = profile_of(place)
            alpha.end()
            mine = go_fixture.files(place.coverage, "covcounters")
            wanted = live.profile(place.coverage).encode()
            beta.end()
        tap.equal(len(mine), 1, "counter files of alpha")
        assert b" 30\n" in wanted, "no block was executed 30 times"
        tap.equal(answer.header("goverage-live"),
                  "read=1 denied=0 gone=0 unsupported=0 ended=0 lost=0", "Goverage-Live")
        tap.equal(both.header("goverage-live"),
                  "read=2 denied=0 gone=0 unsupported=0 ended=0 lost=0", "Goverage-Live of both")
        tap.equal(profile_of(place, service=["alpha"]).body, wanted, "the profile of alpha")
        tap.equal(place.ask("service=alpha", path="/v1/cover/profile").body, wanted, "by the query string")
        tap.equal(profile_of(place).body, live.profile(place.coverage).encode(), "the profile of both")
        running = answer.body.splitlines()
        tap.equal([line for line in running if b"/work/" in line],
                  [line for line in wanted.splitlines() if b"/work/" in line], "the profile while it ran")
    with out.check("a profile of a service that nobody has seen"):
        check_error(profile_of(place, service=["gamma"]), 404, "gamma", "alpha", "beta")


def profile_of(place, **fields):
    body = json.dumps(fields).encode()
    return place.ask(method="POST", path="/v1/cover/profile", body=body)


def main():
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        program = live.build("plain", "count", RELEASE)
        place = Place(work)
        shapes(out, place, program)
        short_list(out, place, program)
        for mode in ("set", "count", "atomic"):
            details(out, place, mode)
        together(out, place, program)
        unreadable(out, place, program)
        service_profile(out, place, program)
    return out.done()


if __name__ == "__main__":
    processes.alarm(900)
    sys.exit(main())
