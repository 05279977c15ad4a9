"""Asking for reports, through CGI unless a listener is given."""

import json
import os
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client
import tap
from answer import check_common, check_profile_headers

RELEASES = ("1.21", "1.23", "1.27")


class Reports:
    """One directory, asked for reports."""

    def __init__(self, work, directory, address=None):
        self.program, self.address = work.cgi, address
        self.settings = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": directory, "GOVERAGE_LIVE": "off"}

    def answer(self, *pairs, method="GET", body=b"", **options):
        """The answer, whatever it is; options are fields of the query string, and so are pairs."""
        query = urllib.parse.urlencode([*pairs, *options.items()])
        if self.address:
            return fastcgi_client.request(self.address, method=method, query=query, body=body)
        return cgi_client.request(self.program, self.settings, method=method, query=query, body=body)

    def report(self, name, *pairs, **options):
        """The body of a good answer as text."""
        answer = self.answer(*pairs, format=name, **options)
        tap.equal(answer.status, 200, f"status ({answer.body[:300]})")
        check_common(answer)
        if name in ("json", "structure", "counters"):
            tap.equal(answer.header("content-type"), "application/json; charset=utf-8", "Content-Type")
        return answer.text()

    def table(self, name, *pairs, **options):
        return [line.split("\t") for line in self.report(name, *pairs, **options).splitlines()]

    def json(self, name="json", *pairs, **options):
        return json.loads(self.report(name, *pairs, **options))


def check_headers(answer):
    """The headers that a report has in common with a profile."""
    tap.equal(answer.status, 200, f"status ({answer.body[:300]})")
    check_profile_headers(answer)
