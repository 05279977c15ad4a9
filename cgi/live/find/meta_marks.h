/*
 * By what the meta-data files in the watched directories can be known again in a program: each has
 * the head of a package, with its hash, which stands in the read-only data of the program that
 * wrote it, byte for byte.
 */
#ifndef GOVERAGE_LIVE_FIND_META_MARKS_H
#define GOVERAGE_LIVE_FIND_META_MARKS_H

#include "cgi/live/go/memory_image.h"
#include "cgi/live/process/environment.h"

enum {
	META_MARKS_MAX = 64, /* the youngest ones */
	META_MARK_SIZE = 32, /* bytes: lengths, indices of strings, the hash */
	META_HEX_SIZE = 33,
	META_NAME_SIZE = 128,
};

struct meta_mark {
	char hex[META_HEX_SIZE]; /* of the file's name */
	uid_t owner;
	int64_t written_ns;		    /* unix nanoseconds */
	bool is_known;			    /* the file could be read */
	unsigned char head[META_MARK_SIZE]; /* of its last package, which is main */
	char name[META_NAME_SIZE];	    /* that go build gives the program; "" = not known */
};

struct meta_marks {
	struct meta_mark list[META_MARKS_MAX];
	unsigned n;
};

#define META_MARKS_INIT ((struct meta_marks){.n = 0})

/* Those of all directories.  -1: FAULT_REQUEST. */
must_check int meta_marks_read(struct meta_marks *marks, const struct watched_dirs *watched,
			       struct fault *fault);

/*
 * Find one in a part of a source of bytes, from `at` on.  *found is that mark, or NULL; memory that
 * is not there ends the search.  -1: FAULT_REQUEST.
 */
must_check int meta_marks_find(const struct meta_marks *marks, const struct memory *source,
			       uint64_t at, uint64_t n, const struct deadline *deadline,
			       const struct meta_mark **found, struct fault *fault);

/* The same in the read-only memory of a process.  -1: as memory_images_read(), too. */
must_check int meta_marks_find_in_process(const struct meta_marks *marks,
					  const struct process *process,
					  const struct memory *memory,
					  const struct deadline *deadline,
					  const struct meta_mark **found, struct fault *fault);

#endif
