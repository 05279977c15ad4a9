#!/usr/bin/python3
"""The program and covered services on another processor: of each release of Go, in each mode, what is read of a
running service is what it writes itself, and what covdata makes of that."""

import os
import subprocess
import sys

import guest  # finds the library
import guest_scripts

import empty_root
import go_fixture
import live_fixture as live
import processes
import tap
import tree

RELEASES = (os.environ.get("GOVERAGE_LIVE_RELEASES") or "1.21 1.23 1.27").split()
MODES = ("set", "count", "atomic")
PATIENCE = 600  # seconds until the machine is switched off; it needs some 35

SCRIPT = guest_scripts.FUNCTIONS + """
# one NAME: a service of that name, read while it runs and after its end.
one() {
	start /services/$1
	say 'work 7'
	say 'literal'
	poll_as root
	cp /tmp/body /tmp/whole
	ok "$1: read while it runs" is_read
	end
	poll_as root GOVERAGE_LIVE=off
	ok "$1: what was read of it is what it writes" cmp /tmp/body /tmp/whole
	covdata textfmt -i=$coverage -o=/tmp/covdata
	ok "$1: and what covdata makes of it" cmp /tmp/covdata /tmp/whole
	ok "$1: some of it was executed" grep 'work/work.go.* [1-9][0-9]*$' /tmp/whole
}

uname -m >/tmp/machine
ok 'the machine is another one' grep aarch64 /tmp/machine
for service in /services/*; do
	one ${service##*/}
done
"""
CHECKS = ("read while it runs", "what was read of it is what it writes", "and what covdata makes of it",
          "some of it was executed")


def covdata_for_arm64(work):
    """Of the newest release, from its sources."""
    tool = work.join("covdata-arm64")
    subprocess.run([go_fixture.go(go_fixture.NEWEST), "build", "-o", tool, "cmd/covdata"], check=True, timeout=900,
                   env=dict(go_fixture.go_environment(), GOARCH="arm64", GOFLAGS=""), cwd=work.path)
    return tool


def main():
    guest.needed("arm64")
    processes.alarm(3600)
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        services = {f"go-{release}-{mode}": live.build("arm64", mode, release) for release in RELEASES
                    for mode in MODES}
        programs = {"bin/goverage.cgi": empty_root.static_program("glibc", "aarch64-linux-gnu"),
                    "bin/covdata": covdata_for_arm64(work),
                    **{f"services/{name}": path for name, path in services.items()}}
        said = guest.Guest(work, "arm64", programs).run(SCRIPT, PATIENCE)
        names = [f"{name}: {check}" for name in services for check in CHECKS]
        guest.judge(out, said, ["the machine is another one", *names])
    return out.done()


sys.exit(main())
