"""What all tests of faults need: the program through both gateways, and proof that nothing is left behind."""

import json
import os

import cgi_client
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
from answer import check_common, check_error, check_profile


# A service that runs until its standard input ends.
go_fixture.MODULES["waiter"] = {
    "go.mod": "module example.com/waiter\n\ngo 1.20\n",
    "main.go": """package main

import (
	"os"
	"runtime/coverage"
)

func main() {
	// a file of its own, which must not count a second time
	if coverage.WriteCountersDir(os.Getenv("GOCOVERDIR")) != nil {
		os.Exit(1)
	}
	println("ready")
	one := make([]byte, 1)
	if n, _ := os.Stdin.Read(one); n > 0 {
		never()
	}
}

func never() { println("never") }
""",
}


class Bench:
    """The work directory, the settings, and covdata's profile of what GOCOVERDIR holds."""

    def __init__(self, work, env, profile):
        self.work = work
        self.env = env
        self.profile = profile
        self.count = 0
        self.staging_before = processes.staging_directories()

    def cgi(self, settings=None, **how):
        return cgi_client.request(self.work.cgi, {**self.env, **(settings or {})}, **how)

    def listener(self, settings=None):
        self.count += 1
        return processes.Listener(self.work.program, {**self.env, **(settings or {})},
                                  self.work.join(f"socket{self.count}"), self.work.join(f"log{self.count}"))

    def nothing_left(self):
        processes.no_children_left()
        processes.no_staging_left(self.staging_before)


class Serving:
    """A responder that is asked for something good before and after a fault, and must be as it was then."""

    def __init__(self, bench, settings=None):
        self.bench = bench
        self.listener = bench.listener(settings)
        self.before = None

    def __enter__(self):
        return self

    def ask(self, **how):
        return fcgi.request(self.listener.address, **how)

    def descriptors(self):
        """What is open, by what it is; the numbers of sockets and so on differ."""
        place = f"/proc/{self.listener.pid}/fd"
        found = []
        for name in os.listdir(place):
            try:
                target = os.readlink(f"{place}/{name}")
                if not target.startswith("/memfd:"):  # texts that are kept; GOVERAGE_CACHE bounds them
                    found.append(target.split(":[")[0])
            except FileNotFoundError:
                continue
        return sorted(found)

    def is_well(self, profile=None, skipped=0):
        check_profile(self.ask(), self.bench.profile if profile is None else profile, skipped)

    def remember(self):
        """After a good request or two: what is open from now on is no leak."""
        def quiet():
            first = self.descriptors()
            return first if first == self.descriptors() else None
        self.before = processes.wait_until(quiet, "the descriptors to settle")

    def as_before(self):
        """No child, no descriptor more than before."""
        processes.wait_until(lambda: not processes.descendants(self.listener.pid, zombies=True),
                             "the end of its children")
        try:
            processes.wait_until(lambda: len(self.descriptors()) <= len(self.before), "the end", patience=10)
        except AssertionError:
            raise AssertionError(f"open: {self.descriptors()}, before: {self.before}") from None

    def __exit__(self, kind, *rest):
        if self.listener.process.poll() is None:
            status = processes.stop(self.listener.process)
            assert kind or status == 0, f"exit status {status}: {self.listener.log_text()[-4000:]}"


def log_has(answer, *parts):
    """The log of a CGI request."""
    for part in parts:
        tap.contains(answer.stderr.decode("utf-8", "replace"), part, "the log")


# --- a fault that may strike anywhere -------------------------------------------------------------

SAME = ("content-type", "allow", "goverage-baseline")
EXHAUSTED = 503


class Reference:
    """The answer without a fault.  With one, an answer is these bytes again, or it says what it lacks, or it is
    an error."""

    def __init__(self, answer, same=SAME):
        self.answer = answer
        self.same = same

    def skipped(self, answer):
        return int(answer.header("goverage-skipped") or 0)

    def lacks_nothing(self, answer):
        return self.skipped(answer) == self.skipped(self.answer) and \
            answer.header("goverage-live") == self.answer.header("goverage-live")

    def is_less_known(self, answer):
        """A detailed list leaves out what is not known; what it says is right."""
        if not (self.answer.header("content-type") or "").startswith("application/json"):
            return False
        got, want = json.loads(answer.body), json.loads(self.answer.body)
        return isinstance(got, list) and len(got) == len(want) and \
            all(one.items() <= other.items() for one, other in zip(got, want))

    def check_warnings(self, answer):
        """Those that were there; and another one only where something is not."""
        got, want = answer.values("goverage-warning"), self.answer.values("goverage-warning")
        tap.equal([value for value in want if value not in got], [], "warnings that are not there any more")
        if self.lacks_nothing(answer):
            tap.equal(got, want, "goverage-warning")

    def check(self, answer, exhausted=False):
        """exhausted: what has failed passes by itself, so that an error has to be a 503."""
        tap.equal(answer.whole, True, "the answer's end")
        if answer.status != self.answer.status:
            assert answer.status is not None and answer.status >= 400, \
                f"status {answer.status} instead of {self.answer.status}: {answer}"
            check_error(answer, EXHAUSTED if exhausted else answer.status)
            return
        check_common(answer)
        for name in self.same:
            tap.equal(answer.header(name), self.answer.header(name), name)
        self.check_warnings(answer)
        if answer.body == self.answer.body:
            if answer.header("etag") and self.lacks_nothing(answer):
                tap.equal(answer.header("etag"), self.answer.header("etag"), "ETag of the same bytes")
            return
        if self.is_less_known(answer):
            return
        assert not self.lacks_nothing(answer), f"other bytes, and no header says so: {answer.headers}\n" \
            f"{answer.text()}\ninstead of\n{self.answer.text()}"
        if answer.header("etag"):
            assert answer.header("etag") != self.answer.header("etag"), "the same ETag for other bytes"
