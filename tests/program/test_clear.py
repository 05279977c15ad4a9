#!/usr/bin/python3
"""POST /v1/cover/clear: a baseline that outlives the process, is subtracted from profiles, and changes nothing
in GOCOVERDIR or in a process."""

import collections
import json
import os
import shutil
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import cgi_client
import fastcgi_client as fcgi
import go_fixture
import processes
import tap
import tree
from answer import TEXT, check_common, check_error

CLEAR, PROFILE = "/v1/cover/clear", "/v1/cover/profile"
NOBODY = 65534

# A service that executes hit() once a line.
go_fixture.MODULES["counter"] = {
    "go.mod": "module example.com/counter\n\ngo 1.20\n",
    "main.go": """package main

import (
	"bufio"
	"fmt"
	"os"
)

var hits int

func hit() {
	hits++
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	for in.Scan() {
		hit()
		fmt.Println("done")
	}
}
"""}
HIT = b"example.com/counter/main.go:11.12,13.2"


class Service:
    def __init__(self, program, directory):
        self.process = processes.start([program], env={"GOCOVERDIR": directory}, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        tap.equal(self.process.stdout.readline(), "ready\n", "the service's first word")

    def hit(self, times):
        for _ in range(times):
            self.process.stdin.write("hit\n")
            self.process.stdin.flush()
            tap.equal(self.process.stdout.readline(), "done\n", "the service's answer")

    def end(self):
        self.process.stdin.close()
        tap.equal(self.process.wait(processes.PATIENCE), 0, "the service's exit status")
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait(processes.PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()


class Place:
    """A GOCOVERDIR of its own, with the settings for it, asked through new processes."""

    count = 0

    def __init__(self, work, covdata, **settings):
        Place.count += 1
        self.work = work
        self.dir = work.mkdir(f"coverage{Place.count}")
        self.state = settings.get("GOVERAGE_STATE") or self.dir + ".goverage-state"
        self.env = {"GOCOVERDIR": self.dir, "PATH": "/usr/bin:/bin", "GOVERAGE_COVDATA": covdata, **settings}

    def run(self, program, *args):
        go_fixture.run(program, self.dir, *args)

    def ask(self, path, fields=None, method="POST", **more):
        body = json.dumps(fields).encode() if fields is not None else b""
        return cgi_client.request(self.work.cgi, self.env, method, path, body=body, **more)

    def profile(self, **fields):
        return good(self.ask(PROFILE, fields))

    def clear(self, **fields):
        check_cleared(self.ask(CLEAR, fields or None))

    def baselines(self):
        return [name for name in os.listdir(self.state) if name != "lock"]

    def baseline(self):
        """The path of the one baseline that there must be."""
        names = self.baselines()
        tap.equal(len(names), 1, f"the number of baselines ({names})")
        assert names[0].startswith("baseline."), names
        return os.path.join(self.state, names[0])


def good(answer):
    tap.equal(answer.status, 200, f"status (with the body {tap.shorten(answer.body)})")
    check_common(answer)
    return answer


def check_cleared(answer):
    good(answer)
    tap.equal(answer.body, b"clear call successfully\n", "the body")
    tap.equal(answer.header("content-type"), TEXT, "Content-Type")
    assert answer.header("goverage-baseline"), "no Goverage-Baseline"


def counts(profile):
    """Counts by block."""
    assert profile.startswith(b"mode: "), profile[:40]
    numbers = collections.Counter()
    for line in profile.splitlines()[1:]:
        block, _, count = line.rsplit(b" ", 2)
        numbers[block] += int(count)
    return dict(numbers)


def check_warning(answer, mode):
    """What mode set can't tell is said of it, and of no other."""
    warning = answer.header("goverage-warning")
    if mode != "set":
        return tap.equal(warning, None, "Goverage-Warning")
    for part in ("mode set", "-covermode=atomic"):
        tap.contains(warning or "", part, "Goverage-Warning")
    return None


def less(now, before, is_set=False):
    if is_set:
        return {block: int(n > 0 and not before.get(block)) for block, n in now.items()}
    return {block: max(0, n - before.get(block, 0)) for block, n in now.items()}


def snapshot(directory):
    """Everything that could have been changed in a directory."""
    return sorted((entry.name, entry.stat().st_mtime_ns, entry.stat().st_size, entry.stat().st_ino)
                  for entry in os.scandir(directory))


def files(out, work, covdata):
    """Of programs that have ended, in every mode."""
    for mode in ("set", "count", "atomic"):
        with out.check(f"mode {mode}: what ran before is gone, what runs afterwards is shown"):
            place = Place(work, covdata)
            shop, till = go_fixture.build("shop", mode), go_fixture.build("till", mode)
            place.run(shop)
            place.run(shop, "more")
            before, listed = go_fixture.textfmt(place.dir), snapshot(place.dir)
            tap.equal(place.profile().body, before, "the profile before")
            assert not os.path.exists(place.state), "a poll has made the state directory"
            place.clear()
            tap.equal(snapshot(place.dir), listed, "GOCOVERDIR")
            tap.equal(go_fixture.textfmt(place.baseline()), before, "covdata's reading of the baseline")
            cleared = place.profile()
            tap.equal(cleared.header("goverage-engine"), "builtin", "Goverage-Engine")
            check_warning(cleared, mode)
            tap.equal(set(counts(cleared.body).values()), {0}, "the counts after it")
            place.run(shop, "and", "more")
            place.run(till)
            now = go_fixture.textfmt(place.dir)
            tap.equal(counts(place.profile().body), less(counts(now), counts(before), mode == "set"),
                      "what ran since")
            total = place.profile(total=True)
            tap.equal(total.body, now, "the cumulative profile")
            tap.equal(total.header("goverage-baseline"), None, "its Goverage-Baseline")
            tap.equal(total.header("goverage-warning"), None, "its Goverage-Warning")
            tap.equal(good(place.ask(PROFILE, method="GET", query="total=true")).body, now, "by GET")
            place.clear()
            tap.equal(go_fixture.textfmt(place.baseline()), now, "the second baseline")
            tap.equal(set(counts(place.profile().body).values()), {0}, "the counts after that")
    with out.check("mixed modes: covered or not since"):
        place = Place(work, covdata)
        place.run(go_fixture.build("shop", "atomic"))
        place.clear()
        place.run(go_fixture.build("till", "set"))
        got = counts(place.profile().body)
        assert all(n <= 1 for n in got.values()), got
        ran = {block.split(b"/")[1] for block, n in got.items() if n}
        tap.equal(ran, {b"till"}, "the programs that ran")
    with out.check("nothing has run yet: the baseline is empty"):
        place = Place(work, covdata)
        place.clear()
        check_error(place.ask(PROFILE), 503)
        place.run(go_fixture.build("till", "atomic"))
        tap.equal(place.profile().body, go_fixture.textfmt(place.dir), "the profile")
        assert place.profile().header("goverage-baseline"), "no Goverage-Baseline"
    with out.check("without any memory between requests"):
        place = Place(work, covdata, GOVERAGE_CACHE="0")
        place.run(go_fixture.build("shop", "atomic"))
        place.clear()
        tap.equal(set(counts(place.profile().body).values()), {0}, "the counts")
    with out.check("a deleted file: nothing goes below 0"):
        place = Place(work, covdata)
        place.run(go_fixture.build("shop", "atomic"))
        place.clear()
        os.unlink(os.path.join(place.dir, go_fixture.files(place.dir, "covcounters")[0]))
        tap.equal(set(counts(place.profile().body).values()), {0}, "the counts")


def validators(out, work, covdata):
    """ETag, If-None-Match and since."""
    place = Place(work, covdata)
    shop = go_fixture.build("shop", "count")
    place.run(shop)
    before = place.profile()
    place.clear()
    after = place.profile()
    with out.check("the baseline changes the ETag, total=true changes it back"):
        tags = [answer.header("etag") for answer in (before, after, place.profile(total=True))]
        assert tags[0] != tags[1] and tags[1] != tags[2], tags
        tap.equal(tags[0], tags[2], "the ETag of the cumulative profile")
    with out.check("If-None-Match"):
        answer = place.ask(PROFILE, {}, HTTP_IF_NONE_MATCH=after.header("etag"))
        tap.equal(answer.status, 304, "status")
        answer = place.ask(PROFILE, {}, HTTP_IF_NONE_MATCH=before.header("etag"))
        tap.equal(answer.status, 200, "status for the ETag from before the clear")
    with out.check("another baseline, another ETag"):
        place.clear()
        assert place.profile().header("etag") != after.header("etag")
    with processes.Listener(work.program, place.env, work.join("since"), work.join("since.log")) as listener:
        with out.check("since wins over the baseline"):
            first = good(fcgi.request(listener.address))
            place.run(shop)
            second = good(fcgi.request(listener.address))
            check_cleared(fcgi.request(listener.address, path=CLEAR))
            body = json.dumps({"since": first.header("etag")}).encode()
            part = good(fcgi.request(listener.address, body=body))
            tap.equal(part.body, second.body, "what ran since the first answer")
            tap.equal(part.header("goverage-baseline"), None, "Goverage-Baseline")


def services(out, work, covdata):
    """clear for some programs only."""
    place = Place(work, covdata)
    shop, till = go_fixture.build("shop", "count"), go_fixture.build("till", "count")
    twin = work.join("twin")  # the same program under another name: the same meta-data
    shutil.copy(shop, twin)
    for program in (shop, twin, till):
        place.run(program)
    one = counts(place.profile(service=["shop"]).body)
    everything = counts(place.profile().body)
    with out.check("service: only that program is cleared"):
        place.clear(service=["twin"], force=True)
        tap.equal(counts(place.profile().body), less(everything, one), "the profile")
        tap.equal(counts(place.profile(service=["shop"]).body), one, "of another name of the program")
        tap.equal(set(counts(place.profile(service=["twin"]).body).values()), {0}, "of the cleared one")
    with out.check("another one: the baseline of the first stays as it is"):
        place.run(twin, "a")
        ran = counts(place.profile(service=["twin"]).body)
        assert any(ran.values()), "nothing has run"
        place.clear(service=["till"])
        tap.equal(counts(place.profile(service=["twin"]).body), ran, "of the first")
        tap.equal(set(counts(place.profile(service=["till"]).body).values()), {0}, "of the second")
        tap.equal(counts(place.profile(service=["shop"]).body), one, "of one that was never cleared")
        place.baseline()
    with out.check("all of them"):
        place.clear()
        tap.equal(set(counts(place.profile().body).values()), {0}, "the profile")
        tap.equal(go_fixture.textfmt(place.baseline()), go_fixture.textfmt(place.dir), "the baseline")


def running(out, work, covdata):
    """Of processes while they run, end, begin anew and are killed."""
    for mode in ("count", "atomic", "set"):
        with out.check(f"mode {mode}: a running process is cleared without being written to"):
            place = Place(work, covdata)
            program = go_fixture.build("counter", mode)
            seen = (lambda n: min(n, 1)) if mode == "set" else (lambda n: n)
            service = Service(program, place.dir)
            try:
                service.hit(3)
                tap.equal(counts(place.profile().body)[HIT], seen(3), "before")
                place.clear()
                tap.equal(counts(place.profile().body)[HIT], 0, "right after")
                service.hit(2)
                since = 0 if mode == "set" else 2
                tap.equal(counts(place.profile().body)[HIT], since, "since")
                tap.equal(counts(place.profile(total=True).body)[HIT], seen(5), "in all")
            finally:
                service.end()
            tap.equal(counts(place.profile().body)[HIT], since, "after its end")
            tap.equal(counts(go_fixture.textfmt(place.dir))[HIT], seen(5), "by covdata")
    with out.check("a process that begins anew counts from 0"):
        place = Place(work, covdata)
        program = go_fixture.build("counter", "atomic")
        for hits in (4, 3):
            service = Service(program, place.dir)
            service.hit(hits)
            if hits == 4:
                place.clear()
            else:
                tap.equal(counts(place.profile().body)[HIT], 3, "since")
            service.end()
        tap.equal(counts(place.profile().body)[HIT], 3, "since, after its end")
    with out.check("a process that is killed: nothing goes below 0"):
        place = Place(work, covdata)
        service = Service(program, place.dir)
        service.hit(5)
        place.clear()
        service.kill()
        service = Service(program, place.dir)
        service.hit(1)
        tap.equal(counts(place.profile().body)[HIT], 0, "since")
        service.end()


def many_at_once(out, work, covdata):
    """The baseline is replaced under the eyes of those who read it."""
    place = Place(work, covdata, GOVERAGE_CACHE="0")  # so that it is read for each answer
    for name in ("shop", "till"):
        place.run(go_fixture.build(name, "count"))
    place.clear()
    wrong, over = [], threading.Event()

    def poll(address):
        while not over.is_set():
            answer = fcgi.request(address)
            if answer.status != 200 or set(counts(answer.body).values()) != {0}:
                wrong.append(answer)
                return

    with out.check("two processes clear, two poll: each sees a whole baseline"):
        listeners = [processes.Listener(work.program, place.env, work.join(f"many{i}"),
                                        work.join(f"many{i}.log")) for i in range(2)]
        with listeners[0], listeners[1]:
            pollers = [threading.Thread(target=poll, args=(one.address,)) for one in listeners]
            for poller in pollers:
                poller.start()
            try:
                for i in range(100):
                    check_cleared(fcgi.request(listeners[i % 2].address, path=CLEAR))
            finally:
                over.set()
                for poller in pollers:
                    poller.join()
        assert not wrong, wrong[0]
        place.baseline()


def faults(out, work, covdata):
    """State directories that won't do."""
    shop = go_fixture.build("shop", "atomic")
    with out.check("inside a GOCOVERDIR"):
        place = Place(work, covdata)
        place.run(shop)
        place.env["GOVERAGE_STATE"] = os.path.join(place.dir, "state")
        check_error(place.ask(CLEAR), 500, "lies inside the coverage directory", place.dir)
        tap.equal(place.profile().body, go_fixture.textfmt(place.dir), "the profile")
        assert not os.path.exists(place.env["GOVERAGE_STATE"])
    with out.check("through a link into GOCOVERDIR"):
        os.symlink(place.dir, work.join("link"))
        place.env["GOVERAGE_STATE"] = work.join("link/state")
        check_error(place.ask(CLEAR), 500, "lies inside the coverage directory")
    with out.check("a symbolic link is not followed"):
        place = Place(work, covdata, GOVERAGE_STATE=work.join("linked-state"))
        place.run(shop)
        os.symlink(work.mkdir("elsewhere"), place.state)
        check_error(place.ask(CLEAR), 500, "symbolic links are not followed")
        place.env["GOVERAGE_STATE"] += "/"
        check_error(place.ask(CLEAR), 500, "symbolic links are not followed")
        tap.equal(os.listdir(work.join("elsewhere")), [], "what the link points to")
    with out.check("nothing above it"):
        place = Place(work, covdata, GOVERAGE_STATE=work.join("nowhere/state"))
        place.run(shop)
        check_error(place.ask(CLEAR), 500, place.state, "set goverage_state")
        tap.equal(place.profile().body, go_fixture.textfmt(place.dir), "the profile")
    with out.check("not to be written"):
        place = Place(work, covdata)
        place.run(shop)
        place.env["GOVERAGE_STATE"] = os.path.join(work.mkdir("locked"), "state")
        os.chmod(work.join("locked"), 0o555)
        answer = ask_without_rights(place)
        check_error(answer, 500, place.env["GOVERAGE_STATE"], "can't be written by uid", "set goverage_state")
    with out.check("of another user"):
        place = Place(work, covdata)
        place.run(shop)
        if os.geteuid() == 0:
            os.mkdir(place.state, 0o700)
            os.chown(place.state, NOBODY, NOBODY)
        else:
            place.env["GOVERAGE_STATE"] = "/usr"
        check_error(place.ask(CLEAR), 500, "belongs to uid")
        if os.geteuid() == 0:
            check_passed_over(place, "belongs to uid")
    with out.check("of another user, and it was asked for"):
        place.env["GOVERAGE_STATE"] = place.state if os.geteuid() == 0 else "/usr"
        check_error(place.ask(PROFILE), 500, "belongs to uid")
    with out.check("open to other users"):
        place = Place(work, covdata)
        place.run(shop)
        os.mkdir(place.state)
        os.chmod(place.state, 0o777)
        check_passed_over(place, "0700")
        place.env["GOVERAGE_STATE"] = place.state
        check_error(place.ask(PROFILE), 500, "0700")
    with out.check("a file in its place"):
        place = Place(work, covdata)
        place.run(shop)
        with open(place.state, "wb"):
            pass
        check_passed_over(place, "is not a directory")
    for title, target in (("a symbolic link", work.mkdir("behind-a-link")), ("a loop", None), ("a dead link", "/nowhere/at/all")):
        with out.check(f"{title} in its place"):
            place = Place(work, covdata)
            place.run(shop)
            os.symlink(target or place.state, place.state)
            check_passed_over(place, "is not a directory")
    with out.check("a named pipe in its place"):
        place = Place(work, covdata)
        place.run(shop)
        os.mkfifo(place.state)
        check_passed_over(place, "is not a directory")
    with out.check("one that its own user can't read"):
        place = Place(work, covdata)
        place.run(shop)
        os.mkdir(place.state, 0o300)
        if os.geteuid() == 0:
            os.chown(place.state, NOBODY, NOBODY)
        answer = ask_without_rights(place, PROFILE, GOVERAGE_LIVE="off")
        tap.contains(good(answer).header("goverage-warning"), "can't be read by uid", "Goverage-Warning")
        check_error(ask_without_rights(place), 500, "can't be read by uid")
    with out.check("a name that a header can't hold"):
        place = Place(work, covdata)
        place.dir = work.mkdir("line\nfeed: \xe9")
        place.state = place.dir + ".goverage-state"
        place.env["GOCOVERDIR"] = place.dir
        place.run(shop)
        os.symlink("/nowhere", place.state)
        check_passed_over(place, "is not a directory")
    with out.check("no absolute path"):
        check_error(Place(work, covdata, GOVERAGE_STATE="state").ask(PROFILE), 500, "goverage_state", "begins with /")
    with out.check("a damaged baseline is an error, not a wrong number; another clear mends it"):
        place = Place(work, covdata)
        place.run(shop)
        place.clear()
        counters = os.path.join(place.baseline(), go_fixture.files(place.baseline(), "covcounters")[0])
        os.truncate(counters, os.path.getsize(counters) - 20)
        check_error(place.ask(PROFILE), 500, "baseline", place.state, "total=true")
        place.profile(total=True)
        place.clear()
        tap.equal(set(counts(place.profile().body).values()), {0}, "the counts")
    with out.check("what a killed writer has left: the old baseline counts, and the next clear removes it"):
        left = os.path.join(place.state, "new." + os.path.basename(place.baseline()).split(".")[1])
        os.mkdir(left)
        with open(os.path.join(left, go_fixture.files(place.dir, "covmeta")[0]), "wb"):
            pass
        tap.equal(set(counts(place.profile().body).values()), {0}, "the counts")
        place.clear()
        assert not os.path.exists(left), f"{left} is still there"
        place.baseline()
    with out.check("GET is not answered"):
        answer = place.ask(CLEAR, method="GET")
        check_error(answer, 405)
        tap.equal(answer.header("allow"), "POST, OPTIONS", "Allow")
    with out.check("a bad field"):
        check_error(place.ask(CLEAR, {"service": 1}), 400, "service")


def check_passed_over(place, reason):
    """A default state directory that somebody else may have made: a warning; and nothing is kept in it."""
    answer = place.profile()
    tap.equal(answer.body, go_fixture.textfmt(place.dir), "the profile")
    tap.contains(answer.header("goverage-warning") or "", reason, "Goverage-Warning")
    tap.equal(answer.header("goverage-baseline"), None, "Goverage-Baseline")
    tap.equal(place.profile(total=True).header("goverage-warning"), None, "Goverage-Warning with total")
    check_error(place.ask(CLEAR), 500, reason)


def ask_without_rights(place, path=CLEAR, **more):
    """A request of a user who is not root."""
    env = cgi_client.environment(place.env, path=path, **more)
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    for directory in (place.work.path, place.dir):
        os.chmod(directory, 0o755)
    done = subprocess.run([place.work.cgi], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=cgi_client.TIMEOUT, **who)
    return cgi_client.parse_cgi(done.stdout, True, done.stderr)


def main():
    processes.alarm(900)
    covdata = go_fixture.covdata_or_skip()
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        files(out, work, covdata)
        validators(out, work, covdata)
        services(out, work, covdata)
        running(out, work, covdata)
        many_at_once(out, work, covdata)
        faults(out, work, covdata)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
