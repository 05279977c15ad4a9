#!/usr/bin/python3
"""What goverage-fcgi-security(7) states: what a request can reach, the bounds, what is disclosed and written."""

import contextlib
import glob
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", below) for below in ("lib", "live")]

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client as fcgi
import go_fixture
import http_service
import processes
import tap
import tools
import tree
from answer import check_common, check_error, check_profile

PAGE = "fcgi/goverage-fcgi-security.7"
PATHS = ("/v1/cover/profile", "/v1/cover/list", "/v1/cover/clear")
ANSWERS = {200, 204, 304, 400, 404, 405, 409, 410, 413, 422, 503}

# what looks like an option, a file, a program, a second line; {} is a file that must not come to be
HOSTILE = ("-o={}", "-o{}", "--", "-pkg=x", "-i=/etc", "/etc/passwd", "../../../../../../etc/passwd",
           "file:///etc/passwd", "@/etc/passwd", ";touch {};", "$(touch {})", "`touch {}`", "|touch {}",
           "a\r\nX-Injected: 1", "a\nX-Injected: 1\n\n", "%0d%0aX-Injected:%201", "%00", "..%2f..%2fetc%2fpasswd",
           "%s%n%s%n", "\x1b[31mred", "\udcff\udcfe", "a" * 8000, ",", "/dev/shm,/etc", "${{PATH}}")
VARIABLES = ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "SCRIPT_NAME", "PATH_INFO",
             "PATH_TRANSLATED", "REQUEST_URI", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE",
             "REMOTE_ADDR", "REMOTE_PORT", "REMOTE_HOST", "REMOTE_USER", "REMOTE_IDENT", "AUTH_TYPE",
             "DOCUMENT_ROOT", "SCRIPT_FILENAME", "REDIRECT_STATUS", "HTTP_HOST", "HTTP_ACCEPT", "HTTP_COOKIE",
             "HTTP_USER_AGENT", "HTTP_IF_NONE_MATCH", "HTTP_PROXY", "HTTP_AUTHORIZATION", "HTTP_GOCOVERDIR",
             "HTTP_GOVERAGE_COVDATA", "HTTP_X_FORWARDED_FOR", "HTTP_TRANSFER_ENCODING", "HTTP_RANGE")
# settings that a FastCGI parameter of their name must not change
SETTINGS = ("GOCOVERDIR", "GOVERAGE_COVDATA", "GOVERAGE_ENGINE", "GOVERAGE_LIVE", "GOVERAGE_SANDBOX",
            "GOVERAGE_STATE", "GOVERAGE_MAX_BODY", "GOVERAGE_TIMEOUT", "PATH", "TMPDIR", "HOME", "GOCACHE",
            "LD_PRELOAD", "LD_LIBRARY_PATH")
FIELDS = ("skipFile", "coverFile", "service", "since", "mode", "total", "format", "address", "force", "o", "-o",
          "GOCOVERDIR", "i", "pkg")


def read(path):
    with open(os.path.join(tree.SOURCE, path), encoding="utf-8") as file:
        return file.read()


class Place:
    """A responder for each engine, and what it may not touch."""

    def __init__(self, work, scenes, covdata):
        self.work = work
        self.scenes = scenes
        self.covdata = work.install(covdata)
        self.canary = work.join("canary")
        self.state = work.join("state")
        self.env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": scenes.path, "GOVERAGE_COVDATA": self.covdata,
                    "GOVERAGE_STATE": self.state, "GOVERAGE_LIVE": "off"}

    def hostile(self):
        return [value.format(self.canary) for value in HOSTILE]

    @contextlib.contextmanager
    def responder(self, **settings):
        with processes.Listener(self.work.program, {**self.env, **settings}, self.work.join("s.sock"),
                                self.work.join("log")) as listener:
            yield listener

    def check(self, answer, what):
        """A proper answer that nobody has steered."""
        assert answer.status in ANSWERS or answer.status and answer.status >= 400, f"{what}: {answer}"
        check_common(answer)
        names = {name for name, _ in answer.headers}
        assert names <= {"status", "content-type", "content-length", "x-content-type-options", "cache-control",
                         "etag", "allow", "retry-after", "goverage-engine", "goverage-skipped",
                         "goverage-live", "goverage-warning", "goverage-baseline"}, f"{what}: headers {names}"
        assert b"root:x:" not in answer.body, f"{what}: /etc/passwd is in the answer"
        assert not os.path.exists(self.canary), f"{what}: something was run or written"


# --- what a request can choose ---------------------------------------------------------------------

def variables(out, place, profile):
    with place.responder() as listener:
        for name in VARIABLES:
            with out.check(f"FastCGI: no hostile value of {name} reaches anything"):
                for value in place.hostile() + ["a\0b", "\0"]:
                    raw = value.encode("utf-8", "surrogateescape")
                    place.check(fcgi.request(listener.address, **{name: raw}), value)
        with out.check("FastCGI: a parameter with the name of a setting changes nothing"):
            for name, value in itertools.product(SETTINGS, ["/nowhere", *place.hostile()]):
                raw = value.encode("utf-8", "surrogateescape")
                check_profile(fcgi.request(listener.address, **{name: raw}), profile)
    with out.check("CGI: no hostile value of any variable reaches anything"):
        for name in VARIABLES:
            for value in place.hostile():
                env = cgi_client.environment(place.env, **{name: value})
                env[name] = os.fsencode(value)
                place.check(cgi_client.run(place.work.cgi, env), f"{name}={value}")


def fields(out, place):
    with place.responder() as listener:
        for field in FIELDS:
            with out.check(f"no hostile value of the field {field} reaches anything"):
                for path, value in itertools.product(PATHS, place.hostile()):
                    quoted = urllib.parse.urlencode({field: value}, errors="surrogateescape")
                    text = value.encode("utf-8", "replace").decode()
                    bodies = [json.dumps({field: shape}).encode() for shape in (text, [text], {text: text})]
                    raw = f"{field}={value}".encode("utf-8", "surrogateescape")
                    asked = [fcgi.request(listener.address, path=path, query=quoted),
                             fcgi.request(listener.address, path=path, QUERY_STRING=raw)]
                    asked += [fcgi.request(listener.address, path=path, body=body) for body in bodies]
                    for form in (quoted.encode(), raw):
                        asked.append(fcgi.request(listener.address, path=path, body=form,
                                                  CONTENT_TYPE="application/x-www-form-urlencoded"))
                    for answer in asked:
                        place.check(answer, f"{path} {field}={value}")
    shutil.rmtree(place.state, ignore_errors=True)


def surroundings(out, place, profile):
    spy, spied = tools.spying(place.work, place.covdata)
    with out.check("covdata's command line and environment are the same whatever the request holds"):
        settings = {"GOVERAGE_COVDATA": spy, "GOVERAGE_ENGINE": "covdata", "GOVERAGE_CACHE": "0", **tools.MARKING}
        with place.responder(**settings) as listener:
            for value in place.hostile():
                raw = value[:1000].encode("utf-8", "surrogateescape")  # together below the bound
                more = {name: raw for name in VARIABLES + SETTINGS
                        if name.startswith(("HTTP_", "GO", "LD_", "REMOTE", "SERVER"))
                        and name not in ("HTTP_IF_NONE_MATCH", "HTTP_TRANSFER_ENCODING")}
                query = urllib.parse.urlencode({"skipFile": "^never$", "o": value, "service": "shop"},
                                               errors="surrogateescape")
                answer = fcgi.request(listener.address, query=query, **more)
                check_profile(answer, profile)
                with open(spied) as report:
                    lines = report.read().splitlines()
                os.unlink(spied)
                arguments = [line for line in lines if line.startswith("arguments: ")]
                assert len(arguments) == 1 and re.fullmatch(
                    r"arguments: textfmt -i=/dev/shm/goverage-fcgi-\d+-\w{6}/0 -o=/proc/self/fd/1",
                    arguments[0]), arguments
                names = {line.split(" ", 1)[1].split("=")[0] for line in lines
                         if line.startswith("environment: ")}
                # the last four are the shell's own
                assert names <= {"PATH", "HOME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"}, names
                tap.contains("\n".join(lines), "environment: PATH=/usr/bin:/bin", "covdata's environment")


# --- bounds ----------------------------------------------------------------------------------------

BOUNDS = {
    "PARAMS_MAX": r"(\d+) bytes of a FastCGI request's parameters",
    "INPUT_MOST": r"(\d+) bytes of all FastCGI requests that are coming in",
    "LIMITS_UNFINISHED": r"GOVERAGE_CONNECTIONS and (\d+) connections",
    "JSON_MAX_DEPTH": r"(\d+) levels of nesting in JSON",
    "PATH_FILTER_MAX_PATTERNS": r"(\d+) patterns in a request",
    "PATH_FILTER_MAX_PATTERN": r"(\d+) bytes in a pattern",
    "PATH_FILTER_MAX_BYTES": r"(\d+) bytes in all patterns",
    "PATTERN_MAX_DEPTH": r"(\d+) groups of a pattern",
    "PATTERN_MAX_SIZE": r"(\d+) instructions in a pattern",
    "COVERAGE_MAX_FILES": r"(\d+) files in all coverage directories",
    "COVERAGE_MAX_DIRS": r"and (\d+) directories",
    "COVERAGE_FILE_MAX": r"(\d+) bytes of a coverage file",
    "COUNTER_AREA_MAX": r"(\d+) bytes of counters in one module",
    "CHILD_STDERR_MAX": r"(\d+) bytes of what covdata says",
    "LINE_MAX_BYTES": r"(\d+) bytes of a line of the log",
    "ERROR_MESSAGE_MAX": r"(\d+) bytes of an error's sentence",
}


def page_text():
    text = re.sub(r"^\.[A-Z][a-z]\w* ?", "", read(PAGE), flags=re.MULTILINE)
    return re.sub(r"\s+", " ", text)


def constant(name):
    """Its value in the sources."""
    files = sorted(glob.glob(os.path.join(tree.SOURCE, "*", "**", "*.[ch]"), recursive=True))
    files = [file for file in files if "/tests/" not in file and (name != "LINE_MAX_BYTES" or "base/log" in file)]
    values = set()
    for file in files:
        values |= set(re.findall(rf"\b{name}(?: =)? ([0-9x]+(?: << [0-9]+)?)\s*[,}}/;\n ]", read(file)))
    assert len(values) == 1, f"{name}: {values}"
    number, _, shift = values.pop().partition(" << ")
    return int(number, 0) << int(shift or "0")


def bounds(out, place, profile):
    text = page_text()
    for name, pattern in BOUNDS.items():
        with out.check(f"the bound in the page is that of the sources: {name}"):
            found = re.findall(pattern, text)
            tap.equal(found, [str(constant(name))], pattern)
    with out.check("the page's bound of a body is the default of its setting"):
        default = subprocess.run([place.work.program, "--help"], env={}, stdout=subprocess.PIPE, check=True,
                                 text=True, timeout=60).stdout
        tap.equal(re.findall(r"(\d+) bytes of a request's body", text),
                  re.findall(r"GOVERAGE_MAX_BODY .*\n +\[(\d+)\]", default), "bytes of a body")

    def patterns(list_):
        return json.dumps({"skipFile": list_}).encode()

    with place.responder() as listener:
        for what, limit, make in (
                ("patterns", constant("PATH_FILTER_MAX_PATTERNS"), lambda n: patterns(["^x$"] * n)),
                ("bytes of a pattern", constant("PATH_FILTER_MAX_PATTERN"), lambda n: patterns(["x" * n])),
                ("bytes of patterns", constant("PATH_FILTER_MAX_BYTES"),
                 lambda n: patterns(["x" * 4000] * (n // 4000) + ["x" * (n % 4000)])),
                ("groups", constant("PATTERN_MAX_DEPTH"), lambda n: patterns(["(" * n + "nobody" + ")" * n])),
                ("levels of JSON", constant("JSON_MAX_DEPTH"),
                 lambda n: b'{"unknown":' * (n - 1) + b"1" + b"}" * (n - 1))):
            with out.check(f"{limit} {what} are answered, and one more is 400"):
                check_profile(fcgi.request(listener.address, body=make(limit)), profile)
                check_error(fcgi.request(listener.address, body=make(limit + 1)), 400)
        with out.check("a body of GOVERAGE_MAX_BODY is answered, and one more byte is 413"):
            most = 1048576
            check_profile(fcgi.request(listener.address, body=b"{}" + b" " * (most - 2)), profile)
            check_error(fcgi.request(listener.address, body=b"{}" + b" " * (most - 1)), 413)
        with out.check("parameters over their bound are 431, and the next ones are served"):
            most = constant("PARAMS_MAX")
            check_error(fcgi.request(listener.address, HTTP_COOKIE="x" * most), 431, str(most))
            check_profile(fcgi.request(listener.address, HTTP_COOKIE="x" * (most - 4096)), profile)
        with out.check("no line of the log is over its bound"):
            fcgi.request(listener.address, HTTP_USER_AGENT="\x01" * 30000, REQUEST_METHOD="M" * 30000,
                         path="/" + "p" * 30000)
            most = constant("LINE_MAX_BYTES")
            longest = max(len(line.encode()) for line in listener.log_text().splitlines())
            assert 500 < longest <= most + 1, longest


# --- what answers disclose -------------------------------------------------------------------------

def error_answers(place):
    """(what, answer) of every error that a client can bring about, and of those of the set-up."""
    def ask(how, **settings):
        with place.responder(**settings) as listener:
            for what, request in how.items():
                yield what, fcgi.request(listener.address, **request)

    requests = {
        "404": {"path": "/v1/nothing"}, "405": {"method": "DELETE"}, "bad JSON": {"body": b"{"},
        "bad type": {"body": b'{"skipFile": 1}'}, "bad pattern": {"body": b'{"skipFile": ["("]}'},
        "bad query": {"query": "skipfile=%zz"}, "gone": {"query": 'since="0-0"'},
        "unknown since": {"query": 'since="' + "0" * 32 + "-" + "0" * 16 + '"'},
        "mode": {"query": "mode=loose"}, "too large": {"body": b"x" * 2000000}, "no method": {"REQUEST_METHOD": None},
        "refused by the server": {"REDIRECT_STATUS": "403"}, "list field": {"path": "/v1/cover/list", "query": "format=x"},
        "list method": {"path": "/v1/cover/list", "method": "PUT"}, "clear method": {"path": "/v1/cover/clear",
                                                                                   "method": "GET"},
        "bad length": {"CONTENT_LENGTH": "many"}, "service": {"query": "service=nobody"}}
    yield from ask(requests)
    # slow patterns
    yield from ask({"budget": {"body": json.dumps({"skipFile": [r"(.*a){12}$"]}).encode()}})
    for scene in ("empty", "missing", "mixed-modes", "damaged"):
        place.scenes.enter(scene)
        yield from ((f"{scene}: {what}", answer) for what, answer in
                    ask({"profile": {}, "strict": {"query": "mode=strict"}, "clear": {"path": "/v1/cover/clear"}},
                        GOVERAGE_ENGINE="covdata", GOVERAGE_STATE=place.work.join("no/such/state")))
    place.scenes.enter("good")
    for what, settings in {
            "no covdata": {"GOVERAGE_COVDATA": "", "GOVERAGE_ENGINE": "covdata", "PATH": "/nowhere"},
            "covdata fails": {"GOVERAGE_COVDATA": tools.failing(place.work, "no ink left"),
                              "GOVERAGE_ENGINE": "covdata"},
            "covdata is killed": {"GOVERAGE_COVDATA": tools.killed(place.work), "GOVERAGE_ENGINE": "covdata"},
            "GOCOVERDIR is a file": {"GOCOVERDIR": "/etc/passwd"}, "no GOCOVERDIR": {"GOCOVERDIR": ""},
            "state in the directory": {"GOVERAGE_STATE": place.scenes.path + "/x"}}.items():
        for path in PATHS:
            for _, answer in ask({what: {"path": path}}, **settings):
                yield f"{what}: {path}", answer


def disclosure(out, place):
    configured = [place.work.path, "/etc/passwd", "/nowhere", "/v1/", "/usr/bin:/bin"]
    seen = {}
    for what, answer in error_answers(place):
        if answer.status != 200:
            seen[what] = answer
    with out.check(f"no error ({len(seen)} of them) names a path that is not of the configuration or the request"):
        tap.equal(sorted({answer.status for answer in seen.values()} - {304}),
                  [400, 403, 404, 405, 409, 410, 413, 422, 500, 503], "statuses that were seen")
        for what, answer in seen.items():
            paths = re.findall(r'(?<![\w./)])/[\w.][^\s",;:)]*', answer.text())
            foreign = [path for path in paths if not path.startswith(tuple(configured))
                       and path not in ("/usr/bin", "/bin")]
            assert not foreign, f"{what}: {foreign} in {answer.text()!r}"


# --- what is written -------------------------------------------------------------------------------

CHANGING = ("open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rmdir,rename,renameat,renameat2,"
            "link,linkat,symlink,symlinkat,truncate,chmod,fchmodat,chown,lchown,fchownat,utimensat,setxattr,"
            "execve,execveat,socket,connect,bind,kill,ptrace,process_vm_writev,mount")


class Trace:
    """The calls of the program and its children that change something, from strace's records: one for each
    thread, since in a common one a call is cut in two where another thread's comes between."""

    LINE = re.compile(r"^(\w+)\((.*)\) += (-?\d+)(?:<[^>]*>)?(?: (\w+))?")
    ENDS = re.compile(r"^(\+\+\+ |--- )|\) += \?")  # of a thread or a call that never returns, and signals

    def __init__(self, prefix):
        self.calls = []
        for path in sorted(glob.glob(glob.escape(prefix) + ".*")):
            with open(path, errors="replace") as trace:
                self.add(trace.read().splitlines())

    def add(self, lines):
        for line in lines:
            found = self.LINE.match(line)
            assert found or self.ENDS.search(line), f"a line of strace that nobody reads: {line!r}"
            if found:
                self.calls.append(found.groups())

    def paths(self, name, arguments):
        """What a call names, as absolute paths: "AT_FDCWD</cwd>, \\"a\\"", "5</dir>, \\"a\\""."""
        whole = []
        for base, text in re.findall(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"', arguments):
            whole.append(os.path.normpath(os.path.join(base or "/", text)))
        # the first string of a symbolic link is what it points to
        return whole[1:] if name.startswith("symlink") else whole

    def written(self):
        for name, arguments, _, _ in self.calls:
            if name.startswith(("exec", "socket", "connect", "bind", "kill", "ptrace", "process", "mount")):
                continue
            if name.startswith("open") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments):
                continue
            yield from ((name, path) for path in self.paths(name, arguments))


def trace_run(place, service, coverage, engine):
    """The whole life of a responder, through every route."""
    record = place.work.join(f"strace-{engine}")
    address = place.work.join("traced.sock")
    env = {**place.env, "GOCOVERDIR": coverage, "GOVERAGE_ENGINE": engine, "GOVERAGE_LIVE": "auto",
           "GOVERAGE_STATE": os.path.join(place.work.mkdir("states"), engine)}
    with open(place.work.join("strace.log"), "ab") as log:
        process = processes.start(["strace", "-ff", "-y", "-s", "4096", "-e", "trace=" + CHANGING, "-o", record,
                                   place.work.program, "--listen", "unix:" + address],
                                  env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    processes.wait_until(lambda: processes.can_connect(address), "the traced program to listen")
    statuses = set()
    for step in ("before", "after"):
        service.get("/price?pieces=3")
        for request in ({}, {"method": "GET"}, {"query": "skipfile=x"}, {"query": "service=nobody"},
                        {"body": b'{"skipFile": ["("]}'}, {"path": "/v1/cover/list", "method": "GET"},
                        {"path": "/v1/cover/list", "method": "GET", "query": "format=detail"},
                        {"path": "/v1/cover/clear"}, {"query": "total=true"}, {"path": "/nothing"},
                        {"query": 'since="x"'}, {"method": "OPTIONS"}):
            answer = fcgi.request(address, **request)
            assert answer.status, f"{step} {request}: {answer}"
            statuses.add(answer.status)
        etag = fcgi.request(address).header("etag")
        service.get("/price?pieces=4")
        statuses.add(fcgi.request(address, query="since=" + urllib.parse.quote(etag)).status)
    traced = [pid for pid in processes.descendants(process.pid) if "--listen" in processes.command(pid)]
    os.kill(traced[0], signal.SIGTERM)
    process.wait(60)
    assert statuses >= {200, 204, 400, 404}, statuses
    return Trace(record), env["GOVERAGE_STATE"], address


def writing(out, place):
    if not shutil.which("strace"):
        out.skip("what is written, by strace", "strace is not installed")
        return
    coverage = place.work.mkdir("traced-coverage")
    with http_service.Service(http_service.build("traced", "atomic", go_fixture.RELEASE), coverage) as service:
        for engine in ("builtin", "covdata"):
            with out.check(f"{engine}: every route writes in its private directory, the state and its socket alone"):
                before = sorted(os.listdir(coverage))
                trace, state, address = trace_run(place, service, coverage, engine)
                tap.equal(sorted(os.listdir(coverage)), before, "the coverage directory")
                allowed = re.compile(rf"/dev/shm/goverage-fcgi-{os.geteuid()}-\w{{6}}(/.*)?|"
                                     rf"{re.escape(state)}(/.*)?|{re.escape(address)}|/dev/null|/proc/self/fd/1")
                written = list(trace.written())
                foreign = sorted({f"{name} {path}" for name, path in written if not allowed.fullmatch(path)})
                assert len(written) > 10, f"too little to be true: {written}"
                assert not foreign, f"written elsewhere: {foreign}"
            with out.check(f"{engine}: nothing else is run, connected, signalled or traced"):
                programs = {path for name, arguments, result, _ in trace.calls if name == "execve" and result == "0"
                            for path in trace.paths(name, arguments)[:1]}
                tap.equal(programs, {place.work.program} | ({place.covdata} if engine == "covdata" else set()),
                          "programs that were run")
                bad = [call for call in trace.calls if call[0] in ("connect", "ptrace", "process_vm_writev", "mount")]
                tap.equal(bad, [], "forbidden calls")
                sockets = [call for call in trace.calls if call[0] == "socket"]
                assert len(sockets) <= 2 and all("AF_UNIX" in call[1] for call in sockets), sockets
                service.get("/price?pieces=3")  # it lives


def main():
    processes.alarm(1500)
    processes.adopt_orphans()
    out = tap.Tap()
    covdata = go_fixture.covdata_or_skip()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        profile = scenes.enter("good")
        place = Place(work, scenes, covdata)
        variables(out, place, profile)
        fields(out, place)
        surroundings(out, place, profile)
        bounds(out, place, profile)
        disclosure(out, place)
        writing(out, place)
    return out.done()


sys.exit(main())
