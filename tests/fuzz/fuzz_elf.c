/*
 * Executables: whatever bytes a process runs (or has mapped) must be understood or refused, within
 * the bounds.  The same bytes serve as the memory in which the module data are looked for.
 */
#include "fuzz.h"

#include "cgi/live/go/mapped_image.h"
#include "cgi/live/go/moduledata.h"

enum { BASE = 0x400000 };

static void check(const struct executable *exe)
{
	unsigned i;

	fuzz_expect(exe->elf.n_loads <= ELF_MAX_SEGMENTS);
	fuzz_expect(exe->n_pclntabs <= EXECUTABLE_MAX_PCLNTABS);
	for (i = 0; i < exe->elf.n_loads; i++)
		fuzz_expect(exe->elf.loads[i].file_size <= exe->elf.loads[i].mem_size);
	fuzz_expect(exe->elf.kind == ELF_64_LE || !exe->is_go);
}

static void look_into(struct executable *exe, const struct memory *process,
		      const struct deadline *deadline)
{
	struct moduledata module;
	struct fault fault = FAULT_INIT;
	int found = moduledata_find(&module, exe, BASE, process, deadline, &fault);

	fuzz_expect(found >= 0 || fault.kind == FAULT_REQUEST);
	if (found > 0)
		fuzz_expect(module.covctrs <= module.ecovctrs && module.bss <= module.ebss);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_bytes as_file = {data, size, 0}, as_memory = {data, size, BASE};
	struct memory file = memory_of_bytes(&as_file), process = memory_of_bytes(&as_memory),
		      image;
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct file_identity identity = {0};
	struct mapped_image mapped;
	struct fault fault = FAULT_INIT;
	cleanup_executable struct executable *exe =
	    executable_read_from(&file, &identity, &deadline, &fault);
	cleanup_executable struct executable *again = NULL;

	if (exe) {
		check(exe);
		look_into(exe, &process, &deadline);
	}
	if (mapped_image_open(&mapped, &process, BASE, &fault) < 0)
		return 0;
	image = mapped_image_source(&mapped);
	again = executable_read_from(&image, &identity, &deadline, &fault);
	if (again)
		check(again);
	return 0;
}
