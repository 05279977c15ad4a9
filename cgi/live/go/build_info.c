#include "cgi/live/go/build_info.h"

#include <string.h>

enum {
	HEADER_SIZE = 32,
	ALIGNMENT = 16,
	AT_FLAGS = 15,
	FLAG_INLINE = 2, /* the strings follow the header (Go 1.18 and later) */
	SENTINEL = 16,	 /* bytes around the module information */
	SECTION_MAX = 1 << 20,
	SEARCH_MAX = 64 << 20,	   /* of a file whose headers are not understood */
	DATA_START_MAX = 64 << 10, /* of a file without section headers */
	CHUNK = 64 << 10,
};

static const char magic[] = "\xff Go buildinf:";

/* Decode one string in front of *at; its start, or NULL. */
static const char *next_string(const unsigned char *data, size_t len, size_t *at,
			       size_t *string_len)
{
	uint64_t n = 0;
	unsigned shift = 0;
	const char *start;

	do {
		if (*at >= len || shift > 28)
			return NULL;
		n |= (uint64_t)(data[*at] & 0x7f) << shift;
		shift += 7;
	} while (data[(*at)++] & 0x80);
	if (n > len - *at)
		return NULL;
	start = (const char *)data + *at;
	*string_len = (size_t)n;
	*at += (size_t)n;
	return start;
}

/* Keep a copy in *field, once.  -1 when memory runs out. */
static int keep(char **field, const char *text, size_t len)
{
	if (*field || len == 0)
		return 0;
	*field = strndup(text, len);
	return *field ? 0 : -1;
}

struct line {
	const char *text;
	size_t len;
};

/* Is it "key..." ?  What follows the key, or NULL. */
static const char *after(const struct line *line, const char *key, size_t *len)
{
	size_t n = strlen(key);

	if (line->len < n || memcmp(line->text, key, n) != 0)
		return NULL;
	*len = line->len - n;
	return line->text + n;
}

/* "mod TAB path TAB version TAB sum" */
static int parse_module(struct build_info *info, const char *text, size_t len)
{
	const char *tab = memchr(text, '\t', len);
	size_t path_len = tab ? (size_t)(tab - text) : len;
	const char *version, *end;

	if (keep(&info->module_path, text, path_len) < 0)
		return -1;
	if (!tab)
		return 0;
	version = tab + 1;
	len -= path_len + 1;
	end = memchr(version, '\t', len);
	return keep(&info->module_version, version, end ? (size_t)(end - version) : len);
}

static int parse_line(struct build_info *info, const struct line *line)
{
	const char *value;
	size_t len;

	if ((value = after(line, "path\t", &len)))
		return keep(&info->main_path, value, len);
	if ((value = after(line, "mod\t", &len)))
		return parse_module(info, value, len);
	if ((value = after(line, "build\tvcs.revision=", &len)))
		return keep(&info->vcs_revision, value, len);
	if ((value = after(line, "build\tGOARCH=", &len)))
		return keep(&info->goarch, value, len);
	if (after(line, "build\tvcs.modified=true", &len))
		info->vcs_modified = true;
	if (after(line, "build\t-cover=true", &len) && len == 0)
		info->cover = true;
	return 0;
}

int build_info_parse(struct build_info *info, const char *text, size_t len, struct fault *fault)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		struct line line = {text, end ? (size_t)(end - text) : len};
		size_t used = line.len + (end ? 1 : 0);

		if (parse_line(info, &line) < 0)
			return fault_no_memory(fault);
		text += used;
		len -= used;
	}
	return 0;
}

/* The bytes begin with the header. */
static int parse_block(struct build_info *info, const unsigned char *data, size_t len,
		       struct fault *fault)
{
	const char *version, *module;
	size_t at = HEADER_SIZE, version_len, module_len;

	if (len < HEADER_SIZE || memcmp(data, magic, sizeof magic - 1) != 0 ||
	    !(data[AT_FLAGS] & FLAG_INLINE))
		return 0;
	version = next_string(data, len, &at, &version_len);
	if (!version)
		return 0;
	if (keep(&info->go_version, version, version_len) < 0)
		return fault_no_memory(fault);
	module = next_string(data, len, &at, &module_len);
	if (!module || module_len < 2 * SENTINEL)
		return 0;
	return build_info_parse(info, module + SENTINEL, module_len - 2 * SENTINEL, fault);
}

static int read_block(struct build_info *info, const struct memory *file, uint64_t at, size_t n,
		      struct fault *fault)
{
	cleanup_free unsigned char *data = malloc(n ? n : 1);
	struct fault unreadable = FAULT_INIT;

	if (!data)
		return fault_no_memory(fault);
	if (memory_read(file, at, data, n, &unreadable) < 0)
		return 0;
	return parse_block(info, data, n, fault);
}

/* As much of a block at `at` as there may be before `end`. */
static size_t block_size(uint64_t at, uint64_t end)
{
	uint64_t n = end > at ? end - at : 0;

	return n < SECTION_MAX ? (size_t)n : SECTION_MAX;
}

/* Look for the header in n bytes; its offset, or n. */
static size_t find_magic(const unsigned char *data, size_t n)
{
	size_t at;

	for (at = 0; at + HEADER_SIZE <= n; at += ALIGNMENT)
		if (memcmp(data + at, magic, sizeof magic - 1) == 0)
			return at;
	return n;
}

static int search_data(struct build_info *info, const struct elf *elf, const struct memory *file,
		       struct fault *fault)
{
	struct fault unreadable = FAULT_INIT;
	cleanup_free unsigned char *data = NULL;
	unsigned i;

	for (i = 0; i < elf->n_loads && !elf->loads[i].writable; i++)
		;
	if (i < elf->n_loads) {
		const struct elf_segment *s = &elf->loads[i];
		size_t n = s->file_size < DATA_START_MAX ? (size_t)s->file_size : DATA_START_MAX,
		       at;

		data = malloc(n ? n : 1);
		if (!data)
			return fault_no_memory(fault);
		if (memory_read(file, s->offset, data, n, &unreadable) < 0)
			return 0;
		at = find_magic(data, n);
		if (at < n)
			return read_block(info, file, s->offset + at, block_size(at, s->file_size),
					  fault);
	}
	return 0;
}

int build_info_read(struct build_info *info, const struct elf *elf, const struct memory *file,
		    struct fault *fault)
{
	if (elf->build_info.vaddr)
		return read_block(info, file, elf->build_info.offset,
				  block_size(0, elf->build_info.size), fault);
	if (elf->has_sections)
		return 0;
	return search_data(info, elf, file, fault);
}

/* A block of unknown size: as much as can be read, from SECTION_MAX down. */
static int read_block_before_end(struct build_info *info, const struct memory *file, uint64_t at,
				 struct fault *fault)
{
	size_t n;

	for (n = SECTION_MAX; n >= HEADER_SIZE && !info->go_version; n /= 2)
		if (read_block(info, file, at, n, fault) < 0)
			return -1;
	return 0;
}

int build_info_search(struct build_info *info, const struct memory *file,
		      const struct deadline *deadline, struct fault *fault)
{
	cleanup_free unsigned char *data = malloc(CHUNK);
	struct fault end = FAULT_INIT;
	uint64_t at;

	if (!data)
		return fault_no_memory(fault);
	for (at = 0; at < SEARCH_MAX; at += CHUNK) {
		size_t found;

		if (fault_check_deadline(deadline, fault) < 0)
			return -1;
		if (memory_read(file, at, data, CHUNK, &end) < 0)
			return 0;
		found = find_magic(data, CHUNK);
		if (found < CHUNK)
			return read_block_before_end(info, file, at + found, fault);
	}
	return 0;
}

void build_info_free(struct build_info *info)
{
	free(info->go_version);
	free(info->main_path);
	free(info->module_path);
	free(info->module_version);
	free(info->vcs_revision);
	free(info->goarch);
	*info = BUILD_INFO_INIT;
}
