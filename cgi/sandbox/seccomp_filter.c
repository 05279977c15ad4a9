#include "config.h"

#include "cgi/sandbox/seccomp_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cgi/sandbox/seccomp_abi.h"
#include "cgi/sandbox/seccomp_lists.h"

#ifdef SECCOMP_ARCHITECTURE

#define REFUSE (SECCOMP_ERRNO | EPERM)
#define UNKNOWN (SECCOMP_ERRNO | ENOSYS)

/* the C headers have none of these, or only with the kernel's headers */
enum {
	CLONE_NAMESPACES = 0x7e020000, /* CLONE_NEWNS ... CLONE_NEWNET */
	CLONE_ANY_THREAD = 0x10000,    /* CLONE_THREAD */
	IOCTL_PUT_CHAR = 0x5412,       /* TIOCSTI */
	IOCTL_CONSOLE = 0x541c,	       /* TIOCLINUX */
};

enum { MAX_STEPS = 512 };

struct filter {
	struct bpf_step steps[MAX_STEPS];
	unsigned short n;
};

/* --- writing the program --------------------------------------------------------------------- */

static struct bpf_step *add(struct filter *f, uint16_t code, uint32_t k, unsigned jump_true,
			    unsigned jump_false)
{
	struct bpf_step *step = &f->steps[f->n < MAX_STEPS - 1 ? f->n++ : f->n];

	*step = (struct bpf_step){code, (uint8_t)jump_true, (uint8_t)jump_false, k};
	return step;
}

static void end_with(struct filter *f, uint32_t verdict)
{
	add(f, BPF_RETURN, verdict, 0, 0);
}

static void load(struct filter *f, unsigned offset)
{
	add(f, BPF_LOAD_WORD, offset, 0, 0);
}

static void load_argument(struct filter *f, unsigned index)
{
	load(f, DATA_ARGUMENTS + 8 * index);
}

/* Begin what is for one call only, with its number loaded; end_rule() closes it. */
static struct bpf_step *begin_rule(struct filter *f, unsigned number)
{
	return add(f, BPF_JUMP_EQUAL, number, 0, 0);
}

static void end_rule(struct filter *f, struct bpf_step *begin)
{
	begin->jump_false = (uint8_t)(&f->steps[f->n] - begin - 1);
}

/* In a rule: the verdict where the loaded value has one of the bits. */
static void if_any_bit(struct filter *f, uint32_t bits, uint32_t verdict)
{
	add(f, BPF_JUMP_ANY_BIT, bits, 0, 1);
	end_with(f, verdict);
}

static void if_equal(struct filter *f, uint32_t value, uint32_t verdict)
{
	add(f, BPF_JUMP_EQUAL, value, 0, 1);
	end_with(f, verdict);
}

static void add_list(struct filter *f, const struct call_list *list, uint32_t verdict)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if_equal(f, list->numbers[i], verdict);
}

/* --- rules that look at arguments ------------------------------------------------------------ */

/* Another architecture's calls have other numbers, so none of them is judged right: all go. */
static void check_architecture(struct filter *f)
{
	load(f, DATA_ARCHITECTURE);
	add(f, BPF_JUMP_EQUAL, SECCOMP_ARCHITECTURE, 1, 0);
	end_with(f, REFUSE);
	load(f, DATA_CALL);
#ifdef SECCOMP_X32_BIT
	add(f, BPF_JUMP_GREATER_OR_EQUAL, SECCOMP_X32_BIT, 0, 1);
	end_with(f, REFUSE);
#endif
}

/*
 * The flags of clone3(2) lie in memory, which a filter can't see: libraries fall back to clone(2),
 * whose flags can be seen.
 */
static void rule_clone(struct filter *f, bool threads_only)
{
	struct bpf_step *begin;

	if_equal(f, __NR_clone3, UNKNOWN);
	begin = begin_rule(f, __NR_clone);
	load_argument(f, 0);
	if_any_bit(f, CLONE_NAMESPACES, REFUSE);
	if (threads_only) {
		if_any_bit(f, CLONE_ANY_THREAD, SECCOMP_ALLOW);
		end_with(f, REFUSE);
	} else {
		end_with(f, SECCOMP_ALLOW);
	}
	end_rule(f, begin);
}

/* Characters put into a terminal's input are commands to the shell that reads it. */
static void rule_ioctl(struct filter *f)
{
	struct bpf_step *begin = begin_rule(f, __NR_ioctl);

	load_argument(f, 1);
	if_equal(f, IOCTL_PUT_CHAR, REFUSE);
	if_equal(f, IOCTL_CONSOLE, REFUSE);
	end_with(f, SECCOMP_ALLOW);
	end_rule(f, begin);
}

/* For reading, or for making a file that was not there. */
static void rule_open(struct filter *f, unsigned number, unsigned flags_argument)
{
	struct bpf_step *begin = begin_rule(f, number);

	load_argument(f, flags_argument);
	add(f, BPF_AND, O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC, 0, 0);
	if_equal(f, O_WRONLY | O_CREAT | O_EXCL, SECCOMP_ALLOW);
	if_equal(f, O_RDWR | O_CREAT | O_EXCL, SECCOMP_ALLOW);
	if_any_bit(f, O_WRONLY | O_RDWR | O_TRUNC, REFUSE);
	end_with(f, SECCOMP_ALLOW);
	end_rule(f, begin);
}

/* abort(3) signals the process itself. */
static void rule_own_signals(struct filter *f)
{
	struct bpf_step *begin = begin_rule(f, __NR_tgkill);

	load_argument(f, 0);
	if_equal(f, (uint32_t)getpid(), SECCOMP_ALLOW);
	end_with(f, REFUSE);
	end_rule(f, begin);
}

static void rule_no_broadcast(struct filter *f)
{
	struct bpf_step *begin = begin_rule(f, __NR_kill);

	load_argument(f, 0);
	if_equal(f, (uint32_t)-1, REFUSE);
	end_with(f, SECCOMP_ALLOW);
	end_rule(f, begin);
}

/* The search for leaks at the end stops our own threads, from a process that it makes for it. */
static void rules_of_sanitizers(struct filter *f)
{
#ifdef WITH_SANITIZERS
	if_equal(f, __NR_ptrace, SECCOMP_ALLOW);
	if_equal(f, __NR_wait4, SECCOMP_ALLOW);
	if_equal(f, __NR_clone, SECCOMP_ALLOW);
#else
	(void)f;
#endif
}

/* --- the profiles ---------------------------------------------------------------------------- */

static void needed_only(struct filter *f)
{
	add_list(f, &calls_needed, SECCOMP_ALLOW);
	rule_clone(f, true);
	rule_ioctl(f);
#ifdef __NR_open
	rule_open(f, __NR_open, 1);
#endif
	rule_open(f, __NR_openat, 2);
	rule_own_signals(f);
	add(f, BPF_JUMP_GREATER_OR_EQUAL, NEWEST_KNOWN_CALL + 1, 0, 1);
	end_with(f, UNKNOWN);
	end_with(f, REFUSE);
}

static void refuse_dangerous(struct filter *f)
{
	add_list(f, &calls_refused, REFUSE);
	rule_clone(f, false);
	rule_ioctl(f);
	rule_no_broadcast(f);
	end_with(f, SECCOMP_ALLOW);
}

bool seccomp_available(const char **reason)
{
	uint32_t action = SECCOMP_ERRNO;

	if (syscall(SYS_seccomp, SECCOMP_ASK_ACTION, 0, &action) == 0)
		return true;
	*reason = "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)";
	return false;
}

int seccomp_confine(enum seccomp_profile profile, struct error *err)
{
	struct filter filter = {.n = 0};
	struct bpf_program program = {.steps = filter.steps};
	long rc;

	check_architecture(&filter);
	rules_of_sanitizers(&filter);
	if (profile == SECCOMP_NEEDED_ONLY)
		needed_only(&filter);
	else
		refuse_dangerous(&filter);
	program.n = filter.n;
	rc = syscall(SYS_seccomp, SECCOMP_INSTALL_FILTER, SECCOMP_ALL_THREADS, &program);
	if (rc < 0)
		return error_errno(err, ERROR_INTERNAL, errno, "the seccomp filter is refused");
	if (rc > 0)
		return error_set(err, ERROR_INTERNAL,
				 "the seccomp filter can't be given to thread %ld", rc);
	return 0;
}

#else

bool seccomp_available(const char **reason)
{
	*reason = "there is no seccomp filter for this architecture";
	return false;
}

int seccomp_confine(enum seccomp_profile profile, struct error *err)
{
	const char *reason = "";

	(void)profile;
	seccomp_available(&reason);
	return error_set(err, ERROR_INTERNAL, "%s", reason);
}

#endif
