/*
 * run OUTPUT PROGRAM ARGUMENT...: run a program to its end, its standard output into a file, and
 * print its wall time in seconds and its peak resident memory in KiB.  A process inherits the peak
 * of whoever has started it, so this one is small.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	double start;
	pid_t pid;
	int status;

	if (argc < 3)
		return 2;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, argv[1],
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	start = now();
	if (posix_spawn(&pid, argv[2], &actions, NULL, argv + 2, environ) != 0 ||
	    wait4(pid, &status, 0, &usage) < 0)
		return 1;
	printf("%.9f %ld\n", now() - start, usage.ru_maxrss);
	return status != 0;
}
