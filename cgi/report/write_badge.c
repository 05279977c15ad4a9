/* A badge: a label and the percentage, as SVG that needs nothing from outside. */
#include "cgi/base/utf8.h"
#include "cgi/report/put.h"
#include "cgi/report/writers.h"

enum {
	LETTER = 7, /* pixels that a letter of 11 pixels takes, roughly; textLength does the rest */
	MARGIN = 10,
};

static const char *colour(struct share share)
{
	static const char *const colours[] = {"#b83f2f", "#a8671b", "#7a7a16", "#5d7f17",
					      "#2f7d1f"};
	uint64_t tenth;

	if (!share.total)
		return "#6a6a6a";
	tenth = share_of(share, 10);
	return colours[tenth < 5 ? 0 : tenth < 7 ? 1 : tenth < 8 ? 2 : tenth < 9 ? 3 : 4];
}

static uint64_t letters(struct string_ref text)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < text.len; i++)
		n += ((unsigned char)text.text[i] & 0xc0) != 0x80;
	return n;
}

static void put_box(struct text_out *out, uint64_t x, uint64_t width, const char *fill)
{
	put_text(out, "<rect x=\"");
	put_number(out, x);
	put_text(out, "\" width=\"");
	put_number(out, width);
	put_text(out, "\" height=\"20\" fill=\"");
	put_text(out, fill);
	put_text(out, "\"/>");
}

static void put_words(struct text_out *out, uint64_t x, struct string_ref text)
{
	put_text(out, "<text y=\"14\" x=\"");
	put_number(out, x + MARGIN);
	put_text(out, "\" textLength=\"");
	put_number(out, letters(text) * LETTER);
	put_text(out, "\">");
	put_xml(out, text);
	put_text(out, "</text>");
}

void write_badge(struct report *report, struct text_out *out)
{
	const struct string_list *own = &report->options.label;
	struct string_ref label = {"coverage", 8}, value;
	char percent[SHARE_TEXT + 1];
	uint64_t left, right;

	if (own->n)
		label = (struct string_ref){own->items[0].text, (uint32_t)own->items[0].len};
	share_percent(report->outline.statements, percent);
	if (report->outline.statements.total)
		strcat(percent, "%");
	value = (struct string_ref){percent, (uint32_t)strlen(percent)};
	left = letters(label) * LETTER + 2 * MARGIN;
	right = letters(value) * LETTER + 2 * MARGIN;
	put_text(out,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" height=\"20\" width=\"");
	put_number(out, left + right);
	put_text(out, "\"><title>");
	put_xml(out, label);
	put_text(out, ": ");
	put_text(out, percent);
	put_text(out, "</title>");
	put_box(out, 0, left, "#444444");
	put_box(out, left, right, colour(report->outline.statements));
	put_text(out, "<g fill=\"#ffffff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" "
		      "font-size=\"11\">");
	put_words(out, 0, label);
	put_words(out, left, value);
	put_text(out, "</g></svg>\n");
}
