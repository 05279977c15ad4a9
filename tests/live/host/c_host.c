/* c_host LIBRARY: load it; for each line of input call its Work(3), then say so. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
	int (*work)(int) = library ? (int (*)(int))dlsym(library, "Work") : NULL;
	char line[64];

	if (!work)
		return 1;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		work(3);
		puts("done");
		fflush(stdout);
	}
	return 0;
}
