"""A Go module with the kinds of blocks that are easily told wrong as lines, and the right value of each line.

A row of a source: the line, how often it has run where blocks reach from brace to brace (Go up to 1.26), and how
often where they hold code alone (from 1.27 on); "-" is a line that is none, "~" one that has run in part."""

import os
import subprocess

import go_fixture

MODULE = "example.com/kinds"

ROWS = {
    "kinds.go": """
package main                                    | - | -
                                                | - | -
import "example.com/kinds/boxes"                | - | -
                                                | - | -
func init() { boxes.Count++ }                   | 1 | 1
                                                | - | -
func init() {                                   | 1 | -
	boxes.Count += 2                        | 1 | 1
}                                               | 1 | -
                                                | - | -
var hook = func(n int) int {                    | 1 | -
	if n > 5 {                              | 1 | 1
		return 5                        | 0 | 0
	}                                       | 0 | -
	return n                                | 1 | 1
}                                               | - | -
                                                | - | -
func oneLine(n int) int { if n > 0 { return 1 }; return 0 } | 1~ | 1~
                                                | - | -
func rounds() int {                             | 1 | -
	sum := 0                                | 1 | 1
	for i := 0; i < 3; i++ {                | 1 | 1
		if i == 1 {                     | 3 | 3
			continue                | 1 | 1
		}                               | - | -
		sum += i                        | 2 | 2
	}                                       | - | -
	return sum                              | 1 | 1
}                                               | - | -
                                                | - | -
func choose(a, b, x int) int {                  | 1 | -
	if x == a {                             | 1 | 1
		return 1                        | 0 | 0
	} else if x == b {                      | 1~ | 1
		return 2                        | 0 | 0
	}                                       | 0 | -
	return 3                                | 1 | 1
}                                               | - | -
                                                | - | -
func commented(n int) int {                     | 1 | -
	a := n                                  | 1 | 1
	// what follows                         | 1 | -
                                                | 1 | -
	// is another block in Go 1.27          | 1 | -
	a *= 2                                  | 1 | 1
	return a                                | 1 | 1
}                                               | 1 | -
                                                | - | -
func sign(n int) int {                          | 1 | -
	switch {                                | 1 | 1
	case n < 0:                             | - | -
	case n == 0:                            | 0 | -
		return 0                        | 0 | 0
	default:                                | 1 | -
		return 1                        | 1 | 1
	}                                       | - | -
	return -1                               | 0 | 0
}                                               | - | -
                                                | - | -
func closure() int {                            | 1 | -
	add := func(a,                          | 1 | 1
		b int) int {                    | 1 | 1
		return a + b                    | 1 | 1
	}                                       | 1 | -
	return add(1, 2)                        | 1 | 1
}                                               | - | -
                                                | - | -
func never(n int) int {                         | 0 | -
	if n > 0 {                              | 0 | 0
		return 1                        | 0 | 0
	}                                       | 0 | -
	return 0                                | 0 | 0
}                                               | - | -
                                                | - | -
func Hello() {}                                 | - | -
                                                | - | -
func main() {                                   | 1 | -
	oneLine(1)                              | 1 | 1
	rounds()                                | 1 | 1
	choose(1, 2, 3)                         | 1 | 1
	commented(1)                            | 1 | 1
	sign(1)                                 | 1 | 1
	closure()                               | 1 | 1
	Hello()                                 | 1 | 1
	boxes.Use()                             | 1 | 1
	hook(1)                                 | 1 | 1
	if boxes.Count < 0 {                    | 1 | 1
		never(1)                        | 0 | 0
	}                                       | 0 | -
}                                               | - | -
""",
    "boxes/boxes.go": """
package boxes                                   | - | -
                                                | - | -
var Count int                                   | - | -
                                                | - | -
type Map[K comparable, V any] map[K]V           | - | -
                                                | - | -
func (m *Map[K, V]) Get(k K) V {                | 2 | -
	return (*m)[k]                          | 2 | 2
}                                               | 2 | -
                                                | - | -
type Set[K comparable] map[K]bool               | - | -
                                                | - | -
func (s Set[K]) Get(k K) bool {                 | 0 | -
	return s[k]                             | 0 | 0
}                                               | 0 | -
                                                | - | -
type T struct{ n int }                          | - | -
                                                | - | -
func (t *T) Inc() {                             | 1 | -
	t.n++                                   | 1 | 1
}                                               | 1 | -
                                                | - | -
func (T) Nop() {}                               | - | -
                                                | - | -
func Use() {                                    | 1 | -
	m := Map[string, int]{"a": 1}           | 1 | 1
	m.Get("a")                              | 1 | 1
	m.Get("b")                              | 1 | 1
	var t T                                 | 1 | 1
	t.Inc()                                 | 1 | 1
	t.Nop()                                 | 1 | 1
}                                               | 1 | -
""",
    "boxes/parse.go": """
package boxes                                   | - | -
                                                | - | -
//line parse.y:100                              | - | -
func parse(n int) int {                         | - | -
	if n > 0 {                              | - | 0
		return 1                        | - | 0
	}                                       | - | -
	return 0                                | - | 0
}                                               | - | -
""",
}

# The file of //line, as each of the two tells of it: lines of the grammar, or lines of the Go source.
GENERATED = {"old": {100: "0", 101: "0", 102: "0"}, "new": {5: "0", 6: "0", 8: "0"}}


def _rows(name):
    for row in ROWS[name][1:].splitlines():
        text, old, new = (part.rstrip() for part in row.rsplit("|", 2))
        yield text, {"old": old.strip(), "new": new.strip()}


go_fixture.MODULES["kinds"] = {
    "go.mod": f"module {MODULE}\n\ngo 1.20\n",
    **{name: "".join(text + "\n" for text, _ in _rows(name)) for name in ROWS},
}


def generation(release):
    return "new" if int(release.split(".")[1]) >= 27 else "old"


def lines(release):
    """{file: {line: value}}, the value as in the rows."""
    which = generation(release)
    wanted = {name: {number: values[which] for number, (_, values) in enumerate(_rows(name), 1)
                     if values[which] != "-"} for name in ("kinds.go", "boxes/boxes.go")}
    return {**wanted, "boxes/parse.y": GENERATED[which]}


def directory(work, release, mode="count"):
    """The coverage files of one run."""
    path = work.join(f"kinds-{release}-{mode}")
    if not os.path.isdir(path):
        go_fixture.run(go_fixture.build("kinds", mode, release), path)
    return path


def covdata(release, command, path):
    """What covdata prints: the lines, split where there is blank space."""
    done = subprocess.run([go_fixture.covdata(release), command, f"-i={path}"], check=True, timeout=60,
                          stdout=subprocess.PIPE)
    return [line.split() for line in done.stdout.decode().splitlines()]
