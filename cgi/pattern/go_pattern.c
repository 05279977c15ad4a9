#include "cgi/pattern/go_pattern.h"

#include <string.h>

#include "cgi/pattern/go_pattern_emit.h"
#include "cgi/pattern/go_pattern_parse.h"

static struct open_group *innermost(struct go_parser *p)
{
	return &p->open[p->depth];
}

void add_item(struct go_parser *p, uint32_t node)
{
	node_chain_add(&p->tree, &innermost(p)->items, node);
}

void add_literal(struct go_parser *p, uint32_t c)
{
	add_item(p, node_literal(&p->tree, c, p->flags & FLAG_FOLD_CASE));
}

static void add_assertion(struct go_parser *p, enum assertion assertion)
{
	add_item(p, node_assertion(&p->tree, assertion));
}

int go_too_deep(struct go_parser *p)
{
	return error_set(p->err, ERROR_BAD_REQUEST,
			 "expression nests too deeply: more than %d levels", PATTERN_MAX_DEPTH);
}

int check_limits(struct go_parser *p, uint32_t node)
{
	const uint64_t size = node_at(&p->tree, node)->size;

	if (size > PATTERN_GO_MAX_SIZE)
		return go_fault(p, "expression too large", 0, p->len);
	if (size > PATTERN_MAX_SIZE)
		return error_set(p->err, ERROR_BAD_REQUEST,
				 "expression too large: with its repetitions written out it has "
				 "more than %d steps",
				 PATTERN_MAX_SIZE);
	return node_at(&p->tree, node)->depth > PATTERN_MAX_DEPTH ? go_too_deep(p) : 0;
}

static int open_group(struct go_parser *p, unsigned flags, bool captures)
{
	if (p->depth == PATTERN_MAX_DEPTH)
		return go_too_deep(p);
	p->depth++;
	*innermost(p) = (struct open_group){.outer_flags = p->flags, .captures = captures};
	p->flags = flags;
	return 0;
}

static void end_branch(struct go_parser *p)
{
	struct open_group *group = innermost(p);
	uint32_t branch = node_join(&p->tree, NODE_CONCAT, &group->items);

	node_chain_add(&p->tree, &group->branches, branch);
	group->items = (struct node_chain){0, 0};
}

/* The content of the innermost group, its last branch ended. */
static int finish_group(struct go_parser *p, uint32_t *content)
{
	end_branch(p);
	*content = node_join(&p->tree, NODE_ALTERNATE, &innermost(p)->branches);
	return check_limits(p, *content);
}

static int close_group(struct go_parser *p)
{
	uint32_t content;

	if (p->depth == 0)
		return go_fault(p, "unexpected )", 0, p->len);
	p->at++;
	if (finish_group(p, &content) < 0)
		return -1;
	node_at(&p->tree, content)->depth++;
	if (innermost(p)->captures)
		node_at(&p->tree, content)->size += 2;
	p->flags = innermost(p)->outer_flags;
	p->depth--;
	add_item(p, content);
	return 0;
}

static bool is_name(const char *name, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_";

	for (size_t i = 0; i < len; i++)
		if (!memchr(allowed, name[i], sizeof allowed - 1))
			return false;
	return len > 0;
}

/* (?P<name> or (?<name>, whose name begins `skip` bytes behind the parenthesis. */
static int open_named_group(struct go_parser *p, size_t skip)
{
	const size_t begin = p->at, from = begin + skip, end = find_byte(p, '>');

	if (end == p->len) {
		if (check_utf8(p, begin, p->len) < 0)
			return -1;
		return go_fault(p, "invalid named capture", begin, p->len);
	}
	if (check_utf8(p, from, end) < 0)
		return -1;
	if (!is_name(p->text + from, end - from))
		return go_fault(p, "invalid named capture", begin, end + 1);
	p->at = end + 1;
	return open_group(p, p->flags, true);
}

static unsigned flag_of(uint32_t c)
{
	return c == 'i'	  ? FLAG_FOLD_CASE
	       : c == 'm' ? FLAG_MULTI_LINE
	       : c == 's' ? FLAG_DOT_NEWLINE
	       : c == 'U' ? FLAG_UNGREEDY
			  : 0;
}

/* Flags behind (?, up to and with the : or ) that ends them: that character, or 0 if they are
 * bad. */
static int read_flags(struct go_parser *p, unsigned *flags, uint32_t *end)
{
	bool negative = false, dangling = false;
	uint32_t c;

	while (!at_end(p)) {
		if (read_character(p, &c) < 0)
			return -1;
		if (flag_of(c)) {
			*flags = negative ? *flags & ~flag_of(c) : *flags | flag_of(c);
			dangling = false;
		} else if (c == '-' && !negative) {
			negative = dangling = true;
		} else {
			*end = (c == ':' || c == ')') && !dangling ? c : 0;
			return 0;
		}
	}
	*end = 0;
	return 0;
}

/* What begins with (?: a named group, a group with flags, or flags for the rest of this group. */
static int read_question_group(struct go_parser *p)
{
	const size_t begin = p->at, left = p->len - begin;
	unsigned flags = p->flags;
	uint32_t end;

	if (left > 4 && looking_at(p, "(?P<"))
		return open_named_group(p, 4);
	if (left > 3 && looking_at(p, "(?<"))
		return open_named_group(p, 3);
	p->at += 2;
	if (read_flags(p, &flags, &end) < 0)
		return -1;
	if (!end)
		return go_fault(p, "invalid or unsupported Perl syntax", begin, p->at);
	if (end == ':')
		return open_group(p, flags, false);
	p->flags = flags;
	return 0;
}

static int read_parenthesis(struct go_parser *p)
{
	if (looking_at(p, "(?"))
		return read_question_group(p);
	p->at++;
	return open_group(p, p->flags, true);
}

/* \Q...\E: literal characters; without \E, to the end. */
static int read_quotation(struct go_parser *p)
{
	uint32_t c;
	size_t end;

	p->at += 2;
	for (end = p->at; end < p->len; end++)
		if (p->len - end >= 2 && p->text[end] == '\\' && p->text[end + 1] == 'E')
			break;
	if (check_utf8(p, p->at, end) < 0)
		return -1;
	while (p->at < end) {
		if (read_character(p, &c) < 0)
			return -1;
		add_literal(p, c);
	}
	if (end < p->len)
		p->at += 2;
	return 0;
}

/* A backslash and one letter that assert something: 1, or 0 and nothing read. */
static int read_assertion(struct go_parser *p)
{
	if (looking_at(p, "\\A"))
		add_assertion(p, ASSERT_TEXT_BEGIN);
	else if (looking_at(p, "\\z"))
		add_assertion(p, ASSERT_TEXT_END);
	else if (looking_at(p, "\\b"))
		add_assertion(p, ASSERT_WORD_BOUNDARY);
	else if (looking_at(p, "\\B"))
		add_assertion(p, ASSERT_NO_WORD_BOUNDARY);
	else
		return 0;
	p->at += 2;
	return 1;
}

static int read_backslash(struct go_parser *p)
{
	uint32_t c;
	int found;

	if (read_assertion(p))
		return 0;
	if (looking_at(p, "\\Q"))
		return read_quotation(p);
	found = read_class_escape(p);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (read_escape(p, &c) < 0)
		return -1;
	add_literal(p, c);
	return 0;
}

/* Read one character that stands for something by itself. */
static int read_single(struct go_parser *p)
{
	uint32_t c;

	if (read_character(p, &c) < 0)
		return -1;
	if (c == '|')
		end_branch(p);
	else if (c == '^')
		add_assertion(p,
			      p->flags & FLAG_MULTI_LINE ? ASSERT_LINE_BEGIN : ASSERT_TEXT_BEGIN);
	else if (c == '$')
		add_assertion(p, p->flags & FLAG_MULTI_LINE ? ASSERT_LINE_END : ASSERT_TEXT_END);
	else if (c == '.')
		add_item(p, node_any(&p->tree, p->flags & FLAG_DOT_NEWLINE));
	else
		add_literal(p, c);
	return 0;
}

static int read_next(struct go_parser *p)
{
	const size_t previous = p->quantifier;

	p->quantifier = NO_QUANTIFIER;
	switch (p->text[p->at]) {
	case '(':
		return read_parenthesis(p);
	case ')':
		return close_group(p);
	case '[':
		return read_class(p);
	case '\\':
		return read_backslash(p);
	case '*':
	case '+':
	case '?':
	case '{':
		return read_quantifier(p, previous);
	default:
		return read_single(p);
	}
}

/* Read the whole pattern; *root is its tree. */
static int parse(struct go_parser *p, uint32_t *root)
{
	while (!at_end(p)) {
		if (read_next(p) < 0)
			return -1;
		if (p->tree.failed)
			return error_no_memory(p->err);
	}
	if (p->depth)
		return go_fault(p, "missing closing )", 0, p->len);
	if (finish_group(p, root) < 0)
		return -1;
	return p->tree.failed ? error_no_memory(p->err) : 0;
}

static void free_parser(struct go_parser **parser)
{
	if (*parser)
		pattern_tree_free(&(*parser)->tree);
	free(*parser);
}

int go_pattern_translate(const char *pattern, size_t len, struct buffer *out, struct error *err)
{
	cleanup_with(free_parser) struct go_parser *p = calloc(1, sizeof *p);
	uint32_t root = 0;

	if (!p || pattern_tree_init(&p->tree) < 0)
		return error_no_memory(err);
	p->text = pattern;
	p->len = len;
	p->quantifier = NO_QUANTIFIER;
	p->err = err;
	if (parse(p, &root) < 0)
		return -1;
	pattern_tree_trim(&p->tree, root);
	return go_pattern_emit(&p->tree, root, out, err);
}
