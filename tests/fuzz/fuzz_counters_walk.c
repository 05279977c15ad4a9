/*
 * The memory of a process: module data at its start, and whatever else they lead to: the list of
 * packages, their meta-data, the counters.  What comes out is a good counter file with functions
 * that exist, or a refusal.  The last 64 bytes are what has changed in the counters between the two
 * copies.
 */
#include "fuzz.h"

#include <string.h>

#include "cgi/live/snapshot/counter_copy.h"
#include "cgi/live/snapshot/counter_file.h"
#include "cgi/live/snapshot/counter_walk.h"

enum { BASE = 0x600000, CHANGES = 64 };

static void check_entries(const struct program *program, const struct counter_entries *entries)
{
	static const unsigned char hash[COVERAGE_HASH_SIZE];
	cleanup_counter_file struct counter_file file = COUNTER_FILE_INIT;
	cleanup_buffer struct buffer out = BUFFER_INIT;
	struct string_list argv = STRING_LIST_INIT;
	struct fault fault = FAULT_INIT;
	size_t i;

	covcounters_write(&out, hash, &argv, "amd64", entries);
	fuzz_expect(!out.failed);
	fuzz_expect(counter_file_parse(&file, (unsigned char *)out.data, out.len, &fault) == 0);
	fuzz_expect(file.n_functions == entries->n);
	for (i = 0; i < file.n_functions; i++) {
		const struct counter_function *f = &file.functions[i];

		fuzz_expect(f->package < program->registration.n);
		fuzz_expect(f->function < program->packages[f->package].n_functions);
		fuzz_expect(f->n == program->packages[f->package].units[f->function]);
	}
}

static void check_meta(const struct program *program)
{
	cleanup_buffer struct buffer out = BUFFER_INIT;

	program_write_meta(program, &out);
	fuzz_expect(!out.failed && out.len == program->meta_size);
	fuzz_expect(le64(out.data + COVMETA_AT_LENGTH) == out.len);
}

/* Copies that differ: the words of the area, and the same words with the changes. */
static void walk_changed(const struct program *program, const uint8_t *area, size_t n,
			 const uint8_t *changes)
{
	cleanup_counter_entries struct counter_entries entries = COUNTER_ENTRIES_INIT;
	cleanup_free uint8_t *first = malloc(n + 4), *second = malloc(n + 4);
	struct counter_copies copies = {(uint32_t *)first, (uint32_t *)second, n / 4};
	struct walk_result result = {0};
	size_t i;

	fuzz_expect(first && second);
	memcpy(first, area, n);
	for (i = 0; i < n; i++)
		second[i] = area[i] ^ changes[i % CHANGES];
	counter_walk(&copies, program, &entries, &result);
	if (!result.unsettled)
		check_entries(program, &entries);
}

static void look_into(const struct moduledata *module, const struct program *program,
		      const struct memory *process, const uint8_t *data, size_t size)
{
	cleanup_counter_entries struct counter_entries entries = COUNTER_ENTRIES_INIT;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct fault fault = FAULT_INIT;
	uint64_t dropped = 0, at = module->covctrs - BASE, n = module->ecovctrs - module->covctrs;

	check_meta(program);
	if (module->covctrs < BASE || at > size || n > size - at)
		return;
	walk_changed(program, data + at, (size_t)n, data + size - CHANGES);
	if (counter_copy(module, program, process, &deadline, &entries, &dropped, &fault) == 0)
		check_entries(program, &entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_bytes bytes = {data, size, BASE};
	struct memory process = memory_of_bytes(&bytes);
	struct executable exe = {.is_go = true, .elf = {.module = {.vaddr = BASE}}};
	struct deadline deadline = deadline_in_ms(60000, -1);
	cleanup_registration struct registration registration = REGISTRATION_INIT;
	cleanup_program struct program *program = NULL;
	struct moduledata module;
	struct fault fault = FAULT_INIT;

	if (size < CHANGES || moduledata_find(&module, &exe, 0, &process, &deadline, &fault) <= 0 ||
	    registration_read(&registration, &exe, 0, &module, &process, NULL, &deadline, &fault) <
		0)
		return 0;
	program = program_new(&registration, &fault);
	if (program)
		look_into(&module, program, &process, data, size);
	return 0;
}
