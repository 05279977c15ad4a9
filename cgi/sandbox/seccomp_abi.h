/*
 * What seccomp(2) and its filter programs consist of, by their values in the kernel's interface:
 * musl brings no kernel headers, and older ones lack the newest system calls.
 */
#ifndef GOVERAGE_SANDBOX_SECCOMP_ABI_H
#define GOVERAGE_SANDBOX_SECCOMP_ABI_H

#include <stdint.h>
#include <sys/syscall.h>

/* Classic BPF, as seccomp takes it: one instruction, and a program. */
struct bpf_step {
	uint16_t code;
	uint8_t jump_true, jump_false; /* steps to pass over */
	uint32_t k;
};

struct bpf_program {
	unsigned short n;
	struct bpf_step *steps;
};

enum {
	BPF_LOAD_WORD = 0x20, /* accumulator = 32 bits of struct seccomp_data at offset k */
	BPF_JUMP_EQUAL = 0x15,
	BPF_JUMP_GREATER_OR_EQUAL = 0x35,
	BPF_JUMP_ANY_BIT = 0x45,
	BPF_AND = 0x54,
	BPF_RETURN = 0x06,
};

/* Offsets in struct seccomp_data; the low half of an argument on a little-endian machine. */
enum { DATA_CALL = 0, DATA_ARCHITECTURE = 4, DATA_ARGUMENTS = 16 };

enum {
	SECCOMP_INSTALL_FILTER = 1, /* SECCOMP_SET_MODE_FILTER */
	SECCOMP_ALL_THREADS = 1,    /* SECCOMP_FILTER_FLAG_TSYNC */
	SECCOMP_ASK_ACTION = 2,	    /* SECCOMP_GET_ACTION_AVAIL */
};

#define SECCOMP_ALLOW 0x7fff0000U
#define SECCOMP_ERRNO 0x00050000U /* the error number in the lower 16 bits */

#if defined(__x86_64__) && !defined(__ILP32__)
#define SECCOMP_ARCHITECTURE 0xc000003eU
#define SECCOMP_X32_BIT 0x40000000U /* in the number of a call of the x32 interface */
#elif defined(__aarch64__) && defined(__AARCH64EL__) && !defined(__ILP32__)
#define SECCOMP_ARCHITECTURE 0xc00000b7U
#endif

/* The same on every architecture. */
#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif
#ifndef __NR_faccessat2
#define __NR_faccessat2 439
#endif
#ifndef __NR_process_madvise
#define __NR_process_madvise 440
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef __NR_quotactl_fd
#define __NR_quotactl_fd 443
#endif
#ifndef __NR_futex_waitv
#define __NR_futex_waitv 449
#endif

/* The highest number that this file's lists know of: what is above it came later. */
enum { NEWEST_KNOWN_CALL = 449 };

#endif
