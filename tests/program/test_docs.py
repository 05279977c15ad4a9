#!/usr/bin/python3
"""The README and the manual: nothing that the program has is missing in them, and what they name is there."""

import glob
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

# pylint: disable=wrong-import-position
import tap
import tree

README = "README.md"
MANUAL = "fcgi/goverage-fcgi.8"
PAGES = (MANUAL, "fcgi/goverage-fcgi-security.7")
MANIFEST = "scripts/containers/kubernetes-sidecar.yaml"
LINE = 79  # columns of the manual's source


def read(path):
    with open(os.path.join(tree.SOURCE, path), encoding="utf-8") as file:
        return file.read()


def words_in(pattern, text):
    """What the pattern's group matches, each once.  No match at all is an error: nothing would be checked."""
    found = list(dict.fromkeys(re.findall(pattern, text, re.MULTILINE)))
    assert found, f"nothing matches {pattern}"
    return found


def help_text():
    done = subprocess.run([tree.program(), "--help"], env={}, stdout=subprocess.PIPE, check=True, text=True,
                          timeout=60)
    return done.stdout


def settings():
    """Their names, and their defaults where these are one word."""
    text = help_text()
    names = words_in(r"^  (G[A-Z_]+) ", text)
    defaults = dict(re.findall(r"^  (G[A-Z_]+) .*\n +\[(\S+)\]$", text, re.MULTILINE))
    return names, defaults


def fields():
    return words_in(r'^    \{"(\w+)", FIELD_', read("cgi/exchange/query.c"))


def headers():
    """The names of our own response headers, wherever they are made."""
    sources = glob.glob(os.path.join(tree.SOURCE, "cgi", "**", "*.c"), recursive=True)
    return words_in(r'"(Goverage-[A-Z][a-z]+)"', "".join(read(source) for source in sources))


def statuses():
    """Those of errors."""
    return words_in(r"^\t\treturn (\d{3});", read("cgi/base/error.c"))


def plain_manual():
    """The manual as one line of words, without its macros at the beginning of lines."""
    text = re.sub(r"^\.[A-Z][a-z]\w* ?", "", read(MANUAL), flags=re.MULTILINE)
    return re.sub(r"\s+", " ", text.replace("\\e", "\\").replace("\\(dq", '"'))


def completeness(out, documents):
    names, defaults = settings()
    for title, text in documents.items():
        with out.check(f"the {title} names every setting that --help prints"):
            missing = [name for name in names if not re.search(rf"\b{name}\b", text)]
            assert not missing, f"not there: {missing}"
        with out.check(f"the {title} names every route"):
            for route in words_in(r'^    \{"(/\S+)", "', read("cgi/routes.c")):
                tap.contains(text, route, title)
        with out.check(f"the {title} names every header of ours"):
            for header in headers():
                tap.contains(text, header, title)
        with out.check(f"the {title} names every status of an error"):
            missing = [status for status in statuses() if not re.search(rf"\b{status}\b", text)]
            assert not missing, f"not there: {missing}"
    with out.check("the README's table has every setting, with its default"):
        rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", documents["README"], re.MULTILINE))
        tap.equal(sorted(set(names) - set(rows)), [], "settings without a row")
        for name, default in defaults.items():
            tap.equal(rows[name].strip("`"), default, f"the default of {name}")
        tap.equal(sorted(row for row in rows if row.startswith("GO") and row not in names), [],
                  "rows without a setting")
    with out.check("the README's table has every field of a request"):
        described = " ".join(re.findall(r"^\| (`.*?) \| ", documents["README"], re.MULTILINE))
        missing = [field for field in fields() if not re.search(rf"`{field}\b", described)]
        tap.equal(missing, [], "not there")
    entries = " ".join(re.findall(r"^\.It (.*)$", read(MANUAL), re.MULTILINE))
    with out.check("the manual has an entry for every field of a request"):
        missing = [field for field in fields() if not re.search(rf"\bLi {field}\b", entries)]
        assert not missing, f"not there: {missing}"
    with out.check("the manual has an entry for every setting and every option"):
        for name in names:
            tap.contains(entries, f"Ev {name}", "the entries")
        for option in words_in(r"^  --(\w+)", help_text()):
            tap.contains(entries, f"Fl -{option}", "the entries")


def links(out, readme):
    targets = words_in(r"\]\(([^)\s]+)\)", readme)
    with out.check("what the README links to is in the tree"):
        local = [t for t in targets if not t.startswith(("#", "https://"))]
        missing = [t for t in local if not os.path.exists(os.path.join(tree.SOURCE, t))]
        assert local and not missing, f"not there: {missing}"
    with out.check("what the README links to in itself is there"):
        titles = words_in(r"^#+ (.*)$", readme)
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        missing = [t for t in targets if t.startswith("#") and t[1:] not in anchors]
        assert not missing, f"not there: {missing}"
    with out.check("the README links to every configuration"):
        directory = os.path.join(tree.SOURCE, "scripts", "servers")
        configurations = [name for name in os.listdir(directory) if name.endswith((".conf", "file"))]
        missing = [name for name in configurations if f"(scripts/servers/{name})" not in readme]
        assert configurations and not missing, f"not there: {missing}"
    with out.check("the scripts and sources that the documents name are in the tree"):
        text = readme + read(MANUAL)
        named = [name.rstrip(".") for name in words_in(r"\b((?:scripts|cgi|fcgi|tests)/[\w./-]*)", text)]
        missing = [name for name in named if not os.path.exists(os.path.join(tree.SOURCE, name))]
        assert not missing, f"not there: {missing}"


def manual_source(out, page):
    with out.check(f"{page} has no line over {LINE} columns"):
        long = [n for n, line in enumerate(read(page).splitlines(), 1) if len(line) > LINE]
        assert not long, f"lines {long}"
    name = f"mandoc has nothing to say about {page}"
    if not shutil.which("mandoc"):
        out.skip(name, "mandoc is not installed")
        return
    with out.check(name):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "all", os.path.join(tree.SOURCE, page)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
        # pages of other packages that are not installed are no fault of this one
        said = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
        tap.equal(said, [], "what it says")
    with out.check("and it renders whole, to the last section"):
        done = subprocess.run(["mandoc", "-T", "ascii", os.path.join(tree.SOURCE, page)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
        text = re.sub(".\b", "", done.stdout)
        for title in words_in(r"^\.Sh (.*)$", read(page)):
            assert re.search(rf"^{re.escape(title)}$", text, re.MULTILINE), f"no section {title}"


def manifest(out):
    """What live reading stands on in Kubernetes; the words, since Python has no YAML of its own."""
    text = re.sub(r"(^| )#.*$", "", read(MANIFEST), flags=re.MULTILINE)
    lines = [line.strip() for line in text.splitlines()]
    with out.check("the Kubernetes manifest has what live reading needs, and no privilege"):
        for line in ("shareProcessNamespace: true", "runAsNonRoot: true", "readOnlyRootFilesystem: true"):
            tap.equal(lines.count(line), 1, line)
        for line in ('drop: ["ALL"]', "allowPrivilegeEscalation: false"):
            tap.equal(lines.count(line), 2, line)
        for word in ("add:", "privileged", "hostPID", "SYS_PTRACE"):
            assert word not in text, f"{word} is in it"
        tap.equal(sum(line.startswith("runAsUser:") for line in lines), 1, "users for all containers")
        assert "\t" not in text, "a tab is not YAML"
    with out.check("it sets what its configuration of lighttpd reads, and settings that there are"):
        names = words_in(r"^ +- name: ([A-Z][A-Z_]+)$", text)
        lighttpd = re.sub("#.*", "", read("scripts/servers/lighttpd-fastcgi.conf"))
        used = words_in(r"\benv\.([A-Z_]+)", lighttpd)
        tap.equal(sorted(set(used) - set(names)), [], "variables that are not set")
        tap.equal(sorted(set(names) - set(used) - set(settings()[0])), [], "variables that nobody knows")
        copied = lighttpd.split('"bin-copy-environment"')[1]
        for name in set(names) - set(used):
            tap.contains(copied, f'"{name}"', "what lighttpd hands on")


def main():
    out = tap.Tap()
    readme = read(README)
    completeness(out, {"README": readme, "manual": plain_manual()})
    links(out, readme)
    for page in PAGES:
        manual_source(out, page)
    manifest(out)
    return out.done()


sys.exit(main())
