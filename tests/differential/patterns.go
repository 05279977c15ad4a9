// Command patterns compares what goverage-fcgi makes of regular expressions with what Go's regexp makes
// of them: whether a pattern is accepted, the text of the error if not, and what it matches.  It
// generates patterns and texts, asks package regexp itself, and asks the C program pattern_verdicts.
// The result is TAP: one test for each group of patterns.
//
//	patterns [-seed N] [-scale N] [-only GROUP] PATTERN_VERDICTS
//	patterns -table
package main

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"unicode/utf8"
)

type testCase struct {
	pattern string
	texts   []string
}

type group struct {
	name     string
	generate func(r *rand.Rand, scale int, emit func(pattern string, texts []string))
}

// outcome counts what one group came to.
type outcome struct {
	patterns, refused, pairs, overBudget, ourLimits, otherRelease, goFaults, wrong int
}

const maxDiagnostics = 20

// ourLimits are refusals that Go does not share, see cgi/pattern/go_pattern_parse.h.
var ourLimits = []string{"expression too large: ", "expression nests too deeply: "}

func isOurLimit(message string) bool {
	for _, limit := range ourLimits {
		if strings.HasPrefix(message, limit) {
			return true
		}
	}
	return false
}

// isOtherRelease tells about a refusal, Go's or ours, in which releases of Go differ.  goverage-fcgi does
// as 1.23: (?<name> is known (before 1.22 it was not), and names of properties are exact (1.25 and 1.26 take
// some other names and refuse those with a low line, later releases take all of them).  What newer
// releases changed in the tables of Unicode is not told apart: with them the groups of properties and
// folding fail.
func isOtherRelease(pattern, refusal string) bool {
	v := runtime.Version()
	if strings.HasPrefix(v, "go1.23") || strings.HasPrefix(v, "go1.24") {
		return false
	}
	return strings.HasPrefix(refusal, "E invalid character class range: `\\") || strings.Contains(pattern, "(?<")
}

// asShown is a message as excerpt() of cgi/base/excerpt.h shows it: NUL and each invalid byte as U+FFFD.
func asShown(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c == 0 {
			c = utf8.RuneError
		}
		b.WriteRune(c)
	}
	return b.String()
}

// expected is what Go says: "V 01..." or "E message".
func expected(c testCase) string {
	re, err := regexp.Compile(c.pattern)
	if err != nil {
		return "E " + asShown(strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	verdict := []byte("V ")
	for _, text := range c.texts {
		if re.MatchString(text) {
			verdict = append(verdict, '1')
		} else {
			verdict = append(verdict, '0')
		}
	}
	return string(verdict)
}

func encode(c testCase) string {
	fields := []string{hex.EncodeToString([]byte(c.pattern))}
	for _, text := range c.texts {
		fields = append(fields, hex.EncodeToString([]byte(text)))
	}
	return strings.Join(fields, "\t") + "\n"
}

func decode(line string) (string, error) {
	line = strings.TrimSuffix(line, "\n")
	if !strings.HasPrefix(line, "E ") {
		return line, nil
	}
	message, err := hex.DecodeString(line[2:])
	return "E " + string(message), err
}

// agreesUnfactored asks Go again, with patterns of the same meaning whose branches do not begin alike.  Go
// up to 1.25 or so pulls out the common beginning of branches even where it differs in letter case:
// there (?i:a)b|A matches "a".
func agreesUnfactored(c testCase, got string) bool {
	c.pattern = strings.ReplaceAll(c.pattern, "|", "|(?:)")
	var o outcome
	return o.equal(c, expected(c), got)
}

// equal compares two answers; limits and differences between releases of Go are counted, not failed.
func (o *outcome) equal(c testCase, want, got string) bool {
	if want == got {
		if got[0] == 'E' {
			o.refused++
		}
		return true
	}
	if got[0] == 'E' && isOurLimit(got[2:]) {
		o.ourLimits++
		return true
	}
	if (got[0] == 'E' && isOtherRelease(c.pattern, got)) || (want[0] == 'E' && isOtherRelease(c.pattern, want)) {
		o.otherRelease++
		return true
	}
	if want[0] != got[0] || len(want) != len(got) {
		return false
	}
	for i := range want {
		if got[i] == 'L' {
			o.overBudget++
		} else if got[i] != want[i] {
			return false
		}
	}
	return true
}

func diagnose(c testCase, want, got string) {
	fmt.Printf("# pattern %q\n", c.pattern)
	if want[0] == 'E' || got[0] == 'E' {
		fmt.Printf("#   Go:   %.200q\n#   ours: %.200q\n", want, got)
		return
	}
	shown := 0
	for i, text := range c.texts {
		if i+2 < len(got) && got[i+2] != want[i+2] && shown < 5 {
			shown++
			fmt.Printf("#   on %q: Go %c, ours %c\n", text, want[i+2], got[i+2])
		}
	}
}

// oracle is a running pattern_verdicts.
type oracle struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startOracle(program string) (*oracle, error) {
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &oracle{cmd, in, bufio.NewReaderSize(out, 1<<16)}, nil
}

func runGroup(g group, seed int64, scale int, program string) (outcome, error) {
	var o outcome
	oracle, err := startOracle(program)
	if err != nil {
		return o, err
	}
	asked := make(chan testCase, 1024)
	go func() {
		w := bufio.NewWriter(oracle.in)
		g.generate(rand.New(rand.NewSource(seed)), scale, func(pattern string, texts []string) {
			c := testCase{pattern, texts}
			w.WriteString(encode(c))
			asked <- c
		})
		w.Flush()
		oracle.in.Close()
		close(asked)
	}()
	var failure error
	for c := range asked {
		if failure != nil {
			continue // the generator has to come to its end
		}
		want := expected(c)
		line, err := oracle.out.ReadString('\n')
		if err != nil {
			failure = fmt.Errorf("no answer for pattern %q: %v", c.pattern, err)
			continue
		}
		got, err := decode(line)
		if err != nil {
			failure = err
			continue
		}
		o.patterns++
		if want[0] == 'V' {
			o.pairs += len(c.texts)
		}
		if o.equal(c, want, got) {
			continue
		}
		if agreesUnfactored(c, got) {
			o.goFaults++
		} else {
			if o.wrong++; o.wrong <= maxDiagnostics {
				diagnose(c, want, got)
			}
		}
	}
	if err := oracle.cmd.Wait(); failure == nil {
		failure = err
	}
	return o, failure
}

// tooMany tells whether the limits swallowed so much that the group proves too little.
func (o *outcome) tooMany() bool {
	return o.patterns == 0 || o.overBudget*50 > o.pairs || o.ourLimits*50 > o.patterns
}

func main() {
	seed := flag.Int64("seed", 1, "seed of the random patterns")
	scale := flag.Int("scale", 1, "how many times as many random patterns")
	only := flag.String("only", "", "run this group alone")
	table := flag.Bool("table", false, "write the table of the unit test instead")
	flag.Parse()
	if *table {
		if err := writeTable(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: patterns [-seed N] [-scale N] [-only GROUP] PATTERN_VERDICTS")
		os.Exit(2)
	}
	var chosen []group
	for _, g := range groups {
		if *only == "" || *only == g.name {
			chosen = append(chosen, g)
		}
	}
	fmt.Printf("# %s, seed %d, scale %d\n1..%d\n", runtime.Version(), *seed, *scale, len(chosen))
	failed := len(chosen) == 0
	for i, g := range chosen {
		o, err := runGroup(g, *seed, *scale, flag.Arg(0))
		verdict := "ok"
		if err != nil {
			fmt.Printf("# %v\n", err)
		}
		if err != nil || o.wrong > 0 || o.tooMany() {
			verdict, failed = "not ok", true
		}
		fmt.Printf("%s %d - %s: %d patterns (%d refused by both), %d texts, %d wrong, %d over budget, "+
			"%d over our limits, %d other release, %d faults of Go\n", verdict, i+1, g.name, o.patterns, o.refused,
			o.pairs, o.wrong, o.overBudget, o.ourLimits, o.otherRelease, o.goFaults)
	}
	if failed {
		os.Exit(1)
	}
}
