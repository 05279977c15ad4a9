"""One web server: all conversations, many at once, and a clean end."""

import os
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import go_fixture
import processes
import tap
import tree
import web_server
from answer import check_profile
from conversations import CONVERSATIONS, PROFILE, expectation

PARALLEL = 50


def converse(out, server, scenes):
    for conversation in CONVERSATIONS:
        want, note = expectation(conversation, server.name)
        with out.check(conversation.name + note):
            whole = scenes.enter(conversation.scene)
            answer = server.request(conversation.method, conversation.target, **conversation.how)
            want(answer, whole)


def many_at_once(server, whole):
    answers = [None] * PARALLEL

    def ask(i):
        try:
            answers[i] = server.request("POST", PROFILE, body=b"")
        except OSError as error:
            answers[i] = error

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(PARALLEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        assert not isinstance(answer, Exception), f"no answer: {answer}"
        check_profile(answer, whole)


def end(server, staging_before):
    """All that was started ends, and takes with it what it has made."""
    tap.equal(server.stop(), 0, "exit status of scripts/servers/run")
    processes.no_children_left()
    processes.no_staging_left(staging_before)


def serve(out, name, backend, work, settings, staging_before, scenes=None, check_first=None):
    """One life of the server: the whole table, and its end.  scenes: where they are not below the work
    directory; check_first(server, profile): a check of its own in front of the table."""
    scenes = scenes or go_fixture.Scenes(work)
    whole = scenes.enter("good")
    server = web_server.WebServer(name, backend, work, {
        "GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off", "GOVERAGE_SANDBOX": processes.sandbox(), **settings})
    try:
        if check_first:
            with out.check("the set-up is what this test is about"):
                check_first(server, whole)
        converse(out, server, scenes)
        with out.check(f"{PARALLEL} requests at once: all whole, all alike"):
            many_at_once(server, scenes.enter("good"))
        with out.check("a clean end: nothing is left of it"):
            end(server, staging_before)
    finally:
        if out.failed:
            out.diag("the log of the server, its end:")
            out.diag("\n".join(server.log_text().splitlines()[-20:]))
        if server.process.poll() is None:
            server.stop()


def main(name, *programs, backend=None):
    """name, backend: for scripts/servers/run.  programs: what must be installed for it."""
    lacking = web_server.missing(*programs)
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    covdata = go_fixture.covdata_or_skip()
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    # with covdata, and without: the bytes are the same
    with tree.WorkDirectory() as work:
        serve(out, name, backend, work, {"GOVERAGE_COVDATA": work.install(covdata)}, staging_before)
    with tree.WorkDirectory() as work:
        serve(out, name, backend, work, {"GOVERAGE_ENGINE": "builtin"}, staging_before)
    return out.done()
