#include "cgi/collect/process_address.h"

void process_address(struct buffer *out, const char *host, pid_t pid)
{
	buffer_printf(out, "proc://%s/%d", host, (int)pid);
}
