"""Coverage files: this program beside bare covdata, and beside what can't be done with less."""

import contextlib
import os
import shutil
import subprocess

import cgi_client
import fastcgi_client
import processes
import tree
import web_server
from measure import (MIB, ROUNDS, Process, build_c, fastcgi_seconds, http_seconds, peak_resident, several,
                     take_turns)

NAMES = ("small", "medium", "large", "atomic", "manypods", "manysmall")
PATTERNS = b'{"skipFile":["_test\\\\.go$","/internal/"]}'
PROFILE = "/v1/cover/profile"
WARM = 15  # polls of a warm process in one round


def corpus(name):
    """The directory of a corpus; it is built at the first time, offline, from the Go tree's own commands."""
    script = os.path.join(tree.SOURCE, "tests", "bench", "corpora")
    place = os.environ.get("GOVERAGE_CORPORA") or os.path.join(tree.BUILD, "tests", "corpora")
    subprocess.run([script, place, name], stdout=subprocess.DEVNULL, check=True)
    return os.path.join(place, name)


class Corpus:
    """A directory, covdata's profile of it, and the settings to read it with."""

    def __init__(self, name, work, covdata):
        self.name, self.work, self.covdata = name, work, covdata
        self.directory = corpus(name)
        self.process = Process(work)
        self.output = work.join("output")
        self.files = os.listdir(self.directory)
        self.listeners = 0
        self.covdata_seconds()
        with open(self.output, "rb") as text:
            self.profile = text.read()

    def settings(self, engine, **more):
        return {"PATH": "/usr/bin:/bin", "GOCOVERDIR": self.directory, "GOVERAGE_COVDATA": self.covdata,
                "GOVERAGE_LIVE": "off", "GOVERAGE_TIMEOUT": "300", "GOVERAGE_ENGINE": engine, **more}

    def covdata_seconds(self):
        return self.process.run("covdata", [self.covdata, "textfmt", f"-i={self.directory}",
                                            f"-o={self.output}"], "/dev/null")

    def cgi_seconds(self, engine, **more):
        env = cgi_client.environment(self.settings(engine, **more))
        return self.process.run(engine, [self.work.cgi], self.output, env)

    def listener(self, engine, **more):
        self.listeners += 1  # several live at once, each with a socket of its own
        return processes.Listener(self.work.program, self.settings(engine, **more),
                                  self.work.join(f"{self.name}{self.listeners}"), self.work.join("log"))

    def check(self, answer):
        assert answer.body == self.profile, f"not covdata's bytes: status {answer.status}"


def overhead(corpus_):
    """What this program adds to covdata when covdata does the work, and nothing is kept."""
    with corpus_.listener("covdata", GOVERAGE_CACHE="0") as server:
        corpus_.check(fastcgi_client.request(server.address))
        least = len(corpus_.profile)
        times = take_turns({
            "covdata": corpus_.covdata_seconds,
            "cgi": lambda: corpus_.cgi_seconds("covdata"),
            "fcgi": lambda: fastcgi_seconds(server.address, least),
            "patterns": lambda: fastcgi_seconds(server.address, body=PATTERNS)})
        peak = peak_resident(server.pid)
    times.row("covdata textfmt", "covdata", f"peak {corpus_.process.peak['covdata'] / MIB:.1f} MiB")
    for name, what in (("cgi", "CGI, engine covdata"), ("fcgi", "FastCGI, engine covdata, no cache"),
                       ("patterns", "the same, two patterns")):
        notes = [f"{times.ratio(name, 'covdata'):.3f} x covdata"]
        if name == "fcgi":
            notes.append(f"peak {peak / MIB:.1f} MiB: the answer + {(peak - least) / MIB:.1f} MiB")
        times.row(what, name, *notes)


def cold(corpus_):
    """A whole process with the built-in reader, beside covdata and beside the floor."""
    corpus_.check(cgi_client.request(corpus_.work.cgi, corpus_.settings("builtin")))
    floor = build_c(corpus_.work, "floor")
    times = take_turns({
        "covdata": corpus_.covdata_seconds,
        "builtin": lambda: corpus_.cgi_seconds("builtin"),
        "floor": lambda: corpus_.process.run("floor", [floor, corpus_.directory], "/dev/null")})
    peak = corpus_.process.peak
    times.row("CGI, built-in reader, cold", "builtin",
              f"{times.ratio('covdata', 'builtin'):.1f} times as fast as covdata",
              f"peak {peak['builtin'] / MIB:.1f} MiB, 1/{peak['covdata'] / peak['builtin']:.1f} of covdata's")
    times.row("floor: each counter decoded once, no text", "floor",
              f"the cold process takes {times.ratio('builtin', 'floor'):.2f} x as long")


@contextlib.contextmanager
def lighttpd(corpus_, name, backend=None):
    """lighttpd, whose program has read the corpus; and the answer."""
    server = web_server.WebServer(name, backend, corpus_.work, corpus_.settings("builtin"))
    try:
        answer = server.request("POST", PROFILE, body=b"")
        corpus_.check(answer)
        yield server, answer
    finally:
        server.stop()


def warm(corpus_):
    """Polls of a directory that does not change, beside a file that lighttpd has on its disk."""
    size = len(corpus_.profile)
    with lighttpd(corpus_, "lighttpd-fastcgi") as (server, answer):
        with open(os.path.join(server.run_dir, "static.txt"), "wb") as out:
            out.write(corpus_.profile)
        same = [("If-None-Match", answer.header("etag"))]
        with corpus_.listener("builtin") as listener:
            corpus_.check(fastcgi_client.request(listener.address))
            port = server.port
            times = take_turns({
                "static": lambda: several(lambda: http_seconds(port, "GET", "/static.txt", size), WARM),
                "lighttpd": lambda: several(lambda: http_seconds(port, "POST", PROFILE, size), WARM),
                "304": lambda: several(lambda: http_seconds(port, "POST", PROFILE, 0, same), WARM),
                "fcgi": lambda: several(lambda: fastcgi_seconds(listener.address, size), WARM)})
            resident = processes.resident_kib(listener.pid) * 1024
    times.row("lighttpd, a static file of that size", "static")
    times.row("warm poll through lighttpd", "lighttpd",
              f"{times.ratio('lighttpd', 'static'):.2f} x the static file")
    times.row("warm poll through lighttpd, 304", "304", f"{times.ratio('304', 'static'):.2f} x")
    times.row("warm poll, FastCGI alone", "fcgi", f"{times.ratio('fcgi', 'static'):.2f} x",
              f"{resident / MIB:.1f} MiB resident")


def one_more(corpus_):
    """A new counter file among those that were read already."""
    copy = corpus_.work.join("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(corpus_.directory, copy)
    model = next(name for name in sorted(corpus_.files) if name.startswith("covcounters."))
    stem = model.rsplit(".", 1)[0]
    number = iter(range(1, 1 << 30))
    size = len(corpus_.profile) // 2

    def add():
        aside = os.path.join(copy, "tmp.new")
        shutil.copy(os.path.join(copy, model), aside)
        os.rename(aside, os.path.join(copy, f"{stem}.{next(number)}"))

    def new_file(listener):
        add()
        return fastcgi_seconds(listener.address, size)

    def first():
        with corpus_.listener("builtin", GOCOVERDIR=copy) as fresh:
            return fastcgi_seconds(fresh.address, size)

    with corpus_.listener("builtin", GOCOVERDIR=copy) as listener:
        for _ in range(3):  # from the second text of the same packages on, it has their form
            new_file(listener)
        times = take_turns({
            "first": first,
            "new": lambda: several(lambda: new_file(listener), 3),
            "unchanged": lambda: several(lambda: fastcgi_seconds(listener.address, size), WARM)})
    counters = sum(name.startswith("covcounters.") for name in corpus_.files)
    times.row(f"first poll, {counters} counter files", "first")
    times.row("poll with one new counter file", "new", f"{times.ratio('new', 'first'):.4f} of the first poll",
              f"beyond an unchanged poll: {times.share_of_difference('new', 'unchanged', 'first'):.4f}")


def run(name, work, covdata):
    corpus_ = Corpus(name, work, covdata)
    print(f"{name}: {len(corpus_.files)} files, {len(corpus_.profile) / MIB:.1f} MiB of profile, "
          f"{ROUNDS} rounds", flush=True)
    overhead(corpus_)
    cold(corpus_)
    warm(corpus_)
    one_more(corpus_)
