/*
 * A small Go program's ELF file: two segments, and the sections that are looked for.
 *
 *   0x000  ELF header, two program headers
 *   0x100  line table        (segment 0, address 0x400100)
 *   0x200  build information (segment 1, address 0x500000)
 *   0x400  names of sections
 *   0x500  section headers
 */
#ifndef GOVERAGE_TESTS_UNIT_MADE_ELF_H
#define GOVERAGE_TESTS_UNIT_MADE_ELF_H

#include <elf.h>
#include <stdlib.h>

#include "unit.h"

enum {
	MADE_PCLNTAB_AT = 0x100,
	MADE_BUILD_INFO_AT = 0x200,
	MADE_NAMES_AT = 0x400,
	MADE_SECTIONS_AT = 0x500,
	MADE_TEXT = 0x400000,
	MADE_DATA = 0x500000,
	MADE_SECTIONS = 5,
	MADE_ELF_SIZE = MADE_SECTIONS_AT + MADE_SECTIONS * sizeof(Elf64_Shdr),
};

static const char made_build_info[] =
    "path\texample.com/a/cmd\nmod\texample.com/a\tv1.2.3\th1:xyz=\ndep\tother.org/b\tv0.1.0\n"
    "build\t-cover=true\nbuild\tGOARCH=amd64\nbuild\tvcs.revision=0123abcd\n"
    "build\tvcs.modified=true\n";

static inline void made_put_build_info(unsigned char *at)
{
	static const char version[] = "go1.23.5";
	size_t len = sizeof made_build_info - 1 + 32;

	memcpy(at, "\xff Go buildinf:\x08\x02", 16);
	at += 32;
	*at++ = sizeof version - 1;
	memcpy(at, version, sizeof version - 1);
	at += sizeof version - 1;
	*at++ = (unsigned char)(len | 0x80);
	*at++ = (unsigned char)(len >> 7);
	memset(at, 's', 16);
	memcpy(at + 16, made_build_info, sizeof made_build_info - 1);
	memset(at + 16 + sizeof made_build_info - 1, 's', 16);
}

/* MADE_ELF_SIZE bytes; the caller frees them. */
static inline unsigned char *made_elf(void)
{
	static const char names[] = "\0.go.buildinfo\0.gopclntab\0.go.module\0.shstrtab";
	unsigned char *file = calloc(1, MADE_ELF_SIZE);
	Elf64_Ehdr *header = (Elf64_Ehdr *)file;
	Elf64_Phdr *segments = (Elf64_Phdr *)(file + sizeof *header);
	Elf64_Shdr *sections = (Elf64_Shdr *)(file + MADE_SECTIONS_AT);

	assert_non_null(file);
	*header = (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
			       .e_type = ET_EXEC,
			       .e_machine = EM_X86_64,
			       .e_phoff = sizeof *header,
			       .e_phentsize = sizeof *segments,
			       .e_phnum = 2,
			       .e_shoff = MADE_SECTIONS_AT,
			       .e_shentsize = sizeof *sections,
			       .e_shnum = MADE_SECTIONS,
			       .e_shstrndx = 4};
	segments[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, MADE_TEXT, MADE_TEXT, 0x200, 0x200, 0};
	segments[1] =
	    (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x200, MADE_DATA, MADE_DATA, 0x200, 0x1000, 0};
	sections[1] = (Elf64_Shdr){
	    .sh_name = 1, .sh_addr = MADE_DATA, .sh_offset = MADE_BUILD_INFO_AT, .sh_size = 0x200};
	sections[2] = (Elf64_Shdr){.sh_name = 15,
				   .sh_addr = MADE_TEXT + MADE_PCLNTAB_AT,
				   .sh_offset = MADE_PCLNTAB_AT,
				   .sh_size = 0x100};
	sections[3] = (Elf64_Shdr){.sh_name = 26, .sh_addr = MADE_DATA + 0x800, .sh_size = 0x200};
	sections[4] =
	    (Elf64_Shdr){.sh_name = 37, .sh_offset = MADE_NAMES_AT, .sh_size = sizeof names};
	memcpy(file + MADE_NAMES_AT, names, sizeof names);
	memcpy(file + MADE_PCLNTAB_AT, "\xf1\xff\xff\xff\0\0\1\10", 8);
	made_put_build_info(file + MADE_BUILD_INFO_AT);
	return file;
}

#endif
