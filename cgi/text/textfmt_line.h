/* The lines of the text format: "mode: MODE", FILE:START_LINE.COLUMN,END_LINE.COLUMN STATEMENTS
 * COUNT */
#ifndef GOVERAGE_TEXT_TEXTFMT_LINE_H
#define GOVERAGE_TEXT_TEXTFMT_LINE_H

#include "cgi/format/string_table.h"
#include "cgi/format/unit_order.h"
#include "cgi/text/text_out.h"

enum {
	/* a line behind its file name: ":1.2,3.4 5 6\n", six numbers */
	TEXTFMT_TAIL_MAX = 6 * DECIMAL_MAX + 7,
};

/* Bytes of the mode line. */
static inline size_t textfmt_mode_length(const char *mode)
{
	return strlen("mode: \n") + strlen(mode);
}

static inline void textfmt_write_mode(const char *mode, struct text_out *out)
{
	text_out_bytes(out, "mode: ", 6);
	text_out_bytes(out, mode, strlen(mode));
	text_out_bytes(out, "\n", 1);
}

/* Bytes of the whole line of a unit. */
static inline size_t textfmt_line_length(size_t file_len, const struct covunit *unit,
					 uint32_t count)
{
	return file_len + strlen(":.,.  \n") + text_decimal_length(unit->start_line) +
	       text_decimal_length(unit->start_column) + text_decimal_length(unit->end_line) +
	       text_decimal_length(unit->end_column) + text_decimal_length(unit->statements) +
	       text_decimal_length(count);
}

/* Everything before the count, a blank at its end, for which there is room; returns where it
 * ends. */
static inline char *textfmt_put_block(char *at, struct string_ref file, const struct covunit *unit)
{
	at = text_put_bytes(at, file.text, file.len);
	*at++ = ':';
	at = text_put_decimal(at, unit->start_line);
	*at++ = '.';
	at = text_put_decimal(at, unit->start_column);
	*at++ = ',';
	at = text_put_decimal(at, unit->end_line);
	*at++ = '.';
	at = text_put_decimal(at, unit->end_column);
	*at++ = ' ';
	at = text_put_decimal(at, unit->statements);
	*at++ = ' ';
	return at;
}

#endif
