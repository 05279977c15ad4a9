#!/usr/bin/python3
"""A coverage directory that is not what it should be, or was not a moment ago; a clock that jumps; private
directories that a killed process has left."""

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fail_call
import fastcgi_client as fcgi
import faults
import go_fixture
import private_shm
import processes
import tap
import tools
import tree
from answer import check_error, check_profile, parse_cgi

ENGINES = ("builtin", "covdata")
NOBODY = 65534
MANY = 100000
MANY_KIB = 400 * 1024  # memory for so many files
DAY = 86400


def changing(out, bench, directory):
    """While a responder is polled; it recovers by itself each time."""
    aside = directory + ".aside"

    def as_file():
        with open(directory, "w") as file:
            file.write("no directory")

    cases = (("vanishes", lambda: None, 503, "does not exist"),
             ("becomes a file", as_file, 500, "is not a directory"),
             ("becomes a link to itself", lambda: os.symlink(directory, directory), 500, "symbolic links"),
             ("becomes a link to nowhere", lambda: os.symlink("/nowhere/at/all", directory), 503,
              "does not exist"))
    for engine in ENGINES:
        with faults.Serving(bench, {"GOVERAGE_ENGINE": engine}) as serving:
            serving.is_well()
            serving.remember()
            for what, make, status, words in cases:
                with out.check(f"GOCOVERDIR {what} while it is polled, engine {engine}: {status}, and then well again"):
                    os.rename(directory, aside)
                    try:
                        make()
                        for path in ("/v1/cover/profile", "/v1/cover/clear"):
                            check_error(serving.ask(path=path), status, "gocoverdir", words)
                    finally:
                        with contextlib.suppress(FileNotFoundError):
                            os.unlink(directory)
                        os.rename(aside, directory)
                    serving.is_well()
                    serving.as_before()


def as_user(bench, settings, user):
    env = cgi_client.environment({**bench.env, **settings})

    def become():
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
    done = subprocess.run([bench.work.cgi], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, preexec_fn=become)
    tap.equal(done.returncode, 0, "exit status")
    return parse_cgi(done.stdout, True, done.stderr)


def unreadable(out, bench, directory):
    user = NOBODY if os.geteuid() == 0 else None
    for mode, what in ((0o000, "neither read nor searched"), (0o311, "searched, but not listed"),
                       (0o644, "listed, but not searched")):
        with out.check(f"GOCOVERDIR can be {what} by this user: 500 with the user's number"):
            os.chmod(directory, mode)
            try:
                answer = as_user(bench, {"GOVERAGE_ENGINE": "builtin"}, user)
                check_error(answer, 500, "gocoverdir", "can't be read by uid")
            finally:
                os.chmod(directory, 0o755)
            tap.equal(as_user(bench, {"GOVERAGE_ENGINE": "builtin"}, user).status, 200, "the status after that")


def odd_files(out, bench, directory):
    """Under the names of coverage files; no one may hold anything up, and each is counted."""
    good = go_fixture.files(directory, "covcounters")[0]
    stem, pid, stamp = good.rsplit(".", 2)
    names = iter(os.path.join(directory, f"{stem}.{pid}.{int(stamp) + n}") for n in range(1, 100))
    meta = iter(os.path.join(directory, f"covmeta.{n:032x}") for n in range(1, 100))
    made, sockets = [], []

    def keep(path):
        made.append(path)
        return path

    try:
        for paths in (names, meta):
            os.mkfifo(keep(next(paths)))
            sock = socket.socket(socket.AF_UNIX)
            sockets.append(sock)
            short = bench.work.join(f"s{len(sockets)}")
            sock.bind(short)
            os.rename(short, keep(next(paths)))
            for device in ("/dev/zero", "/dev/full", "/dev/tty", "/dev/null"):
                os.symlink(device, keep(next(paths)))
            loop = keep(next(paths))
            os.symlink(loop, loop)
        for engine in ENGINES:
            with out.check(f"FIFOs, sockets, devices and loops named like coverage files, engine {engine}"):
                answer = bench.cgi({"GOVERAGE_ENGINE": engine, "GOVERAGE_TIMEOUT": "20"})
                check_profile(answer, bench.profile, skipped=len(made))
        with out.check("and they stop neither a list nor a clear"):
            for method, path, query in (("GET", "/v1/cover/list", "format=detail"), ("POST", "/v1/cover/clear", "")):
                answer = bench.cgi({"GOVERAGE_STATE": bench.work.join("odd-state")}, method=method, path=path,
                                   query=query)
                tap.equal(answer.status, 200, f"{path}: {answer.body[:200]}")
    finally:
        for path in made:
            os.unlink(path)
        for sock in sockets:
            sock.close()


def many(out, bench, directory):
    """Links to one file: the program looks at each."""
    place = bench.work.mkdir("many")
    for name in os.listdir(directory):
        shutil.copy(os.path.join(directory, name), place)
    good = go_fixture.files(place, "covcounters")[0]
    stem, pid, stamp = good.rsplit(".", 2)
    for number in range(1, MANY):
        # a file system has a limit of links to one file
        if number % 10000 == 1:
            source = os.path.join(place, f"{stem}.{pid}.{int(stamp) + number}")
            shutil.copy(os.path.join(place, good), source)
        else:
            os.link(source, os.path.join(place, f"{stem}.{pid}.{int(stamp) + number}"))
    for engine in ENGINES:
        with out.check(f"{MANY} files, engine {engine}: an answer or a deadline, in bounded memory"):
            env = cgi_client.environment({**bench.env, "GOCOVERDIR": place, "GOVERAGE_ENGINE": engine,
                                          "GOVERAGE_TIMEOUT": "30"})
            process = subprocess.Popen([bench.work.cgi], env=env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            output, _ = process.communicate(timeout=120)
            answer = parse_cgi(output)
            if answer.status == 200:
                tap.equal(answer.header("goverage-skipped"), "0", "Goverage-Skipped")
                assert answer.body.startswith(b"mode: "), answer
            else:
                check_error(answer, 504, "covdata" if engine == "covdata" else "time", "goverage_timeout")
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            assert engine != "builtin" or peak < MANY_KIB, f"{peak} KiB"
    shutil.rmtree(place)


def slow(out, bench, control):
    """A file system on which each call takes a while: the deadline holds between them."""
    for function in ("openat", "readdir", "read"):
        with out.check(f"each {function} takes 0.4 s: 504 that says what took the time, and then well again"):
            settings = {**control.settings, "GOVERAGE_ENGINE": "builtin", "GOVERAGE_TIMEOUT": "1",
                        "GOVERAGE_CACHE": "0"}
            with faults.Serving(bench, settings) as serving:
                serving.is_well()
                serving.remember()
                control.delay(function, 400)
                before = control.fired()
                answer = serving.ask()
                calls = control.fired() - before
                control.off()
                check_error(answer, 504, "time for one answer", "gocoverdir", "slow")
                # what is under way when the time is up has to end, and the removal of the private directory
                assert calls <= 8, f"{calls} calls after all"
                serving.is_well()
                serving.as_before()


# --- the clock ------------------------------------------------------------------------------------------

def clock(out, bench, control):
    settings = {**control.settings, "GOVERAGE_ENGINE": "builtin", "GOVERAGE_TIMEOUT": "10",
                "GOVERAGE_STATE": bench.work.join("clock-state")}
    with faults.Serving(bench, settings) as serving:
        first = serving.ask()
        for days in (1, -1, 400, -400):
            with out.check(f"the clock jumps by {days} days: the same profile and validator, 304, and what ran since"):
                control.shift(days * DAY)
                check_profile(serving.ask(), bench.profile)
                etag = first.header("etag")
                tap.equal(serving.ask().header("etag"), etag, "ETag")
                tap.equal(serving.ask(HTTP_IF_NONE_MATCH=etag).status, 304, "status")
                since = serving.ask(query=f"since={etag}")
                tap.equal((since.status, b" 1\n" in since.body.replace(b" 0\n", b"")), (200, False), "since")
        with out.check("the clock jumps between two clears: the later one counts"):
            for days in (2, -3, 0):
                control.shift(days * DAY)
                tap.equal(serving.ask(path="/v1/cover/clear").status, 200, "clear")
                since = serving.ask()
                tap.equal(since.status, 200, "status")
                assert since.header("goverage-baseline"), "no baseline"
                counts = {line.rsplit(b" ", 1)[1] for line in since.body.splitlines()[1:]}
                tap.equal(counts, {b"0"}, "the counts")
            check_profile(serving.ask(query="total=true"), bench.profile)
        for days in (1, -1):
            with out.check(f"two requests at once, and the clock {days} days off: neither waits for it"):
                control.delay("fstat", 100, days * DAY)
                answers = []
                threads = [threading.Thread(target=lambda: answers.append(serving.ask(query="total=true")))
                           for _ in range(2)]
                for thread in threads:
                    thread.start()
                    time.sleep(0.05)
                for thread in threads:
                    thread.join()
                control.off()
                for answer in answers:
                    check_profile(answer, bench.profile)


# --- private directories ----------------------------------------------------------------------------------

def left_behind(out, bench):
    """What a killed process leaves is removed by the next start, and nothing else is."""
    place, victim = "/dev/shm", bench.work.mkdir("victim")
    with open(os.path.join(victim, "precious"), "w") as file:
        file.write("precious")
    uid = os.geteuid()
    settings = {"GOVERAGE_ENGINE": "covdata", "GOVERAGE_COVDATA": tools.hanging(bench.work),
                "GOVERAGE_TIMEOUT": "600"}

    def killed_cgi():
        env = cgi_client.environment({**bench.env, **settings})
        process = processes.start([bench.work.cgi], env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        processes.wait_until(lambda: processes.descendants(process.pid), "covdata's start")
        processes.stop(process, signal.SIGKILL)

    def killed_responder():
        listener = bench.listener(settings)
        with fcgi.Connection(listener.address) as connection:
            connection.send(fcgi.request_bytes(fcgi.parameters()))
            processes.wait_until(lambda: processes.descendants(listener.pid), "covdata's start")
            processes.stop(listener.process, signal.SIGKILL)

    for what, kill in (("CGI process", killed_cgi), ("responder", killed_responder)):
        with out.check(f"a killed {what} leaves a private directory, which the next start removes"):
            kill()
            processes.wait_until(lambda: any(processes.staging_directories()), "the directory that is left")
            processes.kill_all(processes.descendants(os.getpid()))  # what covdata itself has started
            processes.no_children_left()
            answer = bench.cgi()
            check_profile(answer, bench.profile)
            faults.log_has(answer, "left behind by a killed process")
            tap.equal(os.listdir(place), [], "left behind")
    with out.check("planted names: no link is followed, nothing of another user or of a living process is touched"):
        prefix = f"{place}/goverage-fcgi-{uid}-"
        os.symlink(victim, prefix + "aaaaaa")
        with open(prefix + "bbbbbb", "w") as file:
            file.write("a file")
        os.mkdir(prefix + "cccccc", 0o700)
        os.symlink(victim, prefix + "cccccc/inside")
        os.mkdir(prefix + "dddddd", 0o755)  # not as the program makes them
        os.mkdir(prefix + "long-name", 0o700)
        os.mkdir(f"{place}/goverage-fcgi-{uid + 1}-eeeeee", 0o700)
        keep = ["aaaaaa", "bbbbbb", "dddddd", "long-name"]
        if uid == 0:
            os.mkdir(prefix + "ffffff", 0o700)
            os.chown(prefix + "ffffff", NOBODY, NOBODY)
            keep.append("ffffff")
        with bench.listener(settings) as listener:
            with fcgi.Connection(listener.address) as connection:
                connection.send(fcgi.request_bytes(fcgi.parameters()))
                processes.wait_until(lambda: processes.descendants(listener.pid), "covdata's start")
                living = [name for name in os.listdir(place)
                          if name not in [f"goverage-fcgi-{uid}-{word}" for word in keep + ["cccccc"]]
                          and name.startswith(f"goverage-fcgi-{uid}-")]
                tap.equal(len(living), 1, f"private directories in use ({living})")
                check_profile(bench.cgi(), bench.profile)
                want = sorted([f"goverage-fcgi-{uid}-{word}" for word in keep] + living +
                              [f"goverage-fcgi-{uid + 1}-eeeeee"])
                tap.equal(sorted(os.listdir(place)), want, "what is there")
            processes.stop(listener.process, signal.SIGKILL)
        tap.equal(os.listdir(victim), ["precious"], "the place that the links name")
        processes.kill_all(processes.descendants(os.getpid()))
        processes.no_children_left()


def main():
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    private_shm.enter()
    processes.alarm(900)
    processes.adopt_orphans()
    with tree.WorkDirectory() as work:
        directory = work.mkdir("coverage")
        shop = go_fixture.build("shop", "count")
        for arguments in ((), ("more",), ("even", "more")):
            go_fixture.run(shop, directory, *arguments)
        profile = go_fixture.textfmt(directory)
        bench = faults.Bench(work, {"PATH": "/usr/bin:/bin", "GOCOVERDIR": directory, "GOVERAGE_LIVE": "off",
                                    "GOVERAGE_COVDATA": work.install(covdata, "covdata.real"),
                                    "GOVERAGE_TIMEOUT": "20", "GOVERAGE_WORKERS": "2"}, profile)
        control = fail_call.Control(work, fail_call.build(work))
        changing(out, bench, directory)
        unreadable(out, bench, directory)
        odd_files(out, bench, directory)
        slow(out, bench, control)
        clock(out, bench, control)
        left_behind(out, bench)
        many(out, bench, directory)
    return out.done()


sys.exit(main())
