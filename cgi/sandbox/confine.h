/*
 * GOVERAGE_SANDBOX: once its settings are read and its sockets are open, the process gives up what
 * it won't need.  In this order: new privileges by exec; capabilities; changes of files, by
 * Landlock; system calls, by seccomp.  How far that goes depends on what it has been asked to do:
 *
 *   no program is started (the built-in reader)	seccomp lets only the needed calls pass
 *   covdata or go may be started			seccomp refuses the dangerous ones
 *   running processes are read				no Landlock: it would forbid that
 *   go may be started					no Landlock: it builds covdata where it
 * likes
 */
#ifndef GOVERAGE_SANDBOX_CONFINE_H
#define GOVERAGE_SANDBOX_CONFINE_H

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"
#include "cgi/base/settings.h"
#include "cgi/base/string_list.h"

/* What else the process has to do than what its settings say. */
struct confine_needs {
	bool finds_covdata;		  /* covdata was found, and it needs no go to be built */
	const struct string_list *places; /* directories to write in */
	const char *socket_path;	  /* removed at the end; NULL = none */
};

/*
 * Confine this process before it makes its threads.  *said becomes one sentence on what is in
 * force. -1, with GOVERAGE_SANDBOX=on alone: the sentence names what is missing.
 */
must_check int confine(const struct settings *settings, const struct confine_needs *needs,
		       struct buffer *said, struct error *err);

#endif
