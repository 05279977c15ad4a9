#!/usr/bin/python3
"""The rule by which each web server's configuration refuses /v1/cover/clear, as its comments say: it holds against
every way of writing the path, and GOVERAGE_CLEAR=off against all of them."""

import os
import sys

import server_test  # finds the library

import go_fixture
import http_client
import processes
import tap
import tree
import web_server
from answer import check_error, check_profile
from conversations import PROFILE

HEADING = "# To refuse /v1/cover/clear"
CLEAR = "/v1/cover/clear"
JSON = ("Content-Type", "application/json")
PATHS = (CLEAR, CLEAR + "?service=shop", CLEAR + "/", CLEAR + "//", CLEAR + "/.", CLEAR + "/x/..", CLEAR + ";a=b",
         CLEAR + "%3Ba", CLEAR + "%00", CLEAR + "%20", CLEAR + "%2f", CLEAR + "#x", CLEAR + "%3Fx",
         "/v1/cover;a/clear", "/v1/cover/x/v1/cover/clear", "/v1/cover/v1/cover/clear", "/v1/cover/profile/v1/cover/clear",
         "/v1/cover/profile/../clear", "/v1/cover/profile%2f..%2fclear", "/v1/cover/./clear", "/v1/cover/.//clear",
         "/v1/cover/%2e/clear", "/v1/cover/x/%2e%2e/clear", "/v1/cover//clear", "//v1/cover/clear", "/v1//cover/clear",
         "/./v1/cover/clear", "/x/../v1/cover/clear", "/x/v1/cover/clear", "/v1/cover/x/../../../v1/cover/clear",
         "/v1/cover/%63lear", "/v1/cover/clea%72", "/%76%31/cover/clear", "/v1/cover%2fclear", "/v1%2fcover/clear",
         "/v1/cover%5cclear", "/v1/cover\\clear", "/v1/cover/%2563lear", "/v1/cover/CLEAR", "/v1/cover/Clear",
         "/V1/COVER/CLEAR", "/v1/cover/%2e%2e/cover/clear", "/v1/cover/%c0%afclear", "/v1/cover/%u0063lear",
         "http://localhost/v1/cover/clear", "http://localhost/v1/cover/x/v1/cover/clear", "v1/cover/clear")


def requests():
    """Each path with a body of no bytes, as JSON, and, as curl -X POST sends it, with neither body nor length."""
    for path in PATHS:
        for how in ({"body": b""}, {"body": b"{}", "headers": [JSON]}, {"body": None},
                    {"body": b"{}", "chunk_size": 1}):
            yield path, how


def check_refused(server, state):
    for path, how in requests():
        answer = server.request("POST", path, **how)
        assert answer.status is None or answer.status >= 300, f"POST {path} {how}: {answer}"
        assert b"clear call" not in answer.body, f"POST {path} {how}: {answer}"
        assert not os.path.exists(state), f"POST {path} {how} has cleared: {answer}"
    pipelined = (http_client.request_bytes("POST", PROFILE, body=b"") +
                 http_client.request_bytes("POST", "/v1/cover/x/v1/cover/clear", body=b""))
    http_client.exchange(server.port, pipelined, "POST")
    assert not os.path.exists(state), "a second request on the connection has cleared"


def serve(work, name, settings, run):
    return web_server.WebServer(name, None, work, {"GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin", **settings},
                                run=run)


def check_server(out, work, name, runs, scenes):
    whole = scenes.enter("good")
    place = work.mkdir("state-" + name)
    os.chmod(place, 0o777)
    state = os.path.join(place, "state")
    settings = {"GOCOVERDIR": scenes.path, "GOVERAGE_STATE": state}
    for title, run, more in (("the rule", runs[1], {}), ("GOVERAGE_CLEAR=off", runs[0], {"GOVERAGE_CLEAR": "off"}),
                             ("without either", runs[0], {})):
        server = serve(work, name, {**settings, **more}, run)
        try:
            with out.check(f"{name}, {title}: the profile"):
                check_profile(server.request("POST", PROFILE, body=b""), whole)
            if title == "without either":
                with out.check(f"{name}, {title}: the path itself clears, no other does"):
                    check_others(server, state)
                continue
            with out.check(f"{name}, {title}: nothing clears"):
                check_refused(server, state)
                tap.equal(server.request("POST", CLEAR, body=b"").status, 403, "status")
        finally:
            server.stop()


def check_others(server, state):
    """So that a state directory that is not there says something."""
    check_error(server.request("POST", "/v1/cover/x/v1/cover/clear", body=b""), 404, "/v1/cover/profile")
    assert not os.path.exists(state), "a path with the prefix twice has cleared"
    tap.equal(server.request("POST", CLEAR, body=b"").body, b"clear call successfully\n", "the body")
    assert os.path.exists(state), "nothing was kept"


def main():
    lacking = web_server.missing(*{name for names in web_server.PROGRAMS.values() for name in names})
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        runs = web_server.RUN, web_server.scripts_with(HEADING, work, web_server.PROGRAMS)
        scenes = go_fixture.Scenes(work)
        for name in web_server.PROGRAMS:
            check_server(out, work, name, runs, scenes)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
