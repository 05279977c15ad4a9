#include "config.h"

#include "fcgi/server/responder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cgi/base/log.h"
#include "fcgi/server/arrivals.h"
#include "fcgi/server/event_count.h"
#include "fcgi/protocol/gateway_fcgi.h"
#include "fcgi/server/limits.h"
#include "fcgi/server/pool.h"
#include "cgi/covdata/covdata_once.h"
#include "cgi/base/turnstile.h"

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
	struct arrivals arrivals;
	int signal_fd;
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
	struct covdata *covdata = covdata_once_get(app->covdata, &err);

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

/* Has accepting failed for a peer that is gone already?  Anything else may come again at once: a
 * lack of descriptors, or a rule of a container that forbids the call. */
static bool concerns_one_connection(int errnum)
{
	return errnum == EINTR || errnum == ECONNABORTED || errnum == EPROTO;
}

static void note_failure(struct responder *responder, int errnum)
{
	responder->exhausted.untold++;
	if (event_count_due(&responder->exhausted, monotonic_ns()))
		log_line("accept: %s: waiting", strerror(errnum));
}

/* Take what waits in the listening socket.  In how many ms there must be another try, whatever
 * comes; -1 when everything is taken. */
static int accept_connections(struct responder *responder)
{
	int n;

	for (n = 0; n < ACCEPT_MOST; n++) {
		int connection;

		if (!pool_takes_more(responder->pool))
			return PAUSE_MS;
		connection = arrivals_accept(&responder->arrivals);
		if (connection >= 0) {
			pool_take(responder->pool, connection);
			continue;
		}
		if (errno == EAGAIN)
			return -1;
		if (concerns_one_connection(errno))
			continue;
		note_failure(responder, errno);
		return PAUSE_MS;
	}
	return 0;
}

/* Wait for something to happen: not for connections where accepting them has to be tried anyway, in
 * try_ms, nor where none can be taken, so that they wake another process. */
static int wait_for_more(struct responder *responder, int try_ms)
{
	if (try_ms < 0 && !pool_takes_more(responder->pool))
		try_ms = PAUSE_MS;
	if (try_ms >= 0)
		return arrivals_keeper_pause(&responder->arrivals, try_ms);
	return arrivals_keeper_wait(&responder->arrivals,
				    pool_is_quiet(responder->pool) ? -1 : TICK_MS);
}

/* Is it to end?  Then a line in the log tells why. */
static bool is_end(const struct responder *responder, int happened)
{
	struct signalfd_siginfo signal_info;

	if (happened & ARRIVALS_SIGNAL &&
	    read(responder->signal_fd, &signal_info, sizeof signal_info) > 0) {
		log_line("ending after signal %s", strsignal((int)signal_info.ssi_signo));
		return true;
	}
	if (happened & ARRIVALS_SHUT)
		log_line("ending: the listening socket has been shut down");
	return happened & ARRIVALS_SHUT;
}

/* Until a signal says to end, or nobody can connect any more. */
static void serve(struct responder *responder)
{
	int64_t looked_ns = 0;
	int try_ms = -1;

	for (;;) {
		int happened = wait_for_more(responder, try_ms);

		/* first of all: for what has woken this process no other one may have been woken */
		if (happened & ARRIVALS_CONNECTION)
			try_ms = accept_connections(responder);
		if (is_end(responder, happened))
			return;
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

static int start(struct responder *responder, const struct listener *listener, struct error *err)
{
	struct app *app = responder->app;
	struct limits limits = limits_find(&app->settings);

	if (gateway_fcgi_start(err) < 0 || open_descriptors(responder, err) < 0 ||
	    arrivals_open(&responder->arrivals, listener->fd, responder->signal_fd, err) < 0)
		return -1;
	app->turns = turnstile_new(limits.workers);
	if (!app->turns)
		return error_no_memory(err);
	responder->pool = pool_new(app, &responder->arrivals, &limits, err);
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
	arrivals_close(&responder->arrivals);
	if (responder->signal_fd >= 0)
		close(responder->signal_fd);
	if (responder->stop_fd >= 0)
		close(responder->stop_fd);
}

int responder_run(struct app *app, const struct listener *listener, struct error *err)
{
	struct responder responder = {
	    .app = app, .arrivals = ARRIVALS_INIT, .signal_fd = -1, .stop_fd = -1};
	int rc = start(&responder, listener, err);

	if (rc == 0)
		rc = run(&responder, err);
	close_all(&responder);
	return rc;
}
