/*
 * The few things that are wanted of an ELF file: its loadable segments and the sections that Go's
 * linker makes.  64-bit little-endian files are read; of the others it is only told which they are.
 * Everything in the file is hostile: counts and sizes are bounded here, offsets by what can be
 * read.
 */
#ifndef GOVERAGE_LIVE_GO_ELF_H
#define GOVERAGE_LIVE_GO_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "cgi/live/process/memory.h"

enum {
	ELF_MAX_SEGMENTS = 64,	 /* program headers that are looked at */
	ELF_MAX_SECTIONS = 4096, /* a file with more of them is taken as one without any */
};

struct elf_segment {
	uint64_t vaddr; /* as the file has it, without the load bias */
	uint64_t mem_size;
	uint64_t offset; /* in the file */
	uint64_t file_size;
	bool writable, executable;
};

struct elf_section {
	uint64_t vaddr; /* 0 = the section is not there */
	uint64_t offset;
	uint64_t size;
};

enum elf_kind {
	ELF_NOT,     /* no ELF file */
	ELF_FOREIGN, /* 32-bit or big-endian: see foreign */
	ELF_64_LE,
};

struct elf {
	enum elf_kind kind;
	const char *foreign;	   /* of ELF_FOREIGN: "32-bit", "big-endian" */
	uint16_t machine;	   /* e_machine */
	bool position_independent; /* ET_DYN: loaded at a bias */
	bool dynamic;		   /* it can load shared objects */
	bool has_sections;
	bool is_go; /* a section that only Go's linker makes is there */
	struct elf_segment loads[ELF_MAX_SEGMENTS];
	unsigned n_loads;
	struct elf_section build_info; /* .go.buildinfo */
	struct elf_section module;     /* .go.module, from Go 1.26 on */
	struct elf_section pclntab;    /* .gopclntab, .data.rel.ro.gopclntab */
};

/* Read the headers.  0, whatever kind of file it is; -1 when its headers can't be read or make no
 * sense. */
must_check int elf_read(struct elf *elf, const struct memory *file, struct fault *fault);

/* As Go names the architecture in GOARCH, or NULL for one that Go does not know as 64-bit
 * little-endian. */
const char *elf_goarch(const struct elf *elf);

/* The file offset of n bytes at vaddr, all in one segment's file part: 0, or -1. */
must_check int elf_offset(const struct elf *elf, uint64_t vaddr, uint64_t n, uint64_t *offset);

/* The address of the first executable segment; what /proc/PID/stat calls startcode, less the
 * bias. */
uint64_t elf_start_code(const struct elf *elf);

#endif
