"""Run the program as a CGI: environment and standard input, as a web server would."""

import os
import subprocess

from answer import parse_cgi
from tap import shorten

TIMEOUT = 120  # seconds; a bound for a test that hangs, nothing that is measured


def environment(settings, method="POST", path="/v1/cover/profile", query="", length=None, **more):
    """The meta-variables of a request; names with the value None are left out."""
    env = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": method,
           "SCRIPT_NAME": path[:9] if path.startswith("/v1/cover") else "",
           "PATH_INFO": path[9:] if path.startswith("/v1/cover") else path,
           "QUERY_STRING": query, "REQUEST_URI": path + (query and "?" + query),
           "REMOTE_ADDR": "192.0.2.7", "REMOTE_PORT": "40000", "HTTP_USER_AGENT": "test/1.0",
           "CONTENT_LENGTH": length}
    env.update(settings)
    env.update(more)
    return {name: str(value) for name, value in env.items() if value is not None}


def run(program, env, stdin=b"", argv=(), timeout=TIMEOUT):
    """The whole life of one process, which ends with status 0, whatever its answer is."""
    done = subprocess.run([program, *argv], env=env, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout)
    assert done.returncode == 0, f"exit status {done.returncode}: {shorten(done.stderr, 4000)}"
    return parse_cgi(done.stdout, True, done.stderr)


def request(program, settings, method="POST", path="/v1/cover/profile", query="", body=b"", **more):
    """One proper request."""
    length = str(len(body)) if body else None
    return run(program, environment(settings, method, path, query, length, **more), body)


def start_with_open_pipe(program, env):
    """(process, write end of its standard input): the pipe stays open behind the body."""
    read_end, write_end = os.pipe()
    process = subprocess.Popen([program], env=env, stdin=read_end, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    os.close(read_end)
    return process, write_end
