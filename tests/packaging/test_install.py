#!/usr/bin/python3
"""make install, into a prefix and below a DESTDIR, and make uninstall, which takes everything away again."""

import os
import stat
import sys

import shipped  # finds the library

import cgi_client
import go_fixture
import tap
import tree
from answer import check_profile

PROGRAM, CGI = "lib/cgi-bin/goverage.fcgi", "lib/cgi-bin/goverage.cgi"
MANUAL = ["share/man/man7/goverage-fcgi-security.7", "share/man/man8/goverage-fcgi.8"]
DOC = "share/doc/goverage-fcgi"

# The directories of a prefix that other packages use as well.
SHARED = ["lib", "lib/cgi-bin", "share", "share/doc", "share/man", "share/man/man7", "share/man/man8"]


def expected():
    return sorted([PROGRAM, CGI, *MANUAL, f"{DOC}/README.md", f"{DOC}/LICENSE"] +
                  [f"{DOC}/examples/{name}" for name in shipped.examples()])


def relative(paths, root):
    return [os.path.relpath(path, root) for path in paths]


def installed(out, where, root):
    """All of it, readable for everybody; what is a program in the tree is one here."""
    with out.check(f"{where}: what is there"):
        tap.equal(relative(shipped.files(root), root), expected(), "the files")
        tap.equal(os.readlink(os.path.join(root, CGI)), "goverage.fcgi", "goverage.cgi")
    with out.check(f"{where}: the permissions"):
        for path in expected():
            mode = stat.S_IMODE(os.stat(os.path.join(root, path)).st_mode)
            script = open(os.path.join(root, path), "rb").read(4) in (b"#!/b", b"\x7fELF")
            tap.equal(oct(mode), oct(0o755 if script else 0o644), path)


def answers(out, where, root, scenes):
    with out.check(f"{where}: the program answers"):
        for name in (PROGRAM, CGI):
            answer = cgi_client.request(os.path.join(root, name), {
                "GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin"})
            check_profile(answer, scenes.enter("good"))


def gone(out, where, root):
    with out.check(f"{where}: uninstall leaves no file, and no directory of ours"):
        tap.equal(shipped.files(root), [], "files")
        tap.equal(relative(shipped.directories(root), root), SHARED, "directories")


def main():
    os.umask(0o022)
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        scenes = go_fixture.Scenes(work)
        scenes.enter("good")
        prefix, destdir = work.join("prefix"), work.join("destdir")
        cases = [("into a prefix", prefix, [f"prefix={prefix}"]),
                 ("below a DESTDIR", f"{destdir}/usr", [f"DESTDIR={destdir}", "prefix=/usr"])]
        for where, root, arguments in cases:
            with out.check(f"make install {where}, twice"):
                shipped.make("install", *arguments)
                shipped.make("install", *arguments)
            installed(out, where, root)
            answers(out, where, root, scenes)
            with out.check(f"make uninstall {where}"):
                shipped.make("uninstall", *arguments)
            gone(out, where, root)
        foreign(out, prefix)
    return out.done()


def foreign(out, prefix):
    with out.check("a file of somebody else's stays, with its directory"):
        shipped.make("install", f"prefix={prefix}")
        mine = os.path.join(prefix, DOC, "examples", "mine.conf")
        with open(mine, "w", encoding="ascii") as file:
            file.write("mine\n")
        shipped.make("uninstall", f"prefix={prefix}")
        tap.equal(shipped.files(prefix), [mine], "what is left")


sys.exit(main())
