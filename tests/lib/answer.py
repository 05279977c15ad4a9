"""An answer, whatever gateway it came through, and what every answer of the program has in common."""

import json
import re

from tap import contains, equal, shorten

TEXT = "text/plain; charset=utf-8"


class Answer:
    """status (int, or None where there was no answer), headers (a list of pairs, names in lower case), body
    (bytes), and whether the answer came to its proper end."""

    def __init__(self, status, headers, body, whole=True, stderr=b""):
        self.status = status
        self.headers = headers
        self.body = body
        self.whole = whole
        self.stderr = stderr

    def values(self, name):
        """The values of a header that may come several times."""
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name):
        """The value of a header, None where it is missing; twice is an error."""
        values = self.values(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    def text(self):
        return self.body.decode("utf-8")

    def __repr__(self):
        return f"<answer {self.status} {self.headers} {shorten(self.body)}>"


def parse_head(head):
    """The header fields of a block of lines without its first line."""
    headers = []
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if line:
            name, colon, value = line.decode("latin-1").partition(":")
            assert colon, f"not a header line: {line!r}"
            headers.append((name.lower(), value.strip()))
    return headers


def parse_cgi(data, whole=True, stderr=b""):
    """The answer in what a CGI program writes (RFC 3875, section 6)."""
    end = re.search(rb"\r?\n\r?\n", data)
    if not end:
        return Answer(None, [], data, False, stderr)
    headers, body = parse_head(data[:end.start()]), data[end.end():]
    status = next((value for name, value in headers if name == "status"), "200")
    return Answer(int(status.split()[0]), headers, body, whole, stderr)


def check_common(answer):
    """What holds for each answer that is the program's own."""
    assert answer.whole, f"the answer was cut off: {answer}"
    length = answer.header("content-length")
    if length is not None and answer.body:
        equal(int(length), len(answer.body), "Content-Length")
    equal(answer.header("x-content-type-options"), "nosniff", "X-Content-Type-Options")


def check_profile(answer, profile, skipped=0):
    """A 200 that holds exactly this profile."""
    equal(answer.status, 200, f"status (with the body {shorten(answer.body)})")
    check_common(answer)
    equal(answer.body, profile, "the profile")
    check_profile_headers(answer, skipped)


def check_profile_headers(answer, skipped=0):
    equal(answer.header("content-type"), TEXT, "Content-Type")
    equal(answer.header("cache-control"), "no-cache", "Cache-Control")
    etag = answer.header("etag") or ""
    assert re.fullmatch(r'"[0-9a-f]{32}-[0-9a-f]{16}"', etag), f"ETag: {etag}"
    equal(answer.header("goverage-skipped"), str(skipped), "Goverage-Skipped")


def check_error(answer, status, *parts):
    """A sentence in text, with these parts in it (case does not matter)."""
    equal(answer.status, status, f"status (with the body {shorten(answer.body)})")
    check_common(answer)
    equal(answer.header("content-type"), TEXT, "Content-Type")
    text = answer.text()
    assert re.fullmatch(r"[^\n\r]*\S\n", text), f"not one sentence on one line: {text!r}"
    for part in parts:
        contains(text.lower(), part.lower(), "the sentence")
    if status == 503:
        assert re.fullmatch(r"\d+", answer.header("retry-after") or ""), "503 without Retry-After"


def check_json_error(answer, status, *parts):
    """The same as {"error": "sentence"}."""
    equal(answer.status, status, f"status (with the body {shorten(answer.body)})")
    check_common(answer)
    equal((answer.header("content-type") or "").split(";")[0], "application/json", "Content-Type")
    assert answer.body.endswith(b"\n"), f"no line feed at the end: {answer.body!r}"
    error = json.loads(answer.body)
    equal(list(error), ["error"], "the keys")
    for part in parts:
        contains(error["error"].lower(), part.lower(), "the sentence")
