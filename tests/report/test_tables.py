#!/usr/bin/python3
"""format=percent, packages, func and json: the numbers are those of covdata, for each Go release, every function is
there, and what the request says of files, modules and thresholds holds."""

import collections
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from report_client import RELEASES, Reports, check_headers
import go_fixture
import kinds
import tap
import tree
from answer import check_error, check_json_error, check_profile

BLOCK = re.compile(r"(.*):(\d+)\.(\d+),(\d+)\.(\d+) (\d+) (\d+)")


def percent(covered, total):
    """Rounded down to one decimal; only all is 100.0."""
    return f"{covered * 1000 // total / 10:.1f}" if total else "n/a"


def packages_of(profile):
    """{import path: [covered, statements]} by covdata's own lines."""
    sums = collections.defaultdict(lambda: [0, 0])
    for line in profile.decode().splitlines()[1:]:
        path, *numbers = BLOCK.fullmatch(line).groups()
        statements, count = int(numbers[4]), int(numbers[5])
        sums[os.path.dirname(path)][0] += statements * (count > 0)
        sums[os.path.dirname(path)][1] += statements
    return sums


def row(covered, total):
    return [percent(covered, total), str(covered), str(total)]


def as_covdata(out, reports, release, directory):
    sums = packages_of(go_fixture.textfmt(directory, release))
    total = [sum(pair[i] for pair in sums.values()) for i in (0, 1)]
    with out.check(f"Go {release}: packages"):
        tap.equal(reports.table("packages"), [[name, *row(*sums[name])] for name in sorted(sums)]
                  + [["total", *row(*total)]], "the table")
    with out.check(f"Go {release}: percent"):
        tap.equal(reports.report("percent"), percent(*total) + "\n", "the answer")
    with out.check(f"Go {release}: covdata percent, package by package"):
        said = {words[0]: float(words[2][:-1]) for words in kinds.covdata(release, "percent", directory)}
        got = {words[0]: 100 * int(words[2]) / int(words[3]) for words in reports.table("packages")[:-1]}
        tap.equal(got.keys(), said.keys(), "packages")
        for name, value in said.items():
            assert abs(value - got[name]) <= 0.0501, f"{name}: {got[name]}, covdata says {value}"
    functions(out, reports, release, directory)


def functions(out, reports, release, directory):
    """covdata func joins functions of one name, and leaves literals out; the others are ours, too."""
    table = [words for words in reports.table("func", paths="import")[:-1]]
    repeated = {name for name, n in collections.Counter((words[0].split(":")[0], words[1])
                                                        for words in table).items() if n > 1}
    with out.check(f"Go {release}: functions of one name are listed each"):
        tap.equal(sorted(name for _, name in repeated), ["Get", "init"], "names")
        tap.equal([words[5] for words in table if words[1] == "Get"], ["2", "0"], "calls of Get")
    with out.check(f"Go {release}: covdata func, function by function"):
        said = {(words[0].rstrip(":"), words[1]): float(words[2][:-1])
                for words in kinds.covdata(release, "func", directory)[:-1]}
        for words in table:
            place, name = words[0].rsplit(":", 1)[0], words[1]
            if (place.rsplit(":", 1)[0], name) in repeated or words[4] == "0" or name.startswith("func."):
                continue
            exact = 100 * int(words[3]) / int(words[4])
            assert abs(said[place, name] - exact) <= 0.0501, f"{place} {name}: {exact}, not {said[place, name]}"
    with out.check(f"Go {release}: a function without statements has no percentage"):
        tap.equal([words[2:] for words in table if words[1] == "Hello"], [["n/a", "0", "0", "1"]], "Hello")
    with out.check(f"Go {release}: JSON tells the same"):
        data = reports.json(paths="import")
        flat = [[f"{file['name']}:{f['line']}:{f['column']}", f["name"],
                 *row(f["covered"], f["statements"]), str(f["calls"])]
                for package in data["packages"] for file in package["files"] for f in file["functions"]]
        tap.equal(flat, table, "functions")
        tap.equal([file["name"] for package in data["packages"] for file in package["files"]
                   if file.get("generated")], [f"{kinds.MODULE}/boxes/parse.y"], "generated files")
        tap.equal(data["mode"], "count", "mode")
    with out.check(f"Go {release}: JSON has the lines that have not run"):
        wanted = kinds.lines(release)
        for package in reports.json()["packages"]:
            for file in package["files"]:
                values = wanted[file["name"]]
                missed = [n for first, last in file["missed"] for n in range(first, last + 1)]
                tap.equal(missed, [n for n, value in values.items() if value == "0"], file["name"])
                tap.equal((file["lines"], file["lines_covered"]), (len(values), len(values) - len(missed)),
                          f"lines of {file['name']}")


# --- what a request can say ----------------------------------------------------------------------

def options(out, reports):
    with out.check("paths are relative to the module, and only at a slash"):
        tap.equal(reports.table("func")[0][0].split(":")[0], "kinds.go", "the first file")
    with out.check("prefix: a directory in front of them"):
        for prefix in ("svc/kinds", "svc/kinds/"):
            tap.equal(reports.table("func", prefix=prefix)[0][0].split(":")[0], "svc/kinds/kinds.go", prefix)
    with out.check("paths=import leaves them as they are"):
        tap.equal(reports.table("func", paths="import")[0][0].split(":")[0], "example.com/kinds/kinds.go",
                  "the first file")
        tap.equal(reports.report("func", paths="module"), reports.report("func"), "paths=module")
    with out.check("module: one that is there, and one that is not"):
        tap.equal(reports.report("packages", module=kinds.MODULE), reports.report("packages"), "the table")
        check_error(reports.answer(format="packages", module="example.com/kind"), 404,
                    "example.com/kind\"", "it has example.com/kinds")
    with out.check("patterns choose files, and numbers follow"):
        table = reports.table("packages", coverFile="boxes")
        tap.equal([words[0] for words in table], [f"{kinds.MODULE}/boxes", "total"], "packages")
        tap.equal(table[0][1:], table[1][1:], "the total")
    with out.check("nothing is left: no percentage, which is neither 0 nor 100"):
        tap.equal(reports.report("percent", skipFile="."), "n/a\n", "the answer")
        tap.equal(reports.json(skipFile=".")["percent"], None, "JSON")
    with out.check("download: a name for the file"):
        answer = reports.answer(format="json", download="true")
        tap.equal(answer.header("content-disposition"), 'attachment; filename="coverage.json"', "header")
        tap.equal(reports.answer(format="json").header("content-disposition"), None, "without")
    bad_values(out, reports)


def bad_values(out, reports):
    formats = "text, percent, packages, func, json, lcov, cobertura, badge, structure, counters"
    for name, query, *parts in (
            ("an unknown format", {"format": "html"}, formats, '"html"'),
            ("an empty format", {"format": ""}, formats),
            ("paths", {"format": "func", "paths": "short"}, "module or import", "short"),
            ("a prefix with a line feed", {"format": "func", "prefix": "a\nb"}, "control"),
            ("prefix with import paths", {"format": "func", "prefix": "a", "paths": "import"}, "prefix"),
            ("module for text", {"module": kinds.MODULE}, "module has no meaning for format=text"),
            ("fail_under for func", {"format": "func", "fail_under": "8"}, "only for percent"),
            ("download", {"format": "json", "download": "maybe"}, "download must be true or false"),
            *((f"fail_under={value}", {"format": "percent", "fail_under": value}, "from 0 to 100")
              for value in ("", "-1", "101", "100.001", "80%", "8e1", "1.2345", "1.", ".5", "99999999999999"))):
        with out.check(f"400: {name}"):
            check_error(reports.answer(**query), 400, *parts)


def threshold(out, reports):
    value = reports.report("percent").strip()
    tap.equal(value, "74.5", "the percentage that the next checks are about")
    for limit in ("0", "74", "74.5", "74.545", "0074"):
        with out.check(f"fail_under={limit}: 200"):
            tap.equal(reports.report("percent", fail_under=limit), value + "\n", "the answer")
    for limit in ("74.546", "75", "100", "100.0"):
        with out.check(f"fail_under={limit}: 417"):
            answer = reports.answer(format="percent", fail_under=limit)
            check_error(answer, 417, f"{value} % of statements, below {limit}")
            tap.equal(answer.header("goverage-skipped"), "0", "Goverage-Skipped")
    with out.check("fail_under in JSON, as a number"):
        answer = reports.answer(method="POST", body=b'{"format":"percent","fail_under":75}')
        check_error(answer, 417, "below 75")
        answer = reports.answer(method="POST", body=b'{"format":"percent","fail_under":74.5}')
        tap.equal(answer.text(), value + "\n", "the answer")
        check_error(reports.answer(method="POST", body=b'{"format":"percent","fail_under":[75]}'), 400,
                    "fail_under must be a number")
    with out.check("no statements at all are not enough"):
        check_error(reports.answer(format="percent", fail_under="0", skipFile="."), 417, "no statements")


def errors_as_json(out, work, directory):
    with out.check("417 as JSON"):
        import cgi_client
        settings = {"GOCOVERDIR": directory, "GOVERAGE_LIVE": "off", "HTTP_ACCEPT": "application/json"}
        answer = cgi_client.request(work.cgi, settings, query="format=percent&fail_under=75")
        check_json_error(answer, 417, "74.5 % of statements, below 75")


def validators(out, reports, directory):
    import cgi_client
    with out.check("the ETag covers format and options; text has the one that it always had"):
        queries = ({}, {"format": "percent"}, {"format": "func"}, {"format": "func", "paths": "import"},
                   {"format": "func", "prefix": "a"}, {"format": "func", "module": kinds.MODULE},
                   {"format": "percent", "fail_under": "3"}, {"format": "func", "skipFile": "x"})
        tags = [reports.answer(**query).header("etag") for query in queries]
        assert len(set(tags)) == len(tags) and all(tags), tags
        tap.equal(len({tag.split("-")[0] for tag in tags}), 1, "states")
        tap.equal(reports.answer(format="text").header("etag"), tags[0], "the ETag of format=text")
    with out.check("304 to who has it, but not to who asked for a threshold"):
        for query, status in (("format=func", 304), ("format=percent&fail_under=3", 200),
                              ("format=percent&fail_under=99", 417)):
            first = cgi_client.request(reports.program, reports.settings, query=query)
            again = cgi_client.request(reports.program, reports.settings, query=query,
                                       HTTP_IF_NONE_MATCH=first.header("etag") or "*")
            tap.equal(again.status, status, query)
    with out.check("format=text is the profile"):
        check_profile(reports.answer(format="text"), go_fixture.textfmt(directory))
    with out.check("reports have the headers of a profile"):
        check_headers(reports.answer(format="percent"))
    with out.check("HEAD has the length and no body"):
        answer = reports.answer(format="json", method="HEAD")
        tap.equal((answer.body, answer.header("content-length")),
                  (b"", reports.answer(format="json").header("content-length")), "body and length")


def modes(out, work):
    for mode in ("set", "atomic"):
        with out.check(f"mode {mode}"):
            data = Reports(work, kinds.directory(work, "1.23", mode)).json()
            calls = {f["name"]: f["calls"] for p in data["packages"] for file in p["files"]
                     for f in file["functions"]}
            tap.equal((data["mode"], calls["Use"], calls["*T.Inc"]), (mode, 1, 1), "mode and calls")


def builds(out, work):
    """Of several modules and builds in one directory."""
    both = work.mkdir("both")
    for module in ("shop", "till"):
        go_fixture.run(go_fixture.build(module, "count"), both)
    reports = Reports(work, both)
    with out.check("files of two modules that would have one name keep their paths"):
        files = {words[0].split(":")[0] for words in reports.table("func")[:-1]}
        assert {"example.com/shop/main.go", "example.com/till/main.go", "cart/cart.go"} <= files, files
        files = {words[0].split(":")[0] for words in reports.table("func", module="example.com/till")[:-1]}
        tap.equal(files, {"main.go"}, "files of the till")
    with out.check("module can be named twice"):
        twice = [("module", "example.com/till"), ("module", "example.com/shop")]
        tap.equal(reports.report("packages", *twice), reports.report("packages"), "the table")
    with out.check("two builds of one package: blocks are counted as covdata counts them"):
        for release in ("1.23", "1.27"):
            go_fixture.run(go_fixture.build("kinds", "count", release), work.join("builds"))
        sums = packages_of(go_fixture.textfmt(work.join("builds")))
        got = {words[0]: words[2:] for words in Reports(work, work.join("builds")).table("packages")[:-1]}
        tap.equal(got, {name: [str(n) for n in pair] for name, pair in sums.items()}, "packages")


def main():
    out = tap.Tap()
    try:
        with tree.WorkDirectory() as work:
            for release in RELEASES:
                directory = kinds.directory(work, release)
                as_covdata(out, Reports(work, directory), release, directory)
            directory = kinds.directory(work, "1.23")
            reports = Reports(work, directory)
            options(out, reports)
            threshold(out, reports)
            errors_as_json(out, work, directory)
            validators(out, reports, directory)
            modes(out, work)
            builds(out, work)
    except go_fixture.Unavailable as error:
        tap.skip_all(error)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
