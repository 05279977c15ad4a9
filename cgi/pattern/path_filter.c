#include "cgi/pattern/path_filter.h"

#include <oniguruma.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "cgi/base/buffer.h"
#include "cgi/base/excerpt.h"
#include "cgi/base/utf8.h"
#include "cgi/pattern/go_pattern.h"

/*
 * Oniguruma's limits.  The retry limit bounds the steps back of one search; each may cost a run
 * over the path, so long paths get fewer.  Realistic patterns need 1,000.  The stack and depth
 * limits are belts: what go_pattern.c writes stays below them.
 */
enum {
	RETRIES = 100000,
	RETRIES_FULL_LENGTH = 512, /* bytes of a path, beyond which RETRIES shrinks in proportion */
	MATCH_STACK_ENTRIES = 500000,
	PARSE_DEPTH = 1024,
	SEARCHES_PER_CHECK = 16, /* of the time; a search in a long path counts as several */
	EXCERPT_MAX = 256,	 /* bytes of a pattern or a path in a message */
};

static const int64_t cpu_budget_ns = INT64_C(2000000000);

struct pattern {
	const char *field; /* coverFile or skipFile */
	const char *text;  /* in the filter's texts */
	size_t len;
	char *translated; /* owned; for Oniguruma */
	size_t translated_len;
};

struct path_filter {
	struct pattern *patterns; /* owned; the cover patterns first */
	size_t n, n_cover;
	struct string_list texts; /* of the patterns, as the client wrote them */
	int64_t spent_ns;	  /* of cpu_budget_ns */
};

/*
 * The dialect that go_pattern_emit.c writes; nothing else is switched on.  Not const: Oniguruma
 * takes a pointer to non-const, and only reads.
 */
static OnigSyntaxType dialect = {
    .op = ONIG_SYN_OP_DOT_ANYCHAR | ONIG_SYN_OP_ASTERISK_ZERO_INF | ONIG_SYN_OP_PLUS_ONE_INF |
	  ONIG_SYN_OP_QMARK_ZERO_ONE | ONIG_SYN_OP_BRACE_INTERVAL | ONIG_SYN_OP_VBAR_ALT |
	  ONIG_SYN_OP_LPAREN_SUBEXP | ONIG_SYN_OP_ESC_AZ_BUF_ANCHOR | ONIG_SYN_OP_LINE_ANCHOR |
	  ONIG_SYN_OP_ESC_B_WORD_BOUND | ONIG_SYN_OP_BRACKET_CC | ONIG_SYN_OP_ESC_X_BRACE_HEX8,
    .op2 = ONIG_SYN_OP2_QMARK_GROUP_EFFECT | ONIG_SYN_OP2_ESC_P_BRACE_CHAR_PROPERTY |
	   ONIG_SYN_OP2_ESC_CAPITAL_N_O_SUPER_DOT,
    .behavior = ONIG_SYN_CONTEXT_INDEP_REPEAT_OPS | ONIG_SYN_CONTEXT_INVALID_REPEAT_OPS |
		ONIG_SYN_BACKSLASH_ESCAPE_IN_CC,
    .options = ONIG_OPTION_NONE,
    .meta_char_table = {.esc = '\\'},
};

int path_filter_start(struct error *err)
{
	OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
	int r = onig_initialize(encodings, 1);

	if (r == ONIGERR_MEMORY)
		return error_no_memory(err);
	if (r != ONIG_NORMAL)
		return error_set(err, ERROR_INTERNAL, "Oniguruma does not start: error %d", r);
	onig_set_parse_depth_limit(PARSE_DEPTH);
	onig_set_match_stack_limit_size(MATCH_STACK_ENTRIES);
	return 0;
}

static int64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ------------------------------------------------------------------ making the filter */

static int prefix_pattern(struct error *err, const char *field, const char *text, size_t len)
{
	char shown[EXCERPT_MAX];

	return error_prefix(err, "%s pattern \"%s\"", field,
			    excerpt(shown, sizeof shown, text, len));
}

static size_t total_bytes(const struct string_list *list)
{
	size_t bytes = 0;

	for (size_t i = 0; i < list->n; i++)
		bytes += list->items[i].len;
	return bytes;
}

static int check_amount(const struct string_list *cover, const struct string_list *skip,
			struct error *err)
{
	const size_t n = cover->n + skip->n, bytes = total_bytes(cover) + total_bytes(skip);

	if (n > PATH_FILTER_MAX_PATTERNS)
		return error_set(err, ERROR_BAD_REQUEST,
				 "%zu patterns in coverFile and skipFile: at most %d are allowed",
				 n, PATH_FILTER_MAX_PATTERNS);
	if (bytes > PATH_FILTER_MAX_BYTES)
		return error_set(err, ERROR_BAD_REQUEST,
				 "%zu bytes of patterns in coverFile and skipFile: at most %d are "
				 "allowed",
				 bytes, PATH_FILTER_MAX_BYTES);
	return 0;
}

static int translate(struct pattern *pattern, struct error *err)
{
	cleanup_buffer struct buffer out = BUFFER_INIT;

	if (go_pattern_translate(pattern->text, pattern->len, &out, err) < 0)
		return err && err->class == ERROR_UNAVAILABLE
			   ? -1
			   : prefix_pattern(err, pattern->field, pattern->text, pattern->len);
	if (!buffer_reserve(&out, 0)) /* an empty pattern is a pointer too */
		return error_no_memory(err);
	pattern->translated_len = out.len;
	pattern->translated = steal_ptr(out.data);
	return 0;
}

static int add_pattern(struct path_filter *filter, const char *field,
		       const struct string_item *item, struct error *err)
{
	struct pattern *pattern = &filter->patterns[filter->n];

	if (item->len > PATH_FILTER_MAX_PATTERN) {
		error_set(err, ERROR_BAD_REQUEST, "%zu bytes long: at most %d are allowed",
			  item->len, PATH_FILTER_MAX_PATTERN);
		return prefix_pattern(err, field, item->text, item->len);
	}
	if (string_list_add(&filter->texts, item->text, item->len) < 0)
		return error_no_memory(err);
	pattern->field = field;
	pattern->text = filter->texts.items[filter->n++].text;
	pattern->len = item->len;
	return translate(pattern, err);
}

static int add_patterns(struct path_filter *filter, const char *field,
			const struct string_list *list, struct error *err)
{
	for (size_t i = 0; i < list->n; i++)
		if (add_pattern(filter, field, &list->items[i], err) < 0)
			return -1;
	return 0;
}

struct path_filter *path_filter_new(const struct string_list *cover, const struct string_list *skip,
				    struct error *err)
{
	cleanup_path_filter struct path_filter *filter = NULL;
	const bool empty = !cover->n && !skip->n; /* then the time, a system call, is not asked */
	const int64_t begin = empty ? 0 : thread_cpu_ns();

	if (check_amount(cover, skip, err) < 0)
		return NULL;
	filter = calloc(1, sizeof *filter);
	if (filter)
		filter->patterns = calloc(cover->n + skip->n + 1, sizeof *filter->patterns);
	if (!filter || !filter->patterns) {
		error_no_memory(err);
		return NULL;
	}
	if (add_patterns(filter, "coverFile", cover, err) < 0)
		return NULL;
	filter->n_cover = filter->n;
	if (add_patterns(filter, "skipFile", skip, err) < 0)
		return NULL;
	filter->spent_ns = empty ? 0 : thread_cpu_ns() - begin;
	return steal_ptr(filter);
}

bool path_filter_is_empty(const struct path_filter *filter)
{
	return filter->n == 0;
}

void path_filter_free(struct path_filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < filter->n; i++)
		free(filter->patterns[i].translated);
	free(filter->patterns);
	string_list_free(&filter->texts);
	free(filter);
}

/* ------------------------------------------------------------------ paths as Go decodes them */

/* The paths with each byte that is no part of a valid character as U+FFFD. */
struct decoded_paths {
	struct path_ref *paths; /* owned; into the caller's paths or into `replaced` */
	char *replaced;		/* owned */
};

static void free_decoded(struct decoded_paths *decoded)
{
	free(decoded->paths);
	free(decoded->replaced);
}

/* 0, or -1 when memory runs out. */
static int decode_paths(struct decoded_paths *decoded, const struct path_ref *paths, size_t n)
{
	size_t room = 0, used = 0;

	decoded->paths = calloc(n + 1, sizeof *decoded->paths);
	if (!decoded->paths)
		return -1;
	for (size_t i = 0; i < n; i++) {
		decoded->paths[i] = paths[i];
		if (!utf8_valid(paths[i].text, paths[i].len))
			room += 3 * paths[i].len;
	}
	decoded->replaced = room ? malloc(room) : NULL;
	if (room && !decoded->replaced)
		return -1;
	for (size_t i = 0; room && i < n; i++) {
		if (utf8_valid(paths[i].text, paths[i].len))
			continue;
		decoded->paths[i].text = decoded->replaced + used;
		decoded->paths[i].len =
		    utf8_replace_invalid(paths[i].text, paths[i].len, decoded->replaced + used);
		used += decoded->paths[i].len;
	}
	return 0;
}

/* ------------------------------------------------------------------ searching */

/* One call of path_filter_apply(). */
struct run {
	OnigMatchParam *param; /* owned */
	int64_t deadline_ns;   /* of this thread's CPU time */
	size_t searches;       /* since the time was looked at */
	struct error *err;
};

static void end_run(struct run *run)
{
	if (run->param)
		onig_free_match_param(run->param);
}

static void free_regex(regex_t **regex)
{
	if (*regex)
		onig_free(*regex);
}

static int over_time(const struct run *run, const struct pattern *pattern)
{
	char shown[EXCERPT_MAX];

	return error_set(run->err, ERROR_OVER_BUDGET,
			 "the patterns took 2 s of processor time, and %s pattern \"%s\" was not "
			 "done by then: use fewer or simpler ones",
			 pattern->field, excerpt(shown, sizeof shown, pattern->text, pattern->len));
}

static int over_limit(const struct run *run, const struct pattern *pattern,
		      const struct path_ref *path)
{
	char shown[EXCERPT_MAX], shown_path[EXCERPT_MAX];

	return error_set(run->err, ERROR_OVER_BUDGET,
			 "%s pattern \"%s\" takes too many steps to match on \"%s\": use a simpler "
			 "one, with fewer repetitions in a row or one inside the other",
			 pattern->field, excerpt(shown, sizeof shown, pattern->text, pattern->len),
			 excerpt(shown_path, sizeof shown_path, path->text, path->len));
}

static int check_time(struct run *run, const struct pattern *pattern)
{
	run->searches = 0;
	return thread_cpu_ns() > run->deadline_ns ? over_time(run, pattern) : 0;
}

static int compile(const struct pattern *pattern, regex_t **regex, struct error *err)
{
	const OnigUChar *text = (const OnigUChar *)pattern->translated;
	OnigCompileInfo info = {
	    .num_of_elements = 5,
	    .pattern_enc = ONIG_ENCODING_UTF8,
	    .target_enc = ONIG_ENCODING_UTF8,
	    .syntax = &dialect,
	    .option = ONIG_OPTION_WORD_IS_ASCII, /* for \b and \B */
	    .case_fold_flag = 0,		 /* one character to one, not "ss" for U+00DF */
	};
	OnigErrorInfo where;
	OnigUChar message[ONIG_MAX_ERROR_MESSAGE_LEN];
	int r = onig_new_deluxe(regex, text, text + pattern->translated_len, &info, &where);

	if (r == ONIG_NORMAL)
		return 0;
	*regex = NULL;
	if (r == ONIGERR_MEMORY)
		return error_no_memory(err);
	onig_error_code_to_str(message, r, &where);
	error_set(err, ERROR_BAD_REQUEST, "this version of Oniguruma can't compile it: %s",
		  (char *)message);
	return prefix_pattern(err, pattern->field, pattern->text, pattern->len);
}

static unsigned long retries_for(size_t len)
{
	const unsigned long most = (unsigned long)RETRIES * RETRIES_FULL_LENGTH;

	if (len <= RETRIES_FULL_LENGTH)
		return RETRIES;
	return len < most ? most / len : 1; /* 0 is no limit, or an error at once */
}

/* 1 = the pattern is found in the path, 0 = it is not. */
static int search(struct run *run, regex_t *regex, const struct pattern *pattern,
		  const struct path_ref *path)
{
	const OnigUChar *text = (const OnigUChar *)(path->len ? path->text : "");
	const OnigUChar *end = text + path->len;
	const unsigned long retries = retries_for(path->len);
	int r;

	run->searches += 1 + path->len / RETRIES_FULL_LENGTH;
	if (run->searches >= SEARCHES_PER_CHECK && check_time(run, pattern) < 0)
		return -1;
	onig_set_retry_limit_in_match_of_match_param(run->param, retries);
	onig_set_retry_limit_in_search_of_match_param(run->param, retries);
	r = onig_search_with_param(regex, text, end, text, end, NULL, ONIG_OPTION_NONE, run->param);
	if (r >= 0 || r == ONIG_MISMATCH)
		return r >= 0;
	return r == ONIGERR_MEMORY ? error_no_memory(run->err) : over_limit(run, pattern, path);
}

/* Search all paths that are not decided yet, and turn keep[i] where the pattern is found. */
static int apply_pattern(struct run *run, const struct path_filter *filter, size_t which,
			 const struct path_ref *paths, size_t n, bool *keep)
{
	const struct pattern *pattern = &filter->patterns[which];
	const bool covers = which < filter->n_cover;
	cleanup_with(free_regex) regex_t *regex = NULL;
	int found;

	if (compile(pattern, &regex, run->err) < 0 || check_time(run, pattern) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (keep[i] == covers)
			continue;
		found = search(run, regex, pattern, &paths[i]);
		if (found < 0)
			return -1;
		if (found)
			keep[i] = covers;
	}
	return 0;
}

static int apply_patterns(struct run *run, const struct path_filter *filter,
			  const struct path_ref *paths, size_t n, bool *keep)
{
	run->param = onig_new_match_param();
	if (!run->param)
		return error_no_memory(run->err);
	onig_initialize_match_param(run->param);
	for (size_t i = 0; i < filter->n; i++)
		if (apply_pattern(run, filter, i, paths, n, keep) < 0)
			return -1;
	return 0;
}

int path_filter_apply(struct path_filter *filter, const struct path_ref *paths, size_t n,
		      bool *keep, struct error *err)
{
	cleanup_with(free_decoded) struct decoded_paths decoded = {NULL, NULL};
	cleanup_with(end_run) struct run run = {.err = err};
	int64_t begin;
	int r;

	for (size_t i = 0; i < n; i++)
		keep[i] = filter->n_cover == 0;
	if (path_filter_is_empty(filter))
		return 0;
	begin = thread_cpu_ns();
	run.deadline_ns = begin + cpu_budget_ns - filter->spent_ns;
	if (decode_paths(&decoded, paths, n) < 0)
		return error_no_memory(err);
	r = apply_patterns(&run, filter, decoded.paths, n, keep);
	filter->spent_ns += thread_cpu_ns() - begin;
	return r;
}
