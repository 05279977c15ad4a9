#!/usr/bin/python3
"""A process that keeps what it has read answers as covdata does, whatever happens to the directory between
two polls: files that come, go and are replaced, damaged files, another directory in its place."""

import os
import random
import shutil
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tree
from answer import check_error, check_profile

STEPS = int(os.environ.get("GOVERAGE_RANDOM_STEPS") or 60)
SEED = int(os.environ.get("GOVERAGE_RANDOM_SEED") or random.randrange(1 << 30))
PARALLEL = 30


class Pool:
    """Real coverage files of two programs to take from: {tag: (meta-data, [counters, ...])}."""

    def __init__(self, work, mode):
        self.programs = {}
        for module in ("shop", "till"):
            made = work.mkdir(f"pool-{mode}-{module}")
            for arguments in range(8 if module == "shop" else 2):
                go_fixture.run(go_fixture.build(module, mode), made, *["word"] * arguments)
            (meta,) = go_fixture.files(made, "covmeta")
            counters = [self._read(made, name) for name in go_fixture.files(made, "covcounters")]
            self.programs[meta.split(".")[1]] = self._read(made, meta), counters

    @staticmethod
    def _read(directory, name):
        with open(os.path.join(directory, name), "rb") as source:
            return source.read()


class Directory:
    """The coverage directory, what happens to it, and what of it is bad."""

    def __init__(self, rng, path, pool):
        self.rng, self.path, self.pool = rng, path, pool
        self.clock = 0
        self.bad = set()
        os.mkdir(path)

    def present(self, kind):
        return [name for name in go_fixture.files(self.path, kind) if name not in self.bad]

    def _write(self, name, data):
        """As Go does: aside, and then renamed."""
        aside = os.path.join(self.path, f"tmp.{name}")
        with open(aside, "wb") as out:
            out.write(data)
        os.rename(aside, os.path.join(self.path, name))

    def run(self):
        """A process has ended."""
        tag = self.rng.choice(list(self.pool.programs))
        meta, counters = self.pool.programs[tag]
        self.clock += 1
        if f"covmeta.{tag}" not in os.listdir(self.path):
            self._write(f"covmeta.{tag}", meta)
        self._write(f"covcounters.{tag}.{self.rng.randrange(1, 99)}.{self.clock}", self.rng.choice(counters))

    def delete(self):
        if names := self.present("covcounters"):
            os.unlink(os.path.join(self.path, self.rng.choice(names)))

    def replace(self):
        """Other counters under the same name."""
        if names := self.present("covcounters"):
            name = self.rng.choice(names)
            self._write(name, self.rng.choice(self.pool.programs[name.split(".")[1]][1]))

    def damage(self):
        """Half a counter file more."""
        tag = self.rng.choice(list(self.pool.programs))
        data = self.rng.choice(self.pool.programs[tag][1])
        self.clock += 1
        name = f"covcounters.{tag}.7.{self.clock}"
        self._write(name, data[:self.rng.randrange(len(data))])
        self.bad.add(name)

    def repair(self):
        for name in self.bad:
            os.unlink(os.path.join(self.path, name))
        self.bad.clear()

    def swap(self):
        """Another directory takes the place of this one."""
        new = self.path + ".new"
        shutil.copytree(self.path, new)
        shutil.rmtree(self.path)
        os.rename(new, self.path)

    def clear(self):
        for name in os.listdir(self.path):
            os.unlink(os.path.join(self.path, name))
        self.bad.clear()

    def step(self):
        happening = self.rng.choices(
            (self.run, self.delete, self.replace, self.damage, self.repair, self.swap, self.clear),
            (50, 12, 12, 6, 6, 6, 2))[0]
        for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
            happening()
        return happening.__name__

    def profile(self, work):
        """What covdata says of the good files."""
        good = work.mkdir("good-files")
        shutil.rmtree(good)
        shutil.copytree(self.path, good)
        for name in self.bad:
            os.unlink(os.path.join(good, name))
        return go_fixture.textfmt(good)


def poll(rng, listener, directory, work, held):
    """One poll, plain or with the ETag of an earlier answer; held: {ETag: profile}."""
    etag = rng.choice([*held, None]) if held else None
    answer = fcgi.request(listener.address, **({"HTTP_IF_NONE_MATCH": etag} if etag else {}))
    if not directory.present("covmeta"):
        check_error(answer, 503)
        return
    profile = directory.profile(work)
    if answer.status == 304:
        tap.equal(held[etag], profile, "the profile that the client has, as 304 says")
        return
    check_profile(answer, profile, skipped=len(directory.bad))
    assert held.get(answer.header("etag"), profile) == profile, "one ETag for two profiles"
    held[answer.header("etag")] = profile


def sequence(out, work, settings, number, mode, engine, cache):
    rng = random.Random(f"{SEED}-{number}")
    name = f"{STEPS} changes and polls, mode {mode}, engine {engine}, GOVERAGE_CACHE {cache or 'by default'}"
    with out.check(name):
        directory = Directory(rng, work.join(f"random-{number}"), Pool(work, mode))
        env = dict(settings, GOCOVERDIR=directory.path, GOVERAGE_ENGINE=engine)
        if cache:
            env["GOVERAGE_CACHE"] = cache
        held, history = {}, []
        directory.run()
        with processes.Listener(work.program, env, work.join("socket"), work.join("log")) as listener:
            for _ in range(STEPS):
                history.append(directory.step())
                try:
                    poll(rng, listener, directory, work, held)
                    if rng.random() < 0.3:
                        poll(rng, listener, directory, work, held)
                except AssertionError as error:
                    raise AssertionError(f"{error}\nafter {history}") from None


def at_once(out, work, settings):
    """Many ask the same at the same moment, of a process that has just begun."""
    directory = work.mkdir("at-once")
    for number in range(20):
        go_fixture.run(go_fixture.build("shop", "count"), directory, *["word"] * number)
    profile = go_fixture.textfmt(directory)
    part = go_fixture.filtered(profile, ["_mock"])
    for engine in ("builtin", "covdata"):
        for cache in ("", "0"):
            env = dict(settings, GOCOVERDIR=directory, GOVERAGE_ENGINE=engine, GOVERAGE_CACHE=cache,
                       GOVERAGE_WORKERS="8")
            with out.check(f"{PARALLEL} polls at once, engine {engine}, GOVERAGE_CACHE "
                           f"{cache or 'by default'}: all whole, all alike"), \
                    processes.Listener(work.program, env, work.join("socket"), work.join("log")) as listener:
                ask_at_once(listener, profile, part)


def ask_at_once(listener, profile, part):
    answers = [None] * PARALLEL
    begin = threading.Barrier(PARALLEL)

    def ask(i):
        begin.wait()
        # every third one wants a part of it
        answers[i] = fcgi.request(listener.address, body=b"" if i % 3 else b'{"skipFile":["_mock"]}')

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(PARALLEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, answer in enumerate(answers):
        assert answer, f"no answer to request {i}"
        check_profile(answer, profile if i % 3 else part)
    tap.equal(len({answer.header("etag") for answer in answers}), 2, "ETags")


def slow_client(out, work, settings):
    """A text is brought up to date in place, but not under the eyes of who is still taking it."""
    program = go_fixture.build("wide", "count")
    directory = work.mkdir("slow-client")
    env = dict(settings, GOCOVERDIR=directory, GOVERAGE_ENGINE="builtin")

    def grow():
        go_fixture.run(program, directory)
        return go_fixture.textfmt(directory)

    with out.check("a slow client takes the profile of its request, while others get newer ones"):
        profile = grow()
        with processes.Listener(work.program, env, work.join("socket"), work.join("log")) as listener:
            for _ in range(3):
                check_profile(fcgi.request(listener.address), profile)
                profile = grow()
            with fcgi.Connection(listener.address) as slow:
                slow.send(fcgi.request_bytes(fcgi.parameters()))
                begun = slow.read_record()
                for _ in range(10):
                    newer = grow()
                    check_profile(fcgi.request(listener.address), newer)
                check_profile(slow.read_answer(begun), profile)


def main():
    processes.alarm(600)
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        settings = {"PATH": "/usr/bin:/bin", "GOVERAGE_LIVE": "off",
                    "GOVERAGE_COVDATA": work.install(covdata)}
        out.diag(f"GOVERAGE_RANDOM_SEED={SEED} repeats this run")
        sequence(out, work, settings, 0, "count", "builtin", None)
        sequence(out, work, settings, 1, "count", "builtin", "0")
        sequence(out, work, settings, 2, "set", "builtin", None)
        sequence(out, work, settings, 3, "atomic", "covdata", None)
        sequence(out, work, settings, 4, "count", "auto", "20000")
        at_once(out, work, settings)
        slow_client(out, work, settings)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
