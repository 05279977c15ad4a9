/* env_twice A=B C=D PROGRAM...: run a program with these two variables, even when they are the same
 * one. */
#include <unistd.h>

int main(int argc, char **argv)
{
	char *environment[] = {argv[1], argv[2], 0};

	if (argc < 4)
		return 2;
	execve(argv[3], argv + 3, environment);
	return 127;
}
