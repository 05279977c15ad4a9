#!/usr/bin/python3
"""Large profiles as files that the web server sends by itself (X-Sendfile): what the program answers then, and
that behind lighttpd they are the same answers."""

import os
import stat
import sys

import server_test  # finds the library

import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tree
import web_server
from answer import check_common, check_error, check_profile, check_profile_headers
from conversations import PROFILE

PATTERNS = b'{"skipFile":["more\\\\.go$"]}'


def check_file(answer, profile):
    """No body, but the name of a file that has the profile, for this user alone.  Its path."""
    tap.equal((answer.status, answer.body), (200, b""), "status and body")
    tap.equal(answer.header("content-length"), None, "Content-Length")
    check_profile_headers(answer)
    path = answer.header("x-sendfile")
    tap.equal(stat.S_IMODE(os.lstat(path).st_mode), 0o600, "mode of the file")
    with open(path, "rb") as file:
        tap.equal(file.read(), profile, "the profile in the file")
    return path


def check_sent(answer, profile):
    check_profile(answer, profile)
    tap.equal(answer.header("x-sendfile"), None, "X-Sendfile")


def responder(out, work, program, directory):
    """What the program answers to a web server."""
    profile = go_fixture.textfmt(directory)
    settings = {"GOCOVERDIR": directory, "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin",
                "GOVERAGE_SANDBOX": processes.sandbox(), "GOVERAGE_SENDFILE": "X-Sendfile"}
    with processes.Listener(work.program, settings, work.join("socket"), work.join("log")) as server:
        def ask(**how):
            return fcgi.request(server.address, **how)

        with out.check("a text is sent at first, and a file from the second time on"):
            check_sent(ask(), profile)
            path = check_file(ask(), profile)
            tap.equal(check_file(ask(), profile), path, "the file at the third time")
        with out.check("HEAD, patterns, 304 and errors have no file"):
            head = ask(method="HEAD")
            tap.equal((head.status, head.body, head.header("x-sendfile")), (200, b"", path), "HEAD")
            check_sent(ask(body=PATTERNS), go_fixture.filtered(profile, skip=["more\\.go$"]))
            same = ask(HTTP_IF_NONE_MATCH=head.header("etag"))
            tap.equal((same.status, same.header("x-sendfile")), (304, None), "If-None-Match")
            error = ask(body=b'{"skipFile":["("]}')
            check_error(error, 400, "skipFile")
            tap.equal(error.header("x-sendfile"), None, "X-Sendfile")
        with out.check("what has changed is sent, and gets a file of its own; the other one stays"):
            go_fixture.run(program, directory)
            changed = go_fixture.textfmt(directory)
            assert changed != profile
            check_sent(ask(), changed)
            assert check_file(ask(), changed) != path
            assert os.path.exists(path), "the first file is gone"
    with out.check("the files end with the process"):
        assert not os.path.exists(os.path.dirname(path)), f"{os.path.dirname(path)} is there still"


def small(out, work, scenes):
    profile = scenes.enter("good")
    settings = {"GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin",
                "GOVERAGE_SENDFILE": "X-Sendfile"}
    with out.check("a small profile is sent each time"):
        with processes.Listener(work.program, settings, work.join("socket2"), work.join("log")) as server:
            for _ in range(3):
                check_sent(fcgi.request(server.address), profile)


def behind_lighttpd(out, work, directory, staging_before):
    profile = go_fixture.textfmt(directory)
    settings = {"GOCOVERDIR": directory, "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin",
                "GOVERAGE_SANDBOX": processes.sandbox()}
    server = web_server.WebServer("lighttpd-fastcgi", None, work, settings)
    try:
        with out.check("lighttpd: the same answer every time, and the path of the file in none"):
            answers = [server.request("POST", PROFILE, body=b"") for _ in range(4)]
            for answer in answers:
                check_sent(answer, profile)
                tap.equal(answer.header("etag"), answers[0].header("etag"), "ETag")
            # that lighttpd did send a file can be told by what it alone knows of one
            tap.equal(answers[0].header("last-modified"), None, "Last-Modified of the first answer")
            assert answers[1].header("last-modified"), "the second answer is not sent from a file"
        with out.check("lighttpd: HEAD, GET, 304, patterns, an error"):
            head = server.request("HEAD", PROFILE)
            tap.equal((head.status, head.header("content-length")), (200, str(len(profile))), "HEAD")
            check_sent(server.request("GET", PROFILE), profile)
            same = server.request("POST", PROFILE, body=b"",
                                  headers=[("If-None-Match", answers[0].header("etag"))])
            tap.equal(same.status, 304, "status with If-None-Match")
            check_sent(server.request("POST", PROFILE, body=PATTERNS),
                       go_fixture.filtered(profile, skip=["more\\.go$"]))
            check_common(server.request("POST", PROFILE, body=b"{"))
        with out.check(f"lighttpd: {server_test.PARALLEL} requests at once"):
            server_test.many_at_once(server, profile)
        with out.check("lighttpd: a clean end"):
            server_test.end(server, staging_before)
    finally:
        if server.process.poll() is None:
            server.stop()


def main():
    lacking = web_server.missing(*web_server.PROGRAMS["lighttpd-fastcgi"])
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    if not os.path.isdir("/dev/shm"):
        tap.skip_all("there is no /dev/shm")
    go_fixture.covdata_or_skip()
    processes.alarm(300)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    with tree.WorkDirectory() as work:
        program = go_fixture.build("wide", "count")
        directory = work.mkdir("wide")
        go_fixture.run(program, directory)
        responder(out, work, program, directory)
        small(out, work, go_fixture.Scenes(work))
        behind_lighttpd(out, work, directory, staging_before)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
