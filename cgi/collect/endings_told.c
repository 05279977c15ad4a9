/* What is said about lost runs: in a header, in the log, as an error. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "cgi/collect/endings.h"

enum { NAMES_SHOWN = 8 };

/* Names come out of files that anybody may have written; in a header they must be plain. */
static void put_name(struct buffer *out, const char *name)
{
	for (; *name; name++)
		buffer_putc(out, *name > ' ' && *name < 0x7f && *name != ',' ? *name : '?');
}

static void put_names(const struct endings *endings, struct buffer *out)
{
	size_t shown = endings->n < NAMES_SHOWN ? endings->n : NAMES_SHOWN, runs = 0, i;

	for (i = 0; i < shown; i++) {
		const struct lost_program *p = &endings->programs[i];

		runs += p->runs;
		buffer_puts(out, i ? ", " : "");
		put_name(out, p->name);
		if (p->runs > 1)
			buffer_printf(out, " (%zu)", p->runs);
	}
	if (endings->lost > runs)
		buffer_printf(out, ", and %zu more", endings->lost - runs);
}

/* What else it may be where nobody has seen the process. */
static const char *cause(const struct endings *endings)
{
	return endings->unseen ? "killed, crashed, or running in another PID namespace"
			       : "killed or crashed";
}

void endings_describe(const struct endings *endings, struct buffer *out)
{
	if (!endings->lost)
		return;
	buffer_printf(out, "%zu %s left no counters (%s), which are missing here: ", endings->lost,
		      endings->lost == 1 ? "process has" : "processes have", cause(endings));
	put_names(endings, out);
}

void endings_log(const struct endings *endings)
{
	size_t i;

	for (i = 0; i < endings->n; i++) {
		const struct lost_program *p = &endings->programs[i];

		log_line("counters lost program=%.128s runs=%zu hash=%s reason=%s", p->name,
			 p->runs, p->hash,
			 p->was_seen ? "it was read before, and ended without writing them"
				     : "it has left meta-data alone, and no process of it is seen: "
				       "killed, crashed, or in another PID namespace");
	}
}

int endings_require(const struct endings *endings, struct error *err)
{
	cleanup_buffer struct buffer names = BUFFER_INIT;

	if (!endings->unseen)
		return 0;
	put_names(endings, &names);
	return error_set(
	    err, ERROR_INTERNAL,
	    "GOVERAGE_LIVE is required, and no process is seen of what has left meta-data without "
	    "counters (%.400s): where it is running, share its PID namespace with this program "
	    "(docker run --pid=container:NAME; Kubernetes: shareProcessNamespace: true); where it "
	    "was killed or has crashed, remove its covmeta file",
	    buffer_str(&names));
}
