#include "config.h"

#include "fcgi/server/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "cgi/base/fair_semaphore.h"
#include "cgi/base/log.h"
#include "fcgi/server/event_count.h"
#include "fcgi/server/spare_memory.h"

/* compiling the deepest pattern needs 310 KiB of stack; musl gives a thread 128 KiB */
#ifdef WITH_SANITIZERS
enum { STACK = 16 << 20 };
#else
enum { STACK = 1 << 20 };
#endif

/* An idle thread ends after this, but for the last one. */
static const int64_t idle_ns = INT64_C(5000000000);

struct worker {
	struct workers *workers;
	pthread_cond_t woken;
	struct worker *next;	       /* idle for longer */
	struct connection *connection; /* the request that it answers, or was given while idle */
	bool working;		       /* its answer is not there yet */
};

struct workers {
	struct app *app;
	struct limits limits;
	int wake_fd;
	int64_t patience_ns;  /* nobody waits for a thread for longer */
	pthread_mutex_t lock; /* guards what follows */
	struct connection_list ready, done;
	struct worker *idle; /* the one that became idle last: the others may end */
	size_t threads,
	    leaving;	/* those that are there for requests; those that are about to end */
	size_t held;	/* requests, waiting ones included, whose answers are not all but sent */
	size_t working; /* of these: whose answers are not there yet */
	size_t serving; /* threads that have a request, or were given one */
	bool ending;
	int64_t end_ns;
	pthread_t ended; /* the thread that ended last: the next one to end collects it */
	bool has_ended;
	pthread_cond_t one_ended;
	bool spares;	     /* memory may have been freed since it was given back last */
	int64_t came_ns;     /* when the last request came */
	size_t threads_seen; /* at the last look */
	struct event_count unstarted;
	int start_errnum; /* why a thread could not be started */
};

static void wake_acceptor(const struct workers *workers)
{
	/* it can't fail but for a count that no process lives to reach */
	(void)eventfd_write(workers->wake_fd, 1);
}

/* --- one thread ------------------------------------------------------------------------------ */

/* With the lock.  The answer is there, or there will be none. */
static void stop_working(struct worker *self)
{
	struct workers *workers = self->workers;

	if (!self->working)
		return;
	self->working = false;
	workers->working--;
}

static void answering(void *context)
{
	struct worker *self = context;

	pthread_mutex_lock(&self->workers->lock);
	stop_working(self);
	pthread_mutex_unlock(&self->workers->lock);
}

/* Who has seen the end of an answer finds that its place is free. */
static bool ending(void *context)
{
	struct worker *self = context;
	bool may_stay;

	pthread_mutex_lock(&self->workers->lock);
	stop_working(self);
	self->workers->held--;
	/* at the end a peer that can't be told is waited for until it rests: see
	 * expire_resting() */
	may_stay = !self->workers->ending ||
		   (!self->connection->input.watched && monotonic_ns() < self->workers->end_ns);
	pthread_mutex_unlock(&self->workers->lock);
	return may_stay;
}

/* With the lock: wait until a request is handed over, for a while. */
static void rest(struct worker *self)
{
	struct workers *workers = self->workers;
	struct timespec end = monotonic_time(monotonic_ns() + idle_ns);
	struct worker **at = &workers->idle;
	int rc = 0;

	self->next = workers->idle;
	workers->idle = self;
	while (!self->connection && !workers->ending && rc == 0)
		rc = workers->threads > 1
			 ? pthread_cond_timedwait(&self->woken, &workers->lock, &end)
			 : pthread_cond_wait(&self->woken, &workers->lock);
	if (self->connection)
		return; /* who gave it has taken this thread off the list */
	while (*at != self)
		at = &(*at)->next;
	*at = self->next;
}

/* With the lock: the next request.  False when it is time to end. */
static bool next_request(struct worker *self)
{
	struct workers *workers = self->workers;

	do {
		self->connection = connection_list_take(&workers->ready);
		if (self->connection)
			workers->serving++;
		else if (!workers->ending)
			rest(self);
	} while (!self->connection && !workers->ending && workers->threads == 1);
	return self->connection;
}

/* With the lock, which is let go of meanwhile. */
static void serve(struct worker *self)
{
	const struct connection_events events = {answering, ending, self};
	struct workers *workers = self->workers;
	struct connection *connection = self->connection;
	bool of_use;

	self->working = true;
	pthread_mutex_unlock(&workers->lock);
	of_use = connection_serve(connection, workers->app, &events);
	if (!of_use)
		connection_free(connection);
	pthread_mutex_lock(&workers->lock);
	workers->serving--;
	if (of_use)
		connection_list_add(&workers->done, connection);
	if (of_use || workers->ending)
		wake_acceptor(workers);
}

/* With the lock, which is let go of meanwhile. */
static void collect_ended(struct workers *workers)
{
	pthread_t thread = workers->ended;

	if (!workers->has_ended)
		return;
	workers->has_ended = false;
	pthread_mutex_unlock(&workers->lock);
	pthread_join(thread, NULL);
	pthread_mutex_lock(&workers->lock);
}

static void *work(void *argument)
{
	struct workers *workers = argument;
	struct worker self = {.workers = workers};

	monotonic_cond_init(&self.woken);
	pthread_mutex_lock(&workers->lock);
	while (next_request(&self))
		serve(&self);
	workers->threads--;
	workers->leaving++;
	while (workers->has_ended)
		collect_ended(workers);
	workers->ended = pthread_self();
	workers->has_ended = true;
	workers->leaving--;
	pthread_cond_signal(&workers->one_ended);
	wake_acceptor(workers);
	pthread_mutex_unlock(&workers->lock);
	pthread_cond_destroy(&self.woken);
	return NULL;
}

/* --- handing over ---------------------------------------------------------------------------- */

/* With the lock.  It takes what is ready. */
static void start_thread(struct workers *workers)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	workers->start_errnum = pthread_create(&thread, &attributes, work, workers);
	pthread_attr_destroy(&attributes);
	if (workers->start_errnum)
		workers->unstarted.untold++;
	else
		workers->threads++;
}

/* With the lock.  Threads that have just been started are about to take what is ready. */
static bool needs_thread(const struct workers *workers)
{
	return workers->threads < workers->limits.threads &&
	       workers->threads - workers->serving < workers->ready.n;
}

bool workers_give(struct workers *workers, struct connection *connection)
{
	struct worker *idle = NULL;
	bool taken;

	pthread_mutex_lock(&workers->lock);
	taken = workers->held < workers->limits.connections;
	if (taken) {
		workers->held++;
		workers->working++;
		workers->came_ns = monotonic_ns();
		workers->spares = true;
		idle = workers->idle;
	}
	if (taken && idle) {
		workers->idle = idle->next;
		workers->serving++;
		idle->connection = connection;
		pthread_cond_signal(&idle->woken);
	} else if (taken) {
		connection_list_add(&workers->ready, connection);
		if (needs_thread(workers))
			start_thread(workers);
	}
	pthread_mutex_unlock(&workers->lock);
	return taken;
}

struct connection *workers_take_done(struct workers *workers)
{
	struct connection *connection;

	pthread_mutex_lock(&workers->lock);
	connection = connection_list_take(&workers->done);
	pthread_mutex_unlock(&workers->lock);
	return connection;
}

struct connection *workers_take_overdue(struct workers *workers)
{
	int64_t now_ns = monotonic_ns();
	struct connection *first;

	pthread_mutex_lock(&workers->lock);
	first = workers->ready.first;
	if (first && (now_ns - first->since_ns >= workers->patience_ns ||
		      (workers->ending && now_ns >= workers->end_ns))) {
		connection_list_remove(first);
		workers->held--;
		workers->working--;
	} else {
		first = NULL;
	}
	pthread_mutex_unlock(&workers->lock);
	return first;
}

bool workers_are_busy(struct workers *workers)
{
	bool busy;

	pthread_mutex_lock(&workers->lock);
	busy = workers->working >= workers->limits.workers;
	pthread_mutex_unlock(&workers->lock);
	return busy;
}

size_t workers_held(struct workers *workers)
{
	size_t n;

	pthread_mutex_lock(&workers->lock);
	n = workers->held;
	pthread_mutex_unlock(&workers->lock);
	return n;
}

size_t workers_waiting(struct workers *workers)
{
	size_t n;

	pthread_mutex_lock(&workers->lock);
	n = workers->ready.n;
	pthread_mutex_unlock(&workers->lock);
	return n + semaphore_waiting(workers->app->turns);
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Has nobody come for a while, after somebody had, or is a rush over: all threads but one have just
 * ended? */
static bool is_time_to_give_back(struct workers *workers, int64_t now_ns)
{
	bool calm = workers->held == 0 && workers->threads == 1;
	bool idle = workers->spares && calm &&
		    now_ns - workers->came_ns >= SPARE_MEMORY_S * INT64_C(1000000000);
	bool over = workers->threads_seen > 1 && workers->threads == 1;

	workers->threads_seen = workers->threads;
	workers->spares &= !idle;
	return idle || over;
}

void workers_look(struct workers *workers)
{
	int64_t now_ns = monotonic_ns();
	unsigned long unstarted;
	bool give_back;

	pthread_mutex_lock(&workers->lock);
	give_back = is_time_to_give_back(workers, now_ns);
	if (needs_thread(workers))
		start_thread(workers);
	unstarted = event_count_due(&workers->unstarted, now_ns);
	pthread_mutex_unlock(&workers->lock);
	if (give_back)
		spare_memory_give_back();
	if (unstarted)
		log_line("starting a thread: %s: %lu times, going on with those that there are",
			 strerror(workers->start_errnum), unstarted);
}

bool workers_are_quiet(struct workers *workers)
{
	bool quiet;

	pthread_mutex_lock(&workers->lock);
	quiet = workers->held == 0 && workers->serving == 0 && workers->threads == 1 &&
		workers->threads_seen <= 1 && !workers->spares && workers->unstarted.untold == 0;
	pthread_mutex_unlock(&workers->lock);
	return quiet;
}

void workers_end(struct workers *workers, int64_t at_ns)
{
	struct worker *idle;

	pthread_mutex_lock(&workers->lock);
	workers->ending = true;
	workers->end_ns = at_ns;
	for (idle = workers->idle; idle; idle = idle->next)
		pthread_cond_signal(&idle->woken);
	pthread_mutex_unlock(&workers->lock);
}

bool workers_are_empty(struct workers *workers)
{
	bool empty;

	pthread_mutex_lock(&workers->lock);
	empty = workers->held == 0 && workers->serving == 0 && workers->done.n == 0;
	pthread_mutex_unlock(&workers->lock);
	return empty;
}

struct workers *workers_new(struct app *app, const struct limits *limits, int wake_fd,
			    struct error *err)
{
	struct workers *workers = calloc(1, sizeof *workers);

	if (!workers) {
		error_no_memory(err);
		return NULL;
	}
	spare_memory_keep();
	workers->app = app;
	workers->limits = *limits;
	workers->wake_fd = wake_fd;
	workers->patience_ns = app->settings.timeout_s * INT64_C(1000000000) / 2;
	pthread_mutex_init(&workers->lock, NULL);
	monotonic_cond_init(&workers->one_ended);
	pthread_mutex_lock(&workers->lock);
	start_thread(workers);
	pthread_mutex_unlock(&workers->lock);
	if (!workers->start_errnum)
		return workers;
	error_errno(err, ERROR_INTERNAL, workers->start_errnum, "starting a thread");
	workers_free(workers);
	return NULL;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	workers_end(workers, monotonic_ns());
	pthread_mutex_lock(&workers->lock);
	while (workers->threads || workers->leaving || workers->has_ended) {
		if (!workers->has_ended)
			pthread_cond_wait(&workers->one_ended, &workers->lock);
		collect_ended(workers);
	}
	pthread_mutex_unlock(&workers->lock);
	pthread_cond_destroy(&workers->one_ended);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
}
