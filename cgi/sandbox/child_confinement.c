#include "cgi/sandbox/child_confinement.h"

#include <sys/prctl.h>

#include "cgi/base/cleanup.h"
#include "cgi/sandbox/capabilities.h"
#include "cgi/sandbox/landlock.h"

int child_confinement_rules(void)
{
	cleanup_fd int rules = landlock_rules(NULL);

	/* the null device is nothing to be changed */
	if (rules < 0 || landlock_allow_writing(rules, "/dev/null", NULL) < 0)
		return -1;
	return steal_fd(&rules);
}

int child_confinement_enter(int rules)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (rules >= 0 && landlock_confine_thread(rules) < 0)
		return -1;
	return capabilities_keep(capabilities_for_reading());
}
