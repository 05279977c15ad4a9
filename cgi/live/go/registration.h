/*
 * The list of packages that a program has registered for coverage (the runtime's covMeta.List,
 * later internal/coverage/rtcov.Meta.List): in the order of the package identifiers, one entry a
 * package, each with a pointer to its meta-data.  It is found by its shape, without a symbol table.
 */
#ifndef GOVERAGE_LIVE_GO_REGISTRATION_H
#define GOVERAGE_LIVE_GO_REGISTRATION_H

#include "cgi/format/coverage_format.h"
#include "cgi/live/go/moduledata.h"

enum {
	REGISTRATION_MAX_PACKAGES = 65536,
	REGISTRATION_MAX_BLOB = 16 << 20,  /* bytes of one package's meta-data */
	REGISTRATION_MAX_BLOBS = 64 << 20, /* bytes of all of them */
	REGISTRATION_NO_ID = -1, /* hard_id of a package that gets its identifier by its place */
};

struct registered_package {
	uint64_t blob_address; /* in the process */
	size_t blob_at;	       /* offset in registration.blobs */
	uint32_t blob_len;
	int64_t
	    hard_id; /* hard-coded identifier (-2, -3, ...) of a package of the runtime itself */
	uint8_t mode, granularity;		/* enum counter_mode, enum counter_granularity */
	unsigned char hash[COVERAGE_HASH_SIZE]; /* of the meta-data */
};

struct registration {
	struct registered_package *packages; /* owned */
	uint32_t n;
	unsigned char *blobs; /* owned; back to back, in list order */
	size_t blobs_len;
	uint64_t bias; /* load bias of the module that has the list */
};

#define REGISTRATION_INIT ((struct registration){0})

/*
 * Read the list whose head lies in the module's bss segment, and the meta-data of its packages.
 * Each is checked: sizes, modes, and that the blob repeats the length and the hash that its entry
 * has. FAULT_UNSETTLED when there is no list (yet): the program is still starting, or another
 * module has it.
 *
 * `known` is what this very file registered in some process, or NULL.  Where the list says the same
 * again (see registration_repeats()) the meta-data are not read: blobs stays NULL.
 */
must_check int registration_read(struct registration *registration, struct executable *exe,
				 uint64_t bias, const struct moduledata *module,
				 const struct memory *process, const struct registration *known,
				 const struct deadline *deadline, struct fault *fault);

/*
 * Do the lists of two processes that run the same file say the same: as many packages, and for each
 * the same place in the file, length, hash, identifier, mode and granularity?  The meta-data are in
 * the file's read-only data, so that they are the same, too.
 */
bool registration_repeats(const struct registration *known, const struct registration *list);

void registration_free(struct registration *registration);

#define cleanup_registration cleanup_with(registration_free)

#endif
