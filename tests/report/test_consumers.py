#!/usr/bin/python3
"""format=lcov and format=cobertura before those who read them: every line against the table of right values, the
real genhtml, lcov, diff-cover, xmllint, lcov-parse and cobertura-parse, and the rules by which GitLab, Jenkins, Codecov
and ReportGenerator read, each as a few lines of Python."""

import collections
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from report_client import RELEASES, Reports
import go_fixture
import kinds
import tap
import tree
from answer import check_error

HERE = os.path.dirname(os.path.abspath(__file__))
PARSERS = {"lcov-parse": "1.0.0", "cobertura-parse": "1.0.5"}


def run(*argv, cwd=None, **env):
    done = subprocess.run(argv, cwd=cwd, env={**os.environ, **env}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, f"{argv[0]} ended with {done.returncode}: {said[-1500:]}"
    return said


def save(work, name, text):
    with open(work.join(name), "w", encoding="utf-8") as out:
        out.write(text)
    return work.join(name)


# --- what lcov says ------------------------------------------------------------------------------

def records(text):
    """{file: {tag: [value, …]}}, in the order of the text."""
    found = {}
    for record in text.split("end_of_record\n")[:-1]:
        fields = collections.defaultdict(list)
        for line in record.splitlines():
            tag, _, value = line.partition(":")
            fields[tag].append(value)
        found[fields["SF"][0]] = fields
    return found


def shown(fields):
    """{line: value} as the table of right values has it."""
    half = {int(value.split(",")[0]) for value in fields["BRDA"]}
    return {int(line): hits + ("~" if int(line) in half else "")
            for line, hits in (value.split(",") for value in fields["DA"])}


def lcov_lines(out, reports, release):
    text = reports.report("lcov", partial="branch", test="smoke_1")
    for name, wanted in kinds.lines(release).items():
        with out.check(f"Go {release}, lcov: each line of {name}"):
            fields = records(text)[name]
            tap.equal(shown(fields), wanted, "lines")
            tap.equal((fields["LF"], fields["LH"]),
                      ([str(len(wanted))], [str(sum(v != "0" for v in wanted.values()))]), "LF, LH")
            tap.equal(fields["TN"], ["smoke_1"], "TN")
    with out.check(f"Go {release}, lcov: functions, FN and FNDA in one order, none twice"):
        for fields in records(text).values():
            names = [value.split(",", 1)[1] for value in fields["FN"]]
            tap.equal([value.split(",", 1)[1] for value in fields["FNDA"]], names, "FNDA")
            tap.equal(len(set(names)), len(names), "names")
            assert all(re.fullmatch(r"[1-9]\d*,[^,\d][^,]*", value) or value.startswith("1") for value in
                       fields["FN"]), fields["FN"]
            tap.equal(fields["FNF"], [str(len(names))], "FNF")
            tap.equal(fields["FNH"], [str(sum(not v.startswith("0,") for v in fields["FNDA"]))], "FNH")
    with out.check(f"Go {release}, lcov: without partial there are no branches"):
        plain = reports.report("lcov")
        tap.equal(plain, "".join(line + "\n" for line in text.replace("TN:smoke_1", "TN:").splitlines()
                                 if not line.startswith("BR")), "the text")


def lcov_readers(out, work, reports, release):
    path = save(work, f"{release}.info", reports.report("lcov"))
    total = sum(len(values) for values in kinds.lines(release).values())
    with out.check(f"Go {release}: lcov adds it to itself"):
        run("lcov", "-q", "-a", path, "-a", path, "-o", path + ".sum")
        with open(path + ".sum", encoding="utf-8") as text:
            tap.equal(sum(len(fields["DA"]) for fields in records(text.read()).values()), total, "lines")
    with out.check(f"Go {release}: genhtml shows its lines and every function"):
        source = work.mkdir(f"source-{release}")
        for name, text in go_fixture.MODULES["kinds"].items():
            os.makedirs(os.path.dirname(os.path.join(source, name)), exist_ok=True)
            save(work, os.path.join(f"source-{release}", name), text)
        said = run("genhtml", "--no-source", "-o", work.join(f"html-{release}"), path, cwd=source)
        functions = sum(len(fields["FN"]) for fields in records(reports.report("lcov")).values())
        tap.contains(said, f"of {total} lines)", "genhtml")
        tap.contains(said, f"of {functions} functions)", "genhtml")


# --- what Cobertura says -------------------------------------------------------------------------

def cobertura_lines(out, reports, release):
    root = ElementTree.fromstring(reports.report("cobertura", partial="branch"))
    for name, wanted in kinds.lines(release).items():
        with out.check(f"Go {release}, Cobertura: each line of {name}"):
            element = next(e for e in root.iter("class") if e.get("filename") == name)
            tap.equal({int(line.get("number")): line.get("hits") + ("~" if line.get("branch") == "true" else "")
                       for line in element.find("lines")}, wanted, "lines")
    with out.check(f"Go {release}, Cobertura: sums and rates"):
        lines = [line for e in root.iter("class") for line in e.find("lines")]
        covered = sum(line.get("hits") != "0" for line in lines)
        tap.equal((root.get("lines-valid"), root.get("lines-covered")), (str(len(lines)), str(covered)), "sums")
        tap.equal(root.get("line-rate"), f"{covered * 10000 // len(lines) / 10000:.4f}", "line-rate")
        half = sum(line.get("condition-coverage") == "50% (1/2)" for line in lines)
        tap.equal((root.get("branches-valid"), root.get("branches-covered")), (str(2 * half), str(half)),
                  "branches")


def gitlab(root):
    """{file: {line: hits}} as GitLab's parser finds it: integers alone, and relative names below one source."""
    tap.equal([e.text for e in root.iter("source")], ["."], "sources")
    found = {}
    for element in root.iter("class"):
        assert not element.get("filename").startswith("/"), element.get("filename")
        for line in element.find("lines"):
            assert re.fullmatch(r"\d+", line.get("number")) and re.fullmatch(r"\d+", line.get("hits"))
            found.setdefault(element.get("filename"), {})[int(line.get("number"))] = int(line.get("hits"))
    return found


def jenkins(root):
    """No two equal children, hits in 32 bits, a signature for each method."""
    for parent in root.iter():
        names = [child.get("name") for child in parent if child.get("name") is not None]
        tap.equal(len(set(names)), len(names), f"names below {parent.get('name')}")
    assert all(int(line.get("hits")) <= 2147483647 for line in root.iter("line"))
    assert all(method.get("signature") is not None for method in root.iter("method"))


def cobertura_readers(out, work, reports, release):
    for methods in ("false", "true"):
        text = reports.report("cobertura", methods=methods)
        path = save(work, f"{release}-{methods}.xml", text)
        root = ElementTree.fromstring(text)
        with out.check(f"Go {release}, methods={methods}: the document type"):
            run("xmllint", "--noout", "--nonet", "--dtdvalid", os.path.join(HERE, "cobertura.dtd"), path)
        with out.check(f"Go {release}, methods={methods}: GitLab, Jenkins and Codecov"):
            tap.equal(set(gitlab(root)), set(kinds.lines(release)), "files")
            jenkins(root)
            assert abs(time.time() - int(root.get("timestamp"))) < 3600, root.get("timestamp")
        with out.check(f"Go {release}, methods={methods}: methods are there when they are asked for"):
            found = {method.get("name") for method in root.iter("method")}
            assert bool(found) == (methods == "true"), found
            assert all(len(method.find("lines")) for method in root.iter("method"))


def diff_cover(out, work, reports, release):
    """A change of one line that has run and one that has not; kinds.go lies at the root of a repository."""
    repository = work.mkdir(f"repository-{release}")
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    text = go_fixture.MODULES["kinds"]["kinds.go"]
    run(*git, "init", "-q", cwd=repository)
    save(work, f"repository-{release}/kinds.go", text.replace("sum += i", "sum += 1").replace(
        "\t\treturn 5", "\t\treturn 6"))
    run(*git, "add", "kinds.go", cwd=repository)
    run(*git, "commit", "-q", "-m", "before", cwd=repository)
    save(work, f"repository-{release}/kinds.go", text)
    run(*git, "commit", "-q", "-a", "-m", "after", cwd=repository)
    for name, file in (("lcov", "changed.info"), ("cobertura", "changed.xml")):
        with out.check(f"Go {release}: diff-cover on {name}"):
            save(work, f"repository-{release}/{file}", reports.report(name))
            said = run("diff-cover", file, "--compare-branch=HEAD~1", "--json-report", "diff.json",
                       cwd=repository)
            with open(os.path.join(repository, "diff.json"), encoding="utf-8") as data:
                found = json.load(data)
            tap.equal((found["total_num_lines"], found["total_num_violations"]), (2, 1), f"lines ({said})")


def parsers(out, work, reports, release):
    """The two parsers of npm that editors and services are built upon; kept beside what else is built for tests."""
    place = os.path.join(go_fixture.CACHE, "npm")
    with go_fixture.locked():
        if not all(os.path.isdir(os.path.join(place, "node_modules", name)) for name in PARSERS):
            os.makedirs(place, exist_ok=True)
            run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", place,
                *(f"{name}@{version}" for name, version in PARSERS.items()))
    for name, report in (("lcov-parse", "lcov"), ("cobertura-parse", "cobertura")):
        with out.check(f"Go {release}: {name}"):
            extra = {"methods": "true"} if report == "cobertura" else {}
            path = save(work, f"{release}.{report}", reports.report(report, **extra))
            script = f"require('{name}')" + (".parseFile" if report == "cobertura" else "") + \
                "(process.argv[1], (e, d) => { if (e) throw e; console.log(JSON.stringify(d)); })"
            found = json.loads(run("node", "-e", script, path, NODE_PATH=os.path.join(place, "node_modules")))
            lines = {entry["file"]: {d["line"]: d["hit"] for d in entry["lines"]["details"]} for entry in found}
            tap.equal(lines, {file: {n: int(v.rstrip("~")) for n, v in values.items()}
                              for file, values in kinds.lines(release).items()}, "lines")


def badge(out, reports):
    with out.check("the badge is SVG, with its label and the percentage"):
        root = ElementTree.fromstring(reports.report("badge", label="</text><script>\u00e9"))
        words = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
        tap.equal(words, ["</text><script>\u00e9", "74.5%"], "words")
        words = ElementTree.fromstring(reports.report("badge", skipFile=".")).itertext()
        tap.contains(list(words), "n/a", "a badge without statements")
        tap.equal(reports.answer(format="badge").header("content-type"), "image/svg+xml; charset=utf-8", "type")


def live(out, reports):
    """structure and counters: block by block what textfmt says."""
    with out.check("counters in the order of the structure make the profile"):
        structure, counters = reports.json("structure", paths="import"), reports.json("counters", paths="import")
        tap.equal(structure["structure"], counters["structure"], "the name of the structure")
        values, lines = iter(counters["counters"]), []
        for file in (file for package in structure["packages"] for file in package["files"]):
            for _, _, numbers in file["functions"]:
                line = 0
                for i in range(0, len(numbers), 5):
                    line += numbers[i]
                    lines.append(f"{file['name']}:{line}.{numbers[i + 1]},{line + numbers[i + 2]}."
                                 f"{numbers[i + 3]} {numbers[i + 4]} {next(values)}")
        tap.equal(sorted(lines), sorted(reports.answer().text().splitlines()[1:]), "blocks")
        tap.equal(list(values), [], "counters that are left")


def bad_values(out, reports):
    for name, query, *parts in (
            ("partial", {"format": "lcov", "partial": "line"}, "partial must be branch", "line"),
            ("a test with a comma", {"format": "lcov", "test": "a,b"}, "test must be"),
            ("a long label", {"format": "badge", "label": "x" * 129}, "label must have"),
            ("methods for lcov", {"format": "lcov", "methods": "true"}, "methods", "only for cobertura"),
            ("test for cobertura", {"format": "cobertura", "test": "a"}, "only for lcov"),
            ("prefix for counters", {"format": "badge", "prefix": "a"}, "prefix has no meaning")):
        with out.check(f"400: {name}"):
            check_error(reports.answer(**query), 400, *parts)


def main():
    out = tap.Tap()
    missing = [tool for tool in ("genhtml", "lcov", "diff-cover", "xmllint", "node", "npm", "git")
               if not shutil.which(tool)]
    if missing:
        tap.skip_all(f"not installed: {', '.join(missing)}")
    try:
        with tree.WorkDirectory() as work:
            for release in RELEASES:
                reports = Reports(work, kinds.directory(work, release))
                lcov_lines(out, reports, release)
                cobertura_lines(out, reports, release)
                cobertura_readers(out, work, reports, release)
                lcov_readers(out, work, reports, release)
                parsers(out, work, reports, release)
                diff_cover(out, work, reports, release)
            reports = Reports(work, kinds.directory(work, "1.23"))
            badge(out, reports)
            live(out, reports)
            bad_values(out, reports)
    except go_fixture.Unavailable as error:
        tap.skip_all(error)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
