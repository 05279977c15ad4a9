#include "cgi/base/file_identity.h"

static uint64_t nanoseconds(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

struct file_identity file_identity_of(const struct stat *st)
{
	return (struct file_identity){
	    .device = (uint64_t)st->st_dev,
	    .inode = (uint64_t)st->st_ino,
	    .size = (uint64_t)st->st_size,
	    .modified_ns = nanoseconds(st->st_mtim),
	    .changed_ns = nanoseconds(st->st_ctim),
	    .links = (uint64_t)st->st_nlink,
	};
}

bool file_identity_equal(const struct file_identity *a, const struct file_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}
