#include "cgi/report/names.h"

#include <string.h>

#include "cgi/base/buffer.h"
#include "cgi/base/utf8.h"

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* What stands for the character: itself, or another. */
static uint32_t stand_in(uint32_t c, enum name_rules rules)
{
	switch (rules) {
	case NAMES_NO_COMMA:
		if (c == ',')
			return '?';
		__attribute__((fallthrough));
	case NAMES_LINE:
		return is_control(c) || c == 0x2028 || c == 0x2029 ? '?' : c;
	case NAMES_XML:
		return (c < 0x20 && !strchr("\t\r\n", (int)c)) || c == 0 || c == 0xfffe ||
			       c == 0xffff
			   ? 0xfffd
			   : c;
	case NAMES_JSON:
		break;
	}
	return c;
}

/* The next character as it is to be; *len: bytes of the name that it takes. */
static uint32_t next_character(struct string_ref name, size_t at, enum name_rules rules,
			       size_t *len)
{
	uint32_t c;

	*len = utf8_decode(name.text + at, name.len - at, &c);
	if (*len)
		return stand_in(c, rules);
	*len = 1;
	return 0xfffd;
}

/* Most names are plain letters. */
static bool is_clean(struct string_ref name, enum name_rules rules)
{
	size_t at;

	for (at = 0; at < name.len; at++) {
		unsigned char byte = (unsigned char)name.text[at];

		if (byte < 0x20 || byte >= 0x7f || (byte == ',' && rules == NAMES_NO_COMMA))
			return false;
	}
	return true;
}

int name_clean(struct string_ref *name, enum name_rules rules, struct string_list *copies,
	       struct error *err)
{
	cleanup_buffer struct buffer clean = BUFFER_INIT;
	size_t at, len;
	char bytes[4];

	if (is_clean(*name, rules))
		return 0;
	for (at = 0; at < name->len; at += len) {
		size_t n = utf8_encode(next_character(*name, at, rules, &len), bytes);

		buffer_append(&clean, bytes, n);
	}
	if (clean.failed || string_list_add(copies, buffer_str(&clean), clean.len) < 0)
		return error_no_memory(err);
	*name = (struct string_ref){copies->items[copies->n - 1].text, (uint32_t)clean.len};
	return 0;
}

size_t name_in_module(struct string_ref path, struct string_ref module)
{
	if (!module.len || path.len <= module.len + 1 || path.text[module.len] != '/' ||
	    memcmp(path.text, module.text, module.len) != 0)
		return 0;
	return module.len + 1;
}

bool name_ends_with(struct string_ref name, const char *end)
{
	size_t len = strlen(end);

	return name.len >= len && memcmp(name.text + name.len - len, end, len) == 0;
}
