#include "config.h"

#include "fcgi/responder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgi/handle.h"
#include "cgi/base/log.h"
#include "fcgi/gateway_fcgi.h"

/* compiling the deepest pattern needs 310 KiB of stack; musl gives a thread 128 KiB */
#ifdef WITH_SANITIZERS
enum { WORKER_STACK = 16 << 20 };
#else
enum { WORKER_STACK = 1 << 20 };
#endif

enum { EXHAUSTED_PAUSE_MS = 100, WATCHDOG_TICK_S = 1 };

struct responder;

struct worker {
	struct responder *responder;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	int watched_fd; /* a duplicate of the connection while its request comes in; -1 = none;
			   owned */
	int64_t give_up_at_ns; /* when the watchdog ends that */
};

struct responder {
	struct app *app;
	int listener_fd;
	int stop_fd; /* readable once the process is to end */
	struct worker *workers;
	size_t n_workers;
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

/* --- one connection ----------------------------------------------------------------------------
 */

/*
 * From now on the watchdog ends the connection when its request is not in by the deadline: a peer
 * that sends a byte now and then never runs into the limit on silence.  It gets a descriptor of its
 * own, since libfcgi closes the other one at a moment that we don't learn.
 */
static void watch(struct worker *worker, int connection)
{
	int64_t allowed_ns = worker->responder->app->settings.timeout_s * INT64_C(1000000000);

	pthread_mutex_lock(&worker->lock);
	worker->watched_fd = fcntl(connection, F_DUPFD_CLOEXEC, 0);
	worker->give_up_at_ns = monotonic_ns() + allowed_ns;
	pthread_mutex_unlock(&worker->lock);
}

static void unwatch(void *context)
{
	struct worker *worker = context;

	pthread_mutex_lock(&worker->lock);
	if (worker->watched_fd >= 0)
		close(worker->watched_fd);
	worker->watched_fd = -1;
	pthread_mutex_unlock(&worker->lock);
}

static void bite_if_overdue(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	if (worker->watched_fd >= 0 && monotonic_ns() >= worker->give_up_at_ns)
		shutdown(worker->watched_fd, SHUT_RDWR);
	pthread_mutex_unlock(&worker->lock);
}

static void answer_request(struct gateway *gateway, void *context)
{
	struct worker *worker = context;

	handle_request(worker->responder->app, gateway);
}

static void serve(struct worker *worker, int connection)
{
	const struct fcgi_events events = {answer_request, unwatch, worker};
	const struct deadline deadline =
	    deadline_in_ms(worker->responder->app->settings.timeout_s * 1000, -1);
	struct error err = {0};

	watch(worker, connection);
	if (gateway_fcgi_serve(connection, &events, &deadline, &err) < 0)
		log_line("connection dropped: %s", err.message);
	unwatch(worker);
}

/* --- workers -----------------------------------------------------------------------------------
 */

/* Wait for a connection or for the end.  False when it is time to end. */
static bool wait_for_connection(const struct responder *responder)
{
	struct pollfd fds[2] = {{responder->stop_fd, POLLIN, 0},
				{responder->listener_fd, POLLIN, 0}};

	while (poll(fds, 2, -1) < 0)
		;
	return !fds[0].revents;
}

/* Out of descriptors or memory: that passes, so leave the connection in the queue for a moment. */
static void pause_exhausted(const struct responder *responder, int errnum)
{
	struct deadline pause = deadline_in_ms(EXHAUSTED_PAUSE_MS, responder->stop_fd);

	log_line("accept: %s: waiting", strerror(errnum));
	deadline_wait(&pause, -1, 0);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	const struct responder *responder = worker->responder;

	while (wait_for_connection(responder)) {
		int connection = accept4(responder->listener_fd, NULL, NULL, SOCK_CLOEXEC);

		if (connection >= 0)
			serve(worker, connection);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_exhausted(responder, errno);
		/* any other error is of the peer that is gone already, or another worker was faster
		 */
	}
	return NULL;
}

static size_t worker_count(const struct settings *settings)
{
	long cpus;

	if (settings->workers)
		return (size_t)settings->workers;
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	return cpus > 2 ? (size_t)cpus : 2;
}

static int start_worker(struct responder *responder, struct error *err)
{
	struct worker *worker = &responder->workers[responder->n_workers];
	pthread_attr_t attributes;
	int rc;

	*worker = (struct worker){.responder = responder, .watched_fd = -1};
	pthread_mutex_init(&worker->lock, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, WORKER_STACK);
	rc = pthread_create(&worker->thread, &attributes, work, worker);
	pthread_attr_destroy(&attributes);
	if (rc != 0) {
		pthread_mutex_destroy(&worker->lock);
		return error_errno(err, ERROR_INTERNAL, rc, "starting a worker thread");
	}
	responder->n_workers++;
	return 0;
}

/* Start them all; fewer than were asked for are better than none. */
static int start_workers(struct responder *responder, struct error *err)
{
	size_t wanted = worker_count(&responder->app->settings);

	responder->workers = calloc(wanted, sizeof *responder->workers);
	if (!responder->workers)
		return error_no_memory(err);
	while (responder->n_workers < wanted) {
		if (start_worker(responder, err) == 0)
			continue;
		if (responder->n_workers == 0)
			return -1;
		log_line("%s: going on with %zu workers", err->message, responder->n_workers);
		break;
	}
	return 0;
}

/*
 * Since Go 1.25 covdata is built at its first use, which takes some ten seconds: better now than in
 * the first request.  A signal that says to end waits for nothing.
 */
static void warm_up(struct app *app)
{
	cleanup_fd int signals = -1;
	struct covdata *covdata;
	struct deadline deadline;
	struct error err = {0};
	sigset_t set;

	if (app->settings.engine == ENGINE_SETTING_BUILTIN)
		return;
	fill_ending_signals(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	deadline = deadline_in_ms(app->settings.timeout_s * 1000, signals);
	covdata = app_covdata(app, &err);
	if (!covdata || covdata_prepare(covdata, &deadline, &err) < 0)
		log_line("covdata is not ready: %s", err.message);
}

/* Wait for a signal to end, and be the watchdog meanwhile.  The signal's number. */
static int wait_for_signal(struct responder *responder)
{
	const struct timespec tick = {.tv_sec = WATCHDOG_TICK_S};
	sigset_t set;
	size_t i;
	int signal_number;

	fill_ending_signals(&set);
	while ((signal_number = sigtimedwait(&set, NULL, &tick)) < 0)
		for (i = 0; i < responder->n_workers; i++)
			bite_if_overdue(&responder->workers[i]);
	return signal_number;
}

static void join_workers(struct responder *responder)
{
	size_t i;

	for (i = 0; i < responder->n_workers; i++) {
		pthread_join(responder->workers[i].thread, NULL);
		pthread_mutex_destroy(&responder->workers[i].lock);
	}
}

int responder_run(struct app *app, const struct listener *listener, struct error *err)
{
	cleanup_fd int stop_fd = eventfd(0, EFD_CLOEXEC);
	cleanup_free struct worker *workers = NULL;
	struct responder responder = {app, listener->fd, stop_fd, NULL, 0};

	if (stop_fd < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "making an event descriptor");
	if (gateway_fcgi_start(err) < 0 || start_workers(&responder, err) < 0) {
		free(responder.workers);
		return -1;
	}
	workers = responder.workers;
	log_line("coverage responder is ready: %zu workers", responder.n_workers);
	warm_up(app);
	log_line("ending after signal %s", strsignal(wait_for_signal(&responder)));
	if (eventfd_write(stop_fd, 1) < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "stopping the workers");
	join_workers(&responder);
	return 0;
}
