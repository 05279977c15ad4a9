/*
 * What the go command wrote about a program when it built it (debug/buildinfo): release, main
 * package, module, version-control revision.  The layout is that of Go 1.18 and later: a 32-byte
 * header, then two strings, each with its length in uleb before it.
 */
#ifndef GOVERAGE_LIVE_GO_BUILD_INFO_H
#define GOVERAGE_LIVE_GO_BUILD_INFO_H

#include <stdbool.h>

#include "cgi/live/go/elf.h"

struct build_info {
	/* owned, NUL-terminated, NULL where the program does not tell */
	char *go_version; /* "go1.23.5" */
	char *main_path;  /* import path of the main package */
	char *module_path;
	char *module_version; /* "(devel)" for a build from a work tree */
	char *vcs_revision;
	char *goarch;
	bool vcs_modified; /* built from a changed work tree */
	bool
	    cover; /* built with -cover, as the go command says; not every coverage build says so */
};

#define BUILD_INFO_INIT ((struct build_info){0})

/*
 * Read it from an executable.  Leaves *info empty where there is none, or none that makes sense; an
 * executable without section headers is searched where the linker puts it, at the start of its
 * data. -1 only with FAULT_REQUEST.
 */
must_check int build_info_read(struct build_info *info, const struct elf *elf,
			       const struct memory *file, struct fault *fault);

/* As build_info_read(), for a file whose headers are not understood: look through its first
 * bytes. */
must_check int build_info_search(struct build_info *info, const struct memory *file,
				 const struct deadline *deadline, struct fault *fault);

/* Take the module information apart: "key TAB value" lines.  For tests and fuzzing too. */
must_check int build_info_parse(struct build_info *info, const char *text, size_t len,
				struct fault *fault);

void build_info_free(struct build_info *info);

#define cleanup_build_info cleanup_with(build_info_free)

#endif
