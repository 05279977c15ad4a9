/*
 * The log: one line per event.  It goes to fd 2, which ends in some log under every web server;
 * where fd 2 is the null device, to the sink of the running request, if it has one (the FastCGI
 * error stream).
 */
#ifndef GOVERAGE_BASE_LOG_H
#define GOVERAGE_BASE_LOG_H

#include <stddef.h>

/* Takes one whole line, its line feed included. */
typedef void log_sink(void *context, const char *line, size_t len);

/* Once, at start: the name in front of each line, and whether fd 2 leads anywhere. */
void log_start(const char *program);

/* The sink of this thread's request, used only while fd 2 is the null device; NULL takes it
 * away. */
void log_request_sink(log_sink *sink, void *context);

/*
 * One line: UTC time, program, pid, then the text.  Control characters and bytes that are not valid
 * UTF-8 are written as \xHH, so that nothing from outside can forge a line; a line is cut at 4 KiB.
 */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
