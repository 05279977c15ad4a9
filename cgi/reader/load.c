#include "cgi/reader/load.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cgi/coverage_list.h"
#include "cgi/reader/source_file.h"

enum {
	MAX_THREADS = 8,
	JOBS_PER_THREAD = 48, /* for fewer a thread is not worth its start and its own counters */
	DEADLINE_STEP = 32, /* files between two looks at the deadline */
};

/* What all threads share. */
struct load {
	struct load_job *jobs;
	size_t n_jobs;
	atomic_size_t next; /* the first job that nobody has taken */
	const struct deadline *deadline;
};

/* One thread. */
struct loader {
	struct load *load;
	uint32_t *counters;
	bool failed;
	struct error err;
	pthread_t thread;
};

/* A file that can't be used costs that file; being out of something costs the request. */
static int settle_failure(struct load_job *job, bool gone, struct error *err)
{
	if (gone) {
		job->outcome = LOAD_GONE;
		return 0;
	}
	if (err->class != ERROR_INTERNAL)
		return -1;
	job->outcome = LOAD_DAMAGED;
	job->reason = strdup(err->message);
	return job->reason ? 0 : error_no_memory(err);
}

static int run_job(struct load_job *job, struct file_bytes *bytes, struct merge_work *work,
		   uint32_t *counters, struct error *err)
{
	const struct input_file *input = job->input;
	bool gone = false;

	if (source_file_read(input->dir_fd, input->file->name, bytes, &gone, err) < 0)
		return settle_failure(job, gone, err);
	if (merge_counter_file(job->target, bytes->data, bytes->len, counters, work, &job->notes,
			       err) < 0)
		return settle_failure(job, false, err);
	job->outcome = LOAD_ADDED;
	return 0;
}

/* Take jobs until there are none. */
static void run_loader(struct loader *loader)
{
	cleanup_file_bytes struct file_bytes bytes = FILE_BYTES_INIT;
	cleanup_merge_work struct merge_work work = MERGE_WORK_INIT;
	struct load *load = loader->load;
	size_t i;

	while ((i = atomic_fetch_add(&load->next, 1)) < load->n_jobs) {
		if ((i % DEADLINE_STEP == 0 &&
		     coverage_check_deadline(load->deadline, &loader->err) < 0) ||
		    run_job(&load->jobs[i], &bytes, &work, loader->counters, &loader->err) < 0) {
			loader->failed = true;
			atomic_store(&load->next, load->n_jobs);
			return;
		}
	}
}

static void *loader_main(void *loader)
{
	run_loader(loader);
	return NULL;
}

static size_t threads_for(size_t n_jobs)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t most = n_jobs / JOBS_PER_THREAD;

	if (most > MAX_THREADS)
		most = MAX_THREADS;
	return cpus > 0 && most > (size_t)cpus ? (size_t)cpus : most;
}

/* Start up to n more threads, each with counters of its own; returns how many run. */
static size_t start_loaders(struct loader *loaders, size_t n, struct load *load, size_t n_counters)
{
	sigset_t all, before;
	size_t started;

	/* signals are for the thread that waits for them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (started = 0; started < n; started++) {
		struct loader *loader = &loaders[started];

		loader->load = load;
		loader->counters = calloc(n_counters + 1, sizeof *loader->counters);
		if (!loader->counters)
			break;
		if (pthread_create(&loader->thread, NULL, loader_main, loader) != 0) {
			free(loader->counters);
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

static void join_counters(uint32_t *to, const uint32_t *from, size_t n, bool once)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t sum = to[i] + from[i];

		if (once)
			to[i] |= from[i];
		else
			to[i] = sum < from[i] ? UINT32_MAX : sum;
	}
}

int load_files(struct load_job *jobs, size_t n_jobs, uint32_t *counters, size_t n_counters, bool once,
	       const struct deadline *deadline, struct error *err)
{
	struct load load = { jobs, n_jobs, 0, deadline };
	struct loader self = { .load = &load, .counters = counters };
	cleanup_free struct loader *others = calloc(MAX_THREADS, sizeof *others);
	size_t wanted = threads_for(n_jobs), n = 0, i;

	if (!others)
		return error_no_memory(err);
	/* where no thread can be had, this one does it all */
	if (wanted > 1)
		n = start_loaders(others, wanted - 1, &load, n_counters);
	run_loader(&self);
	for (i = 0; i < n; i++) {
		pthread_join(others[i].thread, NULL);
		join_counters(counters, others[i].counters, n_counters, once);
		free(others[i].counters);
		if (others[i].failed && !self.failed) {
			self.failed = true;
			self.err = others[i].err;
		}
	}
	if (self.failed && err)
		*err = self.err;
	return self.failed ? -1 : 0;
}

void load_jobs_free(struct load_job *jobs, size_t n_jobs)
{
	size_t i;

	for (i = 0; jobs && i < n_jobs; i++)
		free(jobs[i].reason);
	free(jobs);
}
