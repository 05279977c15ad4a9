#!/usr/bin/python3
"""The whole way, as a tester goes it: a web service that was built by an ordinary `go build -cover` is polled
through lighttpd while it works, and the last poll is what the service itself writes when it ends."""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import http_service

# pylint: disable=wrong-import-order
import go_fixture
import processes
import tap
import tree
import web_server
from answer import check_common, check_error, check_profile_headers

PROFILE = "/v1/cover/profile"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
POLLS = int(os.environ.get("GOVERAGE_HTTP_POLLS") or 1000)
FEW_POLLS = max(POLLS // 10, 20)
OLDER, NEWEST = go_fixture.RELEASE, go_fixture.NEWEST
NOBODY, OTHER = processes.own_users(2)
LINE = re.compile(r"(.+:\d+\.\d+,\d+\.\d+ \d+) (\d+)")
NAME = "shopfront"


def parse(body):
    """(mode, {block: count}), as `go tool cover` reads a profile."""
    lines = body.decode().splitlines()
    mode = re.fullmatch(r"mode: (set|count|atomic)", lines[0])
    assert mode, f"the first line is {lines[0]!r}"
    counts = {}
    for line in lines[1:]:
        found = LINE.fullmatch(line)
        assert found, f"not a line of a profile: {line!r}"
        assert found[1] not in counts, f"twice: {found[1]!r}"
        counts[found[1]] = int(found[2])
    return mode[1], counts


def fresh(work, name):
    """A coverage directory in which everybody may write."""
    path = work.join(name)
    os.mkdir(path)
    os.chmod(path, 0o777)
    return path


class Server:
    """lighttpd with the program behind it."""

    def __init__(self, work, coverage, user=None, **settings):
        self.server = web_server.WebServer("lighttpd-fastcgi", None, work,
                                           {"GOCOVERDIR": coverage, "GOVERAGE_SANDBOX": processes.sandbox(),
                                            **settings}, user=user)

    def poll(self, body=b"", headers=()):
        return self.server.request("POST", PROFILE, body=body, headers=headers)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        status = self.server.stop()
        assert kind or status == 0, f"exit status of the server: {status}"


def check_read(answer, read=1, denied=0):
    assert answer.status == 200, answer
    check_common(answer)
    check_profile_headers(answer)
    told = answer.header("goverage-live") or ""
    assert re.fullmatch(rf"read={read} denied={denied} gone=0 unsupported=0 ended=\d+ lost=0", told), told


def check_only_meta(coverage):
    """The service has left its meta-data there as it started, and nobody has left anything else."""
    names = os.listdir(coverage)
    assert len(names) == 1 and names[0].startswith("covmeta."), f"in the directory: {names}"


def poll_under_load(server, service, polls, mode):
    """How many of the polls differed from the one before."""
    before, changes = {}, 0
    with http_service.Load(service) as load:
        for number in range(polls):
            if number % (polls // len(http_service.PAGES)) == 0:
                load.open()  # blocks that had not run at the poll before
            answer = server.poll()
            check_read(answer)
            said, counts = parse(answer.body)
            tap.equal(said, mode, f"mode of poll {number}")
            if before:
                tap.equal(list(counts), list(before), f"blocks of poll {number}")
            down = [block for block, count in before.items() if counts[block] < count]
            assert not down, f"poll {number}: the count went down of {down[:3]}"
            if mode == "set":
                assert set(counts.values()) <= {0, 1}, f"poll {number}: a count is neither 0 nor 1"
            changes += counts != before
            before = counts
    return changes


def under_load(out, work, mode, release, polls, engine):
    name = f"{polls} polls under load: mode {mode}, Go {release}, engine {engine}"
    with out.check(name):
        coverage = fresh(work, f"load-{mode}-{release}")
        settings = {"GOVERAGE_ENGINE": engine, "GOVERAGE_COVDATA": work.covdata}
        with http_service.Service(http_service.build(NAME, mode, release), coverage) as service, \
                Server(work, coverage, **settings) as server:
            changes = poll_under_load(server, service, polls, mode)
            assert changes > 1, "nothing has moved between the polls"
            service.get(*http_service.PAGES)
            last = server.poll()
            check_read(last)
            tap.equal(last.header("goverage-engine"), engine, "Goverage-Engine")
            assert service.process.poll() is None, "the service has ended"
            check_only_meta(coverage)
            tap.equal(service.end(), 0, "exit status of the service")
            tap.equal(last.body, go_fixture.textfmt(coverage, release), "the last poll, and the exit file")
            after = server.poll()
            check_read(after, read=0)
            tap.equal(after.body, last.body, "the poll after the end")
        take_by_go(work, release, mode, last.body)
        out.diag(f"{changes} of {polls} polls showed something new")


def take_by_go(work, release, mode, profile):
    """go tool cover takes it."""
    path = work.join("profile")
    with open(path, "wb") as target:
        target.write(profile)
    source = http_service.source_of(NAME, work.join("source"))
    done = subprocess.run([go_fixture.go(release), "tool", "cover", "-func", path], cwd=source,
                          env=go_fixture.go_environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    tap.equal(done.returncode, 0, f"exit status of go tool cover, mode {mode} ({done.stdout})")
    assert re.search(r"stock\.go:\d+:\s+bulk\s+100\.0%", done.stdout), done.stdout


def engines(out, work):
    with out.check("covdata and the built-in reader give the same bytes of a running service"):
        coverage = fresh(work, "engines")
        with http_service.Service(http_service.build(NAME, "count", NEWEST), coverage) as service:
            service.get(*http_service.PAGES)
            bodies = {}
            for engine in ("covdata", "builtin"):
                with Server(work, coverage, GOVERAGE_ENGINE=engine,
                            GOVERAGE_COVDATA=work.covdata) as server:
                    answer = server.poll()
                    check_read(answer)
                    tap.equal(answer.header("goverage-engine"), engine, "Goverage-Engine")
                    bodies[engine] = answer.body
            tap.equal(bodies["covdata"], bodies["builtin"], "the profiles")
            service.end()
            tap.equal(bodies["builtin"], go_fixture.textfmt(coverage), "the exit file")


def unchanged(out, work):
    with out.check("a service that rests: the same bytes and the same ETag, 304, and then not any more"):
        coverage = fresh(work, "rest")
        with http_service.Service(http_service.build(NAME, "atomic", OLDER), coverage) as service, \
                Server(work, coverage, GOVERAGE_ENGINE="builtin") as server:
            service.get("/price?pieces=3")
            first, second = server.poll(), server.poll()
            tap.equal(second.body, first.body, "the profile")
            tap.equal(second.header("etag"), first.header("etag"), "ETag")
            headers = [("If-None-Match", first.header("etag"))]
            tap.equal(server.server.request("GET", PROFILE, headers=headers).status, 304, "status")
            service.get("/price?pieces=3")
            third = server.server.request("GET", PROFILE, headers=headers)
            check_read(third)
            before, after = parse(first.body)[1], parse(third.body)[1]
            grown = {after[block] - before[block] for block in before}
            tap.equal(grown, {0, 1}, "what one request has added to the counts")


def off(out, work):
    with out.check("GOVERAGE_LIVE=off shows nothing of a running service"):
        coverage = fresh(work, "off")
        with http_service.Service(http_service.build(NAME, "count", OLDER), coverage) as service, \
                Server(work, coverage, GOVERAGE_LIVE="off", GOVERAGE_ENGINE="builtin") as server:
            service.get(*http_service.PAGES)
            answer = server.poll()
            tap.equal(answer.status, 200, "status")
            tap.equal(answer.header("goverage-live"), None, "Goverage-Live")
            tap.equal(answer.body, go_fixture.textfmt(coverage), "the profile of the meta-data alone")
            tap.equal(set(parse(answer.body)[1].values()), {0}, "counts")
            service.end()
            counts = parse(server.poll().body)[1]
            assert any(counts.values()), "nothing of the service after its end"


def selection(out, work):
    coverage = fresh(work, "selection")
    programs = [http_service.build(name, "atomic", OLDER) for name in (NAME, "backoffice")]
    with http_service.Service(programs[0], coverage) as shop, \
            http_service.Service(programs[1], coverage) as office, \
            Server(work, coverage, GOVERAGE_ENGINE="builtin") as server:
        shop.get("/price?pieces=3")
        office.get("/price?pieces=30")
        asked = {
            "JSON": lambda: server.poll(b'{"service":["backoffice"]}'),
            "a form": lambda: server.poll(b"service=backoffice", [FORM]),
            "the query": lambda: server.server.request("GET", PROFILE + "?service=backoffice"),
        }
        bodies = []
        for how, ask in asked.items():
            with out.check(f"service by {how}: that one alone"):
                answer = ask()
                check_read(answer)
                bodies.append(answer.body)
                modules = {block.split("/")[1] for block in parse(answer.body)[1]}
                tap.equal(modules, {"backoffice"}, "the modules in the profile")
                tap.equal(answer.body, bodies[0], "the profile")
        with out.check("without service: all of them; two services by name as well"):
            whole = server.poll()
            check_read(whole, read=2)
            both = server.poll(b'{"service":["backoffice","%s"]}' % NAME.encode())
            tap.equal(both.body, whole.body, "the profile")
        with out.check("the one service ends, the other is still read: each counted once"):
            office.end()
            answer = server.poll()
            check_read(answer, read=1)
            tap.equal(answer.body, whole.body, "the profile")
            answer = server.poll(b'{"service":["backoffice"]}')
            check_read(answer, read=0)
            tap.equal(answer.body, bodies[0], "the profile of the service that has ended")


def denied(out, work):
    """The service is another user's than the responder."""
    as_nobody = ["/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    program = work.install(http_service.build(NAME, "count", OLDER), NAME)
    coverage = fresh(work, "denied")
    with http_service.Service(program, coverage, prefix=as_nobody) as service:
        service.get("/price?pieces=3")
        for setting in ("required", "auto"):
            with out.check(f"GOVERAGE_LIVE={setting}: a service of another user, and nothing else, is an "
                           "error"):
                with Server(work, coverage, user=OTHER, GOVERAGE_LIVE=setting,
                            GOVERAGE_ENGINE="builtin") as server:
                    check_error(server.poll(), 500, f"process {service.pid}", NAME, "can't be read",
                                f"uid {NOBODY}", f"uid {OTHER}")
        with out.check("with counters of others beside it: auto answers and tells, required does not"):
            till = work.install(go_fixture.build("till", "count"), "till")
            subprocess.run([*as_nobody, till], env={"GOCOVERDIR": coverage}, check=True, timeout=60)
            with Server(work, coverage, user=OTHER, GOVERAGE_ENGINE="builtin") as server:
                check_read(server.poll(), read=0, denied=1)
            with Server(work, coverage, user=OTHER, GOVERAGE_LIVE="required",
                        GOVERAGE_ENGINE="builtin") as server:
                check_error(server.poll(), 500, "can't be read")
        with out.check("as the service's own user it is read, required or not"):
            with Server(work, coverage, user=NOBODY, GOVERAGE_LIVE="required",
                        GOVERAGE_ENGINE="builtin") as server:
                check_read(server.poll())


def main():
    lacking = web_server.missing("lighttpd")
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    try:
        covdata = go_fixture.covdata()
        go_fixture.go(NEWEST)
    except go_fixture.Unavailable as error:
        tap.skip_all(error)
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        work.covdata = work.install(covdata)
        for mode, release, polls, engine in (
                ("set", NEWEST, POLLS, "builtin"), ("count", NEWEST, POLLS, "builtin"),
                ("atomic", NEWEST, POLLS, "builtin"), ("set", OLDER, FEW_POLLS, "builtin"),
                ("count", OLDER, FEW_POLLS, "covdata"), ("atomic", OLDER, FEW_POLLS, "covdata")):
            under_load(out, work, mode, release, polls, engine)
        engines(out, work)
        unchanged(out, work)
        off(out, work)
        selection(out, work)
        if os.geteuid() == 0:
            denied(out, work)
        else:
            out.skip("services of other users", "only root can start them")
        with out.check("nothing is left running"):
            processes.no_children_left()
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
