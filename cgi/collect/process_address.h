/* The address of a process, as goc has it for a service: proc://HOST/PID. */
#ifndef GOVERAGE_COLLECT_PROCESS_ADDRESS_H
#define GOVERAGE_COLLECT_PROCESS_ADDRESS_H

#include <sys/types.h>

#include "cgi/base/buffer.h"

/* Append it; host is that of uname(2). */
void process_address(struct buffer *out, const char *host, pid_t pid);

#endif
