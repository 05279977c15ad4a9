#include "cgi/live/find/evidence_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgi/base/cleanup.h"

enum { PROBES = 8 }; /* places in which a file may be remembered */

/* A directory may have been changed again within the same tick of its clock; a server's may be
 * coarse. */
static const int64_t settled_ns = 2 * (int64_t)1000000000;

/* --- sets ------------------------------------------------------------------------------------ */

bool user_set_has(const struct user_set *set, uid_t uid)
{
	unsigned i;

	for (i = 0; i < set->n; i++)
		if (set->users[i] == uid)
			return true;
	return false;
}

void user_set_add(struct user_set *set, uid_t uid)
{
	if (!user_set_has(set, uid) && set->n < EVIDENCE_MAX_USERS)
		set->users[set->n++] = uid;
}

static void add(struct file_evidence *sum, const struct file_evidence *more)
{
	unsigned i;

	for (i = 0; i < more->owners.n; i++)
		user_set_add(&sum->owners, more->owners.users[i]);
}

void evidence_files_init(struct evidence_files *known)
{
	pthread_mutex_init(&known->lock, NULL);
}

void evidence_files_destroy(struct evidence_files *known)
{
	pthread_mutex_destroy(&known->lock);
}

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* --- files ----------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t key_of(const struct stat *dir, const struct dirent *entry)
{
	uint64_t key = mix(mix(mix(1, dir->st_dev), dir->st_ino), entry->d_ino);
	const char *name;

	for (name = entry->d_name; *name; name++)
		key = mix(key, (unsigned char)*name);
	return key | 1; /* 0 = free */
}

/* One of the places where a file may be remembered. */
static struct evidence_file *place(struct evidence_files *known, uint64_t key, unsigned i)
{
	return &known->files[((key >> 8) + i) % EVIDENCE_SLOTS];
}

static bool recall(struct evidence_files *known, struct evidence_file *file)
{
	bool found = false;
	unsigned i;

	pthread_mutex_lock(&known->lock);
	for (i = 0; i < PROBES && !found; i++) {
		found = place(known, file->key, i)->key == file->key;
		if (found)
			*file = *place(known, file->key, i);
	}
	pthread_mutex_unlock(&known->lock);
	return found;
}

/* In a free place, or in that of another one. */
static void remember(struct evidence_files *known, const struct evidence_file *file)
{
	unsigned i = 0;

	pthread_mutex_lock(&known->lock);
	while (i < PROBES - 1 && place(known, file->key, i)->key)
		i++;
	*place(known, file->key, i) = *file;
	pthread_mutex_unlock(&known->lock);
}

static void add_meta(int dir_fd, const char *name, struct file_evidence *evidence)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	user_set_add(&evidence->owners, st.st_uid);
}

/* Its name has a process and a time in it: no other file will ever have it. */
static void add_counters(struct evidence_files *known, int dir_fd, const char *name, uint64_t key,
			 struct file_evidence *evidence)
{
	struct evidence_file file = {.key = key};
	struct stat st;

	if (!recall(known, &file)) {
		if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return;
		file.owner = st.st_uid;
		remember(known, &file);
	}
	user_set_add(&evidence->owners, file.owner);
}

/* --- directories ----------------------------------------------------------------------------- */

/*
 * 1 = all of it was seen, 0 = it can't be read, -1 = FAULT_REQUEST: without it a process that can't
 * be read would go unnoticed.
 */
static int list(struct evidence_files *known, int dir_fd, const struct stat *dir,
		struct file_evidence *evidence, struct fault *fault)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned seen = 0;

	if (!stream) {
		fault_from_errno(fault, "GOCOVERDIR can't be listed");
		if (fd >= 0)
			close(fd);
		return fault->kind == FAULT_REQUEST ? -1 : 0;
	}
	while (errno = 0, seen < EVIDENCE_MAX_FILES && (entry = readdir(stream))) {
		if (!strncmp(entry->d_name, "covmeta.", 8))
			add_meta(dir_fd, entry->d_name, evidence);
		else if (!strncmp(entry->d_name, "covcounters.", 12))
			add_counters(known, dir_fd, entry->d_name, key_of(dir, entry), evidence);
		else
			continue;
		seen++;
	}
	return errno == 0;
}

static bool is_dir(const struct evidence_dir *place, const struct stat *dir)
{
	return place->dev == dir->st_dev && place->inode == dir->st_ino;
}

/* Is the directory as it was when it was listed? */
static bool recall_dir(struct evidence_files *known, const struct stat *dir,
		       struct file_evidence *evidence)
{
	bool found = false;
	unsigned i;

	pthread_mutex_lock(&known->lock);
	for (i = 0; i < EVIDENCE_DIRS && !found; i++) {
		const struct evidence_dir *place = &known->dirs[i];

		found = is_dir(place, dir) && place->changed_ns == ns_of(&dir->st_mtim) &&
			place->state_changed_ns == ns_of(&dir->st_ctim);
		if (found)
			*evidence = place->evidence;
	}
	pthread_mutex_unlock(&known->lock);
	return found;
}

/* In the place of what is known of it, or of the directory that came first. */
static void remember_dir(struct evidence_files *known, const struct stat *dir,
			 const struct file_evidence *evidence)
{
	unsigned i = 0;

	pthread_mutex_lock(&known->lock);
	while (i < EVIDENCE_DIRS && !is_dir(&known->dirs[i], dir))
		i++;
	if (i == EVIDENCE_DIRS)
		i = known->next_dir++ % EVIDENCE_DIRS;
	known->dirs[i] = (struct evidence_dir){
	    .dev = dir->st_dev,
	    .inode = dir->st_ino,
	    .changed_ns = ns_of(&dir->st_mtim),
	    .state_changed_ns = ns_of(&dir->st_ctim),
	    .evidence = *evidence,
	};
	pthread_mutex_unlock(&known->lock);
}

static bool has_settled(const struct stat *dir, int64_t now_ns)
{
	return now_ns - ns_of(&dir->st_mtim) >= settled_ns &&
	       now_ns - ns_of(&dir->st_ctim) >= settled_ns;
}

int evidence_files_collect(struct evidence_files *known, int dir_fd, const struct stat *dir,
			   int64_t now_ns, struct file_evidence *evidence, struct fault *fault)
{
	struct file_evidence found = FILE_EVIDENCE_INIT;
	int listed;

	if (!recall_dir(known, dir, &found)) {
		listed = list(known, dir_fd, dir, &found, fault);
		if (listed < 0)
			return -1;
		if (listed && has_settled(dir, now_ns))
			remember_dir(known, dir, &found);
	}
	add(evidence, &found);
	return 0;
}
