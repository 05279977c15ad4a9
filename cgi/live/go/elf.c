#include "cgi/live/go/elf.h"

#include <elf.h>
#include <string.h>

#include "cgi/format/coverage_format.h"

enum { NAMES_MAX = 1 << 16 };

static uint16_t le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void add_load(struct elf *elf, const unsigned char *header)
{
	uint32_t flags = le32(header + offsetof(Elf64_Phdr, p_flags));
	struct elf_segment s = {
	    .vaddr = le64(header + offsetof(Elf64_Phdr, p_vaddr)),
	    .mem_size = le64(header + offsetof(Elf64_Phdr, p_memsz)),
	    .offset = le64(header + offsetof(Elf64_Phdr, p_offset)),
	    .file_size = le64(header + offsetof(Elf64_Phdr, p_filesz)),
	    .writable = flags & PF_W,
	    .executable = flags & PF_X,
	};

	/* no sum of these may wrap around later on */
	if (s.vaddr >> 56 || s.mem_size >> 56 || s.offset >> 56 || s.file_size > s.mem_size)
		return;
	elf->loads[elf->n_loads++] = s;
}

static int read_segments(struct elf *elf, const struct memory *file, const unsigned char *header,
			 struct fault *fault)
{
	unsigned char table[ELF_MAX_SEGMENTS * sizeof(Elf64_Phdr)];
	uint64_t at = le64(header + offsetof(Elf64_Ehdr, e_phoff));
	unsigned n = le16(header + offsetof(Elf64_Ehdr, e_phnum)), i;

	if (le16(header + offsetof(Elf64_Ehdr, e_phentsize)) != sizeof(Elf64_Phdr) || n == 0 ||
	    n > ELF_MAX_SEGMENTS)
		return fault_set(fault, FAULT_UNSUPPORTED, "its ELF program headers are unusual");
	if (memory_read(file, at, table, n * sizeof(Elf64_Phdr), fault) < 0)
		return fault_prefix(fault, "its ELF program headers");
	for (i = 0; i < n; i++) {
		const unsigned char *entry = table + i * sizeof(Elf64_Phdr);
		uint32_t type = le32(entry + offsetof(Elf64_Phdr, p_type));

		if (type == PT_LOAD)
			add_load(elf, entry);
		else if (type == PT_DYNAMIC || type == PT_INTERP)
			elf->dynamic = true;
	}
	return 0;
}

static void take_section(struct elf *elf, const char *name, const struct elf_section *s)
{
	struct elf_section *wanted = NULL;

	if (!strcmp(name, ".go.buildinfo"))
		wanted = &elf->build_info;
	else if (!strcmp(name, ".go.module"))
		wanted = &elf->module;
	else if (!strcmp(name, ".gopclntab") || !strcmp(name, ".data.rel.ro.gopclntab"))
		wanted = &elf->pclntab;
	else if (strcmp(name, ".note.go.buildid") != 0)
		return;
	elf->is_go = true;
	if (wanted && s->vaddr && !(s->vaddr >> 56) && !(s->size >> 56))
		*wanted = *s;
}

static struct elf_section section_at(const unsigned char *header)
{
	return (struct elf_section){le64(header + offsetof(Elf64_Shdr, sh_addr)),
				    le64(header + offsetof(Elf64_Shdr, sh_offset)),
				    le64(header + offsetof(Elf64_Shdr, sh_size))};
}

/* The longest name that is wanted has 23 bytes; one that is cut off is none of them. */
static void read_section(struct elf *elf, const unsigned char *header, const char *names,
			 size_t names_len)
{
	struct elf_section section = section_at(header);
	uint32_t at = le32(header + offsetof(Elf64_Shdr, sh_name));

	if (at < names_len)
		take_section(elf, names + at, &section);
}

/* Missing or senseless section headers are no fault: a program runs without them. */
static void read_sections(struct elf *elf, const struct memory *file, const unsigned char *header)
{
	uint64_t at = le64(header + offsetof(Elf64_Ehdr, e_shoff));
	unsigned n = le16(header + offsetof(Elf64_Ehdr, e_shnum)), i;
	unsigned names_index = le16(header + offsetof(Elf64_Ehdr, e_shstrndx));
	struct fault ignored = FAULT_INIT;
	cleanup_free unsigned char *table = NULL;
	cleanup_free char *names = NULL;
	struct elf_section s;

	if (at == 0 || n == 0 || n > ELF_MAX_SECTIONS || names_index >= n ||
	    le16(header + offsetof(Elf64_Ehdr, e_shentsize)) != sizeof(Elf64_Shdr))
		return;
	table = malloc(n * sizeof(Elf64_Shdr));
	if (!table || memory_read(file, at, table, n * sizeof(Elf64_Shdr), &ignored) < 0)
		return;
	s = section_at(table + names_index * sizeof(Elf64_Shdr));
	if (s.size == 0 || s.size > NAMES_MAX)
		return;
	names = malloc(s.size + 1);
	if (!names || memory_read(file, s.offset, names, s.size, &ignored) < 0)
		return;
	names[s.size] = '\0';
	elf->has_sections = true;
	for (i = 1; i < n; i++)
		read_section(elf, table + i * sizeof(Elf64_Shdr), names, s.size);
}

static enum elf_kind kind_of(struct elf *elf, const unsigned char *header)
{
	if (memcmp(header, ELFMAG, SELFMAG) != 0)
		return ELF_NOT;
	if (header[EI_DATA] != ELFDATA2LSB)
		elf->foreign = "big-endian";
	else if (header[EI_CLASS] != ELFCLASS64)
		elf->foreign = "32-bit";
	return elf->foreign ? ELF_FOREIGN : ELF_64_LE;
}

int elf_read(struct elf *elf, const struct memory *file, struct fault *fault)
{
	unsigned char header[sizeof(Elf64_Ehdr)];
	struct fault short_file = FAULT_INIT;
	uint16_t type;

	memset(elf, 0, sizeof *elf);
	if (memory_read(file, 0, header, sizeof header, &short_file) < 0) {
		if (short_file.kind == FAULT_UNMAPPED)
			return 0;
		*fault = short_file;
		return -1;
	}
	elf->kind = kind_of(elf, header);
	if (elf->kind != ELF_64_LE)
		return 0;
	elf->machine = le16(header + offsetof(Elf64_Ehdr, e_machine));
	type = le16(header + offsetof(Elf64_Ehdr, e_type));
	if (type != ET_EXEC && type != ET_DYN) {
		elf->kind = ELF_NOT;
		return 0;
	}
	elf->position_independent = type == ET_DYN;
	if (read_segments(elf, file, header, fault) < 0)
		return -1;
	read_sections(elf, file, header);
	return 0;
}

const char *elf_goarch(const struct elf *elf)
{
	switch (elf->machine) {
	case EM_X86_64:
		return "amd64";
	case EM_AARCH64:
		return "arm64";
	case EM_RISCV:
		return "riscv64";
	case EM_PPC64:
		return "ppc64le";
	case EM_MIPS:
		return "mips64le";
	case 258: /* EM_LOONGARCH, which older headers lack */
		return "loong64";
	}
	return NULL;
}

int elf_offset(const struct elf *elf, uint64_t vaddr, uint64_t n, uint64_t *offset)
{
	unsigned i;

	for (i = 0; i < elf->n_loads; i++) {
		const struct elf_segment *s = &elf->loads[i];

		if (vaddr < s->vaddr || vaddr - s->vaddr > s->file_size ||
		    n > s->file_size - (vaddr - s->vaddr))
			continue;
		*offset = s->offset + (vaddr - s->vaddr);
		return 0;
	}
	return -1;
}

uint64_t elf_start_code(const struct elf *elf)
{
	uint64_t lowest = UINT64_MAX;
	unsigned i;

	for (i = 0; i < elf->n_loads; i++)
		if (elf->loads[i].executable && elf->loads[i].vaddr < lowest)
			lowest = elf->loads[i].vaddr;
	return lowest;
}
