#include "fcgi/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cgi/base/buffer.h"
#include "cgi/base/settings.h"

enum { OPTION_LISTEN = 256, OPTION_MODE, OPTION_CHECK, OPTION_VERSION, OPTION_HELP };

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"mode", required_argument, NULL, OPTION_MODE},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int parse_mode(const char *text, mode_t *mode)
{
	char *end;
	unsigned long value = strtoul(text, &end, 8);

	if (end == text || *end || *text == '-' || value > 0777) {
		fprintf(stderr,
			"goverage.fcgi: --mode %s: it must be an octal number up to 777, such as "
			"0660\n",
			text);
		return -1;
	}
	*mode = (mode_t)value;
	return 0;
}

static int apply(struct options *options, int option)
{
	switch (option) {
	case OPTION_LISTEN:
		options->action = ACTION_LISTEN;
		options->listen = optarg;
		return 0;
	case OPTION_MODE:
		return parse_mode(optarg, &options->mode);
	case OPTION_CHECK:
		options->action = ACTION_CHECK;
		return 0;
	case OPTION_VERSION:
		options->action = ACTION_VERSION;
		return 0;
	case OPTION_HELP:
		options->action = ACTION_HELP;
		return 0;
	}
	return -1;
}

struct options options_read(int argc, char **argv)
{
	struct options options = {ACTION_USAGE, NULL, DEFAULT_SOCKET_MODE};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (apply(&options, option) < 0) {
			options.action = ACTION_USAGE;
			fputs("Try goverage.fcgi --help.\n", stderr);
			return options;
		}
	}
	if (optind < argc) {
		fprintf(stderr,
			"goverage.fcgi: unexpected argument: %s\nTry goverage.fcgi --help.\n",
			argv[optind]);
		options.action = ACTION_USAGE;
	} else if (options.action == ACTION_USAGE) {
		fputs("goverage.fcgi is started by a web server, or with --listen ADDRESS.\n"
		      "Try goverage.fcgi --help.\n",
		      stderr);
	}
	return options;
}

void options_print_help(void)
{
	cleanup_buffer struct buffer settings = BUFFER_INIT;

	settings_describe(&settings);
	printf(
	    "Usage: goverage.fcgi --listen ADDRESS [--mode MODE]\n"
	    "       goverage.fcgi --check | --version | --help\n"
	    "\n"
	    "Serves the coverage of Go services, while they run, at POST /v1/cover/profile.\n"
	    "A web server runs it as FastCGI (a listening socket on descriptor 0) or as CGI.\n"
	    "\n"
	    "  --listen ADDRESS  be a FastCGI responder on 127.0.0.1:9000, [::1]:9000 or "
	    "unix:PATH\n"
	    "  --mode MODE       permissions of the unix socket, octal [0660]\n"
	    "  --check           say whether the settings, the directory and covdata are in order\n"
	    "  --version         print the version\n"
	    "  --help            print this\n"
	    "\n"
	    "Settings, from the environment [default]:\n"
	    "%s"
	    "\n"
	    "Exit status: 0 all is well; 1 it could not start, or a check failed; 2 wrong usage.\n"
	    "The manual: man goverage-fcgi\n",
	    buffer_str(&settings));
}
