#!/usr/bin/python3
"""Faults of the in-process library goverage that must not come back here: counts that grow with every poll,
answers cut off when several ask at once, causes that are hidden, patterns that are ignored in silence."""

import json
import os
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tools
import tree
from answer import check_error, check_profile

POLLS = 12
PARALLEL = 30


def snapshot(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            found[name] = file.read()
    return found


def polls(out, gateway, ask, profile, directory):
    with out.check(f"{gateway}: {POLLS} polls give the same counts, and leave the directory as it was"):
        before = snapshot(directory)
        for _ in range(POLLS):
            check_profile(ask(), profile)
        assert snapshot(directory) == before, "the coverage directory has changed"


def parallel(out, gateway, ask, profile):
    with out.check(f"{gateway}: {PARALLEL} requests at once, all answers whole"):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(PARALLEL)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tap.equal(len(answers), PARALLEL, "answers")
        for answer in answers:
            check_profile(answer, profile)


def two_services(out, work, env, scenes):
    with out.check("two programs with directories of their own do not get into each other's way"):
        other = work.mkdir("other")
        go_fixture.run(go_fixture.build("till", "atomic"), other)
        other_profile = go_fixture.textfmt(other)
        profile = scenes.enter("good")
        wrong = []

        def ask(directory, want):
            try:
                check_profile(cgi_client.request(work.cgi, dict(env, GOCOVERDIR=directory)), want)
            except AssertionError as error:
                wrong.append(error)

        threads = [threading.Thread(target=ask, args=pair)
                   for _ in range(10) for pair in ((scenes.path, profile), (other, other_profile))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong, wrong[0]


def causes(out, work, env):
    with out.check("what covdata says reaches the client"):
        failing = tools.failing(work, "error: reading inputs: the disk is on fire")
        check_error(cgi_client.request(work.cgi, dict(env, GOVERAGE_COVDATA=failing)), 500, "covdata",
                    "the disk is on fire")
    with out.check("a missing covdata is told as such"):
        nothing = {name: value for name, value in env.items() if name != "GOVERAGE_COVDATA"}
        check_error(cgi_client.request(work.cgi, nothing), 500, "covdata not found")


def patterns(out, work, env, profile):
    def ask(value):
        return cgi_client.request(work.cgi, env, body=json.dumps(value).encode())

    with out.check("a bad pattern is an error, and not ignored"):
        check_error(ask({"skipFile": ["["]}), 400, "[")
        check_error(ask({"skipFile": ["mock", "a(b"]}), 400, "a(b")
    with out.check("a null in the list is an error, and does not empty the profile"):
        check_error(ask({"skipFile": [None]}), 400, "skipfile")
    with out.check("a file is never dropped for its name alone"):
        tap.contains(profile.decode(), "main.go:", "the profile")
        check_profile(ask({}), profile)


def main():
    processes.alarm(600)
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path,
               "GOVERAGE_COVDATA": work.install(covdata), "GOVERAGE_LIVE": "off",
               "GOVERAGE_ENGINE": "covdata"}
        with processes.Listener(work.program, env, work.join("socket"), work.join("log")) as listener:
            for gateway, ask in (("CGI", lambda: cgi_client.request(work.cgi, env)),
                                 ("FastCGI", lambda: fcgi.request(listener.address))):
                polls(out, gateway, ask, profile, scenes.path)
                parallel(out, gateway, ask, profile)
        two_services(out, work, env, scenes)
        causes(out, work, env)
        patterns(out, work, env, profile)
    return out.done()


sys.exit(main())
