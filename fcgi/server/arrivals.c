#include "config.h"

#include "fcgi/server/arrivals.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NO_PLACE_MS = 100 }; /* when the kernel has no memory for one more who waits */

static int add(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Where the kernel can't choose whom to wake, it wakes both, and one finds nothing. */
static int add_listener(int epoll, int fd, uint32_t how)
{
	int rc = add(epoll, fd, EPOLLIN | EPOLLEXCLUSIVE | how);

	return rc < 0 && errno == EINVAL ? add(epoll, fd, EPOLLIN | how) : rc;
}

/* Nobody reads an event descriptor: each write to it is an edge. */
static int open_waiting(int *epoll, int *event_fd)
{
	*epoll = epoll_create1(EPOLL_CLOEXEC);
	*event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (*epoll < 0 || *event_fd < 0)
		return -1;
	return add(*epoll, *event_fd, EPOLLIN | EPOLLET);
}

int arrivals_open(struct arrivals *arrivals, int listener_fd, int signal_fd, struct error *err)
{
	arrivals->listener_fd = listener_fd;
	arrivals->signal_fd = signal_fd;
	if (open_waiting(&arrivals->leader_epoll, &arrivals->leader_event_fd) == 0 &&
	    open_waiting(&arrivals->keeper_epoll, &arrivals->keeper_event_fd) == 0 &&
	    add(arrivals->keeper_epoll, signal_fd, EPOLLIN) == 0 &&
	    add_listener(arrivals->leader_epoll, listener_fd, EPOLLET) == 0)
		return 0;
	return error_errno(err, ERROR_INTERNAL, errno, "waiting for connections");
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void arrivals_close(struct arrivals *arrivals)
{
	close_one(&arrivals->leader_epoll);
	close_one(&arrivals->leader_event_fd);
	close_one(&arrivals->keeper_epoll);
	close_one(&arrivals->keeper_event_fd);
}

int arrivals_accept(const struct arrivals *arrivals)
{
	return accept4(arrivals->listener_fd, NULL, NULL, SOCK_CLOEXEC);
}

bool arrivals_more(const struct arrivals *arrivals)
{
	struct pollfd listener = {arrivals->listener_fd, POLLIN, 0};

	return poll(&listener, 1, 0) > 0;
}

static void wake(int event_fd)
{
	/* it can't fail but for a count that no process lives to reach */
	(void)eventfd_write(event_fd, 1);
}

bool arrivals_leader_wait(const struct arrivals *arrivals)
{
	struct epoll_event events[2];
	int n = epoll_wait(arrivals->leader_epoll, events, 2, -1);
	bool come = false;

	while (n-- > 0)
		come |= events[n].data.fd == arrivals->listener_fd;
	return come;
}

void arrivals_wake_leader(const struct arrivals *arrivals)
{
	wake(arrivals->leader_event_fd);
}

static int meaning(const struct arrivals *arrivals, const struct epoll_event *event)
{
	if (event->data.fd == arrivals->signal_fd)
		return ARRIVALS_SIGNAL;
	if (event->data.fd == arrivals->listener_fd && event->events & (EPOLLHUP | EPOLLERR))
		return ARRIVALS_SHUT;
	return ARRIVALS_CONNECTION;
}

/* What comes wakes others then: nobody waits at the listening socket here. */
int arrivals_keeper_pause(const struct arrivals *arrivals, int ms)
{
	struct pollfd signals = {arrivals->signal_fd, POLLIN, 0};

	return poll(&signals, 1, ms) > 0 ? ARRIVALS_SIGNAL : ARRIVALS_CONNECTION;
}

/* Each time it comes last at the listening socket, where who came first is woken first: behind our
 * leader, and those of other processes at the same socket. */
int arrivals_keeper_wait(const struct arrivals *arrivals, int ms)
{
	struct epoll_event events[3];
	int n, happened = 0;

	if (add_listener(arrivals->keeper_epoll, arrivals->listener_fd, 0) < 0)
		return arrivals_keeper_pause(arrivals, NO_PLACE_MS);
	n = epoll_wait(arrivals->keeper_epoll, events, 3, ms);
	epoll_ctl(arrivals->keeper_epoll, EPOLL_CTL_DEL, arrivals->listener_fd, NULL);
	while (n-- > 0)
		happened |= meaning(arrivals, &events[n]);
	return happened;
}

void arrivals_wake_keeper(const struct arrivals *arrivals)
{
	wake(arrivals->keeper_event_fd);
}
