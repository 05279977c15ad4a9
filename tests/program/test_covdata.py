#!/usr/bin/python3
"""covdata: found in every way, of several Go releases, failing in every way, and what is logged of it."""

import os
import re
import subprocess
import sys

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

RELEASES = (go_fixture.RELEASE, go_fixture.NEWEST)


def releases(out, work, env):
    """Each release's programs and covdata, with that covdata's own words as the measure."""
    for release in RELEASES:
        for mode in ("set", "count", "atomic"):
            with out.check(f"Go {release}, -covermode={mode}: the bytes of its own covdata"):
                directory = work.mkdir(f"files-{release}-{mode}")
                program = go_fixture.build("shop", mode, release)
                for arguments in ((), ("more",), ("still", "more")):
                    go_fixture.run(program, directory, *arguments)
                profile = go_fixture.textfmt(directory, release)
                tap.contains(profile, f"mode: {mode}\n".encode(), "the oracle")
                settings = dict(env, GOCOVERDIR=directory, GOVERAGE_COVDATA=go_fixture.covdata(release))
                check_profile(cgi_client.request(work.cgi, settings), profile)
    with out.check("two programs in two directories, separated by a comma"):
        first, second = work.mkdir("first"), work.mkdir("second")
        go_fixture.run(go_fixture.build("shop", "atomic"), first)
        go_fixture.run(go_fixture.build("till", "atomic"), second)
        both = f"{first},{second}"
        check_profile(cgi_client.request(work.cgi, dict(env, GOCOVERDIR=both)), go_fixture.textfmt(both))
    with out.check("a directory whose name has a comma in it"):
        comma = work.mkdir("with,comma")
        go_fixture.run(go_fixture.build("till", "atomic"), comma)
        check_profile(cgi_client.request(work.cgi, dict(env, GOCOVERDIR=comma)), go_fixture.textfmt(second))


def finding(out, work, env, profile):
    """GOVERAGE_COVDATA, PATH, go tool covdata, beside the program."""
    nowhere = {name: value for name, value in env.items() if name != "GOVERAGE_COVDATA"}
    real = go_fixture.covdata()

    def ask(**settings):
        return cgi_client.request(work.cgi, dict(nowhere, **settings))

    with out.check("found by GOVERAGE_COVDATA"):
        check_profile(ask(GOVERAGE_COVDATA=real), profile)
    with out.check("GOVERAGE_COVDATA names nothing: no other one is taken"):
        on_path = os.path.dirname(work.install(real))
        check_error(ask(GOVERAGE_COVDATA="/nowhere/covdata", PATH=f"{on_path}:/usr/bin:/bin"), 500,
                    "covdata not found", "/nowhere/covdata")
    with out.check("found on PATH"):
        check_profile(ask(PATH=f"/nowhere:{on_path}:/usr/bin:/bin"), profile)
    for release in RELEASES:
        with out.check(f"found by go tool covdata, Go {release}, with neither HOME nor GOCACHE"):
            go = go_fixture.go(release)
            # its first run builds covdata, into a cache of the program's own below TMPDIR
            check_profile(ask(PATH=f"{os.path.dirname(go)}:/usr/bin:/bin", GOVERAGE_TIMEOUT="600",
                              TMPDIR=work.mkdir(f"tmp-{release}")), profile)
    with out.check("covdata on PATH is preferred to go"):
        go = go_fixture.go(go_fixture.NEWEST)
        spy, spied = tools.spying(work, real)
        preferred = work.mkdir("preferred")
        os.symlink(spy, os.path.join(preferred, "covdata"))
        check_profile(ask(PATH=f"{os.path.dirname(go)}:{preferred}:/usr/bin:/bin",
                          **tools.MARKING), profile)
        with open(spied) as report:
            tap.contains(report.read(), "arguments: textfmt -i=", "what covdata was handed")
    with out.check("found nowhere: a sentence that says where it was looked for"):
        check_error(ask(), 500, "covdata not found", "path", "goverage_covdata")
    with out.check("not found is no reason not to answer the next request"):
        with listening(work, nowhere) as listener:
            check_error(fcgi.request(listener.address), 500, "covdata not found")
            check_error(fcgi.request(listener.address), 500, "covdata not found")
    with out.check("found beside the program"):
        beside = os.path.join(os.path.dirname(work.program), "covdata")
        os.symlink(real, beside)
        try:
            check_profile(ask(), profile)
        finally:
            os.unlink(beside)


def listening(work, env):
    return processes.Listener(work.program, env, work.join("socket"), work.join("log"))


def failures(out, work, env, profile, staging_before):
    """A covdata that does not do what it should; through both gateways."""
    cases = [
        ("fails: its words are in the message", tools.failing(work, "error: no ink left"), 500,
         ("no ink left",)),
        ("dies of a signal", tools.killed(work), 500, ("covdata",)),
        ("fails after very many words: the last ones are in the message", tools.talkative(work), 500,
         ("the very last words",)),
        ("hangs, and so does its child", tools.hanging(work), 504, ("covdata",)),
        ("hangs, and is deaf to SIGTERM", tools.stubborn(work), 504, ("covdata",)),
    ]
    for name, tool, status, words in cases:
        settings = dict(env, GOVERAGE_COVDATA=tool, GOVERAGE_TIMEOUT="2")
        with out.check(f"covdata {name} (CGI)"):
            check_error(cgi_client.request(work.cgi, settings), status, *words)
            processes.no_children_left()
            processes.no_staging_left(staging_before)
        with out.check(f"covdata {name} (FastCGI)"):
            with listening(work, settings) as listener:
                check_error(fcgi.request(listener.address), status, *words)
                processes.wait_until(lambda pid=listener.pid: not processes.descendants(pid, zombies=True),
                                     "covdata's end")
                tap.equal(processes.stop(listener.process), 0, "exit status")
            processes.no_children_left()
            processes.no_staging_left(staging_before)
    with out.check("a covdata that fails for one request does not spoil the next"):
        flag = work.join("flag")
        script = os.path.join(work.mkdir("tools"), "moody")
        with open(script, "w") as file:
            file.write(f"#!/bin/sh\n[ ! -e {flag} ] || {{ echo not now >&2; exit 1; }}\n"
                       f"exec {env['GOVERAGE_COVDATA']} \"$@\"\n")
        os.chmod(script, 0o755)
        with listening(work, dict(env, GOVERAGE_COVDATA=script)) as listener:
            check_profile(fcgi.request(listener.address), profile)
            open(flag, "w").close()
            check_error(fcgi.request(listener.address), 500, "not now")
            os.unlink(flag)
            check_profile(fcgi.request(listener.address), profile)


def logging(out, work, env, profile):
    """One line for each event, in the words of goverage."""
    def log_of(settings=env, **how):
        answer = cgi_client.request(work.cgi, settings, **how)
        return answer, answer.stderr.decode()

    with out.check("the log of an answer"):
        _, log = log_of()
        assert re.search(r"incoming request method=POST path=/v1/cover/profile remote=192\.0\.2\.7:40000 "
                         r"ua=test/1\.0\n", log), log
        assert re.search(rf"served textfmt bytes={len(profile)} duration=\S+\n", log), log
    with out.check("the log of an error names it"):
        answer, log = log_of(path="/v1/cover/nowhere")
        tap.contains(log, answer.text().strip(), "the log")
        tap.contains(log, "status=404", "the log")
    with out.check("nothing from outside forges a line"):
        _, log = log_of(HTTP_USER_AGENT="a\nb\rserved textfmt bytes=1\x1b[31m\x7f\xc2\x85end",
                        path="/v1/cover/x\ny")
        tap.equal(len([line for line in log.splitlines() if "served textfmt" in line
                       and "ua=" not in line]), 0, f"forged lines in {log!r}")
        for raw in ("\x1b", "\r", "\x7f"):
            assert raw not in log, f"{raw!r} in the log: {log!r}"
        tap.contains(log, r"a\x0ab\x0dserved", "the log")
    with out.check("a damaged file is named in the log"):
        scenes = go_fixture.Scenes(work_below(work))
        scenes.enter("damaged")
        _, log = log_of(dict(env, GOCOVERDIR=scenes.path))
        assert re.search(r"covcounters\.\S+", log), log
    with out.check("a responder logs on descriptor 2"):
        with listening(work, env) as listener:
            fcgi.request(listener.address)
            processes.wait_until(lambda: "served textfmt" in listener.log_text(), "the line")
    with out.check("where descriptor 2 leads nowhere, the log goes to the error stream of the request"):
        path = work.join("silent")
        process = processes.start([work.program, "--listen", f"unix:{path}"], env=env,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            processes.wait_until(lambda: processes.can_connect(path), "the program to listen")
            answer = fcgi.request(path)
            check_profile(answer, profile)
            tap.contains(answer.stderr.decode(), "incoming request method=POST", "the error stream")
        finally:
            processes.stop(process)


class work_below:  # pylint: disable=invalid-name
    """A part of the work directory, for a second set of scenes."""

    def __init__(self, work):
        self.path = work.mkdir("below")

    def join(self, name):
        return os.path.join(self.path, name)


def main():
    processes.alarm(900)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    try:
        covdata = go_fixture.covdata()
        for release in RELEASES:
            go_fixture.covdata(release)
    except go_fixture.Unavailable as error:
        tap.skip_all(error)
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path,
               "GOVERAGE_COVDATA": work.install(covdata, "covdata.real"), "GOVERAGE_LIVE": "off",
               "GOVERAGE_ENGINE": "covdata", "GOVERAGE_CACHE": "0"}
        releases(out, work, env)
        finding(out, work, env, profile)
        failures(out, work, env, profile, staging_before)
        logging(out, work, env, profile)
    return out.done()


sys.exit(main())
