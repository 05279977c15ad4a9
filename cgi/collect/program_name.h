/*
 * The name of the program that a coverage file belongs to: what goc calls the name of a service.
 * It is what the program was called by, as called_name.h has it; meta-data know only what it was
 * built from.
 */
#ifndef GOVERAGE_COLLECT_PROGRAM_NAME_H
#define GOVERAGE_COLLECT_PROGRAM_NAME_H

#include <stddef.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"
#include "cgi/directory/inputs.h"

/*
 * Append the name by the argv[0] that stands in a counter file.  Nothing is appended where the
 * file does not tell, or is no longer there.  scratch is memory that may be handed in again. -1:
 * ERROR_UNAVAILABLE when the machine is out of memory or descriptors.
 */
must_check int program_name_of_counters(const struct input_file *counters, struct buffer *scratch,
					struct buffer *name, struct error *err);

/*
 * Append the name that `go build` gives to the program that the meta-data describe, by the import
 * path of its main package.  Nothing is appended, and -1 returned, as above.
 */
must_check int program_name_of_meta(const struct input_file *meta, struct buffer *name,
				    struct error *err);

#endif
