"""The contract with clients as one table of conversations, which every web server has to answer alike.

Each row: what is sent, and what comes back.  OWN_ANSWERS below lists what a web server answers by itself,
before the program is asked."""

import gzip
import json

from answer import check_common, check_error, check_json_error, check_profile, check_profile_headers
from go_fixture import filtered
from tap import contains, equal

PROFILE = "/v1/cover/profile"
MAX_BODY = 1048576  # GOVERAGE_MAX_BODY by default
METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
WANTS_JSON = ("Accept", "application/json")


class Conversation:
    """scene: the state of the coverage directory (go_fixture.Scenes).  want(answer, profile) checks the
    answer; profile is what covdata says of the scene."""

    def __init__(self, name, want, method="POST", target=PROFILE, headers=(), body=None, scene="good",
                 **how):
        self.name = name
        self.want = want
        self.method = method
        self.target = target
        self.scene = scene
        self.how = dict(how, headers=headers, body=body)


# --- what may come back -----------------------------------------------------------------------------

def profile(skip=(), cover=(), skipped=0):
    def want(answer, whole):
        part = filtered(whole, skip, cover)
        if skip or cover:
            assert 1 < part.count(b"\n") < whole.count(b"\n"), "a filter that shows nothing"
        check_profile(answer, part, skipped)
    return want


def mode_line_only():
    def want(answer, whole):
        check_profile(answer, whole.splitlines(keepends=True)[0])
    return want


def head():
    def want(answer, whole):
        equal(answer.status, 200, "status")
        equal(answer.body, b"", "body")
        check_common(answer)
        check_profile_headers(answer)
        length = answer.header("content-length")  # Apache drops it where it runs a CGI
        assert length in (None, str(len(whole))), f"Content-Length: {length}, and not {len(whole)}"
    return want


def error(status, *parts):
    def want(answer, _):
        check_error(answer, status, *parts)
    return want


def mixed_modes(answer, _):
    """Programs of modes set and atomic: what both can say is whether a block was covered."""
    equal(answer.status, 200, f"status (with the body {answer.body[:200]})")
    check_common(answer)
    check_profile_headers(answer)
    equal(answer.header("goverage-engine"), "builtin", "Goverage-Engine")
    contains(answer.header("goverage-warning") or "", "different counter modes", "Goverage-Warning")
    lines = answer.body.decode().splitlines()
    equal(lines[0], "mode: set", "the mode line")
    for program in ("example.com/shop/", "example.com/till/"):
        assert any(line.startswith(program) for line in lines), f"nothing of {program}"
    assert all(line[-2:] in (" 0", " 1") for line in lines[1:]), "a count in mode set"


def not_modified(answer, _):
    equal(answer.status, 304, "status")
    equal(answer.body, b"", "body")
    assert answer.header("etag"), "no ETag"


def json_error(status, *parts):
    def want(answer, _):
        check_json_error(answer, status, *parts)
    return want


def method_error(answer, _):
    check_error(answer, 405)
    equal(set((answer.header("allow") or "").split(", ")), METHODS, "Allow")


def options(answer, _):
    equal(answer.status, 204, "status")
    equal(answer.body, b"", "body")
    equal(set((answer.header("allow") or "").split(", ")), METHODS, "Allow")


def status(*accepted):
    """An answer that a web server gives in its own words."""
    def want(answer, _):
        assert answer.status in accepted, f"status {answer.status}, and none of {accepted}"
    return want


# --- what is sent ------------------------------------------------------------------------------------

def ask(name, want, value, **more):
    """A JSON body."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Conversation(name, want, body=body, headers=more.pop("headers", [JSON]), **more)


def padded(value, size):
    """JSON of exactly this many bytes: blanks in front of the closing brace."""
    text = json.dumps(value).encode()
    return text[:-1] + b" " * (size - len(text)) + b"}"


MOCK = {"skipFile": ["_mock\\.go$"]}

CONVERSATIONS = [
    # --- the whole profile ---
    Conversation("POST without a body and without a length", profile()),
    Conversation("POST with a body of no bytes", profile(), body=b""),
    Conversation("POST with an empty chunked body", profile(), body=b"", chunk_size=100),
    Conversation("GET", profile(), "GET"),
    Conversation("HEAD", head(), "HEAD"),
    ask("JSON null", profile(), b"null"),
    ask("JSON {}", profile(), b"{}"),
    ask("JSON {} among blanks", profile(), b" \r\n\t{ } \n"),
    ask("a blank body", profile(), b" \n"),
    ask("skipFile null", profile(), {"skipFile": None}),
    ask("skipFile and coverFile empty", profile(), {"skipFile": [], "coverFile": []}),
    ask("what goc's own client sends", profile(),
        b'{"force":true,"service":null,"address":null,"coverfile":null,"skipfile":null}'),
    ask("unknown keys", profile(), {"colour": ["red"], "deep": {"er": [1, {"a": None}]}, "n": 1.5e3}),
    Conversation("a name that no parameter has", profile(), "GET", PROFILE + "?colour=red&force=true"),

    # --- filters in JSON ---
    ask("skipFile", profile(skip=[r"_mock\.go$"]), MOCK),
    ask("skipFile with two patterns", profile(skip=["mock", "tax/"]), {"skipFile": ["mock", "tax/"]}),
    ask("skipFile in goc's spelling", profile(skip=["mock"]), {"skipfile": ["mock"]}),
    ask("skipFile in capitals", profile(skip=["mock"]), {"SKIPFILE": ["mock"]}),
    ask("coverFile", profile(cover=["cart/"]), {"coverFile": ["cart/"]}),
    ask("coverFile in goc's spelling", profile(cover=["cart/", "tax"]), {"coverfile": ["cart/", "tax"]}),
    ask("coverFile, then skipFile", profile(cover=["cart/"], skip=["mock"]),
        {"coverFile": ["cart/"], "skipFile": ["mock"]}),
    ask("a key twice: the last one counts", profile(skip=["mock"]),
        b'{"skipFile":["main"],"SKIPFILE":["mock"]}'),
    ask("goc's other fields beside a filter", profile(skip=["mock"]),
        {"force": True, "service": None, "address": None, "skipfile": ["mock"]}),
    ask("a key and a pattern in escapes", profile(skip=["mock"]), b'{"skip\\u0046ile":["m\\u006fck"]}'),
    ask("JSON with the content type of a form, as curl -d sends it", profile(skip=["mock"]),
        {"skipFile": ["mock"]}, headers=[FORM]),
    ask("JSON as text/plain", profile(skip=["mock"]), {"skipFile": ["mock"]},
        headers=[("Content-Type", "text/plain")]),
    ask("JSON without a content type", profile(skip=["mock"]), {"skipFile": ["mock"]}, headers=[]),
    ask("everything filtered by skipFile", mode_line_only(), {"skipFile": [".*"]}),
    ask("everything filtered by the empty pattern", mode_line_only(), {"skipFile": [""]}),
    ask("everything filtered by coverFile", mode_line_only(), {"coverFile": ["no such file"]}),

    # --- patterns as Go means them ---
    ask(r"\pL is a letter", profile(skip=["mock"]), {"skipFile": [r"_\pLock\.go"]}),
    ask(r"\b in front of .*", profile(skip=["mock"]), {"skipFile": [r"\b.*mock"]}),
    ask(r"^ and $ stand for the ends of the path", profile(skip=["^example.com/shop/main.go$"]),
        {"skipFile": [r"^example\.com/shop/main\.go$"]}),
    ask("a flag in the middle", profile(skip=["mock"]), {"skipFile": [r"cart_(?i)MOCK"]}),
    ask("patterns see the path, not the positions", mode_line_only(), {"coverFile": [":"]}),

    # --- filters in the query string and in a form ---
    Conversation("query string", profile(skip=["mock"]), "GET", PROFILE + "?skipfile=mock"),
    Conversation("query string, the name twice", profile(skip=["mock", "tax"]), "GET",
                 PROFILE + "?skipfile=mock&skipfile=tax"),
    Conversation("query string, coverfile and escapes", profile(cover=["cart/"], skip=[r"_mock\.go$"]),
                 "GET", PROFILE + "?force=true&coverfile=cart%2F&skipfile=_mock%5C.go%24"),
    Conversation("query string with POST and no body", profile(skip=["mock"]), "POST",
                 PROFILE + "?skipfile=mock"),
    Conversation("query string with POST and an empty body", profile(skip=["mock"]), "POST",
                 PROFILE + "?skipfile=mock", body=b""),
    ask("query string and JSON together", profile(cover=["cart/"], skip=["mock"]), {"skipFile": ["mock"]},
        target=PROFILE + "?coverfile=cart/"),
    Conversation("form", profile(skip=["mock"], cover=["cart/"]), headers=[FORM],
                 body=b"skipfile=mock&coverfile=cart%2F"),
    Conversation("form with a plus and another charset parameter", profile(skip=["tax"]),
                 headers=[("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")],
                 body=b"skipfile=no+such+file&skipfile=tax"),

    # --- methods and paths ---
    Conversation("OPTIONS", options, "OPTIONS"),
    Conversation("PUT", method_error, "PUT", body=b"{}"),
    Conversation("DELETE", method_error, "DELETE"),
    Conversation("PATCH", method_error, "PATCH", body=b"{}"),
    Conversation("a method that nobody knows", method_error, "BREW"),
    Conversation("another path", error(404, "/v1/cover/nowhere"), "GET", "/v1/cover/nowhere"),
    Conversation("another path with POST and a body", error(404), "POST", "/v1/cover/nowhere",
                 body=b"x" * 200000),
    Conversation("a slash at the end of the path", error(404), "GET", PROFILE + "/"),
    Conversation("a longer name", error(404), "GET", PROFILE + "s"),
    Conversation("a path in escapes", profile(), "GET", "/v1/cover/%70rofile"),
    Conversation("the prefix twice", error(404), "GET", "/v1/cover/v1/cover/profile"),
    Conversation("goc's registration", error(501, "go build -cover"), "POST",
                 "/v1/cover/register?name=shop&address=http://127.0.0.1:1", body=b""),
    Conversation("goc's removal, as JSON", json_error(501, "go build -cover"), "POST", "/v1/cover/remove",
                 headers=[JSON, WANTS_JSON], body=b'{"service":["shop"]}'),

    # --- bodies ---
    ask("JSON of 200 kB", profile(skip=["mock"]), padded({"skipFile": ["mock"]}, 200000)),
    ask("JSON of the largest size", profile(skip=["mock"]), padded({"skipFile": ["mock"]}, MAX_BODY)),
    ask("chunked, 2 kB", profile(skip=["mock"]), padded({"skipFile": ["mock"]}, 2000), chunk_size=700),
    ask("chunked, 200 kB", profile(skip=["mock"]), padded({"skipFile": ["mock"]}, 200000),
        chunk_size=5000),
    ask("chunked, the last byte decides", error(400), padded(MOCK, 200000)[:-1], chunk_size=65536),
    ask("Expect: 100-continue", profile(skip=["mock"]), {"skipFile": ["mock"]},
        headers=[JSON, ("Expect", "100-continue")]),
    ask("a body over the limit", error(413, str(MAX_BODY)), padded(MOCK, MAX_BODY + 1)),
    ask("a chunked body over the limit", error(413, str(MAX_BODY)), padded(MOCK, MAX_BODY + 1),
        chunk_size=65536),
    ask("a body that is cut off", error(400), json.dumps(MOCK).encode(), length=200, half_close=True),
    Conversation("two lengths that differ", status(400), body=b"{}",
                 headers=[("Content-Length", "3")]),

    # --- bad JSON ---
    ask("JSON that breaks off", error(400, "json"), b'{"skipFile":["mock"'),
    ask("JSON that is none", error(400, "json"), b"{bad"),
    ask("JSON with a comma too many", error(400, "json"), b'{"skipFile":["mock"],}'),
    ask("JSON in single quotes", error(400, "json"), b"{'skipFile':['mock']}"),
    ask("JSON and more behind it", error(400, "json"), b'{"skipFile":["mock"]} x'),
    ask("two JSON objects", error(400, "json"), b"{}{}"),
    ask("a JSON list", error(400), b'["mock"]'),
    ask("a JSON string", error(400), b'"mock"'),
    ask("a byte order mark", error(400), b"\xef\xbb\xbf{}"),
    ask("a compressed body", error(400), gzip.compress(json.dumps(MOCK).encode())),
    ask("a compressed body that says so", error(415, "gzip"), gzip.compress(json.dumps(MOCK).encode()),
        headers=[JSON, ("Content-Encoding", "gzip")]),
    ask("Content-Encoding identity", profile(skip=["mock"]), {"skipFile": ["mock"]},
        headers=[JSON, ("Content-Encoding", "identity")]),
    Conversation("the name of a file, where curl wants @ in front of it", error(400, "-d @file", "skipfile"),
                 body=b"body.json", headers=[FORM]),
    Conversation("a form with unknown fields only", error(400, "skipfile"), body=b"colour=red", headers=[FORM]),
    Conversation("a form with an unknown field beside a known one", profile(skip=["mock"]),
                 body=b"colour=red&skipfile=mock", headers=[FORM]),
    ask("a JSON string, as curl -d sends it", error(400, "skipfile"), b'"main"', headers=[FORM]),
    Conversation("multipart/form-data", error(400, "multipart"),
                 body=b'--x\r\nContent-Disposition: form-data; name="skipfile"\r\n\r\nmock\r\n--x--\r\n',
                 headers=[("Content-Type", "multipart/form-data; boundary=x")]),
    Conversation("a page on another site clears", error(403, "evil.example"), target="/v1/cover/clear", body=b"",
                 headers=[("Origin", "http://evil.example")]),
    Conversation("a form on another site clears", error(403, "cross-site"), target="/v1/cover/clear",
                 body=b"service=shop", headers=[FORM, ("Sec-Fetch-Site", "cross-site")]),
    Conversation("a page on another site reads", profile(), "GET",
                 headers=[("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site")]),
    ask("a NUL behind the JSON", error(400), b'{"skipFile":["mock"]}\0'),
    ask("a NUL in the JSON", error(400), b'{"skipFile":["mo\0ck"]}'),
    ask("invalid UTF-8", error(400, "utf-8"), b'{"skipFile":["m\xffck"]}'),
    ask("JSON nested without end", error(400), b'{"a":' + b"[" * 100000),
    ask("a string for a list", error(400, "skipfile"), {"skipFile": "mock"}),
    ask("a number in the list", error(400, "skipfile"), {"skipFile": [1]}),
    ask("a null in the list", error(400, "skipfile"), {"skipFile": ["mock", None]}),
    ask("an object for a list", error(400, "coverfile"), {"coverFile": {"mock": 1}}),
    ask("a number for a list in goc's spelling", error(400, "coverfile"), {"coverfile": 7}),
    Conversation("a form without its content type", error(400, "json"), body=b"skipfile=mock",
                 headers=[JSON]),

    # --- bad patterns ---
    ask("a pattern that does not compile", error(400, "mo[ck"), {"skipFile": ["tax", "mo[ck"]}),
    ask("a look-ahead, which Go does not have", error(400, "(?=x)"), {"skipFile": ["a(?=x)"]}),
    ask("a back-reference, which Go does not have", error(400, r"(a)\1"), {"coverFile": [r"(a)\1"]}),
    ask("a repeated repetition, which Go does not have", error(400, "a**"), {"skipFile": ["a**"]}),
    Conversation("a bad pattern in the query string", error(400, "mo[ck"), "GET",
                 PROFILE + "?skipfile=mo%5Bck"),
    ask("a pattern that costs too much", error(422, "(.*a){12}$"), {"skipFile": ["(.*a){12}$"]}),
    ask("a pattern that is too long", error(400, "4096"), {"skipFile": ["a" * 4097]}),
    ask("too many patterns", error(400, "1000"), {"skipFile": ["a"] * 1001}),
    ask("too many bytes of patterns", error(400, "65536"), {"skipFile": ["a" * 4000] * 17}),

    # --- errors as JSON ---
    ask("400 as JSON", json_error(400, "mo[ck"), {"skipFile": ["mo[ck"]}, headers=[JSON, WANTS_JSON]),
    Conversation("404 as JSON", json_error(404), "GET", "/v1/cover/nowhere", headers=[WANTS_JSON]),
    Conversation("405 as JSON", json_error(405), "PUT", headers=[WANTS_JSON], body=b""),
    ask("400 as text where anything is accepted", error(400), b"{bad", headers=[("Accept", "*/*")]),
    Conversation("a profile stays text", profile(), "GET", headers=[WANTS_JSON]),

    # --- what must have no effect ---
    Conversation("words of the query string are no options", profile(), "POST", PROFILE + "?--help"),
    Conversation("nor are escaped ones", profile(), "POST", PROFILE + "?-x+--listen%3d1"),
    Conversation("the header GOCOVERDIR", profile(), "GET", headers=[("GOCOVERDIR", "/nowhere")]),
    Conversation("the header Proxy", profile(), "GET", headers=[("Proxy", "http://192.0.2.1/")]),
    Conversation("If-None-Match with any ETag", not_modified, "GET", headers=[("If-None-Match", "*")]),
    Conversation("If-None-Match with another ETag", profile(), "GET",
                 headers=[("If-None-Match", '"0123456789abcdef0123456789abcdef-0123456789abcdef"')]),

    # --- states of the coverage directory ---
    Conversation("two programs in one directory", profile(), scene="two-programs"),
    Conversation("meta-data without counters", profile(), scene="meta-only"),
    Conversation("a damaged file among good ones", profile(skipped=1), scene="damaged"),
    ask("a damaged file, and a filter", profile(skip=["mock"], skipped=1), {"skipFile": ["mock"]},
        scene="damaged"),
    Conversation("nothing in the directory yet", error(503), scene="empty"),
    Conversation("nothing in the directory yet, as JSON", json_error(503), headers=[WANTS_JSON],
                 scene="empty"),
    Conversation("a bad pattern counts for more than an empty directory", error(400, "mo[ck"), "GET",
                 PROFILE + "?skipfile=mo%5Bck", scene="empty"),
    Conversation("no directory", error(503, "coverage"), scene="missing"),
    Conversation("programs of different counter modes", mixed_modes, scene="mixed-modes"),
    Conversation("programs of different counter modes, as an error", error(409, "atomic", "set", "shop", "till"),
                 target=PROFILE + "?mode=strict", scene="mixed-modes"),
    Conversation("another mode than strict", error(400, "mode", "strict"), target=PROFILE + "?mode=lax"),
    Conversation("since a state that nobody has seen", error(410, "not held"),
                 body=b'{"since": "0123456789abcdef0123456789abcdef-0123456789abcdef"}'),
    Conversation("since nothing that is an ETag", error(400, "since"), body=b'{"since": "yesterday"}'),
    Conversation("the good directory again", profile()),
]

# What a web server answers by itself, and why.  A body that is cut off reaches the program only where the
# client is gone altogether, and nobody reads the answer; tests/program has that.
CUT_OFF = "a body that is cut off"
OWN_ANSWERS = {
    "apache": {
        CUT_OFF: (status(400, 500, None), "Apache sees the end of the client's side itself"),
    },
    "lighttpd": {
        CUT_OFF: (status(400, None), "lighttpd wants the whole body before it asks the program"),
        "a method that nobody knows": (status(501), "lighttpd knows the methods that there are"),
    },
    "caddy": {
        CUT_OFF: (status(400, 502, None), "caddy gives up when the client's side ends"),
    },
    "nginx": {
        CUT_OFF: (status(400, None), "nginx drops a client that has closed its sending side"),
    },
}


def expectation(conversation, server):
    """(check, note) for a conversation behind a server, such as apache-cgid."""
    own = OWN_ANSWERS[server.split("-")[0]].get(conversation.name)
    if own:
        return own[0], f" ({server} itself: {own[1]})"
    return conversation.want, ""
