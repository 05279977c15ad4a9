#!/usr/bin/python3
"""The Debian packages that scripts/debian-package makes: lintian's word on them, what is in them, installed into
a root of their own and behind a web server, and removed again."""

import glob
import os
import subprocess
import sys

import shipped  # finds the library

import cgi_client
import go_fixture
import processes
import tap
import tree
import web_server
from answer import check_profile

SCRIPT = os.path.join(tree.SOURCE, "scripts", "debian-package")
DOC = "usr/share/doc/goverage-fcgi"

# dpkg gives what it unpacks to root.
AS_ROOT = [] if os.getuid() == 0 else ["unshare", "--map-root-user"]


def build(out, work):
    """The directory with the packages.  The unit tests of this tarball run elsewhere."""
    packages = work.mkdir("packages")
    with out.check("scripts/debian-package builds the source and the binary package"):
        said = shipped.run(SCRIPT, packages, shipped.tarball(work.mkdir("tarball")), timeout=1800,
                           env={"PATH": os.environ["PATH"], "HOME": work.mkdir("home"), "LC_ALL": "C.UTF-8",
                                "DEB_BUILD_OPTIONS": "nocheck"})
        for name in os.listdir(packages):
            tap.contains(said, f"    {name}\n", "what it says")
        tap.equal(len(only(packages, "*.dsc", "*.orig.tar.xz", "*.debian.tar.xz", "*.changes", "goverage-fcgi_*.deb",
                           "goverage-fcgi-dbgsym_*.deb", "*.buildinfo")), len(os.listdir(packages)), "files")
    return packages


def only(directory, *patterns):
    """The one file of each pattern."""
    found = [glob.glob(os.path.join(directory, pattern)) for pattern in patterns]
    for pattern, names in zip(patterns, found):
        tap.equal(len(names), 1, f"files {pattern} in {os.listdir(directory)}")
    return [names[0] for names in found]


def refusals(out, work):
    with out.check("a tarball of another version than the changelog's is refused"):
        other = work.join("goverage-fcgi-99.tar.xz")
        open(other, "w", encoding="ascii").close()
        done = subprocess.run([SCRIPT, work.mkdir("refused"), other], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        tap.equal(done.returncode, 1, "exit status")
        tap.contains(done.stdout, "version 99", "what it says")
        tap.equal(os.listdir(work.join("refused")), [], "what it left")


def lint(out, packages):
    with out.check("lintian has no error and no warning, and no override is idle"):
        said = shipped.run("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
                           "--color", "never", "--display-info", *only(packages, "*.changes"),
                           env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        tap.contains(said, "I: goverage-fcgi", "what it says")  # it says these on request; so it would of overrides
        bad = [line for line in said.splitlines() if line.startswith(("E:", "W:")) or "-override " in line]
        tap.equal(bad, [], "what it says")


def contents(out, packages):
    """Names and permissions as dpkg-deb lists them."""
    listing = shipped.run("dpkg-deb", "--contents", *only(packages, "goverage-fcgi_*.deb"))
    found = {}
    for line in listing.splitlines():
        mode, owner, _, _, _, name = line.split(None, 5)
        tap.equal(owner, "root/root", line)
        if not mode.startswith("d"):
            found[name.removeprefix("./")] = mode
    examples = [f"{DOC}/examples/{name}" for name in shipped.examples()]
    with out.check("the binary package holds the program, the manual and the examples, and nothing else"):
        tap.equal(sorted(found), sorted([
            "usr/lib/cgi-bin/goverage.cgi -> goverage.fcgi", "usr/lib/cgi-bin/goverage.fcgi",
            "usr/share/man/man7/goverage-fcgi-security.7.gz", "usr/share/man/man8/goverage-fcgi.8.gz",
            f"{DOC}/README.md.gz", f"{DOC}/changelog.Debian.gz", f"{DOC}/copyright", *examples]), "the files")
        tap.equal(found["usr/lib/cgi-bin/goverage.fcgi"], "-rwxr-xr-x", "the program")
        for name in examples:
            with open(os.path.join(tree.SOURCE, source_of(name)), "rb") as file:
                tap.equal(found[name], "-rwxr-xr-x" if file.read(2) == b"#!" else "-rw-r--r--", name)


def source_of(example):
    """Where an example lies in the tree."""
    name = example.removeprefix(f"{DOC}/examples/")
    by_place = {place: directory for directory, place in shipped.EXAMPLES.items()}
    return os.path.join(by_place[os.path.dirname(name)], os.path.basename(name))


def source_package(out, work, packages):
    with out.check("the source package unpacks to the tarball's tree and scripts/debian"):
        tree_of = work.join("source")
        shipped.run("dpkg-source", "--extract", *only(packages, "*.dsc"), tree_of)
        packed = shipped.run("tar", "-tf", *only(packages, "*.orig.tar.xz")).splitlines()
        names = [name.split("/", 1)[1] for name in packed if not name.endswith("/")]
        ours = os.path.join(tree.SOURCE, "scripts", "debian")
        names += ["debian/" + os.path.relpath(path, ours) for path in shipped.files(ours)]
        found = [os.path.relpath(path, tree_of) for path in shipped.files(tree_of)]
        tap.equal(sorted(name for name in found if not name.startswith(".pc/")), sorted(names), "files")


class Root:
    """A private root that dpkg knows nothing in: the libraries are the machine's."""

    def __init__(self, work):
        self.path = work.mkdir("root")
        for name in ("info", "updates"):
            os.makedirs(self.join(f"var/lib/dpkg/{name}"))
        open(self.join("var/lib/dpkg/status"), "w", encoding="ascii").close()

    def join(self, name):
        return os.path.join(self.path, name)

    def dpkg(self, *arguments):
        path = os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin"
        return shipped.run(*AS_ROOT, "dpkg", f"--root={self.path}", "--force-depends", *arguments,
                           env={"PATH": path, "LC_ALL": "C.UTF-8"})


def served(out, work, root, scenes):
    work.program = root.join("usr/lib/cgi-bin/goverage.fcgi")
    settings = {"GOCOVERDIR": scenes.path, "GOVERAGE_LIVE": "off", "GOVERAGE_ENGINE": "builtin"}
    with out.check("installed by dpkg, goverage.cgi answers"):
        answer = cgi_client.request(root.join("usr/lib/cgi-bin/goverage.cgi"), settings)
        check_profile(answer, scenes.enter("good"))
    with out.check("and goverage.fcgi behind lighttpd, with the installed example"):
        web_server.RUN = root.join(f"{DOC}/examples/run")
        server = web_server.WebServer("lighttpd-fastcgi", None, work, settings)
        try:
            check_profile(server.request("POST", "/v1/cover/profile"), scenes.enter("good"))
        finally:
            tap.equal(server.stop(), 0, "exit status of the example")
        processes.no_children_left()


def installed(out, work, packages):
    root = Root(work)
    scenes = go_fixture.Scenes(work)
    scenes.enter("good")
    with out.check("dpkg installs it"):
        root.dpkg("--install", *only(packages, "goverage-fcgi_*.deb"))
        tap.contains(root.dpkg("--status", "goverage-fcgi"), "Status: install ok installed", "dpkg")
    served(out, work, root, scenes)
    with out.check("dpkg purges it, and leaves nothing"):
        root.dpkg("--purge", "goverage-fcgi")
        left = [path for path in shipped.files(root.path) + shipped.directories(root.path)
                if not path.startswith(root.join("var"))]
        tap.equal(left, [], "what is left")


def main():
    lacking = web_server.missing("dpkg-buildpackage", "dh", "lintian", "lighttpd")
    if lacking:
        tap.skip_all(f"{lacking} is not installed")
    processes.alarm(2400)
    processes.adopt_orphans()
    os.umask(0o022)
    out = tap.Tap()
    with tree.WorkDirectory() as work:
        refusals(out, work)
        packages = build(out, work)
        if not out.failed:
            lint(out, packages)
            contents(out, packages)
            source_package(out, work, packages)
            installed(out, work, packages)
    return out.done()


sys.exit(main())
