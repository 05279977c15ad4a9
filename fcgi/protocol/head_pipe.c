#include "fcgi/protocol/head_pipe.h"

#include <errno.h>
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

/* PIPE_BUF bytes go into an empty pipe as a whole, and one read of libfcgi's takes them all. */
static bool pipe_holds(const unsigned char *head, size_t len)
{
	return len <= PIPE_BUF && is_there() && write(ends[1], head, len) == (ssize_t)len;
}

static int memory_file(const unsigned char *head, size_t len, struct error *err)
{
	cleanup_fd int fd = memfd_create("request", MFD_CLOEXEC);

	/* its offset stays at the start; a file in memory takes all at once, or can't */
	if (fd < 0 || pwrite(fd, head, len, 0) != (ssize_t)len)
		return error_errno(err, ERROR_INTERNAL, errno, "can't make a memory file");
	return steal_fd(&fd);
}

int head_pipe_borrow(const unsigned char *head, size_t len, struct error *err)
{
	int fd;

	pthread_mutex_lock(&lock);
	fd = pipe_holds(head, len) ? ends[0] : memory_file(head, len, err);
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
