#include "cgi/live/go/registration.h"

#include <string.h>

#include "cgi/format/coverage_format.h"

enum {
	WORD = 8,
	HEAD_SIZE = 24, /* pointer, length, capacity */
	ENTRY_SIZE = 64,
	ENTRY_BLOB = 0,
	ENTRY_LEN = 8,
	ENTRY_HASH = 12,
	ENTRY_HARD_ID = 48,
	ENTRY_MODE = 56,
	ENTRY_GRANULARITY = 57,
	LOWEST_ADDRESS = 4096,
	CHUNK = 256 << 10,
	SEARCH_MAX = 64 << 20, /* bytes of bss */
	PROBES_MAX = 1 << 20,  /* places that look like the head of a slice */
	LISTS_MAX = 64,	       /* places whose first entry is good, too */
};

struct search {
	struct registration *found;
	const struct registration *known; /* NULL = none */
	uint64_t bias;
	const struct memory *process;
	unsigned probes, lists;
	struct fault *fault;
};

/* 1 = a good entry; the place for the blob is not set yet. */
static int parse_entry(const unsigned char *entry, struct registered_package *package)
{
	*package = (struct registered_package){
	    .blob_address = le64(entry + ENTRY_BLOB),
	    .blob_len = le32(entry + ENTRY_LEN),
	    .hard_id = (int64_t)le64(entry + ENTRY_HARD_ID),
	    .mode = entry[ENTRY_MODE],
	    .granularity = entry[ENTRY_GRANULARITY],
	};
	memcpy(package->hash, entry + ENTRY_HASH, sizeof package->hash);
	return package->blob_len >= COVBLOB_HEADER_SIZE &&
	       package->blob_len <= REGISTRATION_MAX_BLOB && package->mode >= COUNTER_MODE_SET &&
	       package->mode <= COUNTER_MODE_TESTMAIN &&
	       package->granularity >= GRANULARITY_PERBLOCK &&
	       package->granularity <= GRANULARITY_PERFUNC;
}

static bool blob_matches(const unsigned char *entry, const unsigned char *blob)
{
	return memcmp(blob + COVBLOB_AT_LENGTH, entry + ENTRY_LEN, 4) == 0 &&
	       memcmp(blob + COVBLOB_AT_HASH, entry + ENTRY_HASH, COVERAGE_HASH_SIZE) == 0;
}

/* The result of a read where nothing mapped only means that it is not there: 1 read, 0 not, -1. */
static int look(const struct search *search, uint64_t at, void *out, size_t n)
{
	if (memory_read(search->process, at, out, n, search->fault) == 0)
		return 1;
	return search->fault->kind == FAULT_UNMAPPED ? 0 : -1;
}

/* Is the entry at `at` one, with the blob it tells of?  1, 0, -1. */
static int probe(const struct search *search, uint64_t at)
{
	unsigned char entry[ENTRY_SIZE], blob[COVBLOB_HEADER_SIZE];
	struct registered_package package;
	int there = look(search, at, entry, sizeof entry);

	if (there <= 0 || !parse_entry(entry, &package))
		return there < 0 ? -1 : 0;
	there = look(search, package.blob_address, blob, sizeof blob);
	return there <= 0 ? there : blob_matches(entry, blob);
}

/* All entries; the sum of the blobs is bounded.  1, 0, -1. */
static int parse_entries(struct registration *list, const unsigned char *entries, uint32_t n,
			 struct fault *fault)
{
	uint32_t i;

	list->packages = malloc(n * sizeof *list->packages);
	if (!list->packages)
		return fault_no_memory(fault);
	list->n = n;
	for (i = 0; i < n; i++) {
		struct registered_package *package = &list->packages[i];

		if (!parse_entry(entries + (size_t)i * ENTRY_SIZE, package))
			return 0;
		package->blob_at = list->blobs_len;
		list->blobs_len += package->blob_len;
		if (list->blobs_len > REGISTRATION_MAX_BLOBS)
			return 0;
	}
	return 1;
}

/*
 * The linker puts the blobs of a module side by side: one read for a run of neighbours.  Gaps
 * between them are alignment.
 */
static int read_run(const struct search *search, const struct registration *list, uint32_t first,
		    uint32_t end, unsigned char *scratch)
{
	uint64_t low = list->packages[first].blob_address;
	uint64_t high = list->packages[end - 1].blob_address + list->packages[end - 1].blob_len;
	uint32_t i;
	int there = look(search, low, scratch, (size_t)(high - low));

	if (there <= 0)
		return there;
	for (i = first; i < end; i++)
		memcpy(list->blobs + list->packages[i].blob_at,
		       scratch + (list->packages[i].blob_address - low),
		       list->packages[i].blob_len);
	return 1;
}

enum { RUN_GAP = 64, RUN_MAX = REGISTRATION_MAX_BLOB };

static bool continues_run(const struct registration *list, uint32_t first, uint32_t i)
{
	const struct registered_package *last = &list->packages[i - 1], *next = &list->packages[i];
	uint64_t end = last->blob_address + last->blob_len;

	return next->blob_address >= end && next->blob_address - end <= RUN_GAP &&
	       next->blob_address + next->blob_len - list->packages[first].blob_address <= RUN_MAX;
}

static int read_blobs(const struct search *search, struct registration *list,
		      const unsigned char *entries)
{
	cleanup_free unsigned char *scratch = malloc(RUN_MAX);
	uint32_t first = 0, i;

	list->blobs = malloc(list->blobs_len);
	if (!list->blobs || !scratch)
		return fault_no_memory(search->fault);
	for (i = 1; i <= list->n; i++) {
		int there;

		if (i < list->n && continues_run(list, first, i))
			continue;
		there = read_run(search, list, first, i, scratch);
		if (there <= 0)
			return there;
		first = i;
	}
	for (i = 0; i < list->n; i++)
		if (!blob_matches(entries + (size_t)i * ENTRY_SIZE,
				  list->blobs + list->packages[i].blob_at))
			return 0;
	return 1;
}

static bool package_repeats(const struct registered_package *a, const struct registered_package *b)
{
	return a->blob_len == b->blob_len && a->hard_id == b->hard_id && a->mode == b->mode &&
	       a->granularity == b->granularity && !memcmp(a->hash, b->hash, sizeof a->hash);
}

bool registration_repeats(const struct registration *known, const struct registration *list)
{
	uint32_t i;

	if (known->n != list->n)
		return false;
	for (i = 0; i < list->n; i++)
		if (known->packages[i].blob_address - known->bias !=
			list->packages[i].blob_address - list->bias ||
		    !package_repeats(&known->packages[i], &list->packages[i]))
			return false;
	return true;
}

/* Take the list with n entries at `at`: 1 and search->found is filled, 0, -1. */
static int take_list(struct search *search, uint64_t at, uint32_t n)
{
	cleanup_registration struct registration list = REGISTRATION_INIT;
	cleanup_free unsigned char *entries = malloc((size_t)n * ENTRY_SIZE);
	int good;

	if (!entries)
		return fault_no_memory(search->fault);
	list.bias = search->bias;
	good = look(search, at, entries, (size_t)n * ENTRY_SIZE);
	if (good > 0)
		good = parse_entries(&list, entries, n, search->fault);
	if (good > 0 && !(search->known && registration_repeats(search->known, &list)))
		good = read_blobs(search, &list, entries);
	if (good <= 0)
		return good;
	*search->found = list;
	list = REGISTRATION_INIT;
	return 1;
}

/* Are these the three words of a slice that is the list?  1, 0, -1. */
static int test_head(struct search *search, const unsigned char *head)
{
	uint64_t at = le64(head), len = le64(head + WORD), cap = le64(head + 2 * WORD);
	int good;

	if (len == 0 || len > cap || cap > REGISTRATION_MAX_PACKAGES || at < LOWEST_ADDRESS ||
	    at % WORD != 0 || at >> 56)
		return 0;
	if (search->probes++ >= PROBES_MAX)
		return 0;
	good = probe(search, at);
	if (good <= 0 || search->lists++ >= LISTS_MAX)
		return good < 0 ? -1 : 0;
	return take_list(search, at, (uint32_t)len);
}

static int try_hint(struct search *search, uint64_t at)
{
	unsigned char head[HEAD_SIZE];
	int there = look(search, at, head, sizeof head);

	return there <= 0 ? there : test_head(search, head);
}

/* The address of the head, when it is found in these bytes, in *at.  1, 0, -1. */
static int search_chunk(struct search *search, const unsigned char *data, size_t n, size_t *at)
{
	for (*at = 0; *at + HEAD_SIZE <= n; *at += WORD) {
		int good;

		/* most of a bss segment is zero */
		if (le64(data + *at + WORD) == 0)
			continue;
		good = test_head(search, data + *at);
		if (good)
			return good;
	}
	return 0;
}

static int search_bss(struct search *search, const struct moduledata *module, uint64_t *head,
		      const struct deadline *deadline)
{
	uint64_t at = (module->bss + WORD - 1) & ~(uint64_t)(WORD - 1), end = module->ebss;
	cleanup_free unsigned char *data = malloc(CHUNK);

	if (!data)
		return fault_no_memory(search->fault);
	if (end - module->bss > SEARCH_MAX)
		end = module->bss + SEARCH_MAX;
	while (at + HEAD_SIZE <= end) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK, inside;
		int good;

		if (fault_check_deadline(deadline, search->fault) < 0)
			return -1;
		good = look(search, at, data, n);
		if (good <= 0)
			return good;
		good = search_chunk(search, data, n, &inside);
		*head = at + inside;
		if (good)
			return good;
		at += n < CHUNK ? n : CHUNK - HEAD_SIZE + WORD; /* a head may lie across */
	}
	return 0;
}

int registration_read(struct registration *registration, struct executable *exe, uint64_t bias,
		      const struct moduledata *module, const struct memory *process,
		      const struct registration *known, const struct deadline *deadline,
		      struct fault *fault)
{
	struct search search = {.found = registration,
				.known = known,
				.bias = bias,
				.process = process,
				.fault = fault};
	uint64_t hint = atomic_load(&exe->list_hint), head = 0;
	int good = hint ? try_hint(&search, hint + bias) : 0;

	if (good > 0)
		return 0;
	if (!good)
		good = search_bss(&search, module, &head, deadline);
	if (good > 0)
		atomic_store(&exe->list_hint, head - bias);
	if (good == 0)
		fault_set(fault, FAULT_UNSETTLED,
			  "the list of its packages was not found: it is still starting, or was "
			  "built by a Go release that keeps it in another way");
	return good > 0 ? 0 : -1;
}

void registration_free(struct registration *registration)
{
	free(registration->packages);
	free(registration->blobs);
	*registration = REGISTRATION_INIT;
}
