/* named NAME PROGRAM ARGUMENT...: run a program that calls itself NAME. */
#include <unistd.h>

int main(int argc, char **argv)
{
	char *program = argc > 2 ? argv[2] : 0;

	if (!program)
		return 2;
	argv[2] = argv[1];
	execv(program, argv + 2);
	return 127;
}
