#!/usr/bin/python3
"""ETag and If-None-Match: who has the profile already is not sent it again, and whoever has another is."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tree
from answer import check_common, check_error, check_profile

FILTER = b'{"skipFile":["_mock"]}'
OTHER = '"0123456789abcdef0123456789abcdef-0123456789abcdef"'


def check_not_modified(answer, etag):
    tap.equal((answer.status, answer.body), (304, b""), "status and body")
    check_common(answer)
    tap.equal(answer.header("etag"), etag, "ETag")
    tap.equal(answer.header("cache-control"), "no-cache", "Cache-Control")
    tap.equal(answer.header("content-type"), None, "Content-Type")


def matching(out, gateway, ask, profile):
    """All the ways to say that one has it."""
    first = ask()
    check_profile(first, profile)
    etag = first.header("etag")
    same = {
        "the ETag": etag, "weak": f"W/{etag}", "any": "*", "first of a list": f"{etag}, {OTHER}",
        "last of a list": f"{OTHER},{etag}", "a list of weak ones": f"W/{OTHER} , W/{etag}",
        "compressed by the web server": etag[:-1] + '-gzip"',
        "weak and compressed": "W/" + etag[:-1] + '-br"',
    }
    for name, value in same.items():
        with out.check(f"{gateway}: 304, {name}"):
            check_not_modified(ask(HTTP_IF_NONE_MATCH=value), etag)
    for method in ("GET", "HEAD"):
        with out.check(f"{gateway}: 304 to {method}"):
            check_not_modified(ask(method=method, HTTP_IF_NONE_MATCH=etag), etag)
    others = {
        "another": OTHER, "empty": "", "the start of it": etag[:-2] + '"', "more than it": etag[:-1] + '0"',
        "not the filter": etag.split("-")[0] + '-0123456789abcdef"', "no ETag at all": "yesterday",
        "a list of others": f'{OTHER}, "", W/"x"', "quotes alone": '"""', "commas alone": ",,,",
        "a very long one": '"' + "0" * 8000 + '"',
    }
    for name, value in others.items():
        with out.check(f"{gateway}: 200, {name}"):
            answer = ask(HTTP_IF_NONE_MATCH=value)
            check_profile(answer, profile)
            tap.equal(answer.header("etag"), etag, "ETag")
    return etag


def filters(out, gateway, ask, profile, etag):
    with out.check(f"{gateway}: another filter is another ETag, and one does not stand for the other"):
        answer = ask(body=FILTER)
        check_profile(answer, go_fixture.filtered(profile, ["_mock"]))
        assert answer.header("etag") != etag, "the same ETag"
        check_not_modified(ask(body=FILTER, HTTP_IF_NONE_MATCH=answer.header("etag")), answer.header("etag"))
        tap.equal(ask(body=FILTER, HTTP_IF_NONE_MATCH=etag).status, 200, "status, asked with the other ETag")
        tap.equal(ask(HTTP_IF_NONE_MATCH=answer.header("etag")).status, 200, "status, without the filter")
        tap.equal(ask(query="skipfile=_mock").header("etag"), answer.header("etag"), "ETag by the query")


def changes(out, gateway, ask, directory, engine):
    """The ETag follows what is in the directory."""
    program = go_fixture.build("shop", "atomic")
    with out.check(f"{gateway}, {engine}: the ETag changes with a new counter file and comes back without it"):
        first = ask()
        tap.equal(ask().header("etag"), first.header("etag"), "ETag of the second poll")
        before = set(os.listdir(directory))
        go_fixture.run(program, directory)
        more = ask(HTTP_IF_NONE_MATCH=first.header("etag"))
        check_profile(more, go_fixture.textfmt(directory))
        assert more.header("etag") != first.header("etag"), "the same ETag"
        for name in set(os.listdir(directory)) - before:
            os.unlink(os.path.join(directory, name))
        check_not_modified(ask(HTTP_IF_NONE_MATCH=first.header("etag")), first.header("etag"))
        check_profile(ask(HTTP_IF_NONE_MATCH=more.header("etag")), first.body)


def errors(out, work, env):
    with out.check("an error is never 304, and has no ETag"):
        empty = work.mkdir("empty")
        answer = cgi_client.request(work.cgi, dict(env, GOCOVERDIR=empty), HTTP_IF_NONE_MATCH="*")
        check_error(answer, 503, "no coverage data")
        tap.equal((answer.header("etag"), answer.header("cache-control")), (None, "no-store"),
                  "ETag and Cache-Control")
        answer = cgi_client.request(work.cgi, env, body=b'{"skipFile":["["]}', HTTP_IF_NONE_MATCH="*")
        check_error(answer, 400, "[")


def same_everywhere(out, work, env, etag):
    with out.check("the ETag is that of the content: of a copy, by either engine, by each gateway"):
        copy = work.mkdir("copy")
        for name in os.listdir(env["GOCOVERDIR"]):
            with open(os.path.join(env["GOCOVERDIR"], name), "rb") as source, \
                    open(os.path.join(copy, name), "wb") as target:
                target.write(source.read())
        for engine in ("covdata", "builtin"):
            answer = cgi_client.request(work.cgi, dict(env, GOCOVERDIR=copy, GOVERAGE_ENGINE=engine))
            tap.equal(answer.header("etag"), etag, f"ETag of the engine {engine}")


def main():
    processes.alarm(600)
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off",
               "GOVERAGE_COVDATA": work.install(covdata)}
        etags = set()
        for engine in ("covdata", "builtin"):
            settings = dict(env, GOVERAGE_ENGINE=engine)
            with processes.Listener(work.program, settings, work.join("socket"), work.join("log")) as listener:
                for gateway, ask in (
                        ("CGI", lambda s=settings, **how: cgi_client.request(work.cgi, s, **how)),
                        ("FastCGI", lambda at=listener.address, **how: fcgi.request(at, **how))):
                    etag = matching(out, f"{gateway}, {engine}", ask, profile)
                    filters(out, f"{gateway}, {engine}", ask, profile, etag)
                    changes(out, gateway, ask, scenes.path, engine)
                    etags.add(etag)
        with out.check("one ETag through all gateways and engines"):
            tap.equal(len(etags), 1, "ETags")
        same_everywhere(out, work, env, etags.pop())
        errors(out, work, env)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
