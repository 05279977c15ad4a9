/*
 * goverage.fcgi: which way are we run?  A listening socket on descriptor 0 is FastCGI; otherwise
 * GATEWAY_INTERFACE (or REQUEST_METHOD) is CGI; otherwise it is somebody at a terminal.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cgi/app_life.h"
#include "cgi/base/io.h"
#include "cgi/base/log.h"
#include "cgi/check.h"
#include "cgi/exchange/gateway_cgi.h"
#include "cgi/handle.h"
#include "fcgi/options.h"
#include "fcgi/server/listener.h"
#include "fcgi/server/responder.h"

/* Descriptors 0, 1 and 2 must not become anything else by accident. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = io_open_null();
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int complain(const struct error *err)
{
	log_line("%s", err->message);
	return EXIT_FAILURE;
}

/* SIGTERM (a web server that has lost its patience) ends covdata and removes its private
 * directory. */
static int cancel_by_sigterm(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run_cgi(void)
{
	cleanup_buffer struct buffer said = BUFFER_INIT;
	cleanup_fd int cancel_fd = cancel_by_sigterm();
	struct gateway gateway;
	struct app app;
	struct error err = {0};

	gateway_cgi_init(&gateway);
	if (app_init(&app, APP_FOR_ONE_ANSWER, &err) < 0) {
		handle_refusal(&gateway, &err);
		return EXIT_SUCCESS; /* the answer has been given */
	}
	app.cancel_fd = cancel_fd;
	if (app_confine(&app, NULL, &said, &err) < 0)
		handle_refusal(&gateway, &err);
	else
		handle_request(&app, &gateway);
	app_free(&app);
	return EXIT_SUCCESS;
}

static int run_responder(const struct listener *listener)
{
	cleanup_buffer struct buffer said = BUFFER_INIT;
	struct app app;
	struct error err = {0};
	int rc;

	if (app_init(&app, APP_FOR_MANY, &err) < 0)
		return complain(&err);
	rc = app_confine(&app, listener->unix_path, &said, &err);
	if (rc == 0) {
		log_line("%s", buffer_str(&said));
		rc = responder_run(&app, listener, &err);
	}
	app_free(&app);
	return rc < 0 ? complain(&err) : EXIT_SUCCESS;
}

static int run_inherited(void)
{
	cleanup_listener struct listener listener = LISTENER_INIT;
	struct error err = {0};

	responder_block_signals();
	if (listener_adopt(&listener, STDIN_FILENO, &err) < 0)
		return complain(&err);
	return run_responder(&listener);
}

static int run_listening(const struct options *options)
{
	cleanup_listener struct listener listener = LISTENER_INIT;
	struct error err = {0};

	responder_block_signals();
	if (listener_open(&listener, options->listen, options->mode, &err) < 0)
		return complain(&err);
	return run_responder(&listener);
}

static int run_command(int argc, char **argv)
{
	struct options options = options_read(argc, argv);

	switch (options.action) {
	case ACTION_HELP:
		options_print_help();
		return EXIT_SUCCESS;
	case ACTION_VERSION:
		puts(PACKAGE_STRING);
		return EXIT_SUCCESS;
	case ACTION_CHECK:
		return check_run(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	case ACTION_LISTEN:
		return run_listening(&options);
	case ACTION_USAGE:
		break;
	}
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	open_standard_descriptors();
	io_cloexec_from(STDERR_FILENO + 1);
	signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of write(2), and no death */
	signal(SIGCHLD,
	       SIG_DFL); /* a server that ignores it would take our children's status away */
	log_start("goverage.fcgi");
	if (listener_is_listening(STDIN_FILENO))
		return run_inherited();
	/* under Apache the words of the query arrive as arguments: they are never looked at here */
	if (getenv("GATEWAY_INTERFACE") || getenv("REQUEST_METHOD"))
		return run_cgi();
	return run_command(argc, argv);
}
