"""What all tests of faults need: the program through both gateways, and proof that nothing is left behind."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client as fcgi
import processes
import tap
from answer import check_profile


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
                found.append(os.readlink(f"{place}/{name}").split(":[")[0])
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
