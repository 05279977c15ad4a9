#include "fcgi/server/acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "fcgi/server/connections.h"
#include "fcgi/server/event_count.h"
#include "fcgi/server/workers.h"

enum {
	TICK_MS = 1000, /* while there is something to look after */
	PAUSE_MS = 50,	/* while no connection can be taken, and at the end */
	LINE_UP_MS = 250,
	ACCEPT_MOST = 16, /* at a time */
	EVENTS_MOST = 64,
};

struct acceptor {
	struct app *app;
	const struct listener *listener;
	struct workers *workers;
	struct connections connections;
	int epoll, wake_fd, signal_fd;
	bool ending;			/* it has been told to end, or: */
	bool shut;			/* nobody can connect any more */
	bool listening;			/* the listener is in the epoll */
	bool full;			/* no connection could be accepted */
	bool busy;			/* others at the same socket may not be */
	int64_t lined_up_ns, looked_ns; /* when we came to the listener, and looked after things */
	struct event_count exhausted;
};

static int64_t ms_in_ns(int64_t ms)
{
	return ms * INT64_C(1000000);
}

/* --- accepting ------------------------------------------------------------------------------- */

/* Has accepting failed for a peer that is gone already?  Anything else may come again at once: a
 * lack of descriptors, or a rule of a container that forbids the call. */
static bool concerns_one_connection(int errnum)
{
	return errnum == EINTR || errnum == ECONNABORTED || errnum == EPROTO;
}

/* Take one connection, whose place another one may have had.  False when there is none, or none can
 * be taken. */
static bool accept_one(struct acceptor *acceptor)
{
	struct connection *connection;
	int fd;

	fd = accept4(acceptor->listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 && concerns_one_connection(errno))
		return true;
	if (fd < 0 && errno != EAGAIN) {
		acceptor->full = true;
		acceptor->exhausted.untold++;
		if (event_count_due(&acceptor->exhausted, monotonic_ns()))
			log_line("accept: %s: waiting", strerror(errno));
	}
	if (fd < 0)
		return false;
	connection = connection_new(fd, (size_t)acceptor->app->settings.max_body);
	if (connection)
		connections_start(&acceptor->connections, connection);
	connections_bound(&acceptor->connections);
	return true;
}

static void accept_some(struct acceptor *acceptor)
{
	int n = 0;

	while (n < ACCEPT_MOST && !acceptor->full) {
		acceptor->full = !connections_have_room(&acceptor->connections);
		if (acceptor->full || !accept_one(acceptor))
			break;
		n++;
	}
}

/* A connection wakes one of the processes that wait for one, the one that has waited longest. Where
 * the kernel can't choose, it wakes all of them, and one finds it. */
static void listen_again(struct acceptor *acceptor)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
				    .data.ptr = &acceptor->listening};
	int fd = acceptor->listener->fd;

	acceptor->lined_up_ns = monotonic_ns();
	if (epoll_ctl(acceptor->epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
		acceptor->listening = true;
		return;
	}
	event.events = EPOLLIN;
	acceptor->listening = epoll_ctl(acceptor->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void stop_listening(struct acceptor *acceptor)
{
	if (acceptor->listening)
		epoll_ctl(acceptor->epoll, EPOLL_CTL_DEL, acceptor->listener->fd, NULL);
	acceptor->listening = false;
}

/* Others may wait at the same socket: who is busy goes to the end of their line, now and then. */
static void line_up(struct acceptor *acceptor)
{
	int64_t now_ns = monotonic_ns();
	bool busy = acceptor->listener->shared && workers_are_busy(acceptor->workers);

	if (busy && (!acceptor->busy || now_ns - acceptor->lined_up_ns >= ms_in_ns(LINE_UP_MS)))
		stop_listening(acceptor);
	acceptor->busy = busy;
	if (acceptor->full)
		stop_listening(acceptor);
	else if (!acceptor->listening)
		listen_again(acceptor);
}

/* --- one thing after the other --------------------------------------------------------------- */

static void look(struct acceptor *acceptor)
{
	int64_t now_ns = monotonic_ns();

	if (!acceptor->ending && now_ns - acceptor->looked_ns < ms_in_ns(TICK_MS))
		return;
	acceptor->looked_ns = now_ns;
	workers_look(acceptor->workers);
	connections_look(&acceptor->connections);
}

static int wait_ms(struct acceptor *acceptor)
{
	if (!acceptor->listening)
		return PAUSE_MS;
	if (acceptor->busy)
		return LINE_UP_MS;
	return connections_are_quiet(&acceptor->connections) && workers_are_quiet(acceptor->workers)
		   ? -1
		   : TICK_MS;
}

static void take_done(struct acceptor *acceptor)
{
	struct connection *connection;

	while ((connection = workers_take_done(acceptor->workers)))
		connections_put_to_rest(&acceptor->connections, connection);
}

/* Returns the events of the listener.  An event may stand for a connection that is handled here,
 * but for no other one, so that none of them is gone before its turn. */
static uint32_t handle_events(struct acceptor *acceptor, const struct epoll_event *events, int n)
{
	uint32_t listener = 0;

	while (n-- > 0) {
		void *what = events[n].data.ptr;

		if (what == &acceptor->listening)
			listener = events[n].events;
		else if (what == &acceptor->signal_fd)
			acceptor->ending = true;
		else if (what != &acceptor->wake_fd)
			connections_ready(&acceptor->connections, what);
	}
	return listener;
}

static void do_some(struct acceptor *acceptor)
{
	struct epoll_event events[EVENTS_MOST];
	int n = epoll_wait(acceptor->epoll, events, EVENTS_MOST, wait_ms(acceptor));
	uint32_t listener = handle_events(acceptor, events, n);

	take_done(acceptor);
	connections_bound(&acceptor->connections);
	acceptor->full = false;
	acceptor->shut = listener & (EPOLLHUP | EPOLLERR);
	/* even at the end: what has woken this process may have woken no other one */
	if (listener && !acceptor->shut)
		accept_some(acceptor);
	acceptor->ending |= acceptor->shut;
	look(acceptor);
}

static void say_why(const struct acceptor *acceptor)
{
	struct signalfd_siginfo info;

	if (acceptor->shut)
		log_line("ending: the listening socket has been shut down");
	else if (read(acceptor->signal_fd, &info, sizeof info) > 0)
		log_line("ending after signal %s", strsignal((int)info.ssi_signo));
}

void acceptor_serve(struct acceptor *acceptor)
{
	while (!acceptor->ending) {
		line_up(acceptor);
		do_some(acceptor);
	}
	stop_listening(acceptor);
	say_why(acceptor);
}

void acceptor_finish(struct acceptor *acceptor, int64_t end_ns)
{
	epoll_ctl(acceptor->epoll, EPOLL_CTL_DEL, acceptor->signal_fd, NULL);
	workers_end(acceptor->workers, end_ns);
	acceptor->connections.phase = CONNECTIONS_FINISHED;
	look(acceptor);
	while (connections_n(&acceptor->connections) || !workers_are_empty(acceptor->workers)) {
		do_some(acceptor);
		if (monotonic_ns() >= end_ns)
			acceptor->connections.phase = CONNECTIONS_GIVEN_UP;
	}
}

/* --- the whole ------------------------------------------------------------------------------- */

static int add(const struct acceptor *acceptor, int fd, uint32_t events, const void *what)
{
	struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)what};

	return epoll_ctl(acceptor->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Nobody reads the event descriptor: each write to it is an edge. */
static int open_epoll(struct acceptor *acceptor, struct error *err)
{
	acceptor->epoll = epoll_create1(EPOLL_CLOEXEC);
	acceptor->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (acceptor->epoll >= 0 && acceptor->wake_fd >= 0 &&
	    add(acceptor, acceptor->wake_fd, EPOLLIN | EPOLLET, &acceptor->wake_fd) == 0 &&
	    add(acceptor, acceptor->signal_fd, EPOLLIN, &acceptor->signal_fd) == 0)
		return 0;
	return error_errno(err, ERROR_INTERNAL, errno, "waiting for connections");
}

struct acceptor *acceptor_new(struct app *app, const struct listener *listener, int signal_fd,
			      const struct limits *limits, struct error *err)
{
	struct acceptor *acceptor = calloc(1, sizeof *acceptor);

	if (!acceptor) {
		error_no_memory(err);
		return NULL;
	}
	acceptor->app = app;
	acceptor->listener = listener;
	acceptor->signal_fd = signal_fd;
	acceptor->epoll = acceptor->wake_fd = -1;
	if (open_epoll(acceptor, err) == 0)
		acceptor->workers = workers_new(app, limits, acceptor->wake_fd, err);
	acceptor->connections = (struct connections){
	    .app = app,
	    .workers = acceptor->workers,
	    .epoll = acceptor->epoll,
	    .most = limits->connections + LIMITS_UNFINISHED,
	};
	if (acceptor->workers)
		return acceptor;
	acceptor_free(acceptor);
	return NULL;
}

void acceptor_free(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	workers_free(acceptor->workers);
	connections_free(&acceptor->connections);
	if (acceptor->epoll >= 0)
		close(acceptor->epoll);
	if (acceptor->wake_fd >= 0)
		close(acceptor->wake_fd);
	free(acceptor);
}
