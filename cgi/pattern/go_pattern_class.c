#include "cgi/pattern/go_pattern_parse.h"

#include "cgi/pattern/go_pattern_names.h"

/* A class while it is read. */
struct class
{
	struct code_set set;
	struct class_property *properties; /* owned */
	uint32_t n, cap;
	bool negated;
};

#define CLASS_INIT ((struct class){.set = CODE_SET_INIT})

static void class_free(struct class *class)
{
	code_set_free(&class->set);
	free(class->properties);
}

static bool folds(const struct go_parser *p)
{
	return p->flags & FLAG_FOLD_CASE;
}

static int invalid_range(struct go_parser *p, size_t from)
{
	return go_fault(p, "invalid character class range", from, p->at);
}

static void add_property(struct class *class, const char *name, bool negated)
{
	uint32_t cap = class->cap ? 2 * class->cap : 4;
	struct class_property *properties;

	if (class->n == class->cap) {
		properties = realloc(class->properties, cap * sizeof *properties);
		if (!properties) {
			class->set.failed = true;
			return;
		}
		class->properties = properties;
		class->cap = cap;
	}
	class->properties[class->n++] = (struct class_property){name, negated};
}

static void add_unicode(struct class *class, const char *name, bool negated)
{
	const struct code_range *ranges;
	size_t n = unicode_class_ranges(name, &ranges);

	if (n == 0)
		add_property(class, name, negated);
	else if (negated)
		code_set_add_complement(&class->set, ranges, n);
	else
		code_set_add_all(&class->set, ranges, n);
}

/* Letter case is folded first, then the class is negated. */
static void add_ascii(const struct go_parser *p, struct class *class,
		      const struct code_range *ranges, size_t n, bool negated)
{
	if (!negated)
		code_set_add_all(&class->set, ranges, n);
	else if (folds(p))
		code_set_add_folded_complement(&class->set, ranges, n);
	else
		code_set_add_complement(&class->set, ranges, n);
}

/* The name in \pN or \p{Name}: where it stands; p->at is moved behind the whole. */
static int read_unicode_name(struct go_parser *p, size_t *from, size_t *to)
{
	const size_t begin = p->at;
	uint32_t c;

	p->at += 2;
	*from = p->at;
	if (read_character(p, &c) < 0)
		return -1;
	*to = p->at;
	if (c != '{')
		return 0;
	*from = p->at;
	*to = find_byte(p, '}');
	if (*to == p->len) {
		if (check_utf8(p, begin, p->len) < 0)
			return -1;
		p->at = p->len;
		return invalid_range(p, begin);
	}
	p->at = *to + 1;
	return check_utf8(p, *from, *to);
}

/* \pN, \p{Name}, \P{Name}, \p{^Name}; p->at is at the backslash. */
static int read_unicode(struct go_parser *p, struct class *class)
{
	const size_t begin = p->at;
	bool negated = p->text[begin + 1] == 'P';
	size_t from, to;
	const char *name;

	if (read_unicode_name(p, &from, &to) < 0)
		return -1;
	if (from < to && p->text[from] == '^') {
		negated = !negated;
		from++;
	}
	name = unicode_class_name(p->text + from, to - from);
	if (!name)
		return invalid_range(p, begin);
	add_unicode(class, name, negated);
	return 1;
}

/* \d, \D and the like; 1 or 0. */
static int read_perl(struct go_parser *p, struct class *class)
{
	const char letter = p->text[p->at + 1];
	const struct code_range *ranges;
	size_t n;

	n = perl_class((char)(letter | 0x20), &ranges);
	if (n == 0)
		return 0;
	add_ascii(p, class, ranges, n, letter < 'a');
	p->at += 2;
	return 1;
}

/* A class in one escape, inside brackets or outside: 1, 0 (nothing is read), or -1. */
static int read_escape_into(struct go_parser *p, struct class *class)
{
	if (p->len - p->at < 2 || p->text[p->at] != '\\')
		return 0;
	if ((p->text[p->at + 1] | 0x20) == 'p')
		return read_unicode(p, class);
	return read_perl(p, class);
}

/* [:name:] or [:^name:] inside brackets: 1, 0 (nothing is read), or -1. */
static int read_posix(struct go_parser *p, struct class *class)
{
	const size_t begin = p->at;
	const struct code_range *ranges;
	size_t from = begin + 2, to = from, n;
	bool negated;

	if (p->len - begin < 3 || !looking_at(p, "[:"))
		return 0;
	while (to + 1 < p->len && !(p->text[to] == ':' && p->text[to + 1] == ']'))
		to++;
	if (to + 1 >= p->len)
		return 0;
	p->at = to + 2;
	negated = from < to && p->text[from] == '^';
	from += negated;
	n = posix_class(p->text + from, to - from, &ranges);
	if (n == 0)
		return invalid_range(p, begin);
	add_ascii(p, class, ranges, n, negated);
	return 1;
}

static int read_class_character(struct go_parser *p, size_t bracket, uint32_t *c)
{
	if (at_end(p))
		return go_fault(p, "missing closing ]", bracket, p->len);
	return p->text[p->at] == '\\' ? read_escape(p, c) : read_character(p, c);
}

/* A character, or a range of them. */
static int read_range(struct go_parser *p, struct class *class, size_t bracket)
{
	const size_t begin = p->at;
	uint32_t lo, hi;

	if (read_class_character(p, bracket, &lo) < 0)
		return -1;
	hi = lo;
	if (p->len - p->at >= 2 && p->text[p->at] == '-' && p->text[p->at + 1] != ']') {
		p->at++;
		if (read_class_character(p, bracket, &hi) < 0)
			return -1;
		if (hi < lo)
			return invalid_range(p, begin);
	}
	code_set_add(&class->set, lo, hi);
	return 0;
}

static int read_class_item(struct go_parser *p, struct class *class, size_t bracket)
{
	int found = read_posix(p, class);

	if (found == 0)
		found = read_escape_into(p, class);
	if (found == 0)
		return read_range(p, class, bracket);
	return found < 0 ? -1 : 0;
}

static void add_class(struct go_parser *p, struct class *class)
{
	if (folds(p))
		code_set_add_counterparts(&class->set);
	code_set_normalize(&class->set);
	p->tree.failed |= class->set.failed;
	add_item(p, node_class(&p->tree, &class->set, class->properties, class->n, class->negated,
			       folds(p)));
}

int read_class(struct go_parser *p)
{
	cleanup_with(class_free) struct class class = CLASS_INIT;
	const size_t bracket = p->at++;
	bool first = true;

	class.negated = looking_at(p, "^");
	p->at += class.negated;
	while (at_end(p) || p->text[p->at] != ']' || first) {
		first = false;
		if (read_class_item(p, &class, bracket) < 0)
			return -1;
	}
	p->at++;
	add_class(p, &class);
	return 0;
}

int read_class_escape(struct go_parser *p)
{
	cleanup_with(class_free) struct class class = CLASS_INIT;
	int found = read_escape_into(p, &class);

	if (found == 1)
		add_class(p, &class);
	return found;
}
