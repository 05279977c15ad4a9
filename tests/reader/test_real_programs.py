#!/usr/bin/python3
"""The built-in reader gives the bytes of covdata: real programs of several Go releases, in every counter
mode, alone and together, and a command of Go's own with all its packages."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import driver
import go_fixture
import tap

RELEASES = ("1.21", "1.23", "1.27")
MODES = ("set", "count", "atomic")

# Two programs that share a package; methods, literals at package level, several init functions in one file,
# empty bodies, functions that never run, a file name given by a line directive.
PAIR = {
    "go.mod": "module example.com/pair\n\ngo 1.20\n",
    "one/main.go": """package main

import (
	"os"

	"example.com/pair/lib"
)

var double = func(n int) int { return 2 * n }
var never = func(n int) int {
	if n > 0 {
		return n
	}
	return -n
}

func init() {
	lib.Count(1)
}

func init() {
	if len(os.Args) > 100 {
		lib.Count(2)
	}
}

func main() {
	for i := range os.Args {
		lib.Count(double(i))
	}
	(&lib.Sum{}).Add(3)
}

func unused() {
	for {
	}
}
""",
    "two/main.go": """package main

import "example.com/pair/lib"

func main() {
	lib.Count(7)
	lib.Sum{}.Show()
}
""",
    "lib/lib.go": """package lib

type Sum struct{ n int }

func (s *Sum) Add(n int) { s.n += n }

func (s Sum) Show() {
}

func init() { Count(0) }

func Count(n int) {
	for i := 0; i < n; i++ {
		if i%2 == 0 {
			total++
		} else if i%3 == 0 {
			total--
		}
	}
}

var total int

func Never(a, b int) bool {
	switch {
	case a > b:
		return true
	case a < b:
		return false
	}
	func() {
		total = 0
	}()
	return a == b
}
""",
    "lib/made.go": """package lib

//line made.y:10
func Made(n int) int {
	if n > 0 {
		return 1
	}
	return 0
}
""",
}


def build(release, mode, command, cover="./..."):
    """A program of PAIR."""
    home = os.path.join(go_fixture.CACHE, f"reader-pair-{release}")
    program = os.path.join(home, f"{command}-{mode}")
    if not os.path.exists(program):
        for file, text in PAIR.items():
            path = os.path.join(home, "src", file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as out:
                out.write(text)
        subprocess.run([go_fixture.go(release), "build", "-cover", f"-covermode={mode}",
                        f"-coverpkg={cover}", "-o", program, f"./{command}"],
                       cwd=os.path.join(home, "src"), env=go_fixture.go_environment(), check=True,
                       timeout=600)
    return program


def same(dirs, *releases):
    """The reader and covdata agree; the releases name the covdata."""
    answer = driver.read(dirs)
    for release in releases:
        tap.equal(answer.profile(), go_fixture.textfmt(dirs, release), f"covdata of {release}")
    return answer


def programs(out, work):
    for release in RELEASES:
        for mode in MODES:
            with out.check(f"Go {release}, -covermode={mode}: many runs of one program"):
                alone = os.path.join(work, f"one-{release}-{mode}")
                for n in range(5):
                    go_fixture.run(build(release, mode, "one"), alone, *["x"] * n)
                answer = same(alone, *RELEASES)
                tap.contains(answer.text, f"mode: {mode}\n".encode(), "the mode")
                tap.equal(answer.number("counters"), 5, "counter files")
            with out.check(f"Go {release}, -covermode={mode}: two programs that share a package"):
                both = os.path.join(work, f"both-{release}-{mode}")
                shutil.copytree(alone, both)
                for _ in range(3):
                    go_fixture.run(build(release, mode, "two"), both)
                answer = same(both, *RELEASES)
                tap.equal(answer.number("builds"), 0, "packages of several builds")
                tap.equal(answer.number("programs"), 2, "programs")
            with out.check(f"Go {release}, -covermode={mode}: a program that never ran to its end"):
                for name in go_fixture.files(both, "covcounters"):
                    os.unlink(os.path.join(both, name))
                same(both, *RELEASES)


def directories(out, work):
    first, second = (os.path.join(work, name) for name in ("first", "second"))
    for directory in (first, second):
        for command in ("one", "two"):
            go_fixture.run(build("1.23", "count", command), directory)
    both = f"{first},{second}"
    with out.check("two directories with the same programs"):
        same(both, "1.21", "1.23")
    with out.check("counters in another directory than their meta-data"):
        for name in go_fixture.files(second, "covmeta"):
            os.unlink(os.path.join(second, name))
        tap.equal(same(both, "1.23").number("counters"), 4, "counter files")
    with out.check("counters without meta-data are left out, and told"):
        tap.contains(driver.read(second).error, "has no meta-data file", "the error")
    with out.check("a directory that is named twice counts once"):
        tap.equal(driver.read(f"{first},{first}/.").profile(), driver.read(first).profile(), "the profile")


def releases_together(out, work):
    with out.check("programs of Go 1.21 and 1.24 together: equal packages, whatever hash they carry"):
        mixed = os.path.join(work, "mixed-1.21-1.24")
        for release in ("1.21", "1.24"):
            go_fixture.run(build(release, "count", "two"), mixed)
        tap.equal(same(mixed, *RELEASES).number("builds"), 0, "packages of several builds")
    with out.check("programs of Go 1.26 and 1.27 together: their blocks differ, and that is said"):
        mixed = os.path.join(work, "mixed-1.26-1.27")
        for release in ("1.26", "1.27"):
            go_fixture.run(build(release, "count", "two"), mixed)
        answer = same(mixed, *RELEASES)
        tap.equal(answer.number("builds"), 2, "packages of several builds")
        tap.equal(answer.words["example"], "example.com/pair/lib", "one of them")


def whole_command(out, work):
    for release in ("1.23", "1.27"):
        with out.check(f"gofmt of Go {release} with all its packages"):
            program = os.path.join(go_fixture.CACHE, f"reader-gofmt-{release}")
            go = go_fixture.go(release)
            root = subprocess.run([go, "env", "GOROOT"], stdout=subprocess.PIPE, check=True,
                                  env=go_fixture.go_environment(), text=True).stdout.strip()
            if not os.path.exists(program):
                subprocess.run([go, "build", "-cover", "-coverpkg=all", "-o", program, "cmd/gofmt"],
                               cwd=os.path.join(root, "src"), env=go_fixture.go_environment(), check=True,
                               timeout=900)
            directory = os.path.join(work, f"gofmt-{release}")
            for file in ("print.go", "scan.go", "errors.go"):
                os.makedirs(directory, exist_ok=True)
                # at its end a program of Go 1.23 has pages to say about its own counters
                subprocess.run([program, "-l", os.path.join(root, "src", "fmt", file)], check=True,
                               env={"GOCOVERDIR": directory}, stderr=subprocess.DEVNULL, timeout=60)
            same(directory, release)


def main():
    out = tap.Tap()
    work = tempfile.mkdtemp(prefix="goverage-reader-")
    try:
        for release in RELEASES + ("1.24", "1.26"):
            go_fixture.go(release)
        programs(out, work)
        directories(out, work)
        releases_together(out, work)
        whole_command(out, work)
    except go_fixture.Unavailable as error:
        out.skip("the rest", error)
    finally:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(work)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
