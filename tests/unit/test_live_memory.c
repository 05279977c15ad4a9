/* From the memory of a program to its snapshot, on made memory: found, checked, refused. */
#include "made_memory.h"

#include "cgi/live/snapshot/counter_copy.h"

static unsigned char *memory;
static struct memory_bytes bytes;
static struct memory source;
static struct executable exe;
static struct moduledata module;
static struct deadline deadline;
static struct fault fault;

static int make(void **state)
{
	(void)state;
	memory = made_memory(COVERAGE_HASH_MD5);
	bytes = (struct memory_bytes){memory, MADE_MEMORY_SIZE, MADE_MEMORY_BASE};
	source = memory_of_bytes(&bytes);
	deadline = deadline_in_ms(60000, -1);
	fault = FAULT_INIT;
	memset(&exe, 0, sizeof exe);
	exe.is_go = true;
	exe.elf.module.vaddr = MADE_MEMORY_BASE;
	return 0;
}

static int drop(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static int find(void)
{
	return moduledata_find(&module, &exe, 0, &source, &deadline, &fault);
}

static int read_list(struct registration *r)
{
	return registration_read(r, &exe, 0, &module, &source, NULL, &deadline, &fault);
}

static int read_list_again(struct registration *r, const struct registration *known)
{
	return registration_read(r, &exe, 0, &module, &source, known, &deadline, &fault);
}

static void by_section(void **state)
{
	(void)state;
	assert_int_equal(find(), 1);
	assert_int_equal(module.address, MADE_MEMORY_BASE);
	assert_int_equal(module.bss, MADE_MEMORY_BASE + MADE_BSS_AT);
	assert_int_equal(module.covctrs, MADE_MEMORY_BASE + MADE_COUNTERS_AT);
}

/* Without the section: a word in a data segment that is the address of the line table. */
static void by_line_table(void **state)
{
	(void)state;
	exe.elf.module.vaddr = 0;
	exe.elf.n_loads = 1;
	exe.elf.loads[0] = (struct elf_segment){.vaddr = 0x1000,
						.file_size = MADE_MEMORY_SIZE,
						.mem_size = MADE_MEMORY_SIZE,
						.writable = true};
	exe.pclntabs[0] = 0x1000 + MADE_HEADER_AT;
	exe.n_pclntabs = 1;
	assert_int_equal(
	    moduledata_find(&module, &exe, MADE_MEMORY_BASE - 0x1000, &source, &deadline, &fault),
	    1);
	assert_int_equal(module.address, MADE_MEMORY_BASE);
	assert_int_equal(atomic_load(&exe.module_hint), 0x1000);
	/* the hint is tried first, and checked */
	exe.elf.n_loads = 0;
	assert_int_equal(
	    moduledata_find(&module, &exe, MADE_MEMORY_BASE - 0x1000, &source, &deadline, &fault),
	    1);
	memory[MADE_HEADER_AT] = 0;
	assert_int_equal(
	    moduledata_find(&module, &exe, MADE_MEMORY_BASE - 0x1000, &source, &deadline, &fault),
	    0);
}

/* Words out of order are no module data. */
static void out_of_order(void **state)
{
	static const unsigned words[] = {20, 21, 29, 31, 33, 34};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof words / sizeof *words; i++) {
		unsigned char saved[8];

		memcpy(saved, memory + 8 * words[i], 8);
		put_word(memory, 8 * words[i], 1);
		assert_int_equal(find(), 0);
		memcpy(memory + 8 * words[i], saved, 8);
	}
	assert_int_equal(find(), 1);
}

static void links(void **state)
{
	struct moduledata plugin;

	(void)state;
	assert_int_equal(find(), 1);
	exe.elf.module.vaddr = MADE_MEMORY_BASE + MADE_PLUGIN_AT;
	atomic_store(&exe.module_hint, 0);
	assert_int_equal(moduledata_find(&plugin, &exe, 0, &source, &deadline, &fault), 1);
	assert_true(moduledata_links_to(&module, &plugin));
	assert_false(moduledata_links_to(&plugin, &module));
}

static void list(void **state)
{
	struct registration r = REGISTRATION_INIT;

	(void)state;
	assert_int_equal(find(), 1);
	assert_int_equal(read_list(&r), 0);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.packages[1].hard_id, -3);
	assert_int_equal(r.packages[1].mode, COUNTER_MODE_ATOMIC);
	assert_memory_equal(r.blobs + r.packages[1].blob_at, memory + MADE_BLOBS_AT + 0x100,
			    r.packages[1].blob_len);
	assert_int_equal(atomic_load(&exe.list_hint), MADE_MEMORY_BASE + MADE_LIST_HEAD_AT);
	registration_free(&r);
	/* a hint that is wrong by now does no harm */
	atomic_store(&exe.list_hint, MADE_MEMORY_BASE + 8);
	assert_int_equal(read_list(&r), 0);
	registration_free(&r);
}

/* What the list of the same file said before is not read again. */
static void list_again(void **state)
{
	struct registration known = REGISTRATION_INIT, r = REGISTRATION_INIT;

	(void)state;
	assert_int_equal(find(), 1);
	assert_int_equal(read_list(&known), 0);
	assert_non_null(known.blobs);
	assert_int_equal(read_list_again(&r, &known), 0);
	assert_int_equal(r.n, 2);
	assert_null(r.blobs);
	registration_free(&r);
	/* fewer packages, as while it starts */
	put_word(memory, MADE_LIST_HEAD_AT + 8, 1);
	assert_int_equal(read_list_again(&r, &known), 0);
	assert_int_equal(r.n, 1);
	assert_non_null(r.blobs);
	registration_free(&r);
	registration_free(&known);
}

/* Any difference makes it another list, but for the place in memory of the whole file. */
static void repeats(void **state)
{
	struct registration known = REGISTRATION_INIT, r = REGISTRATION_INIT;
	struct registered_package *last, good;

	(void)state;
	assert_int_equal(find(), 1);
	assert_int_equal(read_list(&known), 0);
	assert_int_equal(read_list(&r), 0);
	last = &r.packages[1];
	assert_true(registration_repeats(&known, &r));
	r.bias = 0x1000;
	assert_false(registration_repeats(&known, &r));
	r.packages[0].blob_address += 0x1000;
	assert_false(registration_repeats(&known, &r));
	last->blob_address += 0x1000;
	assert_true(registration_repeats(&known, &r));
	good = *last;
	last->hash[COVERAGE_HASH_SIZE - 1] ^= 1;
	assert_false(registration_repeats(&known, &r));
	*last = good;
	last->blob_len++;
	assert_false(registration_repeats(&known, &r));
	*last = good;
	last->hard_id--;
	assert_false(registration_repeats(&known, &r));
	*last = good;
	last->mode--;
	assert_false(registration_repeats(&known, &r));
	*last = good;
	last->granularity++;
	assert_false(registration_repeats(&known, &r));
	registration_free(&r);
	registration_free(&known);
}

/* Whatever is wrong with it, it is not the list. */
static void no_list(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
	} wrong[] = {
	    {MADE_LIST_HEAD_AT, 1},	      /* unaligned */
	    {MADE_LIST_HEAD_AT, 0x700000},    /* not mapped */
	    {MADE_LIST_HEAD_AT + 8, 0},	      /* empty */
	    {MADE_LIST_HEAD_AT + 8, 5},	      /* longer than its capacity */
	    {MADE_LIST_HEAD_AT + 16, 70000},  /* too large a capacity */
	    {MADE_LIST_HEAD_AT + 8, 3},	      /* an entry too many */
	    {MADE_LIST_AT + 64, 0x700000},    /* a blob that is not mapped */
	    {MADE_LIST_AT + 64 + 8, 43},      /* a blob that is too short, the hash changes too */
	    {MADE_LIST_AT + 64 + 8, 1 << 30}, /* or too long */
	    {MADE_LIST_AT + 56, 6},	      /* an unknown mode, no granularity */
	    {MADE_BLOBS_AT + 0x100 + COVBLOB_AT_HASH, 0}, /* another hash */
	};
	size_t i;

	(void)state;
	assert_int_equal(find(), 1);
	for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct registration r = REGISTRATION_INIT;
		unsigned char saved[8];

		memcpy(saved, memory + wrong[i].at, 8);
		put_word(memory, wrong[i].at, wrong[i].value);
		fault = FAULT_INIT;
		assert_int_equal(read_list(&r), -1);
		assert_int_equal(fault.kind, FAULT_UNSETTLED);
		memcpy(memory + wrong[i].at, saved, 8);
	}
}

static void counters(void **state)
{
	struct counter_entries entries = COUNTER_ENTRIES_INIT;
	struct registration r = REGISTRATION_INIT;
	struct program *program;
	uint64_t dropped = 0;

	(void)state;
	assert_int_equal(find(), 1);
	assert_int_equal(read_list(&r), 0);
	program = program_new(&r, &fault);
	assert_non_null(program);
	assert_int_equal(
	    counter_copy(&module, program, &source, &deadline, &entries, &dropped, &fault), 0);
	assert_int_equal(entries.n, 2);
	assert_int_equal(entries.bytes.len, 12);
	assert_memory_equal(entries.bytes.data, "\1\0\0\7\5\0\2\3\4\5\6\7", 12);
	module.covctrs += 0x100;
	module.ecovctrs += 0x100;
	assert_int_equal(
	    counter_copy(&module, program, &source, &deadline, &entries, &dropped, &fault), 0);
	assert_int_equal(entries.n, 3);
	assert_memory_equal(entries.bytes.data + 12, "\2\1\0\310\1\311\1", 7);
	assert_int_equal(dropped, 0);
	counter_entries_free(&entries);
	program_put(&program);
}

static int copy(uint64_t *dropped)
{
	struct counter_entries entries = COUNTER_ENTRIES_INIT;
	struct registration r = REGISTRATION_INIT;
	struct program *program;
	int result;

	*dropped = 0;
	assert_int_equal(read_list(&r), 0);
	program = program_new(&r, &fault);
	assert_non_null(program);
	result = counter_copy(&module, program, &source, &deadline, &entries, dropped, &fault);
	counter_entries_free(&entries);
	program_put(&program);
	return result;
}

static void bad_counters(void **state)
{
	uint64_t dropped;

	(void)state;
	assert_int_equal(find(), 1);
	put_slot(memory, MADE_COUNTERS_AT + 0x80, 2, 1, 0, 1);
	assert_int_equal(copy(&dropped), 0);
	assert_int_equal(dropped, 1);
	put_slot(memory, MADE_COUNTERS_AT + 0x80, 1, 9, 0, 1);
	assert_int_equal(copy(&dropped), -1);
	assert_int_equal(fault.kind, FAULT_UNSETTLED);
	put_slot(memory, MADE_COUNTERS_AT + 0x80, 1, 1, 0, 1);
	put_word(memory, MADE_COUNTERS_AT + 0x80, 1000);
	assert_int_equal(copy(&dropped), -1);
	assert_int_equal(fault.kind, FAULT_UNSETTLED);
	module.covctrs = module.ecovctrs = 0x700000;
	assert_int_equal(copy(&dropped), 0);
	module.ecovctrs = 0x701000;
	assert_int_equal(copy(&dropped), -1);
	assert_int_equal(fault.kind, FAULT_UNMAPPED);
	module.ecovctrs = 0x700000 + 2 * (uint64_t)COUNTER_AREA_MAX;
	assert_int_equal(copy(&dropped), -1);
	assert_int_equal(fault.kind, FAULT_UNSUPPORTED);
}

static void nothing_has_run(void **state)
{
	(void)state;
	assert_int_equal(find(), 1);
	assert_int_equal(counter_area_is_zero(&module, &source, &fault), 0);
	memset(memory + MADE_COUNTERS_AT, 0, 0x100);
	assert_int_equal(counter_area_is_zero(&module, &source, &fault), 1);
}

static void out_of_time(void **state)
{
	struct registration r = REGISTRATION_INIT;

	(void)state;
	assert_int_equal(find(), 1);
	deadline = deadline_in_ms(0, -1);
	assert_int_equal(read_list(&r), -1);
	assert_int_equal(fault.kind, FAULT_REQUEST);
	assert_int_equal(fault.class, ERROR_TIMEOUT);
}

int main(void)
{
#define memory_test(test) cmocka_unit_test_setup_teardown(test, make, drop)
	const struct CMUnitTest tests[] = {
	    memory_test(by_section),
	    memory_test(by_line_table),
	    memory_test(out_of_order),
	    memory_test(links),
	    memory_test(list),
	    memory_test(list_again),
	    memory_test(repeats),
	    memory_test(no_list),
	    memory_test(counters),
	    memory_test(bad_counters),
	    memory_test(nothing_has_run),
	    memory_test(out_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
