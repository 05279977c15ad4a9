#include "cgi/text/profile_text.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char mode_word[] = "mode: ";

/* A text of `room` bytes of the file, or of memory where fd is -1. */
static struct profile_text *map(size_t room, int fd, struct error *err)
{
	struct profile_text *text = calloc(1, sizeof *text);
	/* all at once: the text is written, or sent, from end to end */
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE : MAP_SHARED | MAP_POPULATE;

	if (!text) {
		error_no_memory(err);
		return NULL;
	}
	atomic_init(&text->users, 1);
	atomic_init(&text->files, NULL);
	if (!room)
		return text;
	text->bytes = mmap(NULL, room, fd < 0 ? PROT_READ | PROT_WRITE : PROT_READ, flags, fd, 0);
	if (text->bytes == MAP_FAILED) {
		free(text);
		error_errno(err, ERROR_INTERNAL, errno, "mapping a profile of %zu bytes", room);
		return NULL;
	}
	text->room = room;
	return text;
}

struct profile_text *profile_text_new(size_t room, struct error *err)
{
	return map(room, -1, err);
}

struct profile_text *profile_text_of_file(int fd, struct error *err)
{
	cleanup_profile_text struct profile_text *text = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		error_errno(err, ERROR_INTERNAL, errno, "reading the profile");
		return NULL;
	}
	text = map((size_t)st.st_size, fd, err);
	if (!text)
		return NULL;
	text->len = text->room;
	if (text->len && (text->len < sizeof mode_word ||
			  memcmp(text->bytes, mode_word, sizeof mode_word - 1) != 0 ||
			  text->bytes[text->len - 1] != '\n')) {
		error_set(err, ERROR_INTERNAL,
			  "covdata wrote something that is no whole textfmt profile");
		return NULL;
	}
	return steal_ptr(text);
}

void profile_text_rewrite(struct profile_text *text)
{
	file_index_free(atomic_exchange(&text->files, NULL));
}

const struct file_index *profile_text_files(struct profile_text *text, struct error *err)
{
	struct file_index *made, *there = atomic_load(&text->files);

	if (there)
		return there;
	made = file_index_make(text->bytes, text->len, err);
	/* whoever was first has made the same */
	if (!made || atomic_compare_exchange_strong(&text->files, &there, made))
		return made;
	file_index_free(made);
	return there;
}

bool profile_text_has_twins(const struct profile_text *text)
{
	const char *at = text->bytes, *end = at + text->len, *last = NULL;
	size_t last_len = 0;

	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		const char *count = line_end ? memrchr(at, ' ', (size_t)(line_end - at)) : NULL;
		size_t len = count ? (size_t)(count - at) : 0;

		if (len && len == last_len && memcmp(at, last, len) == 0)
			return true;
		last = at;
		last_len = len;
		at = line_end ? line_end + 1 : end;
	}
	return false;
}

struct profile_text *profile_text_use(struct profile_text *text)
{
	atomic_fetch_add(&text->users, 1);
	return text;
}

void profile_text_release(struct profile_text *text)
{
	if (!text || atomic_fetch_sub(&text->users, 1) != 1)
		return;
	if (text->bytes)
		munmap(text->bytes, text->room);
	file_index_free(atomic_load(&text->files));
	free(text);
}
