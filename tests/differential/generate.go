package main

import (
	"fmt"
	"math/rand"
	"sort"
	"strings"
	"unicode"
)

// groups are run in this order.
var groups = []group{
	{"realistic", realistic},
	{"escapes", escapes},
	{"quantifiers", quantifiers},
	{"classes", classes},
	{"properties", properties},
	{"folding", folding},
	{"token soup", tokenSoup},
	{"valid nested", validNested},
	{"path filters", pathFilters},
	{"random bytes", randomBytes},
}

var paths = []string{
	"", "main.go", "mock", "/mock", "x_test.go", "example.com/shop/cmd/main.go",
	"example.com/shop/internal/mocks/store_mock.go", "example.com/shop/pkg/a-b/Foo_gen.pb.go",
	"github.com/Trendyol/goverage/v2/server.go", "gopkg.in/yaml.v3/decode.go",
	"example.com/straße/größe_test.go", "example.com/mod/ΑΒΓ/αβγ.go", "k\u212as\u017f.go",
	"example.com/a b/c+d/e(f)/g[h]/{i}.go", "a/../b/./c.go", "bad\xffbyte/\xc3.go", "\xed\xa0\x80/x.go",
	"_m", "kaa", "aaaaaaaaaaaa!", "example.com/世界/日本.go", "vendor/x/y/z.go", "A_TEST.GO",
	"zz_generated.deepcopy.go", "#1 x-y ~`@%&=;:',<>|\"^$?*.go",
}

// filters are patterns that people write, and those in which engines are known to differ.
var filters = []string{
	``, `.*`, `.+`, `main\.go`, `main.go$`, `^example\.com/`, `.*_test\.go$`, `_mock\.go$`, `mocks?/`,
	`.*/mocks/.*`, `(^|/)mocks?(/|$)`, `(^|/)+mock`, `(?:^|/)vendor/`, `\.pb\.go$`, `_gen(\.pb)?\.go`,
	`zz_generated.*\.go$`, `(?i)test\.go$`, `(?i:MOCK)s`, `[^/]+/[^/]+\.go$`, `^[^/]+$`, `(a+)+$`, `(a|aa)+$`,
	`(.*)*x`, `(.*a){12}$`, `\bmock\b`, `\b.*mock`, `\b.+x`, `\B.*\.go$`, `(?s)$.*`, `\z.*`, `(?s)\z.*`,
	`(?:_|^){2}m`, `(?:.*\b|[^a]){3}a`, `(?:^|_|m){2,}`, `(?:\b|/){2,3}mock`, `^*main`, `\b+main`, `(?:^)*a`,
	`$*`, `(^)+a`, `(^|a){0}b`, `a{0,0}b`, `(a*)*b`, `(a*)+b`, `(a?){3}b`, `(|a)+b`, `(a|)+b`, `(a|^)+b`,
	`(?:a|(?:^|b))+m`, `(?:(?:^|a)\b)+m`, `x*`, `.*?go`, `.+?go$`, `(?U).*go`, `(?U)a+?`, `a{2}?`, `\pL`, `\p{Greek}`,
	`\P{Greek}+\.go`, `[\p{Greek}\d]`, `[^\p{Greek}]`, `[^\P{Greek}]`, `[\P{Greek}a]`, `[^\P{Greek}α]`, `\p{^Greek}`,
	`(?i)ß`, `(?i)STRASSE`, `(?i)stra\x{1e9e}e`, `(?i)[ß]`, `(?i)[^ß]+e`, `(?i)k`, `(?i)\w+`, `(?i)\W`, `(?i)[\W]`,
	`(?i)[^\W]`, `(?i)[[:^lower:]]`, `(?i)\P{Lu}`, `(?i)[\P{Lu}x]`, `(?i)[^\P{Lu}x]`, `a(?i)b|c`, `(?i)a|b(?-i)c|d`,
	`(a(?i)b)c`, `(?i:a(?-i:b)c)`, `(?m)^main`, `(?m)go$`, `[[:word:]]+\.go`, `[[:^alpha:]]`, `[[:punct:]]+`, `[a[:digit:]]`,
	`[]a]`, `[^]a]+`, `[a-]`, `[-a]`, `[a-z-9]`, `[\w-.]`, `[--/]`, `[a&&b]`, `[[a]b]`, `[^\x00-\x{10FFFF}]`,
	`[\x00-\x{10FFFF}]`, `[^\s\S]`, `[\s\S]+go`, `\Qa b/c+d\E`, `\Q(f)`, `\Qma\E+in`, `a*\Q\E*`, `a*(?i)*`, `a(?i)*`, `(?i)*`,
	`a{,2}`, `a{01}`, `a{2`, `{`, `}`, `a{1,2`, `{1}`, `a{1001}`, `(?:a{10}){101}`, `(?:a{10}){100}`, `a{2,1}`, `a**`,
	`a*+`, `a+?+`, `a{2}{3}`, `a{2}?{3}`, `(?P<x>a)\.go`, `(?<x>a)`, `(?P<1>a)(?P<1>b)`, `(?P<x`, `(?P<>a)`, `(?P<a-b>c)`,
	`(?<=a)b`, `(?<!a)b`, `(?=a)`, `(?!a)`, `(?>a)`, `(?#a)`, `(?x)a`, `(?P=x)`, `(?P>x)`, `(?`, `(?i`, `(?-)`, `(?i-)a`,
	`(?--i)a`, `(?)a`, `(?:)`, `()`, `(`, `)`, `a)`, `(a`, `a|*`, `(*a)`, `(|*)`, `+`, `?`, `\`, `a\`, `[`, `[a`, `[]`, `[^]`, `[a-`,
	`[b-a]`, `[a-\d]`, `[\d-z]`, `[[:foo:]]`, `[[:foo]`, `[[:`, `[[:]`, `[[:]]`, `[[:]:]]`, `\8`, `\1`, `\18`, `\12`, `\0`, `\08`,
	`\377`, `\777`, `\x4`, `\x`, `\x{`, `\x{}`, `\x{41}`, `\x{110000}`, `\x{10FFFF}`, `\xg1`, `\x{D800}`, `\x{FFFD}`, `[\x{D800}-\x{DFFF}]`,
	`[^\x{D800}]`, `[\x{D000}-\x{D900}]`, `\p`, `\pX`, `\p{`, `\p{}`, `\p{^}`, `\p{Foo}`, `\p{^Foo}`, `\p{greek}`, `\p{Any}`, `\P{Any}`, `[^\p{Any}]`, `\pC`,
	`\PC`, `[^\pC]`, `(?i)\pC`, `\p{Kawi}`, `\é`, `\C`, `\E`, `\Z`, `\G`, `\K`, `\R`, `\X`, `\h`, `\k<x>`, `\g<x>`, `\y`, `\e`, `\_`, `\-`, `\/`, `\<`, "\\`", `\ `,
	`#1 x-y ~`, `(?s).`, `(?-s).`, `^.*$`, `^$`, `^`, `$`, `\A\z`, `a||b`, `|`, `(?:|a|)`, `.*mock.*|.*test.*`, `(.*/)?main\.go`, `x{2,5}y*`,
	`(?:\b.*){2}go`, `(?:(?:_|^){2}m|x){2}`, "bad\\x{fffd}byte", "\xff", "a\xffb", "[\xff]", "\\\xff", "(?\xff)", "\\p\xff", "\\p{\xff}", "(?P<\xff>a)", "\\Q\xff\\E", "\\x\xff",
}

func realistic(r *rand.Rand, scale int, emit func(string, []string)) {
	for _, filter := range filters {
		emit(filter, paths)
	}
}

var punctuation = []string{"a", "b", "_", " ", "/", "Z", "0", "8", "\t", "\v", "\x00", "\x7f", "é", "\\", "-", "]", "^", "ab", "b-a", ""}

// escapes: each ASCII character behind a backslash, in a class, behind (? and more.
func escapes(r *rand.Rand, scale int, emit func(string, []string)) {
	forms := []string{"%s", "[%s]", "[^%s]", "[%s-z]", "[!-%s]", "a%s", "%s*", "(?i)%s", "(?i)[^%s]", "[[:%s:]]", "\\Q%s\\E+"}
	for c := rune(0); c < 0x80; c++ {
		texts := append([]string{string(c), "x" + string(c) + "y"}, punctuation...)
		for _, form := range forms {
			emit(fmt.Sprintf(form, string(c)), texts)
			emit(fmt.Sprintf(form, `\`+string(c)), texts)
			for _, after := range []string{"1", "7", "8", "{", "{4}", "41", "a", "L"} {
				emit(fmt.Sprintf(form, `\`+string(c)+after), texts)
			}
		}
		for _, form := range []string{"(?%s)a", "(?%s:a)", "(?%sa)", "(?i-%s:a)", "(?%s-s:A)", "(?P%sn>a)", "(?P<%s>a)", "(?<%s>a)", "(?%s"} {
			emit(fmt.Sprintf(form, string(c)), texts)
		}
	}
}

// quantifiers: each on each, on items of every kind.
func quantifiers(r *rand.Rand, scale int, emit func(string, []string)) {
	items := []string{"a", "", "(", "|", "^", "$", `\b`, `\B`, "(^)", "(a)", "(a|b)", "(a*)", "(a?b)", "(^|a)", "(a|$)", "(?:\\b|a)",
		"(?:)", "(|a)", "[ab]", ".", `\Q\E`, `\Qab\E`, "(?i)", "a(?i)", "{", "a{", `\pL`, "(?:^a?|b)", "(?:a|(?:b|^))", "(?:^|$)", "(?:(?:^|a)(?:b|$))"}
	marks := []string{"*", "+", "?", "*?", "+?", "??", "{0}", "{1}", "{2}", "{3}", "{0,}", "{1,}", "{2,}", "{0,1}", "{0,2}", "{1,2}", "{2,3}", "{2,1}",
		"{2}?", "{,2}", "{01}", "{1000}", "{1001}", "{", "{1", "{1,", "{999999999999}", "{1,99999999999}", ""}
	texts := []string{"", "a", "b", "ab", "aab", "ba", "aaa", "bb", "{", "{}", "a{,2}", "a{01}", "é a", "a a", "x"}
	for _, item := range items {
		for _, first := range marks {
			for _, second := range marks {
				emit(item+first+second, texts)
				emit("(?:"+item+first+")"+second, texts)
				emit("^(?:"+item+first+")"+second+"b", texts)
			}
		}
	}
}

// classes: all triples of members, plain and negated, with and without folding.
func classes(r *rand.Rand, scale int, emit func(string, []string)) {
	members := []string{"a", "-", "]", "^", "[", "K", "s", `\w`, `\W`, `\d`, `\D`, `\s`, `\S`, "[:alpha:]", "[:^upper:]", "[:^punct:]", "[:", ":]", "&&",
		`\pL`, `\PL`, `\p{Lu}`, `\P{Lu}`, `\PC`, `\p{^Greek}`, `\n`, `\x00`, "a-z", "0-9", "é", "\u017f", "\u212a", `\]`, `\\`, "-z", "ß", `\p{Any}`, `\P{Any}`, `\x{d800}`}
	texts := []string{"a", "k", "K", "\u212a", "s", "S", "\u017f", "-", "]", "^", "[", ":", "&", " ", "\v", "5", "é", "É", "ß", "ẞ", "α", "Α", "\\", "z", "_", "!", "\xff", "", "世"}
	for _, one := range members {
		for _, two := range append([]string{""}, members...) {
			for _, prefix := range []string{"[", "[^", "(?i)[", "(?i)[^"} {
				emit(prefix+one+two+"]", texts)
			}
		}
	}
	for i := 0; i < 6000*scale; i++ {
		class := []string{"[", "[^", "(?i)[", "(?i)[^"}[r.Intn(4)]
		for n := r.Intn(5) + 2; n > 0; n-- {
			class += members[r.Intn(len(members))]
		}
		emit(class+"]"+[]string{"", "", "+", "{2}", "*a"}[r.Intn(5)], texts)
	}
}

// young are scripts that some supported Oniguruma does not know, each with a text inside and one outside.
var young = map[string][]string{
	"Cypro_Minoan": {"\U00012f90", "\U00012ff2", "\U00012ff3"},
	"Kawi":         {"\U00011f00", "\U00011f59", "\U00011f11"},
	"Nag_Mundari":  {"\U0001e4d0", "\U0001e4f9", "\U0001e4fa"},
	"Old_Uyghur":   {"\U00010f70", "\U00010f89", "\U00010f6f"},
	"Tangsa":       {"\U00016a70", "\U00016ac9", "\U00016abf"},
	"Toto":         {"\U0001e290", "\U0001e2ae", "\U0001e28f"},
	"Vithkuqi":     {"\U00010570", "\U000105bc", "\U0001057b"},
}

// settled are characters whose properties did not change since Unicode 12.
func settled() []string {
	var texts []string
	for c := rune(0); c < 0x500; c++ {
		texts = append(texts, string(c))
	}
	for c := rune(0x1e00); c < 0x2190; c++ {
		if c < 0x2065 || c > 0x20a0 {
			texts = append(texts, string(c))
		}
	}
	for _, c := range []rune{0x5d0, 0x61c, 0x900, 0x904, 0xe01, 0x10a0, 0x13a0, 0xab70, 0x3041, 0x30a1, 0x4e00, 0xac00, 0xe000, 0xfb00, 0xfffd,
		0xffff, 0x10400, 0x10428, 0x12000, 0x1d400, 0x1f600, 0x20000, 0xe0001, 0xf0000, 0x10fffd, 0x10ffff} {
		texts = append(texts, string(c))
	}
	return texts
}

func propertyNames() []string {
	names := []string{"Any"}
	for name := range unicode.Categories {
		names = append(names, name)
	}
	for name := range unicode.Scripts {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func properties(r *rand.Rand, scale int, emit func(string, []string)) {
	texts := settled()
	for _, name := range propertyNames() {
		for _, form := range []string{`\p{%s}`, `\P{%s}`, `\p{^%s}`, `(?i)\p{%s}`, `(?i)\P{%s}`, `[^\p{%s}x]`, `(?i)[\P{%s}α]`, `(?i)[^\P{%s}0-9]`} {
			emit(fmt.Sprintf(form, name), append(young[name], texts...))
		}
		for _, form := range []string{`\p{%s`, `\p%s`, `[\p%s]`, `[\p{%s]`, `\p{ %s}`, `\p{%s }`, `\p{Is%s}`, `\p{%s\x00}`} {
			emit(fmt.Sprintf(form, name), []string{"a", "α", "1"})
		}
		emit(`\p{`+strings.ToLower(name)+`}`, []string{"a", "α"})
		emit(`\p{`+name[:len(name)-1]+`}`, []string{"a", "α"})
		emit(`\p{`+name+"\x00"+`}`, []string{"a", "α"})
	}
}

// orbit is c and every character that differs from it in case alone.
func orbit(c rune) []rune {
	all := []rune{c}
	for o := unicode.SimpleFold(c); o != c; o = unicode.SimpleFold(o) {
		all = append(all, o)
	}
	return all
}

// folding: each character that has another case.
func folding(r *rand.Rand, scale int, emit func(string, []string)) {
	for c := rune(0); c <= unicode.MaxRune; c++ {
		all := orbit(c)
		if len(all) == 1 || c > 0x10570 && c < 0x105bd || unicode.Is(unicode.Co, c) {
			continue // Vithkuqi came with Unicode 14
		}
		texts := []string{"ss", "s", "fi", "x"}
		for _, o := range all {
			texts = append(texts, string(o), "a"+string(o)+"b", string(o+1), string(o-1))
		}
		for _, form := range []string{"(?i)%s", "(?i)[%s]", "(?i)[^%s]", "(?i)a%sB", "(?i)[%s-%s]", "%s", "(?i:%s)b", "(?i)%s(?-i)b"} {
			emit(strings.ReplaceAll(form, "%s", string(c)), texts)
		}
	}
}
