/* Writing the text of a profile: in pieces and at once, filtered, into a sink that fails, and again
 * and again while its counters change. */
#include "scratch.h"

#include <stdlib.h>

#include "cgi/format/package_store.h"
#include "cgi/text/text_template.h"
#include "cgi/text/textfmt_writer.h"
#include "made_coverage.h"
#include "made_filter.h"

/* A profile of packages pkgN, N counts each in all its blocks; owned by the test. */
struct scene {
	struct package_store packages;
	struct covmeta meta;
	struct covprofile *profile;
	size_t *first;
};

enum { MANY = 6000 }; /* packages: their text is longer than any buffer */

static void make_names(char names[][32], const char **paths, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(names[i], 32, "example.org/pkg%zu", i);
		paths[i] = names[i];
	}
	paths[n] = NULL;
}

static void open_scene(struct scene *scene, size_t n, uint8_t mode)
{
	static char names[MANY][32];
	static const char *paths[MANY + 1];
	cleanup_buffer struct buffer bytes = BUFFER_INIT;
	struct error err = {0};
	cleanup_fd int fd = -1;
	bool newer;
	size_t i;

	make_names(names, paths, n);
	make_meta(&bytes, paths, mode);
	write_file(in_scratch("meta"), bytes.data, bytes.len);
	fd = open(in_scratch("meta"), O_RDONLY | O_CLOEXEC);
	*scene = (struct scene){.packages = PACKAGE_STORE_INIT, .meta = COVMETA_INIT};
	if (covmeta_read(&scene->meta, fd, &scene->packages, &newer, &err) < 0)
		fail_msg("%s", err.message);
	scene->profile = covprofile_new(&err);
	scene->first = calloc(n, sizeof *scene->first);
	assert_true(scene->profile && scene->first);
	assert_int_equal(covprofile_add_program(scene->profile, &scene->meta, scene->first, &err),
			 0);
	for (i = 0; i < n; i++)
		scene->profile->counters[scene->first[i]] = (uint32_t)i;
}

static void close_scene(struct scene *scene)
{
	covprofile_release(scene->profile);
	free(scene->first);
	covmeta_free(&scene->meta);
	package_store_free(&scene->packages);
}

static struct textfmt_writer *writer_for(struct scene *scene, const char *skip, const char *cover)
{
	cleanup_path_filter struct path_filter *filter = make_filter(skip, cover);
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct textfmt_writer *writer;
	struct error err = {0};

	writer = textfmt_writer_new(scene->profile, filter, &deadline, &err);
	assert_non_null(writer);
	return writer;
}

static int to_buffer(void *buffer, const char *bytes, size_t n)
{
	buffer_append(buffer, bytes, n);
	return 0;
}

/* The text by both ways, which must be the same; the caller frees it. */
static char *text_of(struct textfmt_writer *writer)
{
	cleanup_profile_text struct profile_text *text = NULL;
	cleanup_buffer struct buffer sent = BUFFER_INIT;
	struct error err = {0};

	text = textfmt_writer_text(writer, NULL, &err);
	assert_non_null(text);
	assert_int_equal(text->len, textfmt_writer_size(writer));
	assert_int_equal(textfmt_writer_send(writer, to_buffer, &sent), 0);
	assert_int_equal(sent.len, text->len);
	assert_memory_equal(sent.data, text->bytes, text->len);
	return strndup(text->bytes, text->len);
}

static void expect(struct scene *scene, const char *skip, const char *cover, const char *expected)
{
	cleanup_textfmt_writer struct textfmt_writer *writer = writer_for(scene, skip, cover);
	cleanup_free char *text = text_of(writer);

	assert_string_equal(text, expected);
}

static void patterns_choose_files(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, 3, COUNTER_MODE_COUNT);
	expect(&scene, NULL, NULL,
	       "mode: count\nexample.org/pkg0/f.go:1.2,2.3 1 0\n"
	       "example.org/pkg1/f.go:1.2,2.3 1 1\nexample.org/pkg2/f.go:1.2,2.3 1 2\n");
	expect(&scene, "pkg1/", NULL,
	       "mode: count\nexample.org/pkg0/f.go:1.2,2.3 1 0\n"
	       "example.org/pkg2/f.go:1.2,2.3 1 2\n");
	expect(&scene, "pkg1", "pkg[12]", "mode: count\nexample.org/pkg2/f.go:1.2,2.3 1 2\n");
	expect(&scene, ".", NULL, "mode: count\n");
	close_scene(&scene);
}

static void modes(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, 3, COUNTER_MODE_SET);
	expect(&scene, "pkg0", NULL,
	       "mode: set\nexample.org/pkg1/f.go:1.2,2.3 1 1\n"
	       "example.org/pkg2/f.go:1.2,2.3 1 1\n");
	close_scene(&scene);
	open_scene(&scene, 1, COUNTER_MODE_ATOMIC);
	scene.profile->counters[0] = UINT32_MAX;
	expect(&scene, NULL, NULL, "mode: atomic\nexample.org/pkg0/f.go:1.2,2.3 1 4294967295\n");
	close_scene(&scene);
}

static void nothing_at_all(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, 0, COUNTER_MODE_SET);
	expect(&scene, NULL, NULL, "mode: set\n");
	expect(&scene, ".", NULL, "mode: set\n");
	close_scene(&scene);
}

struct tired {
	size_t takes, calls;
};

static int tired_sink(void *tired_, const char *bytes, size_t n)
{
	struct tired *tired = tired_;

	(void)bytes;
	assert_true(n > 0);
	return tired->calls++ < tired->takes ? 0 : -1;
}

/* It is not called again, and the writer is as good as before. */
static void sink_that_fails(void **state)
{
	cleanup_textfmt_writer struct textfmt_writer *writer = NULL;
	cleanup_free char *first = NULL, *second = NULL;
	struct tired tired = {1, 0};
	struct scene scene;

	(void)state;
	open_scene(&scene, MANY, COUNTER_MODE_COUNT);
	writer = writer_for(&scene, NULL, NULL);
	assert_true(textfmt_writer_size(writer) > 2 * TEXT_OUT_ROOM);
	first = text_of(writer);
	assert_int_equal(textfmt_writer_send(writer, tired_sink, &tired), -1);
	assert_int_equal(tired.calls, 2);
	second = text_of(writer);
	assert_string_equal(first, second);
	close_scene(&scene);
}

static void out_of_time(void **state)
{
	struct deadline passed = {1, -1};
	struct error err = {0};
	struct scene scene;

	(void)state;
	open_scene(&scene, 1, COUNTER_MODE_SET);
	assert_null(textfmt_writer_new(scene.profile, NULL, &passed, &err));
	assert_int_equal(err.class, ERROR_TIMEOUT);
	close_scene(&scene);
}

/* --- the same packages again ----------------------------------------------------------------- */

enum { WALKERS = 50, STEPS = 2000 };

/* In the memory of an earlier text, or NULL, which is given away. */
static struct profile_text *text_again(struct scene *scene, struct profile_text *again)
{
	cleanup_textfmt_writer struct textfmt_writer *writer = writer_for(scene, NULL, NULL);
	struct error err = {0};
	struct profile_text *text = textfmt_writer_text(writer, again, &err);

	assert_non_null(text);
	return text;
}

/* The text as it is made line by line. */
static char *plain_text(struct scene *scene)
{
	struct error err = {0};
	cleanup_covprofile struct covprofile *profile = scene->profile;
	cleanup_textfmt_writer struct textfmt_writer *writer = NULL;
	char *text;

	scene->profile = covprofile_copy(profile, &err);
	assert_int_equal(covprofile_part_derived(scene->profile, &err), 0);
	atomic_store(&scene->profile->derived->limit, 0);
	writer = writer_for(scene, NULL, NULL);
	text = text_of(writer);
	covprofile_release(scene->profile);
	scene->profile = steal_ptr(profile);
	return text;
}

static void expect_plain(struct scene *scene, const struct profile_text *text)
{
	cleanup_free char *plain = plain_text(scene);

	assert_int_equal(text->len, strlen(plain));
	assert_memory_equal(text->bytes, plain, text->len);
}

/* A few counters go up or down, by a little or by several digits. */
static void step(struct scene *scene, unsigned *random)
{
	int changes = rand_r(random) % 4;

	while (changes-- > 0) {
		uint32_t *counter = &scene->profile->counters[rand_r(random) % WALKERS];

		switch (rand_r(random) % 4) {
		case 0:
			*counter += 1;
			break;
		case 1:
			*counter -= *counter > 0;
			break;
		case 2:
			*counter = 0;
			break;
		default:
			*counter = (uint32_t)rand_r(random) >> rand_r(random) % 32;
		}
	}
}

/* Now and then the profile is a copy, as that of another request is. */
static void walk(uint8_t mode)
{
	cleanup_profile_text struct profile_text *text = NULL;
	struct covprofile *copy;
	unsigned random = 20261128;
	struct error err = {0};
	struct scene scene;
	int i;

	open_scene(&scene, WALKERS, mode);
	atomic_store(&scene.profile->derived->limit, 1 << 20);
	for (i = 0; i < STEPS; i++) {
		text = text_again(&scene, text);
		expect_plain(&scene, text);
		step(&scene, &random);
		if (i % 7)
			continue;
		copy = covprofile_copy(scene.profile, &err);
		covprofile_release(scene.profile);
		scene.profile = copy;
	}
	close_scene(&scene);
}

static void changing_counters(void **state)
{
	(void)state;
	walk(COUNTER_MODE_COUNT);
	walk(COUNTER_MODE_SET);
}

/* The memory is the same where there is room; what was known of the lines in it is forgotten. */
static void memory_again(void **state)
{
	struct profile_text *text, *before;
	struct error err = {0};
	struct scene scene;

	(void)state;
	open_scene(&scene, 3, COUNTER_MODE_COUNT);
	scene.profile->counters[scene.first[1]] = 7;
	before = text_again(&scene, NULL);
	assert_int_equal(profile_text_files(before, &err)->runs[2].at, 80);
	scene.profile->counters[scene.first[1]] = 12;
	text = text_again(&scene, before);
	assert_ptr_equal(text, before);
	assert_int_equal(profile_text_files(text, &err)->runs[2].at, 81);
	expect_plain(&scene, text);
	profile_text_release(text);
	text = text_again(&scene, profile_text_new(16, &err));
	expect_plain(&scene, text);
	profile_text_release(text);
	close_scene(&scene);
}

/* From the second time on; what is larger than it may be is made once to see that. */
static void when_there_is_a_template(void **state)
{
	static const size_t limits[] = {0, 100, 1 << 20};
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct covprofile_derived *derived;

		open_scene(&scene, 3, COUNTER_MODE_COUNT);
		derived = scene.profile->derived;
		atomic_store(&derived->limit, limits[i]);
		assert_null(text_template_of(scene.profile));
		assert_int_equal(text_template_of(scene.profile) != NULL, i == 2);
		assert_int_equal(text_template_of(scene.profile) != NULL, i == 2);
		assert_in_range(atomic_load(&derived->bytes), 0, limits[i]);
		assert_int_equal(atomic_load(&derived->made) != NULL, i > 0);
		close_scene(&scene);
	}
}

static int start(void **state)
{
	struct error err;

	(void)state;
	return path_filter_start(&err) < 0 ? -1 : make_scratch(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(patterns_choose_files), cmocka_unit_test(modes),
	    cmocka_unit_test(nothing_at_all),	     cmocka_unit_test(sink_that_fails),
	    cmocka_unit_test(out_of_time),	     cmocka_unit_test(changing_counters),
	    cmocka_unit_test(memory_again),	     cmocka_unit_test(when_there_is_a_template),
	};

	return cmocka_run_group_tests(tests, start, remove_scratch);
}
