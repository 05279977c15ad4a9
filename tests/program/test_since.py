#!/usr/bin/python3
"""`since`: a poll that names the ETag of an earlier answer gets what ran in between, so that a test run can be
split into as many profiles as there are tests, and their sum is the whole."""

import collections
import json
import os
import random
import sys

sys.dont_write_bytecode = True
for near in ("lib", "live"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", near))

# pylint: disable=wrong-import-position
import fastcgi_client as fcgi
import go_fixture
import http_service
import processes
import tap
import tree
from answer import check_error, check_profile, check_profile_headers

POLLS = int(os.environ.get("GOVERAGE_SINCE_POLLS") or 1000)
NOWHERE = "0123456789abcdef0123456789abcdef"


def parse(answer):
    """{block: count}"""
    tap.equal(answer.status, 200, f"status ({answer.body[:200]})")
    check_profile_headers(answer)
    lines = answer.text().splitlines()
    assert lines[0].startswith("mode: "), lines[0]
    pairs = [line.rsplit(" ", 1) for line in lines[1:]]
    counts = collections.Counter({block: int(count) for block, count in pairs})
    tap.equal(len(counts), len(pairs), "blocks and lines")
    return counts


class Client:
    """A tester that goes from ETag to ETag."""

    def __init__(self, listener, **request):
        self.address = listener.address
        self.request = request
        self.etag = None

    def whole(self):
        return self._keep(fcgi.request(self.address, body=self._body()))

    def since(self):
        return self._keep(fcgi.request(self.address, body=self._body(since=self.etag)))

    def _body(self, **more):
        return json.dumps({**self.request, **more}).encode()

    def _keep(self, answer):
        counts = parse(answer)
        self.etag = answer.header("etag")
        return counts


def splitting(out, work, env):
    """One program after the other ends, and a poll after each."""
    with out.check(f"{POLLS} polls with since: their sum is the whole"):
        rng = random.Random(1)
        directory = work.mkdir("split")
        programs = [go_fixture.build(name, "count") for name in ("shop", "till")]
        for program in programs:
            go_fixture.run(program, directory)
        with listening(work, env, directory) as listener:
            client = Client(listener)
            total = client.whole()
            for number in range(POLLS):
                program = programs[number % 7 == 6]
                go_fixture.run(program, directory, *["word"] * rng.randrange(6))
                part = client.since()
                tap.equal(part.keys(), total.keys(), f"blocks of profile {number}")
                modules = {block.split("/")[1] for block, count in part.items() if count}
                tap.equal(modules, {os.path.basename(program)}, f"modules with counts in {number}")
                total.update(part)
            whole = fcgi.request(listener.address)
            check_profile(whole, go_fixture.textfmt(directory))
            tap.equal(total, parse(whole), "the sum")
            tap.equal(whole.header("etag").split("-")[0], client.etag.split("-")[0], "the state's name")


def newly_covered(out, work, env):
    with out.check("mode set: a block is in it when it was not covered before"):
        directory = work.mkdir("newly")
        shop = go_fixture.build("shop", "set")
        go_fixture.run(shop, directory)
        with listening(work, env, directory) as listener:
            client = Client(listener)
            first = client.whole()
            go_fixture.run(shop, directory, *["word"] * 400)  # a sum in the highest tax class
            second = client.since()
            covered = {block for block, count in second.items() if count}
            tap.equal(len(covered), 1, "newly covered blocks")
            tap.contains(covered.pop(), "example.com/shop/tax/tax.go:5.", "the block")
            tap.equal(set(client.since().values()), {0}, "counts when nothing has run")
            answer = fcgi.request(listener.address, body=json.dumps({"since": client.etag}).encode())
            tap.contains(answer.header("goverage-warning") or "", "-covermode=atomic", "Goverage-Warning")
            again = fcgi.request(listener.address, body=json.dumps({"since": client.etag}).encode(),
                                 HTTP_IF_NONE_MATCH=answer.header("etag"))
            tap.equal(again.status, 304, "status of the same question")
            tap.contains(again.header("goverage-warning") or "", "-covermode=atomic", "its Goverage-Warning")
            tap.equal(parse(fcgi.request(listener.address)), first + second, "the whole")


def stays(out, work, env):
    """An ETag can be used again and again, and names the same state with any filter."""
    with out.check("the same ETag twice: the same profile; a later one: less"):
        directory = work.mkdir("stays")
        shop = go_fixture.build("shop", "count")
        go_fixture.run(shop, directory)
        with listening(work, env, directory) as listener:
            start = fcgi.request(listener.address).header("etag")
            go_fixture.run(shop, directory)
            between = fcgi.request(listener.address).header("etag")
            go_fixture.run(shop, directory)
            first, again, later = (
                fcgi.request(listener.address, body=json.dumps({"since": etag}).encode())
                for etag in (start, start, between))
            tap.equal((again.body, again.header("etag")), (first.body, first.header("etag")), "once more")
            tap.equal({block: 2 * count for block, count in parse(later).items()}, dict(parse(first)),
                      "two runs, and one")
            assert later.header("etag") != first.header("etag"), "one ETag for different answers"
            answer = fcgi.request(listener.address, body=json.dumps({"since": start}).encode(),
                                  HTTP_IF_NONE_MATCH=first.header("etag"))
            tap.equal(answer.status, 304, "status of the same question with If-None-Match")
    with out.check("all spellings of an ETag, and all places for it"):
        with listening(work, env, directory) as listener:
            start = fcgi.request(listener.address).header("etag")
            go_fixture.run(shop, directory)
            want = fcgi.request(listener.address, body=json.dumps({"since": start}).encode()).body
            assert sum(parse_text(want).values()) > 0, "nothing ran"
            digest = start.strip('"').split("-")[0]
            for spelling in (start, f"W/{start}", start.strip('"'), digest, start[:-1] + '-gzip"'):
                quoted = spelling.replace('"', "%22").replace("/", "%2F")
                for request in ({"body": json.dumps({"Since": spelling}).encode()},
                                {"query": f"since={quoted}", "method": "GET"},
                                {"body": f"since={quoted}".encode(),
                                 "CONTENT_TYPE": "application/x-www-form-urlencoded"}):
                    tap.equal(fcgi.request(listener.address, **request).body, want, f"{spelling} {request}")


def parse_text(body):
    return {line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1]) for line in body.decode().splitlines()[1:]}


def filters(out, work, env):
    with out.check("filters apply to what ran since"):
        directory = work.mkdir("filters")
        shop = go_fixture.build("shop", "count")
        go_fixture.run(shop, directory)
        with listening(work, env, directory) as listener:
            start = fcgi.request(listener.address).header("etag")
            go_fixture.run(shop, directory)
            whole = fcgi.request(listener.address, body=json.dumps({"since": start}).encode())
            part = fcgi.request(listener.address, body=json.dumps(
                {"since": start, "skipFile": ["_mock"], "coverFile": ["/cart/"]}).encode())
            check_profile(part, go_fixture.filtered(whole.body, ["_mock"], ["/cart/"]))
            assert sum(parse(part).values()) > 0, "nothing is left"
            assert part.header("etag") != whole.header("etag"), "one ETag for different answers"
    with out.check("going on from the ETag of a filtered answer"):
        with listening(work, env, directory) as listener:
            client = Client(listener, coverFile=["/cart/"])
            total = client.whole()
            for _ in range(5):
                go_fixture.run(shop, directory)
                total.update(client.since())
            tap.equal(total, client.whole(), "the sum")


def live(out, work, env):
    with out.check("since with a service that runs: what each request to it has executed"):
        directory = work.mkdir("live")
        program = http_service.build("shopfront", "count", go_fixture.RELEASE)
        with http_service.Service(program, directory) as service, \
                listening(work, dict(env, GOVERAGE_LIVE="auto"), directory) as listener:
            service.get("/price?pieces=3")  # the connection's own blocks
            client = Client(listener)
            total = client.whole()
            for number, line in ((3, "10."), (30, "12."), (300, "18.")):
                service.get(f"/price?pieces={number}")
                part = client.since()
                total.update(part)
                taken = {block for block, count in part.items() if count and "stock/stock.go:" in block}
                assert any(f"stock.go:{line}" in block for block in taken) and len(taken) >= 2, taken
                tap.equal({part[block] for block in taken}, {1}, "counts of one request")
            tap.equal(set(client.since().values()), {0}, "counts while it rests")
            service.get("/price?pieces=3")
            tap.equal(service.end(), 0, "exit status of the service")
            total.update(client.since())
            tap.equal(total, parse(fcgi.request(listener.address)), "the sum")
            tap.equal(fcgi.request(listener.address).body, go_fixture.textfmt(directory), "the whole")


def refusals(out, work, env):
    directory = work.mkdir("refusals")
    go_fixture.run(go_fixture.build("shop", "count"), directory)
    with listening(work, env, directory) as listener:
        etag = fcgi.request(listener.address).header("etag")
        gone = {"another digest": NOWHERE, "another digest with a filter": f'"{NOWHERE}-0123456789abcdef"'}
        for name, value in gone.items():
            with out.check(f"410: {name}"):
                check_error(fcgi.request(listener.address, body=json.dumps({"since": value}).encode()), 410,
                            NOWHERE, "not held")
        bad = {"empty": "", "a word": "yesterday", "too short": NOWHERE[:-1], "capitals": NOWHERE.upper(),
               "too long": NOWHERE + "0", "a list": ["a"], "a number": 7, "quotes alone": '""'}
        for name, value in bad.items():
            with out.check(f"400: {name}"):
                check_error(fcgi.request(listener.address, body=json.dumps({"since": value}).encode()), 400,
                            "since")
        with out.check("null is as good as none"):
            tap.equal(fcgi.request(listener.address, body=b'{"since":null}').header("etag"), etag, "ETag")
    with listening(work, env, directory) as listener:
        with out.check("410: a state of another process, until it has been polled here"):
            body = json.dumps({"since": etag}).encode()
            go_fixture.run(go_fixture.build("shop", "count"), directory)
            check_error(fcgi.request(listener.address, body=body), 410, "not held")
            fcgi.request(listener.address)
            check_error(fcgi.request(listener.address, body=body), 410, "not held")
    with listening(work, dict(env, GOVERAGE_CACHE="0"), directory) as listener:
        with out.check("410: nothing is kept with GOVERAGE_CACHE=0"):
            etag = fcgi.request(listener.address).header("etag")
            check_error(fcgi.request(listener.address, body=json.dumps({"since": etag}).encode()), 410,
                        "not held")


def listening(work, env, directory):
    return processes.Listener(work.program, dict(env, GOCOVERDIR=directory), work.join("socket"),
                              work.join("log"))


def main():
    processes.alarm(600)
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        env = {"PATH": "/usr/bin:/bin", "GOVERAGE_COVDATA": work.install(covdata),
               "GOVERAGE_LIVE": "off"}
        splitting(out, work, dict(env, GOVERAGE_ENGINE="builtin"))
        newly_covered(out, work, env)
        stays(out, work, env)
        filters(out, work, env)
        live(out, work, env)
        refusals(out, work, env)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
