/* Starting the program of a struct child: descriptors, signals, process group, exec. */
#ifndef GOVERAGE_COVDATA_CHILD_START_H
#define GOVERAGE_COVDATA_CHILD_START_H

#include <sys/types.h>

#include "cgi/base/error.h"
#include "cgi/covdata/child.h"

/*
 * Start it with `said` (a copy is made) as its descriptor 2; 0 and *pid, which is its process group
 * as well.  The kernel kills it when the calling thread ends, and so when this process is killed:
 * that thread has to outlive it.  -1 when it could not be started, as child_run().
 */
must_check int child_start(const struct child *child, int said, pid_t *pid, struct error *err);

#endif
