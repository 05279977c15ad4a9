#!/usr/bin/python3
"""The whole server table with the static musl program in an empty root: lighttpd and spawn-fcgi are outside, and
the program has the socket that it was started with."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import empty_root

# pylint: disable=wrong-import-order
import go_fixture
import processes
import server_test
import tap
import tree
import web_server
from answer import check_profile
from conversations import PROFILE


def engine_of(engine):
    """A check of who has written the text, behind the server."""
    def check(server, whole):
        answer = server.request("POST", PROFILE, body=b"")
        check_profile(answer, whole)
        tap.equal(answer.header("goverage-engine"), engine, "Goverage-Engine")
    return check


def main():
    lacking = web_server.missing("lighttpd", "spawn-fcgi")
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    if os.geteuid() != 0:
        tap.skip_all("an empty root directory: only root can make one")
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    program = empty_root.static_program("musl")
    for engine, covdata in (("covdata", go_fixture.covdata()), ("builtin", None)):
        with tree.WorkDirectory() as work:
            root = empty_root.EmptyRoot(work, program, covdata, ["--no-network"])
            work.program = root.program
            scenes = go_fixture.Scenes(root)
            server_test.serve(out, "lighttpd-spawn-fcgi", "unix", work, {}, staging_before, scenes,
                              engine_of(engine))
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
