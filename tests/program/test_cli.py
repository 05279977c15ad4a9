#!/usr/bin/python3
"""What a person at a terminal or a supervisor gets: options, --check, exit statuses."""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import go_fixture
import processes
import tap
import tools
import tree

SETTINGS = ("GOCOVERDIR", "GOVERAGE_COVDATA", "GOVERAGE_LIVE", "GOVERAGE_TIMEOUT", "GOVERAGE_MAX_BODY",
            "GOVERAGE_WORKERS", "GOVERAGE_CONNECTIONS", "GOVERAGE_ENGINE", "GOVERAGE_CACHE", "GOVERAGE_SANDBOX",
            "GOVERAGE_STATE", "GOVERAGE_CLEAR")


def run(work, env, *argv):
    return subprocess.run([work.program, *argv], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120)


def options(out, work, env):
    with out.check("--version"):
        done = run(work, {}, "--version")
        tap.equal(done.returncode, 0, "exit status")
        assert re.fullmatch(r"goverage-fcgi \d+\.\d+\.\d+\n", done.stdout), repr(done.stdout)
        tap.equal(done.stderr, "", "stderr")
    with out.check("--help names every option and every setting"):
        done = run(work, {}, "--help")
        tap.equal(done.returncode, 0, "exit status")
        for word in SETTINGS + ("--listen", "--mode", "--check", "--version", "--help", "unix:PATH"):
            tap.contains(done.stdout, word, "the help")
        tap.equal(done.stderr, "", "stderr")
        assert max(map(len, done.stdout.splitlines())) <= 100, "a line is too long for a terminal"
    for argv in ((), ("--unknown",), ("-h",), ("word",), ("--check", "word"), ("--listen",),
                 ("--mode", "0660"), ("--mode", "rw", "--listen", "127.0.0.1:1"),
                 ("--mode", "7777", "--listen", "unix:/x"), ("--version=1",)):
        with out.check(f"wrong usage: {' '.join(argv) or 'no words'}"):
            done = run(work, env, *argv)
            tap.equal(done.returncode, 2, "exit status")
            tap.equal(done.stdout, "", "stdout")
            tap.contains(done.stderr, "--help", "stderr")
    for address in ("9000", ":9000", "localhost:9000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
                    "127.0.0.1:65536", "127.0.0.1:80abc", "[::1]", "::1:9000", "[::1:9000", "unix:",
                    "unix:/nowhere/at/all/socket", "unix:/tmp/" + "x" * 200):
        with out.check(f"an address that is none: {address[:40]}"):
            done = run(work, env, "--listen", address)
            tap.equal(done.returncode, 1, "exit status")
            tap.contains(done.stderr, address[:60], "stderr")
            tap.equal(done.stdout, "", "stdout")


def bad_settings(out, work, env):
    """A bad value stops the program at its start."""
    port = processes.free_ports(1)[0]
    for name, value in (("GOVERAGE_TIMEOUT", "soon"), ("GOVERAGE_TIMEOUT", "0"), ("GOVERAGE_TIMEOUT", "-3"),
                        ("GOVERAGE_TIMEOUT", "3s"), ("GOVERAGE_TIMEOUT", "9" * 30),
                        ("GOVERAGE_MAX_BODY", "1M"), ("GOVERAGE_MAX_BODY", "-1"),
                        ("GOVERAGE_WORKERS", "0"), ("GOVERAGE_WORKERS", "1000000"),
                        ("GOVERAGE_LIVE", "on"), ("GOVERAGE_LIVE", "Auto")):
        with out.check(f"{name}={value} stops it, as a responder and in --check"):
            for argv in (("--listen", f"127.0.0.1:{port}"), ("--check",)):
                done = run(work, dict(env, **{name: value}), *argv)
                tap.equal(done.returncode, 1, f"exit status of {argv[0]}")
                said = done.stderr if argv[0] == "--listen" else done.stdout + done.stderr
                tap.contains(said, name, "what it says")
                tap.contains(said, value, "what it says")
                if argv[0] == "--listen":
                    tap.equal(said.count("\n"), 1, "lines")
    with out.check("an empty setting is none"):
        done = run(work, dict(env, GOVERAGE_TIMEOUT="", GOVERAGE_WORKERS=""), "--check")
        tap.equal(done.returncode, 0, f"exit status ({done.stdout})")


def checks(out, work, env, scenes):
    """--check tells in sentences whether the surroundings are in order."""
    def check(status, *words, **settings):
        done = run(work, {k: v for k, v in dict(env, **settings).items() if v is not None}, "--check")
        tap.equal(done.returncode, status, f"exit status, with {done.stdout!r}")
        for word in words:
            tap.contains(done.stdout.lower(), word.lower(), "what it says")
        tap.equal("FAILED" in done.stdout, status == 1, "a line with FAILED")

    with out.check("--check: all is well"):
        scenes.enter("good")
        check(0, scenes.path, env["GOVERAGE_COVDATA"])
        scenes.enter("damaged")
        check(0, "1 left out")
    with out.check("--check: nothing there yet is well, but told"):
        scenes.enter("empty")
        check(0, "no covered process")
    with out.check("--check: no directory"):
        scenes.enter("missing")
        check(1, scenes.path, "does not exist")
        assert not os.path.exists(scenes.path), "--check has made the directory"
    with out.check("--check: programs of different counter modes"):
        scenes.enter("mixed-modes")
        check(0, "atomic", "set", "built-in reader")
        check(1, "atomic", "set", GOVERAGE_ENGINE="covdata")
    scenes.enter("good")
    with out.check("--check: GOCOVERDIR is not set"):
        check(1, "GOCOVERDIR is not set", GOCOVERDIR=None)
    with out.check("--check: GOCOVERDIR is a file"):
        check(1, "/etc/passwd", GOCOVERDIR="/etc/passwd")
    with out.check("--check: no covdata"):
        check(0, "covdata not found", "built-in reader", GOVERAGE_COVDATA=None)
        check(1, "covdata not found", GOVERAGE_COVDATA=None, GOVERAGE_ENGINE="covdata")
        check(0, "covdata is not used", GOVERAGE_ENGINE="builtin")
    with out.check("--check: GOVERAGE_COVDATA names nothing"):
        check(1, "covdata not found", "/nowhere/covdata", GOVERAGE_COVDATA="/nowhere/covdata")
    with out.check("--check: covdata fails"):
        check(1, "out of ink", GOVERAGE_COVDATA=tools.failing(work, "error: out of ink"))
    with out.check("--check: several directories"):
        other = work.mkdir("other")
        check(0, "ok", GOCOVERDIR=f"{scenes.path},{other}")


def main():
    processes.alarm(600)
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        scenes.enter("good")
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path,
               "GOVERAGE_COVDATA": work.install(covdata), "GOVERAGE_LIVE": "off"}
        options(out, work, env)
        bad_settings(out, work, env)
        checks(out, work, env, scenes)
    return out.done()


sys.exit(main())
