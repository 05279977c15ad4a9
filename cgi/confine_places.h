/* The directories in which the program changes something after its start: what the sandbox leaves
 * it. */
#ifndef GOVERAGE_CONFINE_PLACES_H
#define GOVERAGE_CONFINE_PLACES_H

#include "cgi/base/settings.h"
#include "cgi/base/string_list.h"

/*
 * Those for private directories, and the one for the state: itself where it is there, or else the
 * one above, where it would be made.  -1 when memory runs out.
 */
must_check int confine_places(struct string_list *places, const struct settings *settings);

#endif
