/* The command line of a person or a supervisor; never read when a web server runs us as CGI. */
#ifndef GOVERAGE_FCGI_OPTIONS_H
#define GOVERAGE_FCGI_OPTIONS_H

#include <sys/types.h>

enum action {
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_CHECK,
	ACTION_LISTEN,
	ACTION_USAGE, /* the words were off; the reason has been printed */
};

struct options {
	enum action action;
	const char *listen; /* with ACTION_LISTEN: the address */
	mode_t mode;	    /* of a unix socket */
};

enum { EXIT_USAGE = 2, DEFAULT_SOCKET_MODE = 0660 };

/* Read the command line; without any word it is ACTION_HELP on stderr, which the caller ends with
 * EXIT_USAGE. */
struct options options_read(int argc, char **argv);

void options_print_help(void);

#endif
