/* Earlier profiles under their digests: found as they were, kept and dropped in the order of their
 * use, with packages that change in between. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/format/coverage_format.h"
#include "cgi/sum/profile_history.h"

enum { NAMES = 150, STEPS = 30000, UNITS = 700, KINDS = 3 };

/* Packages with nothing but their number of units: each profile is of one of them. */
static struct covpackage packages[KINDS];

/* What the history should hold: numbers of profiles, the one that was used last at the end. */
struct model {
	struct lru lru;
	struct profile_history history;
	struct covprofile *now[KINDS];	    /* counters that move on */
	struct covprofile *profiles[NAMES]; /* NULL = not there */
	int order[NAMES];
	int n;
	unsigned random;
};

static struct covprofile *profile_of(struct covpackage *package)
{
	struct error err = {0};
	struct covprofile *profile = covprofile_new(&err);
	struct covmeta meta = {.mode = COUNTER_MODE_COUNT, .packages = &package, .n_packages = 1};
	size_t first;

	assert_non_null(profile);
	assert_int_equal(covprofile_add_program(profile, &meta, &first, &err), 0);
	return profile;
}

static void open_model(struct model *model)
{
	int i;

	*model = (struct model){.random = 20261129};
	model->history.lru = &model->lru;
	for (i = 0; i < KINDS; i++) {
		packages[i].n_units = UNITS + (uint32_t)i;
		atomic_init(&packages[i].users, 1);
		model->now[i] = profile_of(&packages[i]);
	}
}

/* Nothing is left of what was kept. */
static void close_model(struct model *model)
{
	int i;

	lru_trim(&model->lru, 0);
	profile_history_close(&model->history);
	assert_int_equal(model->lru.bytes, 0);
	assert_null(model->history.by_digest);
	for (i = 0; i < NAMES; i++)
		covprofile_release(model->profiles[i]);
	for (i = 0; i < KINDS; i++) {
		covprofile_release(model->now[i]);
		assert_int_equal(atomic_load(&packages[i].users), 1);
	}
}

static void digest_of(char digest[33], int number)
{
	snprintf(digest, 33, "%032x", (unsigned)number * 2654435761u);
}

static void take_out(struct model *model, int number)
{
	int i = 0;

	while (model->order[i] != number)
		i++;
	model->n--;
	memmove(model->order + i, model->order + i + 1,
		(size_t)(model->n - i) * sizeof *model->order);
}

static void is_youngest(struct model *model, int number)
{
	take_out(model, number);
	model->order[model->n++] = number;
}

static void expect_profile(const struct covprofile *found, const struct covprofile *expected)
{
	assert_non_null(found);
	assert_true(covprofile_same_counters(found, expected));
	assert_memory_equal(found->counters, expected->counters,
			    expected->n_counters * sizeof *found->counters);
}

static void find(struct model *model, int number)
{
	struct covprofile *found;
	struct error err = {0};
	char digest[33];

	digest_of(digest, number);
	assert_int_equal(profile_history_open(&model->history, digest, &found, &err), 0);
	if (!model->profiles[number]) {
		assert_null(found);
		assert_false(profile_history_has(&model->history, digest));
		return;
	}
	expect_profile(found, model->profiles[number]);
	covprofile_release(found);
	is_youngest(model, number);
}

/* A few counters, or many, by a little or by a lot. */
static void move_on(struct model *model, struct covprofile *profile)
{
	int changes = rand_r(&model->random) % (rand_r(&model->random) % 10 ? 5 : 2 * UNITS);

	while (changes-- > 0)
		profile->counters[rand_r(&model->random) % UNITS] +=
		    (uint32_t)rand_r(&model->random) >> rand_r(&model->random) % 32;
}

static void add(struct model *model, int number)
{
	struct covprofile *profile = model->now[rand_r(&model->random) % KINDS];
	struct error err = {0};
	char digest[33];

	move_on(model, profile);
	digest_of(digest, number);
	profile_history_add(&model->history, digest, profile);
	if (model->profiles[number]) { /* the one that was there stays, and is in use */
		is_youngest(model, number);
		return;
	}
	model->profiles[number] = covprofile_copy(profile, &err);
	model->order[model->n++] = number;
}

static void drop(struct model *model)
{
	int oldest = model->order[0];

	assert_int_equal(lru_forget_oldest(&model->lru), model->n > 0);
	if (!model->n)
		return;
	take_out(model, oldest);
	covprofile_release(model->profiles[oldest]);
	model->profiles[oldest] = NULL;
}

static void random_steps(void **state)
{
	struct model model;
	int i;

	(void)state;
	open_model(&model);
	for (i = 0; i < STEPS; i++) {
		int number = rand_r(&model.random) % NAMES;

		switch (rand_r(&model.random) % 5) {
		case 0:
		case 1:
			add(&model, number);
			break;
		case 2:
			drop(&model);
			break;
		default:
			find(&model, number);
		}
		assert_int_equal(model.lru.bytes == 0, model.n == 0);
	}
	close_model(&model);
}

enum { MANY_UNITS = 20000, STATES = 5000, DEFAULT_CACHE = 256 << 20 };

/* Of 20,000 blocks every other function has run, some of them often. */
static void an_ordinary_service_fits(void **state)
{
	struct model model;
	struct covprofile *profile;
	char digest[33];
	int i;

	(void)state;
	open_model(&model);
	packages[0].n_units = MANY_UNITS;
	profile = profile_of(&packages[0]);
	for (i = 0; i < MANY_UNITS; i++)
		if (i / 8 % 2)
			profile->counters[i] =
			    (uint32_t)rand_r(&model.random) % (i % 10 ? 3 : 30000);
	for (i = 0; i < STATES; i++) {
		profile->counters[i]++;
		digest_of(digest, i);
		profile_history_add(&model.history, digest, profile);
	}
	assert_in_range(model.lru.bytes, STATES, DEFAULT_CACHE / 2);
	for (i = 0; i < STATES; i++) {
		digest_of(digest, i);
		assert_true(profile_history_has(&model.history, digest));
	}
	covprofile_release(profile);
	close_model(&model);
}

static void keep_empty(struct profile_history *history, const char *digest)
{
	struct error err = {0};
	cleanup_covprofile struct covprofile *empty = covprofile_new(&err);

	assert_int_equal(covprofile_make_counters(empty, 0, &err), 0);
	profile_history_add(history, digest, empty);
}

static void foreign_digests(void **state)
{
	struct lru lru = {0};
	struct profile_history history = {.lru = &lru};
	char longer[64];

	(void)state;
	assert_false(profile_history_has(&history, "0123"));
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	keep_empty(&history, "0123");
	keep_empty(&history, longer);
	assert_false(profile_history_has(&history, ""));
	assert_false(profile_history_has(&history, "012"));
	assert_false(profile_history_has(&history, "01234"));
	assert_false(profile_history_has(&history, longer)); /* it has more than is kept */
	longer[32] = '\0';
	assert_true(profile_history_has(&history, longer));
	assert_true(profile_history_has(&history, "0123"));
	lru_trim(&lru, 0);
	profile_history_close(&history);
	assert_false(profile_history_has(&history, "0123"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_steps),
	    cmocka_unit_test(an_ordinary_service_fits),
	    cmocka_unit_test(foreign_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
