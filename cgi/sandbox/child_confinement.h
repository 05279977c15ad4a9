/*
 * A child that may change nothing but what its descriptors lead to: under Landlock (see landlock.h)
 * where the kernel has it, without new privileges, and with no capability but the one for reading
 * files of others, where this process has it.  Its own children inherit all that.
 */
#ifndef GOVERAGE_SANDBOX_CHILD_CONFINEMENT_H
#define GOVERAGE_SANDBOX_CHILD_CONFINEMENT_H

/* In the parent: the rules, a descriptor that the caller owns; -1 where there is no Landlock. */
int child_confinement_rules(void);

/*
 * In the child, before its exec, with the rules or -1: nothing but system calls, so that it may
 * share its parent's memory.  0, or -1 with errno.
 */
int child_confinement_enter(int rules);

#endif
