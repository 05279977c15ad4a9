/* Pieces of text that several formats have. */
#ifndef GOVERAGE_REPORT_PUT_H
#define GOVERAGE_REPORT_PUT_H

#include <stdint.h>
#include <string.h>

#include "cgi/format/string_table.h"
#include "cgi/report/outline.h"
#include "cgi/report/share.h"
#include "cgi/text/text_out.h"

static inline void put_text(struct text_out *out, const char *text)
{
	text_out_bytes(out, text, strlen(text));
}

static inline void put_ref(struct text_out *out, struct string_ref ref)
{
	text_out_bytes(out, ref.text, ref.len);
}

void put_number(struct text_out *out, uint64_t number);
void put_signed(struct text_out *out, int64_t number);

/* See share_percent() and share_rate(). */
void put_percent(struct text_out *out, struct share share);
void put_rate(struct text_out *out, struct share share);

/* The name of a file as it is, in the text of an XML attribute, inside of a JSON string; with its
 * prefix where it has one. */
typedef void put_string(struct text_out *out, struct string_ref text);
void put_file(struct text_out *out, const struct report_options *options,
	      const struct outline_file *file, put_string *put);

/* In an XML attribute or between tags: clean by NAMES_XML. */
void put_xml(struct text_out *out, struct string_ref text);

/* Inside of a JSON string, without its quotes: clean by NAMES_JSON. */
void put_json(struct text_out *out, struct string_ref text);

/* NAME, or NAME@LINE.COLUMN where its file has another one of this name. */
void put_function(struct text_out *out, const struct outline_function *function, put_string *put);

#endif
