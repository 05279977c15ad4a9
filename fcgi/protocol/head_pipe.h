/*
 * libfcgi reads a request from a descriptor.  For one whose parameters have been read already it is
 * given one that holds a head made of them and nothing else: the end of a pipe that all threads
 * share, one at a time, or a memory file for what might not fit in.
 */
#ifndef GOVERAGE_FCGI_PROTOCOL_HEAD_PIPE_H
#define GOVERAGE_FCGI_PROTOCOL_HEAD_PIPE_H

#include <stdbool.h>

#include "cgi/base/buffer.h"
#include "cgi/base/error.h"

/* Borrow a descriptor from which a head with these parameters can be read, and then no more.  -1
 * with the reason.  No other thread gets one until it has been given back. */
must_check int head_pipe_borrow(const struct buffer *params, struct error *err);

/* Give it back: either everything has been read, or it has been closed. */
void head_pipe_give_back(int fd, bool closed);

#endif
