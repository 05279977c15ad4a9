#include "config.h"

#include "fcgi/responder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "fcgi/event_count.h"
#include "fcgi/gateway_fcgi.h"
#include "fcgi/limits.h"
#include "fcgi/pool.h"

enum {
	TICK_MS = 1000,	  /* while there is something to look after */
	PAUSE_MS = 100,	  /* while no connection can be taken, and at the end */
	ACCEPT_MOST = 16, /* at a time */
	WARM_UP_STACK = 256 << 10,
	END_GRACE_MS = 3000, /* for requests that are not in work yet when the process ends; a web
				server that ends is known to kill after some 3 s and more */
};

struct responder {
	struct app *app;
	int listener_fd, signal_fd;
	int stop_fd; /* readable once the process is to end */
	struct pool *pool;
	struct event_count exhausted; /* how often accepting has failed */
};

static void fill_ending_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
}

void responder_block_signals(void)
{
	sigset_t set;

	fill_ending_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* --- warming up --------------------------------------------------------------------------------
 */

/*
 * Since Go 1.25 covdata is built at its first use, which takes some ten seconds: better now than in
 * the first request.  The end of the process waits for nothing.
 */
static void *warm_up(void *argument)
{
	struct responder *responder = argument;
	struct app *app = responder->app;
	struct deadline deadline =
	    deadline_in_ms(app->settings.timeout_s * 1000, responder->stop_fd);
	struct error err = {0};
	struct covdata *covdata = app_covdata(app, &err);

	if (!covdata || covdata_prepare(covdata, &deadline, &err) < 0)
		log_line("covdata is not ready: %s", err.message);
	return NULL;
}

/* In a thread of its own, while requests are taken already; without one if there is none.  True
 * when there is one. */
static bool start_warm_up(struct responder *responder, pthread_t *thread)
{
	pthread_attr_t attributes;
	int rc;

	if (responder->app->settings.engine == ENGINE_SETTING_BUILTIN)
		return false;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, WARM_UP_STACK);
	rc = pthread_create(thread, &attributes, warm_up, responder);
	pthread_attr_destroy(&attributes);
	return rc == 0;
}

/* --- accepting ---------------------------------------------------------------------------------
 */

/* Is it a peer that is gone already, or was another process faster?  Anything else may come again
 * at once: a lack of descriptors, or a rule of a container that forbids the call. */
static bool concerns_one_connection(int errnum)
{
	return errnum == EAGAIN || errnum == EINTR || errnum == ECONNABORTED || errnum == EPROTO;
}

/* Take what waits in the listening socket.  False when that can't be done now. */
static bool accept_connections(struct responder *responder)
{
	int n;

	for (n = 0; n < ACCEPT_MOST && pool_takes_more(responder->pool); n++) {
		int connection = accept4(responder->listener_fd, NULL, NULL, SOCK_CLOEXEC);

		if (connection >= 0) {
			pool_take(responder->pool, connection);
			continue;
		}
		if (concerns_one_connection(errno))
			return true;
		responder->exhausted.untold++;
		if (event_count_due(&responder->exhausted, monotonic_ns()))
			log_line("accept: %s: waiting", strerror(errno));
		return false;
	}
	return true;
}

static int how_long(const struct responder *responder, bool listening)
{
	if (!listening)
		return PAUSE_MS;
	return pool_is_quiet(responder->pool) ? -1 : TICK_MS;
}

/* Until a signal says to end, or nobody can connect any more. */
static void serve(struct responder *responder)
{
	struct signalfd_siginfo signal_info;
	int64_t looked_ns = 0;
	bool able = true;

	for (;;) {
		bool listening = able && pool_takes_more(responder->pool);
		struct pollfd fds[2] = {
		    {responder->signal_fd, POLLIN, 0},
		    {listening ? responder->listener_fd : -1, POLLIN, 0},
		};
		int n = poll(fds, 2, how_long(responder, listening));

		if (n > 0 && fds[0].revents &&
		    read(responder->signal_fd, &signal_info, sizeof signal_info) > 0) {
			log_line("ending after signal %s", strsignal((int)signal_info.ssi_signo));
			return;
		}
		if (fds[1].revents & (POLLHUP | POLLERR | POLLNVAL)) {
			log_line("ending: the listening socket has been shut down");
			return;
		}
		able = !fds[1].revents || accept_connections(responder);
		if (monotonic_ns() - looked_ns >= TICK_MS * INT64_C(1000000)) {
			pool_look(responder->pool);
			looked_ns = monotonic_ns();
		}
	}
}

/* What is in work is finished; what is not gets a moment to be. */
static void finish(struct responder *responder)
{
	int64_t end_ns = monotonic_ns() + END_GRACE_MS * INT64_C(1000000);

	turnstile_close(responder->app->turns, end_ns);
	pool_end(responder->pool, end_ns);
	while (!pool_is_empty(responder->pool)) {
		pool_look(responder->pool);
		poll(NULL, 0, PAUSE_MS);
	}
}

static int run(struct responder *responder, struct error *err)
{
	pthread_t warming;
	bool warms = start_warm_up(responder, &warming);

	serve(responder);
	if (eventfd_write(responder->stop_fd, 1) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "ending");
	finish(responder);
	if (warms)
		pthread_join(warming, NULL);
	return 0;
}

static int open_descriptors(struct responder *responder, struct error *err)
{
	sigset_t set;

	fill_ending_signals(&set);
	responder->stop_fd = eventfd(0, EFD_CLOEXEC);
	responder->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (responder->stop_fd >= 0 && responder->signal_fd >= 0)
		return 0;
	return error_errno(err, ERROR_INTERNAL, errno, "making an event descriptor");
}

static int start(struct responder *responder, struct error *err)
{
	struct app *app = responder->app;
	struct limits limits = limits_find(&app->settings);

	if (gateway_fcgi_start(err) < 0 || open_descriptors(responder, err) < 0)
		return -1;
	app->turns = turnstile_new(limits.workers);
	if (!app->turns)
		return error_no_memory(err);
	responder->pool = pool_new(app, &limits, err);
	if (!responder->pool)
		return -1;
	log_line("coverage responder is ready: %zu requests in work at once, %zu connections",
		 limits.workers, limits.connections);
	return 0;
}

static void close_all(struct responder *responder)
{
	pool_free(responder->pool);
	turnstile_free(responder->app->turns);
	responder->app->turns = NULL;
	if (responder->signal_fd >= 0)
		close(responder->signal_fd);
	if (responder->stop_fd >= 0)
		close(responder->stop_fd);
}

int responder_run(struct app *app, const struct listener *listener, struct error *err)
{
	struct responder responder = {
	    .app = app, .listener_fd = listener->fd, .signal_fd = -1, .stop_fd = -1};
	int rc = start(&responder, err);

	if (rc == 0)
		rc = run(&responder, err);
	close_all(&responder);
	return rc;
}
