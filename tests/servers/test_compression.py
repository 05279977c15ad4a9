#!/usr/bin/python3
"""Compressed answers, as the comments in each web server's configuration say: the same profile, and validators
that still hold."""

import gzip
import itertools
import sys

import server_test  # finds the library

import go_fixture
import processes
import tap
import tree
import web_server
from answer import check_profile
from conversations import PROFILE

HEADING = "# Compressed answers"


def check_compressed(server, whole):
    accept = ("Accept-Encoding", "gzip")
    plain = server.request("POST", PROFILE, body=b"")
    check_profile(plain, whole)
    tap.equal(plain.header("content-encoding"), None, "Content-Encoding for a client that takes none")
    packed = server.request("POST", PROFILE, body=b"", headers=[accept])
    tap.equal((packed.status, packed.header("content-encoding")), (200, "gzip"), "status and Content-Encoding")
    tap.equal(gzip.decompress(packed.body), plain.body, "the profile")
    etag = packed.header("etag")
    again = server.request("POST", PROFILE, body=b"", headers=[accept, ("If-None-Match", etag)])
    tap.equal(again.status, 304, f"status with If-None-Match {etag}")
    since = server.request("POST", PROFILE + "?since=" + etag.replace('"', "%22"), body=b"", headers=[accept])
    # 410: understood, but another process answers than the one that gave it
    assert since.status in (200, 410), f"since={etag}: {since}"


def profiles(work):
    """(title, directory, profile); the large one is sent from a file where the web server does that."""
    scenes = go_fixture.Scenes(work)
    yield "a small profile", scenes.path, scenes.enter("good")
    large = work.mkdir("wide")
    go_fixture.run(go_fixture.build("wide", "count"), large)
    yield "a large profile", large, go_fixture.textfmt(large)


def main():
    lacking = web_server.missing("/usr/lib/lighttpd/mod_deflate.so",
                                 *{name for names in web_server.PROGRAMS.values() for name in names})
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    processes.alarm(600)
    processes.adopt_orphans()
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        run = web_server.scripts_with(HEADING, work, web_server.PROGRAMS)
        for (title, directory, profile), name in itertools.product(profiles(work), web_server.PROGRAMS):
            settings = {"GOCOVERDIR": directory, "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin"}
            with out.check(f"{name}, {title}: compressed for those who take it, and the ETag holds"):
                server = web_server.WebServer(name, None, work, settings, run=run)
                try:
                    check_compressed(server, profile)
                    check_compressed(server, profile)
                finally:
                    server.stop()
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
