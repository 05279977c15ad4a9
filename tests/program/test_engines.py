#!/usr/bin/python3
"""GOVERAGE_ENGINE: covdata and the built-in reader give the same bytes, stand in for each other as the setting
says, and the reader answers where covdata gives up."""

import os
import re
import shutil
import struct
import sys

sys.dont_write_bytecode = True
for room in ("lib", "reader"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", room))

# pylint: disable=wrong-import-position
import cgi_client
import coverage_files
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tools
import tree
from answer import check_error, check_profile, check_profile_headers

# The till after somebody has worked on it: its blocks lie elsewhere.
go_fixture.MODULES["till-reworked"] = {
    "go.mod": go_fixture.TILL["go.mod"],
    "main.go": go_fixture.TILL["main.go"].replace("func main", "// A till with a bell.\n\nfunc main"),
}


class Requests:
    """The program through both gateways, with the same settings."""

    def __init__(self, work, env):
        self.work = work
        self.env = {name: value for name, value in env.items() if value is not None}
        self.cgi = lambda **how: cgi_client.request(work.cgi, self.env, **how)

    def fastcgi(self, **how):
        with processes.Listener(self.work.program, self.env, self.work.join("socket"),
                                self.work.join("log")) as listener:
            return fcgi.request(listener.address, **how)

    def gateways(self):
        return ("CGI", self.cgi), ("FastCGI", self.fastcgi)


def check_by(answer, profile, engine, skipped=0):
    check_profile(answer, profile, skipped)
    tap.equal(answer.header("goverage-engine"), engine, "Goverage-Engine")


def choice(out, work, env, profile):
    """Who answers, by the setting and by what there is."""
    nothing = {"GOVERAGE_COVDATA": None, "PATH": work.mkdir("no-programs")}
    failing = {"GOVERAGE_COVDATA": tools.failing(work, "error: no ink left")}
    cases = (
        ("auto, covdata is there", {"GOVERAGE_ENGINE": "auto"}, "covdata"),
        ("not set, covdata is there", {"GOVERAGE_ENGINE": None}, "covdata"),
        ("empty, covdata is there", {"GOVERAGE_ENGINE": ""}, "covdata"),
        ("covdata", {"GOVERAGE_ENGINE": "covdata"}, "covdata"),
        ("builtin, covdata is there", {"GOVERAGE_ENGINE": "builtin"}, "builtin"),
        ("builtin, no covdata", {"GOVERAGE_ENGINE": "builtin", **nothing}, "builtin"),
        ("auto, no covdata", {"GOVERAGE_ENGINE": "auto", **nothing}, "builtin"),
        ("auto, covdata fails", {"GOVERAGE_ENGINE": "auto", **failing}, "builtin"),
        ("auto, covdata dies", {"GOVERAGE_ENGINE": "auto", "GOVERAGE_COVDATA": tools.killed(work)},
         "builtin"),
    )
    for name, settings, engine in cases:
        for gateway, ask in Requests(work, {**env, **settings}).gateways():
            with out.check(f"{name}: {engine} answers ({gateway})"):
                check_by(ask(), profile, engine)
    with out.check("covdata alone, and there is none: an error"):
        check_error(Requests(work, {**env, "GOVERAGE_ENGINE": "covdata", **nothing}).cgi(), 500,
                    "covdata not found")
    with out.check("covdata alone, and it fails: an error"):
        check_error(Requests(work, {**env, "GOVERAGE_ENGINE": "covdata", **failing}).cgi(), 500,
                    "no ink left")
    with out.check("auto tells in the log why covdata did not answer"):
        answer = Requests(work, {**env, "GOVERAGE_ENGINE": "auto", **failing}).cgi()
        tap.contains(answer.stderr.decode(), "no ink left", "the log")


def filters(out, work, env, profile):
    body = b'{"skipFile":["_mock"],"coverFile":["cart","tax"]}'
    part = go_fixture.filtered(profile, ["_mock"], ["cart", "tax"])
    for engine in ("covdata", "builtin"):
        with out.check(f"filters with the engine {engine}"):
            check_by(Requests(work, {**env, "GOVERAGE_ENGINE": engine}).cgi(body=body), part, engine)


def as_set(profile):
    """The lines of a profile as mode set has them, without the first one."""
    return [re.sub(r" [1-9]\d*$", " 1", line) for line in profile.decode().splitlines()[1:]]


def mixed_modes(out, work, env):
    """Programs of modes atomic and set in one directory."""
    both = work.mkdir("mixed")
    lines = []
    for program, mode in (("shop", "atomic"), ("till", "set")):
        alone = work.mkdir(f"alone-{program}")
        go_fixture.run(go_fixture.build(program, mode), alone)
        lines += as_set(go_fixture.textfmt(alone))
        shutil.copytree(alone, both, dirs_exist_ok=True)
    for engine in ("auto", "builtin"):
        requests = Requests(work, {**env, "GOCOVERDIR": both, "GOVERAGE_ENGINE": engine})
        with out.check(f"different counter modes, engine {engine}: a profile of mode set and a warning"):
            answer = requests.cgi()
            tap.equal(answer.status, 200, "status")
            check_profile_headers(answer)
            tap.equal(answer.header("goverage-engine"), "builtin", "Goverage-Engine")
            tap.contains(answer.header("goverage-warning") or "", "different counter modes", "the warning")
            got = answer.text().splitlines()
            tap.equal(got[0], "mode: set", "the first line")
            tap.equal(sorted(got[1:]), sorted(lines), "the lines")
        for how, request in (("query", {"query": "mode=strict"}), ("JSON", {"body": b'{"mode":"strict"}'})):
            with out.check(f"different counter modes, engine {engine}, mode=strict by {how}: 409"):
                check_error(requests.cgi(**request), 409, "set", "atomic")
    with out.check("different counter modes, engine covdata: 409"):
        check_error(Requests(work, {**env, "GOCOVERDIR": both, "GOVERAGE_ENGINE": "covdata"}).cgi(), 409,
                    "set", "atomic")
    with out.check("mode=strict with one mode is as good as none; another word is 400"):
        alone = Requests(work, {**env, "GOCOVERDIR": work.join("alone-shop"), "GOVERAGE_ENGINE": "builtin"})
        check_by(alone.cgi(query="mode=strict"), go_fixture.textfmt(work.join("alone-shop")), "builtin")
        check_error(alone.cgi(query="mode=lax"), 400, "mode", "lax")


def two_builds(out, work, env):
    """Two states of one source tree: what covdata prints, and a warning."""
    directory = work.mkdir("builds")
    go_fixture.run(go_fixture.build("till", "count"), directory)
    one = Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": "builtin"}).cgi()
    go_fixture.run(go_fixture.build("till-reworked", "count"), directory)
    profile = go_fixture.textfmt(directory)
    for engine in ("covdata", "builtin"):
        with out.check(f"two builds of one source tree, engine {engine}: covdata's profile and a warning"):
            tap.equal(one.header("goverage-warning"), None, "the warning about one build")
            answer = Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine}).cgi()
            check_by(answer, profile, engine)
            tap.contains(answer.header("goverage-warning") or "", "different builds", "the warning")


# A function that has another name in a second build: two functions with blocks of one place.
for build, name, calls in (("twins", "one", 2), ("twins-renamed", "uno", 3)):
    go_fixture.MODULES[build] = {
        "go.mod": "module example.com/twins\n\ngo 1.20\n",
        "main.go": "package main\n\nfunc main() {\n" + f"\t{name}()\n" * calls + "}\n",
        "twin.go": f"package main\n\nfunc {name}() {{ println(1) }}\n",
    }


def twins(out, work, env):
    """covdata has no order for blocks of one place: one answer's bytes may not be the next one's."""
    directory = work.mkdir("twins")
    for build in ("twins", "twins-renamed"):
        go_fixture.run(go_fixture.build(build, "count"), directory)
    lines = sorted(go_fixture.textfmt(directory).splitlines())
    tap.equal(len([line for line in lines if b"twin.go:" in line]), 2, "lines of twin.go")
    for gateway, ask in Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": "covdata"}).gateways():
        with out.check(f"blocks of one place, engine covdata: no ETag ({gateway})"):
            answer = ask()
            tap.equal(sorted(answer.body.splitlines()), lines, "the lines")
            tap.equal(answer.header("etag"), None, "ETag")
    for gateway, ask in Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": "auto"}).gateways():
        with out.check(f"blocks of one place, engine auto: the reader answers, which has an order ({gateway})"):
            first, again = ask(), ask()
            tap.equal((first.header("goverage-engine"), first.body), ("builtin", again.body), "engine, bytes")
            tap.equal(sorted(first.body.splitlines()), lines, "the lines")
            assert first.header("etag"), "no ETag"


# --- damage -----------------------------------------------------------------------------------------

def change(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 2)


def new_kind(path):
    """The format version of a Go release to come."""
    change(path, 4, struct.pack("<I", 2))


def fill_with_ones(path):
    """No number that ends in the place where the counters are."""
    change(path, os.path.getsize(path) - 48, b"\xff" * 32)


def empty_in_new_words(path):
    """Counters of a kind that nobody knows, and none of them: covdata takes that."""
    change(path, 24, b"\x09")
    change(path, 32, bytes(8))


def two_programs(work, name):
    """(directory, name of the till's meta-data, name of its counters, the profile without the till, the
    profile with the till's meta-data and without its counters)"""
    directory = work.mkdir(name)
    go_fixture.run(go_fixture.build("shop", "count"), directory)
    without = go_fixture.textfmt(directory)
    before = set(os.listdir(directory))
    go_fixture.run(go_fixture.build("till", "count"), directory)
    meta, counters = sorted(set(os.listdir(directory)) - before, reverse=True)
    aside = work.join(counters)
    os.rename(os.path.join(directory, counters), aside)
    never_run = go_fixture.textfmt(directory)
    os.rename(aside, os.path.join(directory, counters))
    return directory, meta, counters, without, never_run


def damage(out, work, env):
    cases = (("an empty", lambda path: os.truncate(path, 0)), ("a truncated", truncate),
             ("a foreign", lambda path: change(path, 0, b"PNG!")))
    for engine in ("covdata", "builtin"):
        for number, (kind, spoil) in enumerate(cases):
            directory, meta, counters, without, never_run = two_programs(work, f"damage-{engine}-{number}")
            requests = Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine})
            path = os.path.join(directory, counters)
            shutil.copy(path, work.join("kept"))
            with out.check(f"{kind} counter file costs that file, engine {engine}"):
                spoil(path)
                answer = requests.cgi()
                check_by(answer, never_run, engine, skipped=1)
                tap.contains(answer.stderr.decode(), counters, "the log")
            shutil.copy(work.join("kept"), path)
            with out.check(f"{kind} meta-data file costs its counters, too, engine {engine}"):
                spoil(os.path.join(directory, meta))
                answer = requests.cgi()
                check_by(answer, without, engine, skipped=2)
                tap.contains(answer.stderr.decode(), meta, "the log")
    directory, _, counters, _, never_run = two_programs(work, "damage-inside")
    fill_with_ones(os.path.join(directory, counters))
    for engine in ("covdata", "builtin", "auto"):
        with out.check(f"counters that are damaged inside, engine {engine}: nothing of them, the rest stays"):
            answer = Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine}).cgi()
            check_profile(answer, never_run, skipped=1)
            tap.contains(answer.stderr.decode(), counters, "the log")
    read_already(out, work, env)
    strictly(out, work, env)
    orphans(out, work, env)


def read_already(out, work, env):
    """A file that the screening refuses, and the reader and covdata take."""
    directory, _, counters, _, never_run = two_programs(work, "read-already")
    empty_in_new_words(os.path.join(directory, counters))
    for engine, by in (("covdata", "covdata"), ("auto", "covdata"), ("builtin", "builtin")):
        requests = Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine})
        for query in ("", "mode=strict"):
            with out.check(f"what the reader has found good is not screened again, engine {engine} {query}"):
                answer = requests.cgi(query=query)
                check_by(answer, never_run, by)
                assert answer.header("etag"), "no ETag"


def strictly(out, work, env):
    """Damage costs the damaged file, and no engine, in mode=strict, too."""
    directory, meta, counters, _, never_run = two_programs(work, "strictly")
    truncate(os.path.join(directory, counters))
    for engine, by in (("covdata", "covdata"), ("auto", "covdata"), ("builtin", "builtin")):
        with out.check(f"a truncated counter file and mode=strict, engine {engine}: {by} answers"):
            answer = Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine}).cgi(
                query="mode=strict")
            check_by(answer, never_run, by, skipped=1)
            tap.equal(answer.stderr.decode().count(counters), 1, "lines about it in the log")
    go_fixture.run(go_fixture.build("till-reworked", "set"), directory)
    with out.check("a truncated counter file and different counter modes, mode=strict: 409"):
        answer = Requests(work, {**env, "GOCOVERDIR": directory}).cgi(query="mode=strict")
        check_error(answer, 409, "set (", "count (", "GOCOVERDIR mixes")
        tap.equal(answer.stderr.decode().count(counters), 1, "lines about it in the log")


def orphans(out, work, env):
    """Counters that nothing is known of."""
    directory, meta, counters, without, _ = two_programs(work, "orphans")
    os.unlink(os.path.join(directory, meta))
    for engine in ("covdata", "builtin", "auto"):
        with out.check(f"counters without meta-data are told and counted in each poll, engine {engine}"):
            settings = {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine}
            with processes.Listener(work.program, settings, work.join("socket"),
                                    work.join("log")) as listener:
                for _ in range(3):
                    check_profile(fcgi.request(listener.address), without, skipped=1)
                tap.contains(listener.log_text(), counters, "the log")


def odd_lengths(out, work, env):
    """A counter file that gives a function another number of counters than it has blocks, beside a good one."""
    unit = [(1, 1, 2, 2, 1), (3, 1, 4, 4, 2)]
    packages = [coverage_files.Package(f"example.org/{path}", [coverage_files.Function(
        "f", f"example.org/{path}/f.go", unit)]) for path in "ab"]
    tag = coverage_files.meta_hash(packages, coverage_files.COUNT).hex()
    for what, package, values in (("too many", 1, [1] * 9), ("too many, in the first package", 0, [1, 1, 1]),
                                  ("too few", 1, [1])):
        directory = work.mkdir(f"odd-{package}-{len(values)}")
        odd = f"covcounters.{tag}.2.2"
        for name, data in ((f"covmeta.{tag}", coverage_files.meta(packages, coverage_files.COUNT)),
                           (f"covcounters.{tag}.1.1", coverage_files.counters([(0, 0, [5, 0]), (1, 0, [7, 3])]))):
            with open(os.path.join(directory, name), "wb") as file:
                file.write(data)
        expected = go_fixture.textfmt(directory)
        with open(os.path.join(directory, odd), "wb") as file:
            file.write(coverage_files.counters([(package, 0, values)]))
        for engine in ("covdata", "builtin", "auto"):
            with out.check(f"a function with {what} counters, engine {engine}: that file alone is left out"):
                answer = Requests(work, {**env, "GOCOVERDIR": directory, "GOVERAGE_ENGINE": engine}).cgi()
                check_profile(answer, expected, skipped=1)
                tap.contains(answer.stderr.decode(), odd, "the log")


def knowing(work, profile):
    """A covdata that knows the format of the future: there is no such program yet."""
    answer, path = work.join("answer"), os.path.join(work.mkdir("tools"), "knowing")
    with open(answer, "wb") as out:
        out.write(profile)
    with open(path, "w") as out:
        out.write(f'#!/bin/sh\nfor word; do\n\tcase $word in -o=*) cat {answer} >"${{word#-o=}}" ;; esac\n'
                  "done\n")
    os.chmod(path, 0o755)
    return path


def newer_format(out, work, env):
    future = b"mode: count\nfuture.go:1.1,2.2 1 7\n"
    for kind in ("meta-data", "counter"):
        directory, meta, counters, _, _ = two_programs(work, f"newer-{kind}")
        name = meta if kind == "meta-data" else counters
        new_kind(os.path.join(directory, name))
        settings = {**env, "GOCOVERDIR": directory}
        with out.check(f"a {kind} file of a newer format, builtin: an error that says so"):
            check_error(Requests(work, {**settings, "GOVERAGE_ENGINE": "builtin"}).cgi(), 500,
                        "format version 2", name)
        for engine in ("auto", "covdata"):
            requests = Requests(work, {**settings, "GOVERAGE_ENGINE": engine,
                                       "GOVERAGE_COVDATA": knowing(work, future)})
            with out.check(f"a {kind} file of a newer format, {engine}: a covdata that knows it answers"):
                answer = requests.cgi()
                tap.equal((answer.status, answer.body), (200, future), "status and profile")
                tap.equal(answer.header("goverage-engine"), "covdata", "Goverage-Engine")
                tap.equal(answer.header("etag"), None, "ETag of a state that is not known")


def main():
    processes.alarm(600)
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off",
               "GOVERAGE_COVDATA": work.install(covdata)}
        choice(out, work, env, profile)
        filters(out, work, env, profile)
        mixed_modes(out, work, env)
        two_builds(out, work, env)
        twins(out, work, env)
        damage(out, work, env)
        odd_lengths(out, work, env)
        newer_format(out, work, env)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
