/* Why a process can't be read, and what would change it: all that is in the way, and no advice that
 * does not suffice.  Yama is not in every kernel. */
#include "unit.h"

#include <errno.h>

#include "cgi/live/process/permission.h"

#define PTRACE (UINT64_C(1) << 19)
#define OTHER_CAPABILITY UINT64_C(1)
#define READER(u, g, caps) .own = {.uid = (u), .gid = (g), .capabilities = (caps)}
#define SERVICE(u, g, caps) .other = {.uid = (u), .gid = (g), .capabilities = (caps)}

struct permission_case {
	struct permission_view view;
	const char *says[3]; /* parts of the sentence */
	const char * not ;   /* no part of it */
};

static const struct permission_case cases[] = {
    {{READER(1, 1, 0), SERVICE(2, 2, 0), .yama = -1},
     {"uid 2", "give this program CAP_SYS_PTRACE, or run both as the same user and group"},
     "Yama"},
    {{READER(1, 1, 0), SERVICE(1, 2, 0), .yama = 0}, {"gid 2", "same user and group"}, "uid"},
    {{READER(1, 1, 0), SERVICE(2, 2, 0), .yama = 1},
     {"uid 2", "ptrace_scope is 1", "same user and group with ptrace_scope set to 0"},
     "group:"},
    {{READER(1, 1, 0), SERVICE(2, 2, 0), .yama = 2},
     {"ptrace_scope is 2", "CAP_SYS_PTRACE"},
     "3 lets"},
    {{READER(1, 1, 0), SERVICE(2, 2, 0), .yama = 3}, {"uid 2", "3 lets nobody pass"}, "CAP_SYS"},
    {{READER(1, 1, PTRACE), SERVICE(2, 2, 0), .yama = 3}, {"3 lets nobody pass"}, "CAP_SYS"},
    {{READER(1, 1, 0), SERVICE(1, 1, 0), .yama = 1, .memory_was_tried = true, .call_errno = EPERM},
     {"ptrace_scope is 1", "CAP_SYS_PTRACE, or set it to 0"},
     "same user"},
    {{READER(1, 1, 0), SERVICE(1, 1, OTHER_CAPABILITY), .yama = -1},
     {"capabilities that this program lacks: give this program CAP_SYS_PTRACE"},
     "same user"},
    {{READER(1, 1, 0), SERVICE(2, 2, OTHER_CAPABILITY), .yama = -1},
     {"uid 2", "capabilities that", "CAP_SYS_PTRACE"},
     "same user"},
    {{READER(0, 0, 0), SERVICE(2, 2, 0), .yama = -1}, {"uid 2", "it is root without it"}, "Yama"},
    /* CAP_PERFMON shows the environment */
    {{READER(0, 0, 0), SERVICE(2, 2, 0), .yama = -1, .memory_was_tried = true, .call_errno = EPERM},
     {"uid 2", "CAP_SYS_PTRACE"},
     "seccomp"},
    {{READER(1, 1, 0), SERVICE(1, 1, 0), .yama = -1},
     {"not dumpable", "executable readable"},
     "uid"},
    {{READER(1, 1, 0), SERVICE(1, 1, 0), .yama = -1, .memory_was_tried = true, .call_errno = EPERM},
     {"seccomp", "allow it there"},
     "CAP_SYS"},
    {{READER(0, 0, PTRACE), SERVICE(0, 0, 0), .yama = -1, .own_user_namespace = true},
     {"outside of the user namespace of this program", "in the user namespace of the service"},
     "CAP_SYS"},
    {{READER(65534, 65534, 0), SERVICE(65534, 65534, 0), .yama = -1, .own_user_namespace = true},
     {"outside of the user namespace of this program"},
     "CAP_SYS"},
    {{READER(0, 0, PTRACE), SERVICE(65534, 65534, 0), .yama = 3, .own_user_namespace = true},
     {"user namespace of this program", "ptrace_scope is 3", "3 lets nobody pass"},
     "CAP_SYS"},
    {{READER(0, 0, PTRACE), SERVICE(2, 2, 0), .yama = -1}, {"security module"}, "CAP_SYS"},
};

static void all_reasons_and_only_advice_that_suffices(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault fault = FAULT_INIT;

		permission_describe(&cases[i].view, &fault);
		assert_int_equal(fault.kind, FAULT_DENIED);
		for (j = 0; j < 3 && cases[i].says[j]; j++)
			if (!strstr(fault.reason, cases[i].says[j]))
				fail_msg("case %zu: no \"%s\" in: %s", i, cases[i].says[j],
					 fault.reason);
		if (strstr(fault.reason, cases[i].not ))
			fail_msg("case %zu: \"%s\" in: %s", i, cases[i].not, fault.reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_reasons_and_only_advice_that_suffices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
