/* Lines of a profile: the first line of the input is a pattern, the rest the profile. */
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>

#include "cgi/base/io.h"
#include "cgi/text/textfmt.h"

static void filter(const char *text, size_t len, struct path_filter *patterns)
{
	cleanup_textfmt struct textfmt profile = TEXTFMT_INIT;
	cleanup_profile_text struct profile_text *whole = NULL;
	cleanup_fd int fd = memfd_create("profile", MFD_CLOEXEC);
	struct error err = {0};
	size_t i, total = 0;

	fuzz_expect(fd >= 0 && io_write_full(fd, text, len) == 0);
	whole = profile_text_of_file(fd, &err);
	if (!whole || textfmt_take(&profile, whole, &err) < 0 ||
	    textfmt_filter(&profile, patterns, &err) < 0) {
		fuzz_expect(err.class == ERROR_INTERNAL || err.class == ERROR_OVER_BUDGET);
		return;
	}
	for (i = 0; i < profile.n_spans; i++) {
		const struct byte_span *span = &profile.spans[i];

		fuzz_expect(span->bytes >= whole->bytes && span->len > 0 &&
			    span->bytes + span->len <= whole->bytes + whole->len);
		fuzz_expect(span->bytes[span->len - 1] == '\n');
		total += span->len;
	}
	fuzz_expect(total == profile.total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct error ignored;
	static int started = -1;
	cleanup_string_list struct string_list skip = STRING_LIST_INIT, none = STRING_LIST_INIT;
	cleanup_path_filter struct path_filter *patterns = NULL;
	const char *text = (const char *)data;
	const char *end = size ? memchr(text, '\n', size) : NULL;

	if (started < 0)
		started = path_filter_start(&ignored);
	if (!end || started < 0 || string_list_add(&skip, text, (size_t)(end - text)) < 0)
		return 0;
	patterns = path_filter_new(&none, &skip, &ignored);
	if (patterns)
		filter(end + 1, size - (size_t)(end + 1 - text), patterns);
	return 0;
}
