/*
 * What a confined process can do: confines itself by GOVERAGE_SANDBOX and the other settings of its
 * environment, tries one call after the other, and prints what came of each: "NAME ok", or
 * "NAME ERROR" with the name of the errno.
 *
 *   sandbox_probe self PID FILE DIR	this process: PID is of another one, FILE is another's,
 *					DIR is a directory to make files in
 *   sandbox_probe child PID FILE DIR	a child, started as covdata is
 *   sandbox_probe calls PID FILE DIR	without confining itself: what the child runs
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgi/confine_places.h"
#include "cgi/covdata/child.h"
#include "cgi/sandbox/confine.h"

/* What the calls are made upon. */
static struct {
	pid_t pid;
	const char *file, *dir;
	int socket_fd; /* made before; -1 where that was refused */
	int null_fd;   /* opened before */
} on;

static int closed(int fd)
{
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static const char *in_dir(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s/%s", on.dir, name);
	return path;
}

/* --- what is refused in each profile --------------------------------------------------------- */

static int make_socket(void)
{
	return closed(socket(AF_INET, SOCK_DGRAM, 0));
}

static int make_unix_socket(void)
{
	return closed(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int connect_socket(void)
{
	struct sockaddr_un nobody = {.sun_family = AF_UNSPEC};

	return connect(on.socket_fd, (struct sockaddr *)&nobody, sizeof nobody);
}

static int bind_socket(void)
{
	return bind(on.socket_fd, NULL, 0);
}

static int listen_on_null(void)
{
	return listen(on.null_fd, 1);
}

static int attach(void)
{
	if (ptrace(PTRACE_SEIZE, on.pid, NULL, NULL) < 0)
		return -1;
	return 0; /* the end of this process lets go */
}

static int write_to_process(void)
{
	char byte = 0;
	struct iovec local = {&byte, 1}, remote = {&byte, 1};

	return process_vm_writev(on.pid, &local, 1, &remote, 1, 0) < 0 && errno != EFAULT ? -1 : 0;
}

static int steal_descriptor(void)
{
	return (int)syscall(438, -1, 0, 0);
}

static int mount_nothing(void)
{
	return mount(NULL, NULL, NULL, 0, NULL);
}

static int unmount_nothing(void)
{
	return umount2(NULL, 0);
}

static int new_namespace(void)
{
	return (int)syscall(SYS_unshare, -1);
}

static int new_root(void)
{
	return (int)syscall(SYS_chroot, NULL);
}

static int load_module(void)
{
	return (int)syscall(SYS_finit_module, -1, NULL, 0);
}

static int load_bpf(void)
{
	return (int)syscall(SYS_bpf, -1, NULL, 0);
}

static int open_perf(void)
{
	return (int)syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static int open_ring(void)
{
	return (int)syscall(SYS_io_uring_setup, 0, NULL);
}

static int catch_faults(void)
{
	return (int)syscall(SYS_userfaultfd, -1);
}

static int ask_keys(void)
{
	return (int)syscall(SYS_keyctl, -1, 0, 0, 0, 0);
}

static int become_same_user(void)
{
	return (int)syscall(SYS_setuid, getuid());
}

static int give_file_away(void)
{
	return fchown(-1, 0, 0);
}

static int kill_everybody_softly(void)
{
	return kill(-1, 0);
}

static int type_for_somebody(void)
{
	return ioctl(on.null_fd, 0x5412, "");
}

static int clone_by_structure(void)
{
	return (int)syscall(SYS_clone3, NULL, 0);
}

static int clone_namespaces(void)
{
	return (int)syscall(SYS_clone, 0x10000000 | 0x00000200 | 0x00020000, NULL, NULL, NULL,
			    NULL);
}

/* --- what depends on the profile ------------------------------------------------------------- */

static int open_for_writing(void)
{
	return closed(open(on.file, O_WRONLY));
}

static int open_for_appending(void)
{
	return closed(open(on.file, O_RDWR | O_CREAT | O_APPEND, 0600));
}

static int open_for_truncation(void)
{
	return closed(open(on.file, O_RDONLY | O_TRUNC));
}

static int open_nameless(void)
{
	return closed(open(on.dir, O_RDWR | O_TMPFILE, 0600));
}

static int make_file(void)
{
	int fd = open(in_dir("made"), O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd >= 0)
		unlink(in_dir("made"));
	return closed(fd);
}

static int make_directory(void)
{
	int rc = mkdir(in_dir("made"), 0700);

	if (rc == 0)
		rmdir(in_dir("made"));
	return rc;
}

static int make_node(void)
{
	return mkfifo(in_dir("made"), 0600);
}

static int make_link(void)
{
	return symlink("nowhere", in_dir("link"));
}

static int change_mode(void)
{
	return chmod(on.file, 0644);
}

static int cut_file(void)
{
	return truncate(on.file, 0);
}

static int signal_process(void)
{
	return kill(on.pid, 0);
}

static int signal_thread(void)
{
	return (int)syscall(SYS_tgkill, on.pid, on.pid, 0);
}

static int start_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) < 0 ? -1 : 0;
}

static int read_process(void)
{
	/* this program's own data lie elsewhere in it: the kernel's word on the right is enough */
	char byte;
	struct iovec local = {&byte, 1}, remote = {&byte, 1};

	return process_vm_readv(on.pid, &local, 1, &remote, 1, 0) < 0 && errno != EFAULT ? -1 : 0;
}

static int newer_call(void)
{
	return (int)syscall(4000);
}

/* --- what is allowed in each ----------------------------------------------------------------- */

static int open_for_reading(void)
{
	return closed(open(on.file, O_RDONLY));
}

static int make_memory_file(void)
{
	int fd = memfd_create("probe", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, "x", 1) != 1 || ftruncate(fd, 0) < 0)) {
		close(fd);
		return -1;
	}
	return closed(fd);
}

static void *nothing(void *argument)
{
	return argument;
}

static int start_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, nothing, NULL);
	return errno || pthread_join(thread, NULL) ? -1 : 0;
}

static int signal_itself(void)
{
	signal(SIGUSR2, SIG_IGN);
	return raise(SIGUSR2);
}

/* Last, since it does not come back. */
static int run_program(void)
{
	fflush(stdout);
	return execl("/bin/echo", "echo", "execve ok", (char *)NULL);
}

static const struct {
	const char *name;
	int (*call)(void);
} calls[] = {
    {"socket", make_socket},
    {"socket-unix", make_unix_socket},
    {"connect", connect_socket},
    {"bind", bind_socket},
    {"listen", listen_on_null},
    {"ptrace", attach},
    {"process_vm_writev", write_to_process},
    {"pidfd_getfd", steal_descriptor},
    {"mount", mount_nothing},
    {"umount", unmount_nothing},
    {"unshare", new_namespace},
    {"chroot", new_root},
    {"finit_module", load_module},
    {"bpf", load_bpf},
    {"perf_event_open", open_perf},
    {"io_uring_setup", open_ring},
    {"userfaultfd", catch_faults},
    {"keyctl", ask_keys},
    {"setuid", become_same_user},
    {"fchown", give_file_away},
    {"kill-all", kill_everybody_softly},
    {"TIOCSTI", type_for_somebody},
    {"clone3", clone_by_structure},
    {"clone-namespaces", clone_namespaces},
    {"open-write", open_for_writing},
    {"open-append", open_for_appending},
    {"open-truncate", open_for_truncation},
    {"open-nameless", open_nameless},
    {"make-file", make_file},
    {"make-directory", make_directory},
    {"make-fifo", make_node},
    {"make-link", make_link},
    {"chmod", change_mode},
    {"truncate", cut_file},
    {"kill", signal_process},
    {"tgkill", signal_thread},
    {"fork", start_process},
    {"process_vm_readv", read_process},
    {"newer-call", newer_call},
    {"open-read", open_for_reading},
    {"memory-file", make_memory_file},
    {"thread", start_thread},
    {"raise", signal_itself},
    {"execve", run_program},
};

static const char *error_name(int number)
{
	static char digits[16];

	switch (number) {
	case EPERM:
		return "EPERM";
	case EACCES:
		return "EACCES";
	case ENOSYS:
		return "ENOSYS";
	}
	snprintf(digits, sizeof digits, "%d", number);
	return digits;
}

static int try_calls(void)
{
	size_t i;

	for (i = 0; i < sizeof calls / sizeof *calls; i++) {
		int rc;

		errno = 0;
		rc = calls[i].call();
		printf("%s %s\n", calls[i].name, rc < 0 ? error_name(errno) : "ok");
	}
	return EXIT_SUCCESS;
}

static int try_in_child(const char *program, char **argv)
{
	const char *const child_argv[] = {program, "calls", argv[2], argv[3], argv[4], NULL};
	const char *const no_environment[] = {NULL};
	struct child child = {child_argv, no_environment, STDOUT_FILENO, true};
	struct deadline deadline = deadline_in_ms(60000, -1);
	struct child_result result = {0};
	struct error err = {0};

	if (child_run(&child, &result, &deadline, &err) < 0 || result.wait_status != 0) {
		fprintf(stderr, "%s %s\n", err.message, buffer_str(&result.said));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int confine_itself(void)
{
	cleanup_buffer struct buffer said = BUFFER_INIT;
	cleanup_string_list struct string_list places = STRING_LIST_INIT;
	struct confine_needs needs = {.finds_covdata = true, .places = &places};
	struct settings settings;
	struct error err = {0};

	if (settings_read(&settings, &err) < 0 || confine_places(&places, &settings) < 0 ||
	    confine(&settings, &needs, &said, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		return -1;
	}
	fprintf(stderr, "%s\n", buffer_str(&said));
	return 0;
}

int main(int argc, char **argv)
{
	char self[4096] = "";

	if (argc != 5 || readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return 2;
	on.pid = atoi(argv[2]);
	on.file = argv[3];
	on.dir = argv[4];
	on.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	on.socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (strcmp(argv[1], "calls") != 0 && confine_itself() < 0)
		return EXIT_FAILURE;
	return strcmp(argv[1], "child") == 0 ? try_in_child(self, argv) : try_calls();
}
