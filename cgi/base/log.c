#include "cgi/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgi/base/io.h"
#include "cgi/base/utf8.h"

enum { LINE_MAX_BYTES = 4096 };

static const char *program_name = "goverage";
static pid_t process_id; /* asked once: it takes a system call */
static bool fd2_is_lost;
static __thread log_sink *request_sink;
static __thread void *request_context;

void log_start(const char *program)
{
	program_name = program;
	process_id = getpid();
	fd2_is_lost = io_leads_nowhere(STDERR_FILENO);
}

void log_request_sink(log_sink *sink, void *context)
{
	request_sink = sink;
	request_context = context;
}

static size_t escape_into(char *out, size_t room, const char *text)
{
	size_t n = strlen(text), used = 0, at = 0;

	while (at < n && used + 5 < room) {
		size_t len = utf8_decode(text + at, n - at, NULL);
		unsigned char byte = (unsigned char)text[at];

		if (!len || (len == 1 && (byte < 0x20 || byte == 0x7f))) {
			used += (size_t)snprintf(out + used, room - used, "\\x%02x", byte);
			at++;
		} else {
			memcpy(out + used, text + at, len);
			used += len;
			at += len;
		}
	}
	return used;
}

static size_t line_head(char *out, size_t room)
{
	struct timespec now;
	struct tm utc;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	used = strftime(out, room, "%Y-%m-%dT%H:%M:%S", &utc);
	used += (size_t)snprintf(out + used, room - used, ".%03ldZ %s[%d]: ", now.tv_nsec / 1000000,
				 program_name, (int)process_id);
	return used;
}

void log_line(const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 128];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	len = line_head(line, 128);
	len += escape_into(line + len, sizeof line - len - 1, text);
	line[len++] = '\n';
	if (fd2_is_lost && request_sink)
		request_sink(request_context, line, len);
	else if (io_write_full(STDERR_FILENO, line, len) < 0)
		return; /* there is nowhere left to say so, and an answer is worth more than a line
			 */
}
