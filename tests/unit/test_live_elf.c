/* Executables: headers, sections, line tables and build information, whole and damaged. */
#include "made_elf.h"

#include "cgi/live/go/executable.h"
#include "cgi/live/go/mapped_image.h"
#include "cgi/live/go/pclntab.h"

static unsigned char *file;
static struct deadline deadline;

static int make(void **state)
{
	(void)state;
	file = made_elf();
	deadline = deadline_in_ms(60000, -1);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	free(file);
	return 0;
}

static struct executable *read_bytes(const unsigned char *data, size_t len, struct fault *fault)
{
	struct memory_bytes bytes = {data, len, 0};
	struct memory source = memory_of_bytes(&bytes);
	struct file_identity identity = {.inode = 1};

	return executable_read_from(&source, &identity, &deadline, fault);
}

static struct executable *read_file(void)
{
	struct fault fault = FAULT_INIT;
	struct executable *exe = read_bytes(file, MADE_ELF_SIZE, &fault);

	if (!exe)
		fail_msg("%s", fault.reason);
	return exe;
}

static Elf64_Ehdr *header(void)
{
	return (Elf64_Ehdr *)file;
}

static void remove_sections(void)
{
	header()->e_shoff = 0;
	header()->e_shnum = 0;
	header()->e_shstrndx = 0;
}

static void with_sections(void **state)
{
	struct executable *exe = read_file();
	uint64_t offset;

	(void)state;
	assert_int_equal(exe->elf.kind, ELF_64_LE);
	assert_true(exe->is_go);
	assert_false(exe->elf.position_independent);
	assert_false(exe->elf.dynamic);
	assert_string_equal(elf_goarch(&exe->elf), "amd64");
	assert_int_equal(exe->elf.n_loads, 2);
	assert_int_equal(elf_start_code(&exe->elf), MADE_TEXT);
	assert_int_equal(exe->elf.module.vaddr, MADE_DATA + 0x800);
	assert_int_equal(exe->n_pclntabs, 1);
	assert_int_equal(exe->pclntabs[0], MADE_TEXT + MADE_PCLNTAB_AT);
	assert_int_equal(elf_offset(&exe->elf, MADE_DATA + 8, 8, &offset), 0);
	assert_int_equal(offset, 0x208);
	assert_int_equal(elf_offset(&exe->elf, MADE_DATA + 0x1fc, 8, &offset), -1);
	executable_put(&exe);
}

static void expect_build_info(const struct build_info *build)
{
	assert_string_equal(build->go_version, "go1.23.5");
	assert_string_equal(build->main_path, "example.com/a/cmd");
	assert_string_equal(build->module_path, "example.com/a");
	assert_string_equal(build->module_version, "v1.2.3");
	assert_string_equal(build->vcs_revision, "0123abcd");
	assert_string_equal(build->goarch, "amd64");
	assert_true(build->vcs_modified);
	assert_true(build->cover);
}

static void build_info(void **state)
{
	struct executable *exe = read_file();

	(void)state;
	expect_build_info(&exe->build);
	executable_put(&exe);
}

/* The line table and the build information are searched for. */
static void without_sections(void **state)
{
	struct executable *exe;

	(void)state;
	remove_sections();
	exe = read_file();
	assert_true(exe->is_go);
	assert_false(exe->elf.has_sections);
	assert_int_equal(exe->n_pclntabs, 1);
	assert_int_equal(exe->pclntabs[0], MADE_TEXT + MADE_PCLNTAB_AT);
	expect_build_info(&exe->build);
	executable_put(&exe);
}

static void no_go(void **state)
{
	struct executable *exe;

	(void)state;
	memset(file + MADE_NAMES_AT, 'x', 60);
	exe = read_file();
	assert_false(exe->is_go);
	assert_null(exe->build.go_version);
	executable_put(&exe);
}

static void foreign(void **state)
{
	unsigned char *large = calloc(1, 1 << 17);
	struct fault fault = FAULT_INIT;
	struct executable *exe;

	(void)state;
	assert_non_null(large);
	memcpy(large, file, MADE_ELF_SIZE);
	large[EI_CLASS] = ELFCLASS32;
	exe = read_bytes(large, 1 << 17, &fault);
	assert_non_null(exe);
	assert_int_equal(exe->elf.kind, ELF_FOREIGN);
	assert_string_equal(exe->elf.foreign, "32-bit");
	assert_false(exe->is_go);
	expect_build_info(&exe->build);
	executable_put(&exe);
	large[EI_CLASS] = ELFCLASS64;
	large[EI_DATA] = ELFDATA2MSB;
	exe = read_bytes(large, 1 << 17, &fault);
	assert_non_null(exe);
	assert_string_equal(exe->elf.foreign, "big-endian");
	executable_put(&exe);
	free(large);
}

static void not_elf(void **state)
{
	static const unsigned char script[100] = "#!/bin/sh\n";
	struct fault fault = FAULT_INIT;
	struct executable *exe = read_bytes(script, sizeof script, &fault);

	(void)state;
	assert_non_null(exe);
	assert_int_equal(exe->elf.kind, ELF_NOT);
	executable_put(&exe);
	exe = read_bytes(script, 3, &fault);
	assert_non_null(exe);
	assert_int_equal(exe->elf.kind, ELF_NOT);
	executable_put(&exe);
}

static void bad_headers(void **state)
{
	struct fault fault = FAULT_INIT;

	(void)state;
	header()->e_phnum = ELF_MAX_SEGMENTS + 1;
	assert_null(read_bytes(file, MADE_ELF_SIZE, &fault));
	assert_int_equal(fault.kind, FAULT_UNSUPPORTED);
	header()->e_phnum = 2;
	header()->e_phoff = UINT64_MAX - 8;
	assert_null(read_bytes(file, MADE_ELF_SIZE, &fault));
	assert_int_equal(fault.kind, FAULT_UNMAPPED);
}

/* Senseless section headers are as good as none. */
static void bad_sections(void **state)
{
	struct executable *exe;
	Elf64_Shdr *sections = (Elf64_Shdr *)(file + MADE_SECTIONS_AT);

	(void)state;
	sections[4].sh_size = UINT64_MAX;
	exe = read_file();
	assert_false(exe->elf.has_sections);
	assert_true(exe->is_go);
	executable_put(&exe);
	header()->e_shoff = UINT64_MAX - 100;
	exe = read_file();
	assert_false(exe->elf.has_sections);
	executable_put(&exe);
}

/* Every beginning, and every byte of the headers changed: no crash, nothing read beyond the end. */
static void damaged(void **state)
{
	static const unsigned char values[] = {0, 1, 0x7f, 0xff};
	size_t i;

	(void)state;
	for (i = 0; i < MADE_ELF_SIZE * sizeof values; i++) {
		size_t at = i / sizeof values, cut = i % sizeof values ? MADE_ELF_SIZE : at;
		unsigned char *copy = malloc(cut ? cut : 1);
		struct fault fault = FAULT_INIT;
		struct executable *exe;

		assert_non_null(copy);
		memcpy(copy, file, cut);
		if (cut == MADE_ELF_SIZE)
			copy[at] = values[i % sizeof values];
		exe = read_bytes(copy, cut, &fault);
		if (!exe)
			assert_true(fault.kind == FAULT_UNMAPPED ||
				    fault.kind == FAULT_UNSUPPORTED);
		executable_put(&exe);
		free(copy);
	}
}

static void line_tables(void **state)
{
	(void)state;
	assert_true(pclntab_is_header((const unsigned char *)"\xf1\xff\xff\xff\0\0\1\10"));
	assert_true(pclntab_is_header((const unsigned char *)"\xf1\xff\xff\xff\0\0\4\10"));
	assert_false(pclntab_is_header((const unsigned char *)"\xf1\xff\xff\xff\0\0\3\10"));
	assert_false(pclntab_is_header((const unsigned char *)"\xf1\xff\xff\xff\0\0\1\4"));
	assert_false(pclntab_is_header((const unsigned char *)"\xf0\xff\xff\xff\0\0\1\10"));
	assert_false(pclntab_is_header((const unsigned char *)"\xf1\xff\xff\xff\0\1\1\10"));
}

/* Mapped somewhere else, each segment at its address: the same as the file, less its sections. */
static void image(void **state)
{
	enum { BASE = 0x10000000, SPAN = MADE_DATA - MADE_TEXT + 0x1000 };
	unsigned char *mapped = calloc(1, SPAN);
	struct memory_bytes bytes = {mapped, SPAN, BASE};
	struct memory process = memory_of_bytes(&bytes), source;
	struct file_identity none = {0};
	struct fault fault = FAULT_INIT;
	struct mapped_image mapped_image;
	struct executable *exe;

	(void)state;
	assert_non_null(mapped);
	header()->e_type = ET_DYN;
	memcpy(mapped, file, 0x200);
	memcpy(mapped + MADE_DATA - MADE_TEXT, file + 0x200, 0x200);
	assert_int_equal(mapped_image_open(&mapped_image, &process, BASE, &fault), 0);
	source = mapped_image_source(&mapped_image);
	exe = executable_read_from(&source, &none, &deadline, &fault);
	assert_non_null(exe);
	assert_true(exe->is_go);
	assert_int_equal(exe->pclntabs[0], MADE_TEXT + MADE_PCLNTAB_AT);
	expect_build_info(&exe->build);
	executable_put(&exe);
	assert_int_equal(mapped_image_open(&mapped_image, &process, BASE + 0x1000, &fault), -1);
	free(mapped);
}

int main(void)
{
#define elf_test(test) cmocka_unit_test_setup_teardown(test, make, drop)
	const struct CMUnitTest tests[] = {
	    elf_test(with_sections), elf_test(build_info),   elf_test(without_sections),
	    elf_test(no_go),	     elf_test(foreign),	     elf_test(not_elf),
	    elf_test(bad_headers),   elf_test(bad_sections), elf_test(damaged),
	    elf_test(line_tables),   elf_test(image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
