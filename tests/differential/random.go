package main

import (
	"math/rand"
	"strings"
)

func pick(r *rand.Rand, from []string) string {
	return from[r.Intn(len(from))]
}

var alphabet = []string{"a", "b", "c", "m", "x", "_", "/", ".", "-", "0", "k", "s", "K", "S", "A", "\u212a", "\u017f", "ß", "ẞ", "é", "α", "Α",
	" ", "世", "\xff", "!", "go", "mock", "test", "ab", "aa", "\u1f80", "\u1f88"}

// randomTexts are short strings over the characters that the patterns are made of.
func randomTexts(r *rand.Rand, n int) []string {
	texts := make([]string, 0, n+1)
	for i := 0; i < n; i++ {
		var b strings.Builder
		for length := r.Intn(8); length > 0; length-- {
			b.WriteString(pick(r, alphabet))
		}
		texts = append(texts, b.String())
	}
	return append(texts, pick(r, paths))
}

var tokens = []string{"a", "b", "m", "_", "/", ".", "*", "+", "?", "(", ")", "(", ")", "|", "^", "$", "[", "]", "[^", "-", "{", "}", "{2}", "{1,}", "{0,2}",
	"{3,}", "{1,3}", "??", "*?", "+?", `\`, `\b`, `\B`, `\A`, `\z`, `\d`, `\W`, `\w`, `\S`, `\pL`, `\PN`, `\p{Greek}`, `\p{^Lu}`, `\P{Ll}`, `\Q`, `\E`, `\x`, `\x{e9}`, `\x41`, `\1`,
	`\07`, `\n`, `\.`, "(?:", "(?i)", "(?i:", "(?-i)", "(?s)", "(?m)", "(?U)", "(?P<n>", "(?<n>", "(?=", "(?!", "(?", "(?is-m:", "[:alpha:]", "[[:^digit:]]", "[a-z]", "[^/]",
	"k", "s", "ß", "\u212a", "é", "0", "2", ",", ":", "<", ">", "=", "!", "P", "i", "\xff", " ", "#", "&&", "世", `[\w-.]`, `\p`, `\pX`, `[[:foo:]]`}

func tokenSoup(r *rand.Rand, scale int, emit func(string, []string)) {
	for i := 0; i < 60000*scale; i++ {
		var b strings.Builder
		for n := r.Intn(9) + 1; n > 0; n-- {
			b.WriteString(pick(r, tokens))
		}
		emit(b.String(), randomTexts(r, 4))
	}
}

var leaves = []string{"a", "b", "c", "m", "x", "_", "/", `\.`, ".", ".", "^", "$", `\b`, `\B`, `\A`, `\z`, "[ab]", "[^a]", "[^/]", `\w`, `\W`, `\d`, `\S`, "k", "s", "K", "ß", "é", "(?:)",
	`\pL`, `\PL`, `\p{Lu}`, `\P{Lu}`, "[[:alpha:]]", `[^\W_]`, `[\PLa]`, `\Qa.\E`, `\x{212a}`, "ab", "mock", "(?s:.)", "(?m:^)", "(?m:$)", "[a-f_]", "α", `\x{1f88}`}

var suffixes = []string{"", "", "", "", "*", "+", "?", "*?", "+?", "{2}", "{3}", "{0}", "{1}", "{2,}", "{1,3}", "{0,2}", "{2,4}", "{2}?", "{0,1}", "{3,}"}

var openers = []string{"(?:", "(?:", "(", "(?i:", "(?-i:", "(?s:", "(?m:", "(?U:", "(?P<n>", "(?i-s:"}

// nested writes a valid pattern of at most that depth.
func nested(r *rand.Rand, b *strings.Builder, depth int) {
	for branch := 0; ; branch++ {
		for n := r.Intn(4); n > 0; n-- {
			item(r, b, depth)
		}
		if branch == 2 || r.Intn(3) > 0 {
			return
		}
		b.WriteByte('|')
	}
}

func item(r *rand.Rand, b *strings.Builder, depth int) {
	if r.Intn(24) == 0 {
		b.WriteString(pick(r, []string{"(?i)", "(?-i)", "(?s)", "(?m)", "(?U)", `\Q\E`}))
	}
	if depth > 0 && r.Intn(5) < 2 {
		b.WriteString(pick(r, openers))
		nested(r, b, depth-1)
		b.WriteByte(')')
	} else {
		b.WriteString(pick(r, leaves))
	}
	b.WriteString(pick(r, suffixes))
}

func validNested(r *rand.Rand, scale int, emit func(string, []string)) {
	for i := 0; i < 40000*scale; i++ {
		var b strings.Builder
		nested(r, &b, r.Intn(6))
		emit(b.String(), randomTexts(r, 7))
	}
}

var words = []string{"mock", "mocks", "test", "_test", "_mock", "gen", "internal", "cmd", "pkg", "vendor", "example", "main", "go", "api", "v2", "zz_", "pb", "Foo"}

var separators = []string{"/", "/", `\.`, ".", "_", "-", ".*", "[^/]*", "[^/]+", ".+", `\w+`, "(/|$)", "(^|/)", `\b`, "^", "$", ".*?", `[\w-.]+`, `\d`, ".?", `\S*`, "/?"}

func pathFilter(r *rand.Rand) string {
	var b strings.Builder
	for n := r.Intn(5) + 1; n > 0; n-- {
		b.WriteString(pick(r, separators))
		if r.Intn(5) == 0 {
			b.WriteString("(" + pick(r, words) + "|" + pick(r, words) + ")" + pick(r, []string{"", "?", "+", "*"}))
		} else {
			b.WriteString(pick(r, words))
		}
	}
	b.WriteString(pick(r, []string{"", "$", `\.go$`, ".*", "/.*", "/", `(_test)?\.go`}))
	return pick(r, []string{"", "", "", "(?i)"}) + b.String()
}

func pathLike(r *rand.Rand) string {
	var b strings.Builder
	for n := r.Intn(7) + 1; n > 0; n-- {
		b.WriteString(pick(r, words))
		b.WriteString(pick(r, []string{"/", "/", "_", "-", ".", ""}))
	}
	return b.String() + ".go"
}

func pathFilters(r *rand.Rand, scale int, emit func(string, []string)) {
	for i := 0; i < 20000*scale; i++ {
		texts := []string{pick(r, paths)}
		for n := 0; n < 9; n++ {
			texts = append(texts, pathLike(r))
		}
		emit(pathFilter(r), texts)
	}
}

func randomBytes(r *rand.Rand, scale int, emit func(string, []string)) {
	for i := 0; i < 20000*scale; i++ {
		pattern := make([]byte, r.Intn(12))
		for j := range pattern {
			pattern[j] = byte(r.Intn(256))
			if r.Intn(2) == 0 {
				pattern[j] = `\[](){}?*+.^$|-aiPpQE<>:,01x`[r.Intn(28)]
			}
		}
		emit(string(pattern), randomTexts(r, 2))
	}
}
