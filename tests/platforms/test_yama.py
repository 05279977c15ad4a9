#!/usr/bin/python3
"""A kernel with Yama, at each of its scopes, and with Landlock, as machines have it that no container shares with
this one: who may read a service, and what stands in the way of those who may not."""

import sys

import guest  # finds the library
import guest_scripts

import empty_root
import go_fixture
import live_fixture as live
import processes
import tap
import tree

PATIENCE = 300  # seconds until the machine is switched off; it needs some 10

# (scope, who asks, the words of the refusal; None: it is read)
VERDICTS = [
    (0, "root", None),
    (0, "service", None),
    (0, "other", "uid 1000"),
    (1, "root", None),
    (1, "service", "ptrace_scope is 1"),
    (2, "root", None),
    (2, "service", "ptrace_scope is 2"),
    (3, "root", "ptrace_scope is 3"),
    (3, "service", "ptrace_scope is 3"),
]


def title(scope, user, words):
    return f"scope {scope}: {'read' if words is None else 'denied with the reason'}, by {user}"


def yama():
    """The lines of the script, and the names of its checks."""
    lines, names = [], []
    for scope, user, words in VERDICTS:
        names.append(title(scope, user, words))
        verdict = "is_read" if words is None else f"is_denied '{words}'"
        lines += [f"echo {scope} >/proc/sys/kernel/yama/ptrace_scope", f"poll_as {user}",
                  f"ok '{names[-1]}' {verdict}"]
        if (scope, user) == (2, "root"):
            lines.append("cp /tmp/body /tmp/whole")
    return lines, names


LANDLOCK = {
    "the kernel has Yama and Landlock": "grep landlock.*yama /sys/kernel/security/lsm",
    "GOVERAGE_SANDBOX=on: the program starts, and the service is read": "is_read",
    "GOVERAGE_SANDBOX=on: --check says that Landlock is in force": "grep -i 'ok: .*landlock' /tmp/said_by_check",
}

BEGIN = """
start /bin/service
say 'work 7'
poll_as root GOVERAGE_SANDBOX=on
GOCOVERDIR=$coverage GOVERAGE_ENGINE=builtin GOVERAGE_SANDBOX=on goverage.cgi --check >/tmp/said_by_check 2>&1
"""
END = """
end
poll_as root GOVERAGE_LIVE=off
ok 'what was read of it is what it writes' cmp /tmp/body /tmp/whole
"""


def main():
    guest.needed("amd64")
    processes.alarm(1800)
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        programs = {"bin/goverage.cgi": empty_root.static_program("musl"),
                    "bin/service": live.build("stripped", "atomic", go_fixture.RELEASE)}
        lines, names = yama()
        landlock = [f"ok '{name}' {command}" for name, command in LANDLOCK.items()]
        script = guest_scripts.FUNCTIONS + BEGIN + "\n".join(landlock + lines) + END
        said = guest.Guest(work, "amd64", programs).run(script, PATIENCE)
        guest.judge(out, said, [*LANDLOCK, *names, "what was read of it is what it writes"])
    return out.done()


sys.exit(main())
