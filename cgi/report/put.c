#include "cgi/report/put.h"

#include <stdio.h>

void put_number(struct text_out *out, uint64_t number)
{
	char digits[24];
	char *at;

	if (number <= UINT32_MAX) {
		at = text_out_room(out, DECIMAL_MAX);
		text_out_used(out, text_put_decimal(at, (uint32_t)number));
		return;
	}
	snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
	put_text(out, digits);
}

void put_signed(struct text_out *out, int64_t number)
{
	if (number < 0)
		put_text(out, "-");
	put_number(out, (uint64_t)(number < 0 ? -number : number));
}

void put_percent(struct text_out *out, struct share share)
{
	char text[SHARE_TEXT];

	share_percent(share, text);
	put_text(out, text);
}

void put_rate(struct text_out *out, struct share share)
{
	char text[SHARE_TEXT];

	share_rate(share, text);
	put_text(out, text);
}

void put_file(struct text_out *out, const struct report_options *options,
	      const struct outline_file *file, put_string *put)
{
	const struct string_list *prefix = &options->prefix;

	if (prefix->n && file->in_module)
		put(out,
		    (struct string_ref){prefix->items[0].text, (uint32_t)prefix->items[0].len});
	put(out, file->name);
}

/* Write the text with other words for some bytes; word() gives NULL for those that stay. */
static void put_escaped(struct text_out *out, struct string_ref text,
			const char *(*word)(unsigned char byte))
{
	uint32_t from = 0, at;

	for (at = 0; at < text.len; at++) {
		const char *instead = word((unsigned char)text.text[at]);

		if (!instead)
			continue;
		text_out_bytes(out, text.text + from, at - from);
		put_text(out, instead);
		from = at + 1;
	}
	text_out_bytes(out, text.text + from, text.len - from);
}

static const char *xml_word(unsigned char byte)
{
	switch (byte) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	}
	return NULL;
}

void put_xml(struct text_out *out, struct string_ref text)
{
	put_escaped(out, text, xml_word);
}

/* Control characters, and what would end a script element that somebody puts it into. */
static const char *json_word(unsigned char byte)
{
	static const char *const controls[32] = {
	    "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007",
	    "\\b",     "\\t",	  "\\n",     "\\u000b", "\\f",	   "\\r",     "\\u000e", "\\u000f",
	    "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017",
	    "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
	};

	if (byte < 32)
		return controls[byte];
	switch (byte) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '<':
		return "\\u003c";
	case 0x7f:
		return "\\u007f";
	}
	return NULL;
}

void put_json(struct text_out *out, struct string_ref text)
{
	put_escaped(out, text, json_word);
}

void put_function(struct text_out *out, const struct outline_function *function, put_string *put)
{
	put(out, function->name);
	if (!function->repeats)
		return;
	put_text(out, "@");
	put_number(out, function->line);
	put_text(out, ".");
	put_number(out, function->column);
}
