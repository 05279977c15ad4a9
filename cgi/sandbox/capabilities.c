#include "cgi/sandbox/capabilities.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgi/sandbox/seccomp_abi.h"

/* capget(2) and capset(2), version 3: two halves of 32 bits for each set. */
struct cap_header {
	uint32_t version;
	int pid; /* 0 = the calling thread */
};

struct cap_half {
	uint32_t effective, permitted, inheritable;
};

enum { CAP_VERSION_3 = 0x20080522, CAP_NUMBERS = 64 };

#define CAPABILITY_SETPCAP (UINT64_C(1) << 8)

static int get(struct cap_half halves[2])
{
	struct cap_header header = {CAP_VERSION_3, 0};

	return (int)syscall(SYS_capget, &header, halves);
}

static int set(const struct cap_half halves[2])
{
	struct cap_header header = {CAP_VERSION_3, 0};

	return (int)syscall(SYS_capset, &header, halves);
}

uint64_t capabilities_held(void)
{
	struct cap_half halves[2] = {{0}};

	if (get(halves) < 0)
		return 0;
	return halves[0].permitted | (uint64_t)halves[1].permitted << 32;
}

uint64_t capabilities_for_reading(void)
{
	uint64_t held = capabilities_held();

	/* container engines leave root the wider one alone */
	return held & CAPABILITY_DAC_READ_SEARCH ? CAPABILITY_DAC_READ_SEARCH
						 : held & CAPABILITY_DAC_OVERRIDE;
}

/* What is not in the bounding set can't come back with a program that root runs. */
static int bound(uint64_t keep)
{
	unsigned long number;

	for (number = 0; number < CAP_NUMBERS; number++) {
		if (keep >> number & 1 || prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

int capabilities_keep(uint64_t keep)
{
	struct cap_half halves[2] = {{0}}, before[2];
	int i;

	if (keep == CAPABILITIES_ALL)
		return 0;
	if (get(halves) < 0)
		return -1;
	memcpy(before, halves, sizeof before);
	if (halves[0].effective & CAPABILITY_SETPCAP && bound(keep) < 0)
		return -1;
	for (i = 0; i < 2; i++) {
		uint32_t half = (uint32_t)(keep >> 32 * i);

		halves[i].permitted &= half;
		halves[i].effective &= half;
		halves[i].inheritable &= half;
	}
	/* whoever started us with none may have forbidden the call, too */
	return memcmp(before, halves, sizeof before) == 0 ? 0 : set(halves);
}

/* The look of a thread without the capability; access(2) would look with all that root may have. */
bool capabilities_can_write_plainly(const char *path)
{
	struct cap_half halves[2] = {{0}}, plain[2];
	bool can;

	if (get(halves) < 0)
		return true;
	plain[0] = halves[0];
	plain[1] = halves[1];
	plain[0].effective &= ~(uint32_t)CAPABILITY_DAC_OVERRIDE;
	if (set(plain) < 0)
		return true;
	can = syscall(__NR_faccessat2, AT_FDCWD, path, W_OK, AT_EACCESS) == 0 || errno == EROFS;
	/* the permitted set is as it was, so this can't fail */
	return set(halves) == 0 && can;
}

void capabilities_describe(uint64_t kept, struct buffer *out)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} names[] = {
	    {CAPABILITY_SYS_PTRACE, "CAP_SYS_PTRACE"},
	    {CAPABILITY_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
	    {CAPABILITY_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"},
	};
	size_t i, n = 0;

	if (kept == CAPABILITIES_ALL) {
		buffer_puts(out, "those it was started with");
		return;
	}
	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (kept & names[i].bit)
			buffer_printf(out, "%s%s", n++ ? ", " : "", names[i].name);
	if (n == 0)
		buffer_puts(out, "none");
}
