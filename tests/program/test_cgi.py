#!/usr/bin/python3
"""The program as a CGI: environment and standard input, without a web server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import go_fixture
import processes
import tap
import tools
import tree
from answer import check_error, check_profile, parse_cgi
from go_fixture import filtered

MOCK = json.dumps({"skipFile": ["mock"]}).encode()


def lengths(out, work, env, profile):
    """The states of CONTENT_LENGTH."""
    without_mock = filtered(profile, skip=["mock"])

    def run(stdin, **variables):
        return cgi_client.run(work.cgi, cgi_client.environment(env, **variables), stdin)

    with out.check("no length: nothing is read, though standard input stays open"):
        process, pipe = cgi_client.start_with_open_pipe(work.cgi, cgi_client.environment(env))
        data, _ = process.communicate(timeout=cgi_client.TIMEOUT)
        os.close(pipe)
        check_profile(parse_cgi(data), profile)
    with out.check("an empty length is none"):
        process, pipe = cgi_client.start_with_open_pipe(work.cgi, cgi_client.environment(env, length=""))
        data, _ = process.communicate(timeout=cgi_client.TIMEOUT)
        os.close(pipe)
        check_profile(parse_cgi(data), profile)
    with out.check("a length: just that much is read, though standard input stays open"):
        process, pipe = cgi_client.start_with_open_pipe(
            work.cgi, cgi_client.environment(env, length=len(MOCK)))
        os.write(pipe, MOCK)
        data, _ = process.communicate(timeout=cgi_client.TIMEOUT)
        os.close(pipe)
        check_profile(parse_cgi(data), without_mock)
    with out.check("what lies behind the length is not of the body"):
        check_profile(run(MOCK + b"garbage", length=len(MOCK)), without_mock)
    with out.check("-1: the body goes to the end"):
        check_profile(run(MOCK, length="-1"), without_mock)
    with out.check("chunked without a length: the body goes to the end"):
        check_profile(run(MOCK + b" " * 200000, HTTP_TRANSFER_ENCODING="chunked"), without_mock)
    for bad in ("12x", " 12", "+12", "-2", "1e3", "0x10", "1,2"):
        with out.check(f"{bad!r} is no length"):
            check_error(run(MOCK, length=bad), 400, "content_length")
    with out.check("a length beyond all numbers"):
        answer = run(MOCK, length="9" * 30)
        assert answer.status in (400, 413), answer
    with out.check("fewer bytes than announced"):
        check_error(run(MOCK, length=len(MOCK) + 1), 400, "incomplete")
    with out.check("a length over the limit"):
        check_error(run(b" " * 1048577, length=1048577), 413, "1048576")
    with out.check("a limit of one's own"):
        small = dict(env, GOVERAGE_MAX_BODY="10")
        answer = cgi_client.run(work.cgi, cgi_client.environment(small, length=len(MOCK)), MOCK)
        check_error(answer, 413, "10 bytes")


def one_socket(out, work, env, profile):
    """Under mod_cgid descriptors 0 and 1 are one socket, which is reset when something is left unread."""
    def exchange(body, **variables):
        ours, theirs = socket.socketpair()
        process = subprocess.Popen([work.cgi], env=cgi_client.environment(env, length=len(body),
                                                                           **variables),
                                   stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()
        ours.settimeout(cgi_client.TIMEOUT)
        ours.sendall(body)
        data = b""
        while part := ours.recv(65536):
            data += part
        ours.close()
        tap.equal(process.wait(cgi_client.TIMEOUT), 0, "exit status")
        return parse_cgi(data)

    body = MOCK + b" " * 200000
    with out.check("one socket for 0 and 1: a body of 200 kB"):
        check_profile(exchange(body), filtered(profile, skip=["mock"]))
    for status, variables in ((404, {"path": "/v1/cover/nowhere"}), (405, {"method": "PUT"})):
        with out.check(f"one socket for 0 and 1: the body is drained before a {status}"):
            check_error(exchange(body, **variables), status)
    with out.check("one socket for 0 and 1: the body is drained before a 413"):
        check_error(exchange(b" " * 1500000), 413)


def surroundings(out, work, env, profile):
    """What the process may find around it."""
    for argv in (["--help"], ["--listen", "127.0.0.1:1"], ["--version"], ["-x", "--check"], ["--bad"]):
        with out.check(f"argv is not read: {' '.join(argv)}"):
            check_profile(cgi_client.run(work.cgi, cgi_client.environment(env), argv=argv), profile)
    with out.check("REQUEST_METHOD alone means CGI, too"):
        check_profile(cgi_client.run(work.cgi, cgi_client.environment(env, GATEWAY_INTERFACE=None),
                                     argv=["--version"]), profile)
    with out.check("no REQUEST_METHOD"):
        check_error(cgi_client.run(work.cgi, cgi_client.environment(env, method=None)), 500,
                    "request_method")
    with out.check("GOCOVERDIR is not set"):
        unset = {name: value for name, value in env.items() if name != "GOCOVERDIR"}
        check_error(cgi_client.request(work.cgi, unset), 500, "gocoverdir is not set")
    with out.check("PATH is not set"):
        unset = {name: value for name, value in env.items() if name != "PATH"}
        check_profile(cgi_client.request(work.cgi, unset), profile)
    for name, value in (("GOVERAGE_TIMEOUT", "soon"), ("GOVERAGE_LIVE", "maybe"), ("GOVERAGE_MAX_BODY", "-1"),
                        ("GOVERAGE_WORKERS", "0")):
        with out.check(f"a bad setting is told in the answer: {name}"):
            check_error(cgi_client.request(work.cgi, dict(env, **{name: value})), 500, name, value)
    for missing in (0, 2):
        with out.check(f"descriptor {missing} is closed"):
            done = subprocess.run(["/bin/sh", "-c", f'exec "$0" {missing}>&-', work.cgi],
                                  env=cgi_client.environment(env), stdout=subprocess.PIPE,
                                  timeout=cgi_client.TIMEOUT)
            check_profile(parse_cgi(done.stdout), profile)
    with out.check("signals that a web server leaves ignored"):
        done = subprocess.run(["/bin/sh", "-c", 'trap "" PIPE INT XFSZ CHLD; exec "$0"', work.cgi],
                              env=cgi_client.environment(env), stdout=subprocess.PIPE,
                              timeout=cgi_client.TIMEOUT)
        check_profile(parse_cgi(done.stdout), profile)
    with out.check("nobody reads the answer"):
        read_end, write_end = os.pipe()
        os.close(read_end)
        done = subprocess.run([work.cgi], env=cgi_client.environment(env), stdout=write_end,
                              stderr=subprocess.DEVNULL, timeout=cgi_client.TIMEOUT)
        os.close(write_end)
        assert done.returncode >= 0, f"killed by signal {-done.returncode}"


def covdata_surroundings(out, work, env, profile, covdata):
    """What covdata is handed is made for it, and is not the request."""
    spy, spied = tools.spying(work, covdata)
    with out.check("covdata's environment, descriptors and signals are clean"):
        settings = dict(env, GOVERAGE_COVDATA=spy, GOVERAGE_ENGINE="covdata", **tools.MARKING)
        variables = cgi_client.environment(settings, HTTP_COOKIE="secret=1", HTTP_PROXY="http://192.0.2.1",
                                           HTTP_AUTHORIZATION="Basic x", LD_LIBRARY_PATH="/nowhere")
        extra = os.open("/dev/null", os.O_RDONLY)
        process = subprocess.run([work.cgi], env=variables, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, pass_fds=[extra], timeout=cgi_client.TIMEOUT)
        os.close(extra)
        check_profile(parse_cgi(process.stdout), profile)
        with open(spied) as report:
            lines = report.read().splitlines()
        names = {line.split(": ", 1)[1].split("=")[0] for line in lines if line.startswith("environment: ")}
        leaked = {name for name in names if name.startswith(("HTTP_", "REQUEST_", "QUERY_", "CONTENT_"))}
        assert not leaked, f"covdata sees {leaked}"
        assert "LD_LIBRARY_PATH" not in names and "GATEWAY_INTERFACE" not in names, names
        with open(spied + ".fds") as report:
            descriptors = {int(fd): target for fd, target in re.findall(r" (\d+) -> (.*)", report.read())}
        # 10 and above are the shell's own
        inherited = [fd for fd in descriptors if 2 < fd < 10]
        assert not inherited, f"covdata inherits {inherited}: {descriptors}"
        tap.equal(descriptors[0], "/dev/null", "descriptor 0")
        signals = {line.split(":")[0]: int(line.split()[1], 16) for line in lines if line.startswith("Sig")
                   and ":" in line and len(line.split()) == 2 and "/" not in line}
        tap.equal(signals["SigBlk"] & ~(1 << (signal.SIGCHLD - 1)), 0, "blocked signals")
        # 32 and 33 are the C library's own, which glibc's posix_spawn leaves ignored
        tap.equal(signals["SigIgn"] & 0x7fffffff, 0, "ignored signals")


def ends(out, work, env, staging_before):
    """A web server that loses its patience."""
    def start_hanging():
        settings = dict(env, GOVERAGE_COVDATA=tools.hanging(work), GOVERAGE_ENGINE="covdata")
        process = processes.start([work.cgi], env=cgi_client.environment(settings),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        processes.wait_until(lambda: any("sleep 1000" in processes.command(pid)
                                         for pid in processes.descendants(process.pid)), "covdata to run")
        return process

    with out.check("SIGTERM ends it, and covdata, and nothing is left"):
        processes.stop(start_hanging(), signal.SIGTERM)
        processes.no_children_left()
        processes.no_staging_left(staging_before)
    with out.check("what SIGKILL makes it leave behind is removed at the next start"):
        process = start_hanging()
        private = processes.staging_of(process.pid)
        processes.stop(process, signal.SIGKILL)
        processes.kill_all(processes.descendants(os.getpid()))
        processes.no_children_left()
        # a program that another test starts may be the one that removes it: test_directory.py is alone
        cgi_client.request(work.cgi, env)
        assert not os.path.lexists(private), f"{private} is there still"
        processes.no_staging_left(staging_before)
    with out.check("SIGTERM while it waits for the body"):
        process, pipe = cgi_client.start_with_open_pipe(work.cgi, cgi_client.environment(env, length=100))
        processes.wait_until(lambda: open_for_reading(process.pid), "the program to start")
        processes.stop(process, signal.SIGTERM)
        os.close(pipe)
        process.communicate()
    with out.check("a body that never comes ends in time with an answer"):
        settings = dict(env, GOVERAGE_TIMEOUT="1")
        process, pipe = cgi_client.start_with_open_pipe(work.cgi,
                                                        cgi_client.environment(settings, length=100))
        data, _ = process.communicate(timeout=cgi_client.TIMEOUT)
        os.close(pipe)
        answer = parse_cgi(data)
        assert answer.status in (400, 504), answer


def open_for_reading(pid):
    """Is the program (and not the copy of this process that becomes it) there?"""
    return "goverage" in processes.command(pid)


def main():
    processes.alarm(600)
    processes.adopt_orphans()
    out = tap.Tap()
    staging_before = processes.staging_directories()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path,
               "GOVERAGE_COVDATA": work.install(covdata), "GOVERAGE_LIVE": "off"}
        lengths(out, work, env, profile)
        one_socket(out, work, env, profile)
        surroundings(out, work, env, profile)
        covdata_surroundings(out, work, env, profile, covdata)
        ends(out, work, env, staging_before)
        with out.check("no process and no private directory is left"):
            processes.no_children_left()
            processes.no_staging_left(staging_before)
    return out.done()


sys.exit(main())
