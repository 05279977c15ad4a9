#include "cgi/covdata/covdata_words.h"

#include <stdio.h>
#include <string.h>

#include "cgi/base/utf8.h"

/* --- for a message --------------------------------------------------------------------------- */

/* Where the cause of a crash stands: the runtime prints it in front of the stacks of all
 * goroutines. */
static size_t find_crash(const char *said, size_t len)
{
	static const char *const heads[] = {
	    "panic: ", "fatal error: ", "unexpected fault address "};
	size_t at = 0, i;

	while (at < len) {
		const char *end = memchr(said + at, '\n', len - at);

		for (i = 0; i < sizeof heads / sizeof *heads; i++)
			if (len - at >= strlen(heads[i]) &&
			    memcmp(said + at, heads[i], strlen(heads[i])) == 0)
				return at;
		at = end ? (size_t)(end - said) + 1 : len;
	}
	return len;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void trim(const char **text, size_t *len)
{
	while (*len && is_blank((*text)[*len - 1]))
		--*len;
	while (*len && is_blank(**text)) {
		++*text;
		--*len;
	}
}

/* covdata prefixes some messages with "error: error: ". */
static void strip_error(const char **text, size_t *len)
{
	static const char head[] = "error: ";

	while (*len > sizeof head - 1 && memcmp(*text, head, sizeof head - 1) == 0) {
		*text += sizeof head - 1;
		*len -= sizeof head - 1;
	}
}

/* Runs of blanks and control characters become one space; bytes that are no UTF-8 become '?'. */
static void copy_as_line(const char *text, size_t len, char *out, size_t room)
{
	size_t used = 0, at = 0;

	while (at < len) {
		size_t n = utf8_decode(text + at, len - at, NULL);
		bool blank = n == 1 && ((unsigned char)text[at] <= ' ' || text[at] == 0x7f);
		const char *piece = blank ? " " : n ? text + at : "?";
		size_t piece_len = blank || !n ? 1 : n;

		at += n ? n : 1;
		if (blank && used && out[used - 1] == ' ')
			continue;
		if (used + piece_len >= room)
			break;
		memcpy(out + used, piece, piece_len);
		used += piece_len;
	}
	out[used] = '\0';
}

void covdata_last_words(const char *said, size_t len, char *out, size_t room)
{
	size_t crash = find_crash(said, len);

	if (crash < len) {
		said += crash;
		len -= crash;
	} else if (len >= room) {
		/* continuation bytes of a character that was cut in two are worth nothing */
		said += len - (room - 1);
		len = room - 1;
		while (len && ((unsigned char)*said & 0xc0) == 0x80) {
			said++;
			len--;
		}
	}
	trim(&said, &len);
	strip_error(&said, &len);
	if (len == 0) {
		said = "nothing on stderr";
		len = strlen(said);
	}
	copy_as_line(said, len, out, room);
}

/* --- staged paths ---------------------------------------------------------------------------- */

/* The first staged path in the text: where what follows "STAGE/" begins, or NULL. */
static const char *find_staged(const char *text, size_t len, const char *stage)
{
	size_t stage_len = strlen(stage);
	const char *at = text, *end = text + len;

	while ((at = memmem(at, (size_t)(end - at), stage, stage_len))) {
		at += stage_len;
		if (at < end && *at == '/')
			return at + 1;
	}
	return NULL;
}

/* The decimal index at text, which must end at a '/' or at what ends a path in a message. */
static size_t take_index(const char *text, const char *end, size_t *index)
{
	const char *at = text;

	for (*index = 0; at < end && *at >= '0' && *at <= '9' && at - text < 6; at++)
		*index = *index * 10 + (size_t)(*at - '0');
	if (at == text || (at < end && *at != '/' && *at != ':' && !is_blank(*at)))
		return 0;
	return (size_t)(at - text);
}

void covdata_unstage(const char *text, size_t len, const char *stage,
		     const struct string_list *dirs, struct buffer *out)
{
	const char *end = text + len, *staged;

	while ((staged = find_staged(text, (size_t)(end - text), stage))) {
		size_t index, digits = take_index(staged, end, &index);

		buffer_append(out, text, (size_t)(staged - text) - strlen(stage) - 1);
		text = staged;
		if (digits && index < dirs->n) {
			buffer_append(out, dirs->items[index].text, dirs->items[index].len);
			text += digits;
		}
	}
	buffer_append(out, text, (size_t)(end - text));
}

/* --- the complaint --------------------------------------------------------------------------- */

static bool contains(const char *text, size_t len, const char *what)
{
	return memmem(text, len, what, strlen(what)) != NULL;
}

/* Copy up to the first byte of `stops`, or the end; what follows, or NULL when it does not fit. */
static const char *take_until(const char *text, const char *end, const char *stops, char *out,
			      size_t room)
{
	size_t n = 0;

	while (text + n < end && !strchr(stops, text[n])) /* a NUL byte stops it too */
		n++;
	if (n == 0 || n >= room)
		return NULL;
	memcpy(out, text, n);
	out[n] = '\0';
	return text + n;
}

/* One line that names a file: "… STAGE/0/covmeta.x: unexpected EOF". */
static void read_line(const char *line, size_t len, const char *stage,
		      struct covdata_complaint *complaint)
{
	const char *end = line + len, *at = find_staged(line, len, stage);
	size_t name_len, reason_len;

	at = at ? take_until(at, end, "/", complaint->subdir, sizeof complaint->subdir) : NULL;
	if (!at || at == end)
		return;
	at = take_until(at + 1, end, " \t\n\f\r/", complaint->name, sizeof complaint->name);
	if (!at)
		return;
	/* no name has a blank in it, so a colon before one is the message's */
	name_len = strlen(complaint->name);
	if (name_len > 1 && complaint->name[name_len - 1] == ':')
		complaint->name[name_len - 1] = '\0';
	reason_len = (size_t)(end - at);
	trim(&at, &reason_len);
	copy_as_line(reason_len ? at : "can't be opened",
		     reason_len ? reason_len : strlen("can't be opened"), complaint->reason,
		     sizeof complaint->reason);
	complaint->fault = COVDATA_FAULT_FILE;
}

void covdata_complaint_parse(const char *said, size_t len, const char *stage,
			     struct covdata_complaint *complaint)
{
	static const char head[] = "error: ";
	size_t at = 0;

	*complaint = (struct covdata_complaint){.fault = COVDATA_FAULT_OTHER};
	while (at < len && complaint->fault == COVDATA_FAULT_OTHER) {
		const char *line = said + at, *stop = memchr(line, '\n', len - at);
		size_t n = stop ? (size_t)(stop - line) : len - at;

		at += n + 1;
		/* warnings go before; what is no error names no culprit */
		if (n < sizeof head || memcmp(line, head, sizeof head - 1) != 0)
			continue;
		if (contains(line, n, "clash while reading meta-data file") ||
		    contains(line, n, "merging counters: len(dst)="))
			complaint->fault = COVDATA_FAULT_CONFLICT;
		else
			read_line(line, n, stage, complaint);
	}
}
