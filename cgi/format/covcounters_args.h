/*
 * The arguments of the program that a counter file comes from.  Nothing in a profile depends on
 * them, but covdata refuses a file in which they are damaged, and such a file is not to be trusted.
 */
#ifndef GOVERAGE_FORMAT_COVCOUNTERS_ARGS_H
#define GOVERAGE_FORMAT_COVCOUNTERS_ARGS_H

#include "cgi/base/cleanup.h"
#include "cgi/base/error.h"
#include "cgi/format/byte_reader.h"

/*
 * Check both sections: the string table, and the uleb number of pairs and the pairs (key, value:
 * uleb string indexes).  Keys come once each, and "argc", where it is there, is a number. -1:
 * ERROR_INTERNAL with what is wrong, ERROR_UNAVAILABLE when out of memory.
 */
must_check int covcounters_check_args(struct byte_reader strings, struct byte_reader args,
				      struct error *err);

#endif
