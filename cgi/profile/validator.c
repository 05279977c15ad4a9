#include "cgi/profile/validator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cgi/base/hash.h"

static uint64_t mix_list(uint64_t hash, const struct string_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		uint64_t len = list->items[i].len;

		hash = hash_bytes(hash, &len, sizeof len);
		hash = hash_bytes(hash, list->items[i].text, list->items[i].len);
	}
	return hash_bytes(hash, "|", 1);
}

/* Go's own text format takes none of the options, and has the ETag that it always had. */
static bool is_report(const struct query *query)
{
	return query->format.n && strcmp(query->format.items[0].text, "text") != 0;
}

static uint64_t mix_report(uint64_t hash, const struct query *query)
{
	hash = mix_list(hash, &query->format);
	hash = mix_list(hash, &query->module);
	hash = mix_list(hash, &query->prefix);
	hash = mix_list(hash, &query->paths);
	hash = mix_list(hash, &query->partial);
	hash = mix_list(hash, &query->test);
	hash = mix_list(hash, &query->label);
	hash = hash_bytes(hash, &query->methods, sizeof query->methods);
	return mix_list(hash, &query->fail_under);
}

uint64_t validator_fingerprint(const struct query *query)
{
	uint64_t hash = HASH_START;

	hash = mix_list(hash, &query->cover_file);
	hash = mix_list(hash, &query->skip_file);
	hash = mix_list(hash, &query->since);
	return is_report(query) ? mix_report(hash, query) : hash;
}

uint64_t validator_files_fingerprint(const struct query *query)
{
	uint64_t hash = HASH_START;

	hash = mix_list(hash, &query->cover_file);
	hash = mix_list(hash, &query->skip_file);
	hash = mix_list(hash, &query->module);
	hash = mix_list(hash, &query->prefix);
	return mix_list(hash, &query->paths);
}

void validator_format(char out[VALIDATOR_MAX], const char *digest, uint64_t fingerprint)
{
	snprintf(out, VALIDATOR_MAX, "\"%.*s-%016" PRIx64 "\"", VALIDATOR_DIGEST, digest,
		 fingerprint);
}

/* Where the ETag proper begins: behind W/ and the quote. */
static const char *skip_marks(const char *text)
{
	text += strspn(text, " \t,");
	if (strncmp(text, "W/", 2) == 0)
		text += 2;
	return *text == '"' ? text + 1 : text;
}

bool validator_matches(const char *if_none_match, const char *etag)
{
	const char *own = etag + 1;
	size_t len = strcspn(own, "\"");

	while (*(if_none_match += strspn(if_none_match, " \t,"))) {
		const char *tag = skip_marks(if_none_match);

		if (*tag == '*' || (strncmp(tag, own, len) == 0 && strchr("\"-,", tag[len])))
			return true;
		if_none_match += strcspn(if_none_match, ",");
	}
	return false;
}

int validator_parse(const char *text, char out[VALIDATOR_DIGEST + 1])
{
	const char *digest = skip_marks(text);

	if (strspn(digest, "0123456789abcdef") != VALIDATOR_DIGEST)
		return -1;
	if (!strchr("-\" \t", digest[VALIDATOR_DIGEST]))
		return -1;
	memcpy(out, digest, VALIDATOR_DIGEST);
	out[VALIDATOR_DIGEST] = '\0';
	return 0;
}
