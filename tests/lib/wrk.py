"""wrk, a real HTTP client that makes load, for a bounded time; what it got, byte by byte."""

import json
import subprocess

import processes

TIMEOUT = 60  # seconds that wrk waits for one answer; a bound, nothing that is measured

SCRIPT = """
local threads = {}

function setup(thread)
	table.insert(threads, thread)
end

function init(arguments)
	wrk.method = arguments[1]
	if wrk.method == "POST" then
		wrk.body = ""
		wrk.headers["Content-Length"] = "0"
	end
	if arguments[3] == "close" then
		wrk.headers["Connection"] = "close"
	end
	counts = {}
	if arguments[2] == "" then
		response = nil -- looking at answers takes longer than getting them
		return
	end
	local file = io.open(arguments[2], "rb")
	expected = file:read("*a")
	file:close()
end

local function named(headers, name)
	for key, value in pairs(headers) do
		if key:lower() == name then
			return value
		end
	end
end

function response(status, headers, body)
	local kind = tostring(status)
	if status == 200 and body ~= expected then
		kind = "200 with other bytes"
	elseif status == 503 and not named(headers, "retry-after") then
		kind = "503 without Retry-After"
	end
	counts[kind] = (counts[kind] or 0) + 1
end

function done(summary, latency)
	local all, words = {}, {}
	for _, thread in ipairs(threads) do
		for kind, n in pairs(thread:get("counts")) do
			all[kind] = (all[kind] or 0) + n
		end
	end
	local e = summary.errors
	if not next(all) and summary.requests > 0 then
		all["200"] = summary.requests - e.status
		all["refused"] = e.status > 0 and e.status or nil
	end
	for kind, n in pairs(all) do
		table.insert(words, string.format("%q: %d", kind, n))
	end
	io.write(string.format('\\n{"counts": {%s}, "errors": {"connect": %d, "read": %d, "write": %d, "timeout": %d}, ',
		table.concat(words, ", "), e.connect, e.read, e.write, e.timeout))
	io.write(string.format('"seconds": %f, "p50": %f, "p90": %f, "p99": %f}\\n', summary.duration / 1e6,
		latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3))
end
"""


class Load:
    """counts: {"200": n, ...}, by status and fault.  errors: those of sockets.  p50, p90, p99: milliseconds."""

    def __init__(self, connections, got):
        self.connections = connections
        self.counts, self.errors = got["counts"], got["errors"]
        self.p50, self.p90, self.p99 = got["p50"], got["p90"], got["p99"]
        self.rate = self.counts.get("200", 0) / got["seconds"]

    def check(self):
        """Nothing but the right bytes, and refusals that say when to come again."""
        assert not any(self.errors.values()), f"errors of sockets: {self.errors}; {self.counts}"
        assert set(self.counts) <= {"200", "503"}, f"answers: {self.counts}"
        assert self.counts.get("200"), f"not one good answer: {self.counts}"


def start(work, port, target, body, connections, seconds, method="POST", close=False):
    """Start it.  body: what an answer of 200 must have; None: answers are but counted, as "200" and "refused".
    close: a new connection for each request."""
    script, expected = work.join("load.lua"), "" if body is None else work.join(f"expected{port}")
    for path, data in ((script, SCRIPT.encode()), (expected, body)):
        if path:
            with open(path, "wb") as out:
                out.write(data)
    return processes.start(
        ["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{seconds}s", "--latency", "--timeout",
         f"{TIMEOUT}s", "-s", script, f"http://127.0.0.1:{port}{target}", method, expected,
         "close" if close else "keep"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process, connections):
    out = process.communicate(timeout=3 * TIMEOUT)[0].decode("utf-8", "replace")
    assert process.returncode == 0, f"wrk ended with {process.returncode}: {out}"
    return Load(connections, json.loads(out.strip().splitlines()[-1]))


def run(work, port, target, body, connections, seconds, **how):
    return finish(start(work, port, target, body, connections, seconds, **how), connections)
