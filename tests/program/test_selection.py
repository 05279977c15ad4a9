#!/usr/bin/python3
"""service, address and build choose among what there is, in profiles and for clear; what stands for nothing is 404,
with a list of what there is, and changes nothing."""

import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import go_fixture
import processes
import tap
import tree
from answer import check_error, check_json_error
from test_clear import CLEAR, HIT, PROFILE, Place, Service, check_cleared, counts, good

LIST = "/v1/cover/list"


def addresses(place):
    """{pid: address}, as goc's list has them."""
    named = json.loads(good(place.ask(LIST, method="GET")).body)
    return {int(address.rsplit("/", 1)[1]): address for group in named.values() for address in group}


def builds(place):
    """{name: hash}"""
    detail = json.loads(good(place.ask(LIST, method="GET", query="format=detail")).body)
    return {entry["name"]: entry["hash"] for entry in detail}


def hits(place, **fields):
    return counts(place.profile(**fields).body).get(HIT)


def two(place):
    """Two processes of one program, in mode count."""
    program = go_fixture.build("counter", "count")
    first, second = Service(program, place.dir), Service(program, place.dir)
    first.hit(3)
    second.hit(40)
    known = addresses(place)
    return first, second, known[first.process.pid], known[second.process.pid]


def by_address(out, work, covdata):
    place = Place(work, covdata)
    first, second, one, other = two(place)
    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
    try:
        with out.check("address: in JSON, in a form, in the query string"):
            tap.equal((hits(place), hits(place, address=[one]), hits(place, address=[other])), (43, 3, 40), "hits")
            tap.equal(hits(place, address=[one, other]), 43, "of both")
            got = good(place.ask(PROFILE, method="GET", query="address=" + other))
            tap.equal(counts(got.body)[HIT], 40, "hits by the query string")
            env = dict(place.env)
            place.env.update(form)
            body = good(_form(place, f"address={one}".encode())).body
            place.env = env
            tap.equal(counts(body)[HIT], 3, "hits by a form")
            live = good(place.ask(PROFILE, {"address": [one]})).header("goverage-live")
            tap.contains(live, "read=1 ", "Goverage-Live")
        with out.check("clear with an address clears that process alone"):
            place.clear(address=[one])
            tap.equal((hits(place), hits(place, address=[one]), hits(place, address=[other])), (40, 0, 40), "hits")
            first.hit(2)
            second.hit(1)
            tap.equal((hits(place), hits(place, address=[one]), hits(place, address=[other])), (43, 2, 41), "since")
            tap.equal(hits(place, service=["counter"]), 43, "by name")
            tap.equal(hits(place, total=True), 46, "in all")
        with out.check("again, then the other one, then all"):
            place.clear(address=[one])
            tap.equal((hits(place), hits(place, address=[one])), (41, 0), "hits")
            place.clear(address=[other])
            tap.equal((hits(place), hits(place, address=[one]), hits(place, address=[other])), (0, 0, 0), "hits")
            first.hit(7)
            place.clear()
            second.hit(1)
            tap.equal((hits(place), hits(place, address=[one]), hits(place, address=[other])), (1, 0, 1), "hits")
        with out.check("its baseline holds after its end"):
            first.hit(5)
            first.end()
            tap.equal(hits(place), 6, "hits")
            check_error(place.ask(PROFILE, {"address": [one]}), 404, one, other)
    finally:
        for service in (first, second):
            if service.process.poll() is None:
                service.end()


def _form(place, body):
    import cgi_client  # pylint: disable=import-outside-toplevel
    return cgi_client.request(place.work.cgi, place.env, "POST", PROFILE, body=body)


def by_build(out, work, covdata):
    place = Place(work, covdata)
    for name in ("shop", "till"):
        place.run(go_fixture.build(name, "count"))
    service = Service(go_fixture.build("counter", "count"), place.dir)
    try:
        service.hit(2)
        known = builds(place)
        with out.check("build: of what has ended, and of what runs"):
            for name, found in known.items():
                for spelling in (found, found.upper()):
                    got = counts(place.profile(build=[spelling]).body)
                    tap.equal({block.split(b"/")[1].decode() for block in got}, {name}, "modules")
            got = counts(place.profile(build=[known["shop"], known["counter"]]).body)
            tap.equal({block.split(b"/")[1] for block in got}, {b"shop", b"counter"}, "modules")
        with out.check("clear with a build clears that one alone"):
            before = counts(place.profile().body)
            place.clear(build=[known["shop"]])
            after = counts(place.profile().body)
            tap.equal({block.split(b"/")[1] for block, n in before.items() if n != after[block]}, {b"shop"},
                      "modules that have changed")
            place.clear(build=[known["counter"]])
            service.hit(3)
            tap.equal((hits(place), hits(place, build=[known["counter"]])), (3, 3), "hits")
            assert not any(counts(place.profile(build=[known["shop"]]).body).values()), "shop is not cleared any more"
        with out.check("all lists hold at once; nothing in all of them is 404"):
            tap.equal(hits(place, build=[known["counter"]], service=["counter"],
                           address=list(addresses(place).values())), 3, "hits")
            check_error(place.ask(PROFILE, {"build": [known["counter"]], "service": ["shop"]}), 404, "at once")
            tap.equal(hits(place, build=list(known.values()), service=["counter"]), 3, "hits, other builds aside")
            tap.equal(hits(place, build=[known["counter"]], service=list(known)), 3, "hits, other names aside")
    finally:
        service.end()


def unknown(out, work, covdata):
    place = Place(work, covdata)
    place.run(go_fixture.build("shop", "count"))
    first, second, one, other = two(place)
    shop, counter = builds(place)["shop"], builds(place)["counter"]
    strange = {"service": ["nosuch"], "address": ["proc://nowhere/1"], "build": ["0" * 32]}
    there = {"service": ("shop", "counter"), "address": (one, other), "build": (shop, counter)}
    real = {"service": ["shop"], "address": [one], "build": [counter]}
    try:
        for field, values in strange.items():
            with out.check(f"an unknown {field}: 404 with what there is, and nothing is cleared"):
                for fields in ({field: values}, {field: values + real[field]}, {field: values, "force": True}):
                    for path in (PROFILE, CLEAR):
                        check_error(place.ask(path, fields), 404, values[0], field, *there[field])
                check_error(place.ask(PROFILE, method="GET", query=f"{field}={values[0]}"), 404, values[0])
                check_json_error(place.ask(PROFILE, {field: values}, HTTP_ACCEPT="application/json"), 404, values[0])
                assert not os.path.exists(place.state) or not place.baselines(), "something was cleared"
            with out.check(f"an unknown {field} beside a known one, with force: the known one, and a warning"):
                answer = place.profile(**{field: values + real[field], "force": True})
                tap.equal(answer.body, place.profile(**{field: real[field]}).body, "the profile")
                tap.contains(answer.header("goverage-warning"), values[0], "Goverage-Warning")
                assert real[field][0] not in answer.header("goverage-warning"), answer
        with out.check("clear with force: the known one, and a warning"):
            answer = place.ask(CLEAR, {"address": [one, "proc://nowhere/1"], "force": True})
            check_cleared(answer)
            tap.contains(answer.header("goverage-warning"), "proc://nowhere/1", "Goverage-Warning")
            tap.equal((hits(place, address=[one]), hits(place, address=[other])), (0, 40), "hits")
        for title, fields in {"no name": {"service": [""]}, "a part of a name": {"service": ["sho"]},
                              "other case": {"service": ["SHOP"]}, "a pid": {"address": [one.rsplit("/", 1)[1]]},
                              "an address and more": {"address": [one + "0"]}, "a part of a hash": {"build": [shop[:31]]},
                              "goc's address": {"address": ["http://127.0.0.1:7777"]},
                              "a name of 100000 bytes": {"service": ["x" * 100000]},
                              "10000 names": {"service": [f"x{i}" for i in range(10000)]},
                              "a line feed": {"service": ["x\nSet-Cookie: y"]}}.items():
            with out.check(f"unknown: {title}"):
                check_error(place.ask(PROFILE, fields), 404, "there is nothing here for")
    finally:
        first.end()
        second.end()
    with out.check("what has ended is known by name and build, and no more by address"):
        tap.equal(hits(place, service=["counter"]), 40, "hits")
        tap.equal(hits(place, build=[counter]), 40, "hits")
        check_error(place.ask(PROFILE, {"address": [other]}), 404, "no address")
    with out.check("without running processes: the sentence says so"):
        place.env["GOVERAGE_LIVE"] = "off"
        check_error(place.ask(PROFILE, {"address": [other]}), 404, "goverage_live is off")
    with out.check("nothing at all in the directory"):
        check_error(Place(work, covdata).ask(PROFILE, {"service": ["shop"]}), 404, "no service")
        check_error(Place(work, covdata).ask(PROFILE), 503, "no covered process")
    with out.check("many names: the sentence is bounded"):
        place = Place(work, covdata)
        shop = go_fixture.build("shop", "count")
        for number in range(30):
            twin = work.join("a-rather-long-name-for-a-program-" + str(number))
            os.link(shop, twin) if not os.path.exists(twin) else None
            place.run(twin)
        answer = place.ask(PROFILE, {"service": ["nosuch"]})
        check_error(answer, 404, "a-rather-long-name", "and more")
        assert len(answer.body) < 1024, len(answer.body)


def main():
    processes.alarm(600)
    covdata = go_fixture.covdata_or_skip()
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        by_address(out, work, covdata)
        by_build(out, work, covdata)
        unknown(out, work, covdata)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
