/*
 * The parser of Go's syntax, between its files: go_pattern.c (groups and the order of things),
 * go_pattern_repeat.c (quantifiers), go_pattern_class.c (classes), go_pattern_escape.c (escapes and
 * faults).  It reads as regexp/syntax of Go 1.23 does with the flags of regexp.Compile, from left
 * to right, so that of several faults the same one is named.
 */
#ifndef GOVERAGE_PATTERN_GO_PATTERN_PARSE_H
#define GOVERAGE_PATTERN_GO_PATTERN_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/base/error.h"
#include "cgi/pattern/go_pattern_tree.h"

enum {
	FLAG_FOLD_CASE = 1,   /* (?i) */
	FLAG_MULTI_LINE = 2,  /* (?m) */
	FLAG_DOT_NEWLINE = 4, /* (?s) */
	FLAG_UNGREEDY = 8,    /* (?U): read, and of no consequence */
};

enum {
	PATTERN_MAX_DEPTH = 200,       /* groups in groups; Go has 1000 */
	PATTERN_MAX_SIZE = 100000,     /* instructions; Go has 3.3 million */
	PATTERN_GO_MAX_SIZE = 3355443, /* Go's own limit */
	PATTERN_MAX_COUNT = 1000,      /* of {n,m}, also multiplied; as Go */
};

#define NO_QUANTIFIER SIZE_MAX

/* An open group, or, at the bottom, the whole pattern. */
struct open_group {
	struct node_chain branches; /* finished ones */
	struct node_chain items;    /* of the branch that is being read */
	unsigned outer_flags;
	bool captures;
};

struct go_parser {
	const char *text;
	size_t len;
	size_t at;	   /* what is read next */
	unsigned flags;	   /* FLAG_* */
	size_t quantifier; /* where the quantifier just read begins, or NO_QUANTIFIER */
	struct pattern_tree tree;
	struct open_group open[PATTERN_MAX_DEPTH + 1];
	uint32_t depth; /* index of the innermost */
	struct error *err;
};

/* Go's error text: "what: `from text[from] to text[to]`".  Returns -1. */
int go_fault(struct go_parser *p, const char *what, size_t from, size_t to);

/* The message for a pattern that nests beyond PATTERN_MAX_DEPTH.  Returns -1. */
int go_too_deep(struct go_parser *p);

static inline bool at_end(const struct go_parser *p)
{
	return p->at == p->len;
}

/* Is the node that was just made too large or too deep? */
must_check int check_limits(struct go_parser *p, uint32_t node);

/* Does the pattern go on with this text? */
bool looking_at(const struct go_parser *p, const char *text);

/* Read one character into *c; at the end it is U+FFFD, as in Go. */
must_check int read_character(struct go_parser *p, uint32_t *c);

/* Does text[from] to text[to] hold valid UTF-8 only? */
must_check int check_utf8(struct go_parser *p, size_t from, size_t to);

/* Where `c` stands next from here on, or len. */
size_t find_byte(const struct go_parser *p, char c);

/* Read an escape of a single character, such as \n, \x{e9}, \.; p->at is at the backslash. */
must_check int read_escape(struct go_parser *p, uint32_t *c);

/* A node to put into the innermost open group. */
void add_item(struct go_parser *p, uint32_t node);
void add_literal(struct go_parser *p, uint32_t c);

/* Read [...]; p->at is at the bracket. */
must_check int read_class(struct go_parser *p);

/* Read \pN, \p{Greek}, \d and the like where one stands: 1, 0 (nothing is read), or -1. */
must_check int read_class_escape(struct go_parser *p);

/* Read *, +, ? or {n,m}, which is a literal where it is no count. */
must_check int read_quantifier(struct go_parser *p, size_t previous);

#endif
