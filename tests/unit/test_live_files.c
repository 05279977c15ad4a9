/*
 * The files of a snapshot.  The example is what a program of Go 1.23 in mode count really wrote: a
 * literal, a function that was called with 1, 2 and 3, and main.
 */
#include "made_live.h"

#include "cgi/format/covcounters_writer.h"
#include "cgi/live/snapshot/counter_file.h"
#include "cgi/live/snapshot/snapshot_files.h"

static const unsigned char example_meta[] =
    "\x00\x63\x76\x6d\x01\x00\x00\x00\xd2\x00\x00\x00\x00\x00\x00\x00"
    "\x01\x00\x00\x00\x00\x00\x00\x00\x12\x1d\x5b\xbf\x8c\xed\x76\x1e"
    "\xb1\x28\xe1\xe3\x70\x9f\x70\x8e\x48\x00\x00\x00\x02\x00\x00\x00"
    "\x02\x01\x00\x00\x00\x00\x00\x00\x4a\x00\x00\x00\x00\x00\x00\x00"
    "\x88\x00\x00\x00\x00\x00\x00\x00\x01\x00\x88\x00\x00\x00\x02\x00"
    "\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x64\x0f\xaf\x17\xaf\x85"
    "\x5c\xe1\x13\xea\xc7\x1e\xe1\x15\xe4\xf8\x00\x00\x00\x00\x06\x00"
    "\x00\x00\x03\x00\x00\x00\x63\x00\x00\x00\x6c\x00\x00\x00\x7f\x00"
    "\x00\x00\x06\x00\x08\x65\x78\x2e\x6f\x72\x67\x2f\x76\x04\x6d\x61"
    "\x69\x6e\x0a\x66\x75\x6e\x63\x2e\x4c\x33\x2e\x43\x39\x0d\x65\x78"
    "\x2e\x6f\x72\x67\x2f\x76\x2f\x61\x2e\x67\x6f\x01\x66\x01\x03\x04"
    "\x03\x14\x03\x20\x01\x01\x03\x05\x04\x05\x13\x06\x0b\x01\x09\x02"
    "\x09\x0a\x01\x06\x0b\x08\x03\x01\x00\x01\x02\x04\x0c\x0d\x0c\x21"
    "\x03\x00";

static const char example_counters[] =
    "\x00\x63\x77\x6d\x01\x00\x00\x00\x12\x1d\x5b\xbf\x8c\xed\x76\x1e"
    "\xb1\x28\xe1\xe3\x70\x9f\x70\x8e\x02\x00\x00\x00\x00\x00\x00\x00"
    "\x02\x00\x00\x00\x00\x00\x00\x00\x2b\x00\x00\x00\x09\x00\x00\x00"
    "\x09\x00\x04GOOS\x05linux\x06GOARCH\x05"
    "amd64\x04"
    "argc\x01\x31\x05"
    "argv0\x03./v"
    "\x04\x03\x04\x01\x02\x05\x06\x07\x08\x01\x00\x02\x01\x03\x00\x01"
    "\x03\x01\x02\x00\x63\x77\x6d\x00\x00\x00\x00\x01\x00\x00\x00\x00"
    "\x00\x00\x00";

enum {
	BLOB_AT = 0x4a,
	BLOB_LEN = 0x88,
	COUNTERS_LEN = sizeof example_counters - 1,
};

/* A program as the example has it. */
static struct program *example_program(void)
{
	struct registration r = {.packages = calloc(1, sizeof *r.packages), .n = 1};
	struct fault fault = FAULT_INIT;
	struct program *program;

	r.packages[0] = (struct registered_package){.blob_len = BLOB_LEN,
						    .hard_id = -1,
						    .mode = COUNTER_MODE_COUNT,
						    .granularity = GRANULARITY_PERBLOCK};
	r.blobs = malloc(BLOB_LEN);
	assert_non_null(r.blobs);
	memcpy(r.blobs, example_meta + BLOB_AT, BLOB_LEN);
	r.blobs_len = BLOB_LEN;
	program = program_new(&r, &fault);
	assert_non_null(program);
	return program;
}

/* From the package blob alone, as it lies in memory: the whole file, byte for byte. */
static void meta(void **state)
{
	struct program *program = example_program();
	struct buffer out = BUFFER_INIT;

	(void)state;
	assert_string_equal(program->hex, "121d5bbf8ced761eb128e1e3709f708e");
	assert_int_equal(program->meta_size, sizeof example_meta - 1);
	assert_int_equal(program->functions, 3);
	program_write_meta(program, &out);
	assert_int_equal(out.len, sizeof example_meta - 1);
	assert_memory_equal(out.data, example_meta, out.len);
	buffer_free(&out);
	program_put(&program);
}

/* Only the order of the strings differs from what Go writes, where it is random. */
static void counters(void **state)
{
	static const uint32_t of_main[] = {1}, of_f[] = {3, 1, 2};
	struct counter_entries entries = COUNTER_ENTRIES_INIT;
	struct string_list argv = STRING_LIST_INIT;
	struct buffer out = BUFFER_INIT;

	(void)state;
	assert_int_equal(string_list_add(&argv, "./v", 3), 0);
	counter_entries_add(&entries, 0, 2, of_main, 1);
	counter_entries_add(&entries, 0, 1, of_f, 3);
	covcounters_write(&out, example_meta + COVMETA_AT_HASH, &argv, "amd64", &entries);
	assert_false(out.failed);
	assert_int_equal(out.len, COUNTERS_LEN);
	assert_memory_equal(out.data, example_counters, 0x30);
	assert_memory_equal(out.data + 0x64, example_counters + 0x64, COUNTERS_LEN - 0x64);
	buffer_free(&out);
	string_list_free(&argv);
	counter_entries_free(&entries);
}

/* Add the snapshot of a process that has run nothing: 0, or -1 with FAULT_REQUEST. */
static int add_snapshot(struct memory_files *files, struct program *program,
			struct live_process *line)
{
	struct program_snapshot snapshot = {.program = program};
	struct string_list argv = STRING_LIST_INIT;
	struct fault fault = FAULT_INIT;
	int rc = snapshot_files_add(files, &snapshot, &argv, "amd64", true, line, &fault);

	if (rc < 0) {
		assert_int_equal(fault.kind, FAULT_REQUEST);
		assert_int_equal(fault.class, ERROR_UNAVAILABLE);
	}
	return rc;
}

/* Two of them may have the same pid, and even have started at the same time. */
static void names(void **state)
{
	struct live_process one = {.ns_pid = 1, .start_ns = 77}, other = one;
	struct memory_files files = MEMORY_FILES_INIT;
	struct program *program = example_program();

	(void)state;
	assert_int_equal(add_snapshot(&files, program, &one), 0);
	assert_int_equal(add_snapshot(&files, program, &other), 0);
	assert_string_equal(one.counters_file, "covcounters.121d5bbf8ced761eb128e1e3709f708e.1.77");
	assert_string_equal(other.counters_file,
			    "covcounters.121d5bbf8ced761eb128e1e3709f708e.1.78");
	assert_true(one.wrote_meta && !other.wrote_meta);
	assert_int_equal(files.n, 3);
	assert_string_equal(files.list[2]->file.name, "covmeta.121d5bbf8ced761eb128e1e3709f708e");
	assert_int_equal(files.list[2]->file.size, sizeof example_meta - 1);
	assert_memory_equal(files.list[2]->data, example_meta, sizeof example_meta - 1);
	free(one.counters_file);
	free(other.counters_file);
	memory_files_free(&files);
	program_put(&program);
}

static void bound(void **state)
{
	struct live_process line = {.ns_pid = 1, .start_ns = 77};
	struct memory_files files = {.bytes = SNAPSHOT_FILES_MAX - 10};
	struct program *program = example_program();

	(void)state;
	assert_int_equal(add_snapshot(&files, program, &line), -1);
	assert_int_equal(files.n, 0);
	assert_null(line.counters_file);
	memory_files_free(&files);
	program_put(&program);
}

static int parse(struct counter_file *file, const void *data, size_t len)
{
	struct fault fault = FAULT_INIT;
	int result = counter_file_parse(file, data, len, &fault);

	assert_true(result == 0 || fault.kind == FAULT_UNSUPPORTED);
	return result;
}

/* However many bytes each counter takes, and wherever it stands. */
static void sizes(void **state)
{
	static const uint32_t large[] = {0x7f, 0x80, 0x3fff, 0x4000, UINT32_MAX};
	struct counter_entries entries = COUNTER_ENTRIES_INIT;
	struct counter_file file = COUNTER_FILE_INIT;
	struct string_list argv = STRING_LIST_INIT;
	struct buffer out = BUFFER_INIT;
	uint32_t n, i, value, counters[20];

	(void)state;
	for (n = 1; n <= 20; n++) {
		for (i = 0; i < n; i++)
			counters[i] = i;
		counters[n / 2] = large[n % 5];
		counter_entries_add(&entries, 0, n, counters, n);
	}
	covcounters_write(&out, example_meta, &argv, "amd64", &entries);
	assert_int_equal(parse(&file, out.data, out.len), 0);
	assert_int_equal(file.n_functions, 20);
	for (n = 1; n <= 20; n++)
		for (i = 0; i < n; i++) {
			value = file.counters[file.functions[n - 1].at + i];
			assert_int_equal(value, i == n / 2 ? large[n % 5] : i);
		}
	buffer_free(&out);
	counter_file_free(&file);
	counter_entries_free(&entries);
}

/* More than ten arguments are sorted as text; the tables are padded, and the padding counts. */
static void arguments(void **state)
{
	struct counter_entries entries = COUNTER_ENTRIES_INIT;
	struct string_list argv = STRING_LIST_INIT;
	struct buffer out = BUFFER_INIT;
	const unsigned char *args;
	unsigned i;

	(void)state;
	for (i = 0; i < 12; i++)
		assert_int_equal(string_list_add(&argv, "xxxxxxx", i % 8), 0);
	covcounters_write(&out, example_meta, &argv, "arm64", &entries);
	assert_int_equal((le32(out.data + 40) + le32(out.data + 44)) % 4, 0);
	args = (const unsigned char *)out.data + 48 + le32(out.data + 40);
	assert_int_equal(args[0], 15);
	/* GOARCH, GOOS, argc, argv0, argv1, argv10, argv11, argv2 */
	assert_memory_equal(args + 1, "\1\2\3\4\5\6\7\10\11\12\33\34\35\36\13\14", 16);
	buffer_free(&out);
	string_list_free(&argv);
}

static void parse_example(void **state)
{
	struct counter_file file = COUNTER_FILE_INIT;

	(void)state;
	assert_int_equal(parse(&file, example_counters, COUNTERS_LEN), 0);
	assert_int_equal(file.n_functions, 2);
	assert_int_equal(file.functions[0].function, 1);
	assert_int_equal(file.functions[0].n, 3);
	assert_int_equal(file.counters[file.functions[0].at + 2], 2);
	assert_int_equal(file.functions[1].function, 2);
	assert_int_equal(file.counters[file.functions[1].at], 1);
	counter_file_free(&file);
}

static void parse_raw(void **state)
{
	static const char body[] = "\0\0\0\2\0\0\0\0\0\0\0\5\0\0\0\7\0\0\1\0" COVCOUNTERS_MAGIC;
	char data[32 + 16 + 4 + 20 + 16] = COVCOUNTERS_MAGIC;
	struct counter_file file = COUNTER_FILE_INIT;

	(void)state;
	set_le(data + 4, 1, 4);
	data[COVCOUNTERS_AT_FLAVOR] = COUNTER_RAW;
	data[COVCOUNTERS_AT_BIG_ENDIAN] = 1;
	set_le(data + 32, 1, 8);
	set_le(data + 40, 1, 4); /* no strings, */
	set_le(data + 44, 3, 4); /* and no arguments */
	memcpy(data + 52, body, 24);
	set_le(data + 72 + COVCOUNTERS_FOOTER_AT_SEGMENTS, 1, 4);
	assert_int_equal(parse(&file, data, sizeof data), 0);
	assert_int_equal(file.functions[0].function, 5);
	assert_int_equal(file.counters[0], 7);
	assert_int_equal(file.counters[1], 256);
	counter_file_free(&file);
}

/* Every beginning of it, and every byte changed to something large: no crash, no wild
 * allocation. */
static void parse_damaged(void **state)
{
	char damaged[COUNTERS_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < COUNTERS_LEN; i++) {
		char *copy = malloc(i ? i : 1);
		struct counter_file file = COUNTER_FILE_INIT;

		assert_non_null(copy);
		memcpy(copy, example_counters, i);
		parse(&file, copy, i);
		counter_file_free(&file);
		free(copy);
		memcpy(damaged, example_counters, COUNTERS_LEN);
		damaged[i] = (char)0xff;
		parse(&file, damaged, COUNTERS_LEN);
		counter_file_free(&file);
	}
}

struct one {
	uint32_t package, function, a, b;
};

static void make_file(struct counter_file *file, const struct one *list, size_t n)
{
	size_t i;

	*file = (struct counter_file){.functions = calloc(n + 1, sizeof *file->functions),
				      .counters = calloc(2 * n + 1, sizeof *file->counters),
				      .n_functions = n,
				      .n_counters = 2 * n};
	for (i = 0; i < n; i++) {
		file->functions[i] =
		    (struct counter_function){list[i].package, list[i].function, 2, 2 * i};
		file->counters[2 * i] = list[i].a;
		file->counters[2 * i + 1] = list[i].b;
	}
}

static bool contains(const struct one *big, size_t n_big, const struct one *small, size_t n_small)
{
	struct counter_file b, s;
	bool result;

	make_file(&b, big, n_big);
	make_file(&s, small, n_small);
	result = counter_file_contains(&b, &s);
	counter_file_free(&b);
	counter_file_free(&s);
	return result;
}

static void containment(void **state)
{
	static const struct one big[] = {{0, 1, 5, 0}, {0, 7, 1, 1}, {2, 0, 3, 3}};
	static const struct one equal_part[] = {{0, 7, 1, 1}, {2, 0, 3, 3}};
	static const struct one lower[] = {{0, 1, 4, 0}}, higher[] = {{0, 1, 4, 1}};
	static const struct one other[] = {{0, 2, 1, 0}}, behind[] = {{2, 1, 1, 0}};

	(void)state;
	assert_true(contains(big, 3, big, 3));
	assert_true(contains(big, 3, equal_part, 2));
	assert_false(contains(equal_part, 2, big, 3));
	assert_true(contains(big, 3, lower, 1));
	assert_false(contains(big, 3, higher, 1));
	assert_false(contains(big, 3, other, 1));
	assert_false(contains(big, 3, behind, 1));
	assert_true(contains(big, 3, NULL, 0));
	assert_false(contains(NULL, 0, lower, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(meta),	   cmocka_unit_test(counters),
	    cmocka_unit_test(names),	   cmocka_unit_test(bound),
	    cmocka_unit_test(arguments),   cmocka_unit_test(parse_example),
	    cmocka_unit_test(parse_raw),   cmocka_unit_test(parse_damaged),
	    cmocka_unit_test(containment), cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
