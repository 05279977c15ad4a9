/* Who may come in, in which order, and who has waited long enough. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "cgi/base/fair_semaphore.h"

enum { PLACES = 3, THREADS = 12, ROUNDS = 300 };

struct scene {
	struct fair_semaphore *semaphore;
	atomic_int in, most, entered;
};

static void *come_and_go(void *argument)
{
	struct scene *scene = argument;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		const struct deadline deadline = deadline_in_ms(60000, -1);
		struct error err = {0};
		int now, most;

		if (semaphore_acquire(scene->semaphore, &deadline, &err) < 0)
			continue;
		now = atomic_fetch_add(&scene->in, 1) + 1;
		most = atomic_load(&scene->most);
		while (now > most && !atomic_compare_exchange_weak(&scene->most, &most, now))
			;
		atomic_fetch_add(&scene->entered, 1);
		usleep(10);
		atomic_fetch_sub(&scene->in, 1);
		semaphore_release(scene->semaphore);
	}
	return NULL;
}

static void no_more_than_there_are_places(void **state)
{
	struct scene scene = {.semaphore = semaphore_new(PLACES)};
	pthread_t threads[THREADS];
	int i;

	(void)state;
	assert_non_null(scene.semaphore);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &scene), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(scene.entered, THREADS * ROUNDS);
	assert_int_equal(scene.in, 0);
	assert_int_equal(scene.most, PLACES);
	semaphore_free(scene.semaphore);
}

static void who_waits_for_nothing_is_told(void **state)
{
	struct fair_semaphore *semaphore = semaphore_new(1);
	const struct deadline soon = deadline_in_ms(40, -1), past = deadline_in_ms(-1000, -1);
	struct error err = {0};
	int i;

	(void)state;
	/* a free place needs no time */
	assert_int_equal(semaphore_acquire(semaphore, &past, &err), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(semaphore_acquire(semaphore, i ? &past : &soon, &err), -1);
		assert_int_equal(err.class, ERROR_UNAVAILABLE);
		assert_non_null(strstr(err.message, "GOVERAGE_WORKERS"));
	}
	semaphore_release(semaphore);
	assert_int_equal(semaphore_acquire(semaphore, &past, &err), 0);
	semaphore_release(semaphore);
	semaphore_free(semaphore);
}

struct comer {
	struct fair_semaphore *semaphore;
	pthread_t thread;
	int number;
	int *next; /* whose turn it is, by the order of coming; guarded by the semaphore */
	int64_t patience_ms;
	bool in, in_order;
};

static void *come(void *argument)
{
	struct comer *comer = argument;
	const struct deadline deadline = deadline_in_ms(comer->patience_ms, -1);
	struct error err = {0};

	comer->in =
	    semaphore_acquire(comer->semaphore, &deadline, &err) == 1; /* who waits is told */
	if (!comer->in)
		return NULL;
	comer->in_order = (*comer->next)++ == comer->number;
	semaphore_release(comer->semaphore);
	return NULL;
}

static void start(struct comer *comer, struct fair_semaphore *semaphore, int number, int *next,
		  int64_t patience_ms, size_t waiting)
{
	*comer = (struct comer){
	    .semaphore = semaphore, .number = number, .next = next, .patience_ms = patience_ms};
	assert_int_equal(pthread_create(&comer->thread, NULL, come, comer), 0);
	while (semaphore_waiting(semaphore) != waiting)
		usleep(1000);
}

static void first_come_first_in(void **state)
{
	struct fair_semaphore *semaphore = semaphore_new(1);
	const struct deadline deadline = deadline_in_ms(1000, -1);
	struct comer comers[5], impatient;
	struct error err = {0};
	int next = 0, i;

	(void)state;
	assert_int_equal(semaphore_acquire(semaphore, &deadline, &err), 0);
	for (i = 0; i < 5; i++) {
		start(&comers[i], semaphore, i, &next, 120000, (size_t)i + 1);
		if (i != 2)
			continue;
		/* one who goes away from the middle of the line */
		impatient =
		    (struct comer){.semaphore = semaphore, .next = &next, .patience_ms = 20};
		come(&impatient);
		assert_false(impatient.in);
	}
	semaphore_release(semaphore);
	for (i = 0; i < 5; i++) {
		pthread_join(comers[i].thread, NULL);
		assert_true(comers[i].in);
		assert_true(comers[i].in_order);
	}
	semaphore_free(semaphore);
}

static void at_the_end_nobody_waits(void **state)
{
	struct fair_semaphore *semaphore = semaphore_new(1);
	const struct deadline deadline = deadline_in_ms(1000, -1);
	struct comer waiting;
	struct error err = {0};
	int next = 0;

	(void)state;
	assert_int_equal(semaphore_acquire(semaphore, &deadline, &err), 0);
	start(&waiting, semaphore, 0, &next, 3600 * 1000, 1);
	semaphore_close(semaphore, monotonic_ns());
	pthread_join(waiting.thread, NULL);
	assert_false(waiting.in);
	assert_int_equal(semaphore_acquire(semaphore, &deadline, &err), -1);
	semaphore_release(semaphore);
	assert_int_equal(semaphore_acquire(semaphore, &deadline, &err), 0);
	semaphore_release(semaphore);
	semaphore_free(semaphore);
}

static void none_is_open_to_all(void **state)
{
	const struct deadline past = deadline_in_ms(-1000, -1);
	struct error err = {0};

	(void)state;
	assert_int_equal(semaphore_acquire(NULL, &past, &err), 0);
	semaphore_release(NULL);
	semaphore_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_more_than_there_are_places),
	    cmocka_unit_test(who_waits_for_nothing_is_told),
	    cmocka_unit_test(first_come_first_in),
	    cmocka_unit_test(at_the_end_nobody_waits),
	    cmocka_unit_test(none_is_open_to_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
