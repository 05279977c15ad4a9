/* Reading an input, wherever it lies: in a directory or, made for the request, in memory. */
#ifndef GOVERAGE_DIRECTORY_INPUT_READ_H
#define GOVERAGE_DIRECTORY_INPUT_READ_H

#include "cgi/directory/inputs.h"
#include "cgi/directory/source_file.h"

/* All as their namesakes in cgi/directory/source_file.h. */
must_check int input_open(const struct input_file *input, bool *gone, struct error *err);
must_check int input_read(const struct input_file *input, struct file_bytes *bytes, bool *gone,
			  struct error *err);

/*
 * A snapshot is a new file each time, but its tag was computed from its content here, on this
 * machine: beside that the size is identity enough.
 */
must_check int input_identify(const struct input_file *input, struct file_identity *identity,
			      bool *gone, struct error *err);

#endif
