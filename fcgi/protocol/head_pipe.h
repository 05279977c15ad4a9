/*
 * libfcgi reads a request from a descriptor.  For a head that has been read already it is given one
 * that holds the head and nothing else: the end of a pipe that all threads share, one at a time, or
 * a memory file for what might not fit in.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_HEAD_PIPE_H
#define GOVERAGE_FCGI_PROTOCOL_HEAD_PIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "cgi/base/error.h"

/* Borrow a descriptor from which the head's bytes can be read, and then no more.  -1 with the
 * reason.  No other thread gets one until it has been given back. */
must_check int head_pipe_borrow(const unsigned char *head, size_t len, struct error *err);

/* Give it back: either everything has been read, or it has been closed. */
void head_pipe_give_back(int fd, bool closed);

#endif
