#include "fcgi/protocol/head_pipe.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgi/base/cleanup.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held while one is borrowed */
static int ends[2] = {-1, -1};				 /* reading, writing; empty, or not there */

static bool is_there(void)
{
	return ends[0] >= 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
}

/* --- a head of our making -------------------------------------------------------------------- */

static void add_record(struct buffer *head, unsigned char type, const char *content, size_t len)
{
	const FCGI_Header header = {
	    .version = FCGI_VERSION_1,
	    .type = type,
	    .requestIdB0 = 1,
	    .contentLengthB1 = (unsigned char)(len >> 8),
	    .contentLengthB0 = (unsigned char)len,
	};

	buffer_append(head, &header, sizeof header);
	buffer_append(head, content, len);
}

/* BEGIN_REQUEST and the parameters, without padding, of which libfcgi takes some for records. */
static void make_head(struct buffer *head, const struct buffer *params)
{
	static const FCGI_BeginRequestBody begin = {.roleB0 = FCGI_RESPONDER};
	size_t at, len;

	add_record(head, FCGI_BEGIN_REQUEST, (const char *)&begin, sizeof begin);
	for (at = 0; at < params->len; at += len) {
		len = params->len - at < FCGI_MAX_LENGTH ? params->len - at : FCGI_MAX_LENGTH;
		add_record(head, FCGI_PARAMS, params->data + at, len);
	}
	add_record(head, FCGI_PARAMS, "", 0);
}

/* --- a descriptor to read it from ------------------------------------------------------------ */

/* PIPE_BUF bytes go into an empty pipe as a whole, and one read of libfcgi's takes them all. */
static bool pipe_holds(const struct buffer *head)
{
	return head->len <= PIPE_BUF && is_there() &&
	       write(ends[1], head->data, head->len) == (ssize_t)head->len;
}

static int memory_file(const struct buffer *head, struct error *err)
{
	cleanup_fd int fd = memfd_create("request", MFD_CLOEXEC);

	/* its offset stays at the start; a file in memory takes all at once, or can't */
	if (fd < 0 || pwrite(fd, head->data, head->len, 0) != (ssize_t)head->len)
		return error_errno(err, ERROR_INTERNAL, errno, "can't make a memory file");
	return steal_fd(&fd);
}

int head_pipe_borrow(const struct buffer *params, struct error *err)
{
	cleanup_buffer struct buffer head = BUFFER_INIT;
	int fd;

	make_head(&head, params);
	if (head.failed)
		return error_no_memory(err);
	pthread_mutex_lock(&lock);
	fd = pipe_holds(&head) ? ends[0] : memory_file(&head, err);
	if (fd < 0)
		pthread_mutex_unlock(&lock);
	return fd;
}

void head_pipe_give_back(int fd, bool closed)
{
	if (fd != ends[0] && !closed)
		close(fd);
	if (fd == ends[0] && closed) {
		close(ends[1]);
		ends[0] = ends[1] = -1;
	}
	pthread_mutex_unlock(&lock);
}
