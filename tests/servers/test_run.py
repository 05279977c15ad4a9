#!/usr/bin/python3
"""scripts/servers/run itself: what it refuses, what it says, and that it is not for root alone."""

import os
import shutil
import signal
import socket
import subprocess
import sys

import server_test  # finds the library

import go_fixture
import processes
import tap
import tree
import web_server
from answer import check_profile

NOBODY = 65534


def run(env, *arguments):
    return subprocess.run([web_server.RUN, *arguments], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def refusals(out, env):
    for arguments, words in ((("thttpd",), "NAME"), ((), "NAME"), (("nginx", "carrier-pigeon"), "pigeon"),
                             (("lighttpd-cgi", "unix"), "starts the program itself")):
        with out.check(f"refused: {' '.join(arguments) or 'no name'}"):
            done = run(env, *arguments)
            assert done.returncode in (1, 2), done.returncode
            tap.contains(done.stdout, words, "what it says")
    for name in ("GOVERAGE_PROGRAM", "GOCOVERDIR"):
        with out.check(f"refused: {name} is not set"):
            done = run({key: value for key, value in env.items() if key != name}, "nginx")
            tap.equal(done.returncode, 1, "exit status")
            tap.contains(done.stdout, name, "what it says")
    with out.check("refused: GOVERAGE_PROGRAM names nothing"):
        done = run(dict(env, GOVERAGE_PROGRAM="/nowhere/goverage.fcgi"), "nginx")
        tap.equal(done.returncode, 1, "exit status")
        tap.contains(done.stdout, "/nowhere/goverage.fcgi", "what it says")


def busy_port(out, name, env):
    """The server can't start: its own words, a status other than 0, and nothing left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        with out.check(f"{name}: the port is in use"):
            done = run(dict(env, COVERAGE_HTTP_PORT=port), name)
            assert done.returncode > 0, f"exit status {done.returncode}: {done.stdout}"
            tap.contains(done.stdout.lower(), "address already in use", "what it says")
            processes.no_children_left()


def not_installed(out, name, server, work, env):
    """In a mount namespace where the server is no program any more."""
    with out.check(f"{name}: the server is not installed, and nothing is left of what was started before"):
        place, path = work.mkdir("tmp"), os.environ.get("PATH", "") + ":" + web_server.SBIN
        hide = ('mount --make-rprivate / && mount --bind /dev/null "$1" && shift && exec "$@"', "hide",
                os.path.realpath(shutil.which(server, path=path)))
        done = subprocess.run(["unshare", "--mount", "sh", "-c", *hide, web_server.RUN, name],
                              env=dict(env, TMPDIR=place), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120)
        tap.equal(done.returncode, 1, f"exit status ({done.stdout})")
        tap.contains(done.stdout, f"{server} is not installed", "what it says")
        tap.equal(os.listdir(place), [], "what is left")
        processes.no_children_left()


def another_user(out, name, work, settings, profile):
    with out.check(f"{name}: started by another user than root"):
        server = web_server.WebServer(name, None, work, settings, user=NOBODY)
        try:
            check_profile(server.request("GET", "/v1/cover/profile"), profile)
        finally:
            tap.equal(server.stop(), 0, "exit status")
        processes.no_children_left()


def own_directory(out, name, work, env):
    """Without GOVERAGE_RUN_DIR it makes one, and removes it; Ctrl-C is as good as SIGTERM."""
    with out.check(f"{name}: its own private directory is removed at the end"):
        place = work.mkdir("tmp")
        process = processes.start([web_server.RUN, name], env=dict(env, TMPDIR=place),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        processes.wait_until(lambda: os.listdir(place), "the directory")
        processes.wait_until(lambda: processes.can_connect(("127.0.0.1", int(env["COVERAGE_HTTP_PORT"]))),
                             "the server")
        tap.equal(processes.stop(process, signal.SIGINT), 0, "exit status")
        tap.equal(os.listdir(place), [], "what is left")
        processes.no_children_left()


def main():
    covdata = go_fixture.covdata_or_skip()
    processes.alarm(600)
    processes.adopt_orphans()
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        ports = processes.free_ports(2)
        settings = {"GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": work.install(covdata),
                    "GOVERAGE_LIVE": "off"}
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GOVERAGE_PROGRAM": work.program,
               "COVERAGE_HTTP_PORT": str(ports[0]), "GOVERAGE_FCGI_PORT": str(ports[1]), **settings}
        refusals(out, env)
        for name, programs in web_server.PROGRAMS.items():
            lacking = web_server.missing(*programs)
            if lacking:
                out.skip(name, f"{lacking} is not installed")
                continue
            busy_port(out, name, env)
            own_directory(out, name, work, env)
            if os.getuid() == 0:
                another_user(out, name, work, settings, profile)
                not_installed(out, name, programs[0], work, env)
    return out.done()


sys.exit(main())
