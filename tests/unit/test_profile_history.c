/* Earlier profiles under their digests: found, kept and dropped in the order of their use. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/reader/profile_history.h"

enum { NAMES = 200, STEPS = 20000 };

/* What the history should hold: numbers of profiles, the one that was used last at the end. */
struct model {
	struct profile_history history;
	const struct packed_profile *profiles[NAMES]; /* NULL = not there */
	int order[NAMES];
	int n;
};

static void digest_of(char digest[33], int number)
{
	snprintf(digest, 33, "%032x", (unsigned)number * 2654435761u);
}

static struct packed_profile *some_profile(void)
{
	struct error err = {0};
	cleanup_covprofile struct covprofile *empty = covprofile_new(&err);
	struct packed_profile *packed = empty ? packed_profile_new(empty, &err) : NULL;

	assert_non_null(packed);
	return packed;
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

static void find(struct model *model, int number)
{
	char digest[33];

	digest_of(digest, number);
	assert_ptr_equal(profile_history_find(&model->history, digest), model->profiles[number]);
	if (!model->profiles[number])
		return;
	take_out(model, number);
	model->order[model->n++] = number;
}

static void add(struct model *model, int number)
{
	struct packed_profile *profile = some_profile();
	char digest[33];

	digest_of(digest, number);
	profile_history_add(&model->history, digest, profile);
	if (model->profiles[number])
		return; /* the one that was there stays, at its place */
	model->profiles[number] = profile;
	model->order[model->n++] = number;
}

static void drop(struct model *model)
{
	assert_int_equal(profile_history_drop_oldest(&model->history), model->n > 0);
	if (!model->n)
		return;
	model->profiles[model->order[0]] = NULL;
	take_out(model, model->order[0]);
}

static void random_steps(void **state)
{
	unsigned random = 20261129;
	struct model model = {.n = 0};
	int i;

	(void)state;
	for (i = 0; i < STEPS; i++) {
		int number = rand_r(&random) % NAMES;

		switch (rand_r(&random) % 4) {
		case 0:
			add(&model, number);
			break;
		case 1:
			drop(&model);
			break;
		default:
			find(&model, number);
		}
		assert_int_equal(profile_history_memory(&model.history) == 0, model.n == 0);
	}
	while (model.n)
		drop(&model);
	drop(&model);
	assert_int_equal(profile_history_memory(&model.history), 0);
	profile_history_free(&model.history);
}

static void foreign_digests(void **state)
{
	struct profile_history history = {0};
	char longer[64];

	(void)state;
	assert_null(profile_history_find(&history, "0123"));
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	profile_history_add(&history, "0123", some_profile());
	profile_history_add(&history, longer, some_profile());
	assert_null(profile_history_find(&history, ""));
	assert_null(profile_history_find(&history, "012"));
	assert_null(profile_history_find(&history, "01234"));
	assert_null(profile_history_find(&history, longer)); /* it has more than is kept */
	longer[32] = '\0';
	assert_non_null(profile_history_find(&history, longer));
	assert_non_null(profile_history_find(&history, "0123"));
	profile_history_free(&history);
	assert_null(profile_history_find(&history, "0123"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_steps),
	    cmocka_unit_test(foreign_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
