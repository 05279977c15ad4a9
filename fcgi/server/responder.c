#include "config.h"

#include "fcgi/server/responder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cgi/base/fair_semaphore.h"
#include "cgi/base/log.h"
#include "cgi/covdata/covdata_once.h"
#include "fcgi/protocol/gateway_fcgi.h"
#include "fcgi/server/acceptor.h"
#include "fcgi/server/limits.h"

enum {
	WARM_UP_STACK = 256 << 10,
	END_GRACE_MS = 3000, /* for requests that are not in work yet when the process ends; a web
				server that ends is known to kill after some 3 s and more */
};

struct responder {
	struct app *app;
	struct acceptor *acceptor;
	int signal_fd;
	int stop_fd; /* readable once the process is to end */
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

/* --- warming up ------------------------------------------------------------------------------ */

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

/* --- from start to end ----------------------------------------------------------------------- */

static int run(struct responder *responder, struct error *err)
{
	pthread_t warming;
	bool warms = start_warm_up(responder, &warming);
	int64_t end_ns;

	acceptor_serve(responder->acceptor);
	if (eventfd_write(responder->stop_fd, 1) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "ending");
	end_ns = monotonic_ns() + END_GRACE_MS * INT64_C(1000000);
	semaphore_close(responder->app->turns, end_ns);
	acceptor_finish(responder->acceptor, end_ns);
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

	if (gateway_fcgi_start(err) < 0 || open_descriptors(responder, err) < 0)
		return -1;
	app->turns = semaphore_new(limits.workers);
	if (!app->turns)
		return error_no_memory(err);
	responder->acceptor = acceptor_new(app, listener, responder->signal_fd, &limits, err);
	if (!responder->acceptor)
		return -1;
	log_line("coverage responder is ready: %zu requests in work at once, %zu connections",
		 limits.workers, limits.connections);
	return 0;
}

static void close_all(struct responder *responder)
{
	acceptor_free(responder->acceptor);
	semaphore_free(responder->app->turns);
	responder->app->turns = NULL;
	if (responder->signal_fd >= 0)
		close(responder->signal_fd);
	if (responder->stop_fd >= 0)
		close(responder->stop_fd);
}

int responder_run(struct app *app, const struct listener *listener, struct error *err)
{
	struct responder responder = {.app = app, .signal_fd = -1, .stop_fd = -1};
	int rc = start(&responder, listener, err);

	if (rc == 0)
		rc = run(&responder, err);
	close_all(&responder);
	return rc;
}
