#include "cgi/pattern/go_pattern_emit.h"

#include <string.h>

#include "cgi/base/utf8.h"

static bool is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

/*
 * Oniguruma takes `.*` for the beginning of the pattern, and stops after one place in a line, even
 * where an assertion stands before it.  A class is never taken so.
 */
void emit_any(struct emitter *e, const struct node *node)
{
	if (node->any_newline)
		buffer_puts(e->out, e->after_assertion ? "[\\x{0}-\\x{10ffff}]" : "\\O");
	else
		buffer_puts(e->out, e->after_assertion ? "[^\\x{a}]" : ".");
}

void emit_never(struct emitter *e)
{
	buffer_puts(e->out, "(?:\\z\\O)");
}

static void emit_code_point(struct emitter *e, uint32_t c)
{
	buffer_printf(e->out, "\\x{%x}", (unsigned)c);
}

void emit_literal(struct emitter *e, const struct node *node)
{
	const uint32_t c = node->character;
	char utf8[4];

	if (is_surrogate(c)) {
		emit_never(e);
	} else if (node->folded && case_counterpart(c) != c) {
		buffer_putc(e->out, '[');
		emit_code_point(e, c);
		emit_code_point(e, case_counterpart(c));
		buffer_putc(e->out, ']');
	} else if (c < ' ' || c == 0x7f) {
		emit_code_point(e, c);
	} else {
		if (c < 0x80 && strchr("\\^$.[]|()?*+{}", (int)c))
			buffer_putc(e->out, '\\');
		buffer_append(e->out, utf8, utf8_encode(c, utf8));
	}
}

static void emit_class_character(struct emitter *e, uint32_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		buffer_putc(e->out, (char)c);
	else
		emit_code_point(e, c);
}

static void emit_ranges(struct emitter *e, const struct code_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		emit_class_character(e, ranges[i].lo);
		if (ranges[i].hi == ranges[i].lo)
			continue;
		if (ranges[i].hi > ranges[i].lo + 1)
			buffer_putc(e->out, '-');
		emit_class_character(e, ranges[i].hi);
	}
}

/* The other case of what Oniguruma does not fold, see case_counterpart(). */
static void emit_folded_case(struct emitter *e, const char *property)
{
	if (strcmp(property, "Lu") == 0)
		buffer_puts(e->out, "\\x{df}");
	else if (strcmp(property, "Ll") == 0)
		buffer_puts(e->out, "\\x{1e9e}\\x{1f88}-\\x{1f8f}\\x{1f98}-\\x{1f9f}"
				    "\\x{1fa8}-\\x{1faf}\\x{1fbc}\\x{1fcc}\\x{1ffc}");
	else if (strcmp(property, "Lt") == 0)
		buffer_puts(e->out, "\\x{1f80}-\\x{1f87}\\x{1f90}-\\x{1f97}"
				    "\\x{1fa0}-\\x{1fa7}\\x{1fb3}\\x{1fc3}\\x{1ff3}");
}

/* A property within brackets. */
static void emit_property(struct emitter *e, const char *name, bool folded)
{
	if (strcmp(name, "C") == 0) /* Go's has no unassigned characters */
		buffer_puts(e->out, "\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}");
	else
		buffer_printf(e->out, "\\p{%s}", name);
	if (folded)
		emit_folded_case(e, name);
}

struct class_parts {
	const struct code_range *ranges;
	size_t n_ranges;
	const struct class_property *properties;
	size_t n_properties;
	size_t n_negated; /* of them */
};

static struct class_parts class_parts(const struct emitter *e, const struct node *node)
{
	struct class_parts parts = {
	    .n_ranges = node->class.n_ranges,
	    .n_properties = node->class.n_properties,
	};

	if (parts.n_ranges)
		parts.ranges = e->tree->ranges.ranges + node->class.first_range;
	if (parts.n_properties)
		parts.properties = e->tree->properties + node->class.first_property;
	for (size_t i = 0; i < parts.n_properties; i++)
		parts.n_negated += parts.properties[i].negated;
	return parts;
}

/* Everything but the negated properties, in brackets. */
static void emit_plain_part(struct emitter *e, const struct node *node,
			    const struct class_parts *parts, bool negated)
{
	buffer_puts(e->out, negated ? "[^" : "[");
	emit_ranges(e, parts->ranges, parts->n_ranges);
	for (size_t i = 0; i < parts->n_properties; i++)
		if (!parts->properties[i].negated)
			emit_property(e, parts->properties[i].name, node->folded);
	buffer_putc(e->out, ']');
}

static void emit_alone(struct emitter *e, const char *property, bool negated, bool folded)
{
	buffer_puts(e->out, negated ? "[^" : "[");
	emit_property(e, property, folded);
	buffer_putc(e->out, ']');
}

/*
 * A negated property among other members: Go ignores letter case first and negates then, Oniguruma
 * the other way round inside brackets.  So each negated one gets brackets of its own.
 */
static void emit_union(struct emitter *e, const struct node *node, const struct class_parts *parts)
{
	bool any = parts->n_ranges || parts->n_negated < parts->n_properties;

	buffer_puts(e->out, node->class.negated ? "(?:(?!" : "(?:");
	if (any)
		emit_plain_part(e, node, parts, false);
	for (size_t i = 0; i < parts->n_properties; i++) {
		if (!parts->properties[i].negated)
			continue;
		if (any)
			buffer_putc(e->out, '|');
		emit_alone(e, parts->properties[i].name, true, node->folded);
		any = true;
	}
	buffer_puts(e->out, node->class.negated ? ")\\O)" : ")");
}

void emit_class(struct emitter *e, const struct node *node)
{
	const struct class_parts parts = class_parts(e, node);

	if (parts.n_negated == 0)
		emit_plain_part(e, node, &parts, node->class.negated);
	else if (parts.n_properties == 1 && parts.n_ranges == 0)
		emit_alone(e, parts.properties[0].name, !node->class.negated, node->folded);
	else
		emit_union(e, node, &parts);
}
