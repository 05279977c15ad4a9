#include "fcgi/server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 512 };

bool listener_is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof listening;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

int listener_adopt(struct listener *listener, int fd, struct error *err)
{
	int flags = fcntl(fd, F_GETFL);

	/* several workers, and several processes, may wake up for one connection */
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "descriptor %d", fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "descriptor %d", fd);
	listener->fd = fd;
	listener->shared = true;
	return 0;
}

static int new_socket(int family, struct error *err)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "making a socket");
	return fd;
}

/* --- unix ------------------------------------------------------------------------------------ */

/* Make room at the path: remove a socket that nobody listens on. */
static int clear_stale_socket(const struct sockaddr_un *address, struct error *err)
{
	cleanup_fd int probe = -1;
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT
			   ? 0
			   : error_errno(err, ERROR_INTERNAL, errno, "unix:%s", address->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, ERROR_INTERNAL,
				 "unix:%s: there is a file that is no socket: choose another path",
				 address->sun_path);
	probe = new_socket(AF_UNIX, err);
	if (probe < 0)
		return -1;
	if (connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ||
	    errno != ECONNREFUSED)
		return error_set(err, ERROR_INTERNAL,
				 "unix:%s: the socket is in use: another responder listens there",
				 address->sun_path);
	if (unlink(address->sun_path) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "unix:%s", address->sun_path);
	return 0;
}

static int bind_unix(int fd, const struct sockaddr_un *address, mode_t mode)
{
	/* the permissions are right from the first moment on */
	mode_t saved = umask(0777 & ~mode);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof *address);
	int saved_errno = errno;

	umask(saved);
	errno = saved_errno;
	return rc;
}

/* For as long as the socket is open, no other file has its inode. */
static void remember_file(struct listener *listener, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return;
	listener->unix_path = strdup(path);
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
}

static bool is_our_file(const struct listener *listener)
{
	struct stat st;

	return listener->unix_path && lstat(listener->unix_path, &st) == 0 &&
	       st.st_dev == listener->device && st.st_ino == listener->inode;
}

static int open_unix(struct listener *listener, const char *path, mode_t mode, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_fd int fd = -1;

	if (!*path || strlen(path) >= sizeof address.sun_path)
		return error_set(err, ERROR_INTERNAL,
				 "--listen unix:%s: the path must have 1 to %zu bytes", path,
				 sizeof address.sun_path - 1);
	strcpy(address.sun_path, path);
	if (clear_stale_socket(&address, err) < 0)
		return -1;
	fd = new_socket(AF_UNIX, err);
	if (fd < 0)
		return -1;
	if (bind_unix(fd, &address, mode) < 0 || listen(fd, BACKLOG) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "--listen unix:%s", path);
	remember_file(listener, path);
	listener->fd = steal_fd(&fd);
	return 0;
}

/* --- TCP ------------------------------------------------------------------------------------- */

static int parse_port(const char *text, in_port_t *port)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < 1 || value > 65535)
		return -1;
	*port = htons((uint16_t)value);
	return 0;
}

/* Split "HOST:PORT" or "[HOST]:PORT" and fill in the address.  Its length, or 0 when it is none. */
static socklen_t parse_tcp(const char *text, struct sockaddr_storage *storage)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (len == 0 || len >= sizeof host)
		return 0;
	memcpy(host, text, len);
	host[len] = '\0';
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		v6->sin6_family = AF_INET6;
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 &&
			       parse_port(colon + 1, &v6->sin6_port) == 0
			   ? sizeof *v6
			   : 0;
	}
	v4->sin_family = AF_INET;
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 &&
		       parse_port(colon + 1, &v4->sin_port) == 0
		   ? sizeof *v4
		   : 0;
}

static int open_tcp(struct listener *listener, const char *address, struct error *err)
{
	struct sockaddr_storage storage = {0};
	socklen_t len = parse_tcp(address, &storage);
	cleanup_fd int fd = -1;
	int on = 1;

	if (len == 0)
		return error_set(
		    err, ERROR_INTERNAL,
		    "--listen %s: it must be an address such as 127.0.0.1:9000, [::1]:9000 or "
		    "unix:/run/goverage.sock",
		    address);
	fd = new_socket(storage.ss_family, err);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&storage, len) < 0 || listen(fd, BACKLOG) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "--listen %s", address);
	listener->fd = steal_fd(&fd);
	return 0;
}

int listener_open(struct listener *listener, const char *address, mode_t mode, struct error *err)
{
	static const char unix_word[] = "unix:";

	if (strncmp(address, unix_word, sizeof unix_word - 1) == 0)
		return open_unix(listener, address + sizeof unix_word - 1, mode, err);
	return open_tcp(listener, address, err);
}

void listener_close(struct listener *listener)
{
	if (is_our_file(listener))
		unlink(listener->unix_path);
	free(listener->unix_path);
	if (listener->fd >= 0)
		close(listener->fd);
	*listener = LISTENER_INIT;
}
