#include "config.h"

#include "fcgi/server/spare_memory.h"

#include <malloc.h>

#ifdef __GLIBC__
enum {
	ARENAS = 1, /* 8 for each processor otherwise, of which a rush leaves each full */
	KEPT_BLOCK = 32 << 20, /* bytes of a block that may stay; the most that can be set */
	KEPT_FREE = 64 << 20,  /* bytes that may stay at the end of an arena */
};
#endif

void spare_memory_keep(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, ARENAS);
	mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK);
	mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
#endif
}

void spare_memory_give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
