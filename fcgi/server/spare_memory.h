/*
 * Memory that one request frees and the next one asks for again.  It stays in the process while
 * requests come, since finding new memory can cost more than all that is done with it, and goes
 * back to the system when a rush is over, and when none has come for a while.  Of the GNU C
 * library; elsewhere nothing happens.
 */
#ifndef GOVERAGE_FCGI_SERVER_SPARE_MEMORY_H
#define GOVERAGE_FCGI_SERVER_SPARE_MEMORY_H

/* After so long without a request it is time to give it back. */
enum { SPARE_MEMORY_S = 10 };

/* Once, before any thread starts. */
void spare_memory_keep(void);

void spare_memory_give_back(void);

#endif
