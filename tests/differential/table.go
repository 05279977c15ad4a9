package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strings"
	"unicode/utf8"
)

// small are texts for patterns of a few characters; folded ones, for letter case.
var small = []string{"", "a", "b", "ab", "ba", "aab", "bb", "_m", "kaa", "a a", "é a", "{", "a{,2}", "a{01}", "x-y", "5", " ", "\v", "\\", "]", "\xff"}

var folded = []string{"k", "K", "\u212a", "s", "S", "\u017f", "ß", "ẞ", "ss", "é", "É", "α", "Α", "ᾀ", "ᾈ", "ᾳ", "ᾼ", "\u0345", "ι", "ǅ", "ǆ", "_", "1", "世"}

// smallPatterns and foldedPatterns are put on those texts.
var smallPatterns = []string{
	`a*`, `a+`, `a?`, `a*?`, `a{0}`, `a{2}`, `^a{2}b`, `(?:a{2}){2}`, `(?:a|b){2,}`, `(?:a|^){2}b`, `(?:^|_){2}m`, `(?:.*\b|[^a]){3}a`, `(?:\b|a){2,3}b`,
	`(?:$|a){2}`, `(?:^a?|b){2}`, `(?:(?:^|a)(?:b|$)){2}`, `(^)*`, `(^)+`, `(^){0}`, `(\b){3}a`, `(^|a)+b`, `(?:a|(?:^|b))+m`, `(?:(?:^|a)\b)+`, `\B*a`,
	`(a*)*`, `(a*)+b`, `(a?){3}b`, `(?:|a)+b`, `a*\Q\E*b`, `a*(?i)*B`, `a(?i)+B`, `(?i)a*(?-i)*b`, `\Qa{\E`, `\Qab\E+$`, `a{,2}`, `a{01}`, `{`, `{1`, `{1,`, `{,`, `a{`, `}`, `]`,
	`[]a]`, `[^]a]`, `[\]]`, `[a-]`, `[-a]`, `[--/]`, `[\w-.]`, `[a-b-x]`, `[[:alpha:]-]`, `[[:]`, `[[:]]`, `[[:a]`, `[a[:digit:]]`, `[[:^space:]]`, `[[:space:]]`, `\s`, `\S`, `[^\S]`,
	`[\s\d]`, `[^\W]`, `[^\w\s]`, `\D\W`, `[\x{0}-\x{10FFFF}]`, `[^\x{0}-\x{10FFFF}]`, `[\x{D800}]`, `[^\x{D800}-\x{DFFF}]`, `\x{DFFF}?b`, `\x{D800}`, `\x{FFFD}`, `\x{5c}`, `\134`, `\x5c`,
	`\ba`, `a\b`, `\b.*b`, `\b.+b`, `\B.*a$`, `(?s)$.*`, `(?s)\z.*`, `$.*`, `(?m)^.*b`, `(?s).+b`, `.`, `(?s).`, `(?m)^b$`, `(?-m)^b$`, `a|`, `|a`, `(|)b`, `(?:)`, `()`, `(?)`, `(?i)`,
}

var foldedPatterns = []string{
	`(?i)k`, `(?i)K`, `(?i)\x{212a}`, `(?i)s`, `(?i)ſ`, `(?i)ß`, `(?i)ẞ`, `(?i)ss`, `(?i)é`, `(?i)α`, `(?i)ᾀ`, `(?i)ᾈ`, `(?i)ᾳ`, `(?i)[ᾳ]`, `(?i)[^ᾳ]`, `(?i)ι`, `(?i)\x{345}`, `(?i)Ǆ`,
	`(?i)[k]`, `(?i)[^k]`, `(?i)[a-z]`, `(?i)[^a-z]`, `(?i)[ß-é]`, `(?i)\w`, `(?i)\W`, `(?i)[\W]`, `(?i)[^\W]`, `(?i)[\W\d]`, `(?i)[[:lower:]]`, `(?i)[[:^lower:]]`, `(?i)[[:upper:]]`,
	`(?i)[[:^alpha:]]`, `(?i)[[:^xdigit:]]`, `(?i)\p{Lu}`, `(?i)\P{Lu}`, `(?i)\p{Ll}`, `(?i)\P{Ll}`, `(?i)\p{Lt}`, `(?i)[^\p{Lt}]`, `(?i)\pL`, `(?i)\pM`, `(?i)[\P{Lu}1]`, `(?i)[^\P{Lu}α]`,
	`(?i)[\PL\P{Lu}]`, `(?i)\p{Greek}`, `(?i)[^\p{Greek}_]`, `(?i)\p{Common}`, `\p{Lu}`, `\P{Lu}`, `[\PL\d]`, `[^\PL]`, `[^\PL\P{Lu}]`, `[^\pL\pN]`, `k(?i)|s`, `(?i)k|(?-i)s`, `(?i:k)|S`, `(?i:k|(?-i:s))`,
	`(?-i:k)`, `(?i)(?-i:k)|S`, `(k(?i)|s)|α`,
}

// escaped makes a field of the table: one line, without tabs.
func escaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == '\\' {
			b.WriteString(`\\`)
		} else if r < ' ' || r == 0x7f || r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

func writePatterns(w io.Writer, texts, patterns []string) {
	fmt.Fprint(w, "T")
	for _, text := range texts {
		fmt.Fprint(w, "\t", escaped(text))
	}
	fmt.Fprintln(w)
	for _, pattern := range patterns {
		answer := expected(testCase{pattern, texts})
		fmt.Fprintf(w, "%s\t%s\t%s\n", answer[:1], escaped(pattern), escaped(answer[2:]))
	}
}

// writeTable writes what Go says about the patterns written out in these files: tests/data/go_patterns.tsv.
func writeTable(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "# Written by tests/differential (patterns -table) with %s.\n", runtime.Version())
	fmt.Fprintln(w, "# T: the texts that the patterns below it are put on.  V: a pattern, and for each text whether it")
	fmt.Fprintln(w, "# matches.  E: a pattern that is refused, and the error.  Fields have \\xHH and \\\\ in them.")
	writePatterns(w, paths, filters)
	writePatterns(w, small, smallPatterns)
	writePatterns(w, folded, foldedPatterns)
	var properties []string
	for _, name := range propertyNames() {
		properties = append(properties, `\p{`+name+`}`)
	}
	writePatterns(w, folded, properties)
	for _, pattern := range append(append([]string{}, smallPatterns...), foldedPatterns...) {
		if _, err := regexp.Compile(pattern); err != nil {
			return err
		}
	}
	return w.Flush()
}
