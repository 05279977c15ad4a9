#include "cgi/exchange/query.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "cgi/base/buffer.h"
#include "cgi/base/percent.h"
#include "cgi/base/utf8.h"
#include "cgi/exchange/json_strict.h"

enum { JSON_MAX_DEPTH = 32 };

/* A TEXT is a list of at most one, the last one counts; a NUMBER is a TEXT that JSON may write as a
 * number. */
enum field_kind { FIELD_LIST, FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL };

/* The fields that mean something, under the names that goverage documents; all others are
 * ignored. */
static const struct field {
	const char *name;
	enum field_kind kind;
	size_t offset; /* in struct query */
} fields[] = {
    {"skipFile", FIELD_LIST, offsetof(struct query, skip_file)},
    {"coverFile", FIELD_LIST, offsetof(struct query, cover_file)},
    {"service", FIELD_LIST, offsetof(struct query, service)},
    {"address", FIELD_LIST, offsetof(struct query, address)},
    {"build", FIELD_LIST, offsetof(struct query, build)},
    {"since", FIELD_TEXT, offsetof(struct query, since)},
    {"mode", FIELD_TEXT, offsetof(struct query, mode)},
    {"format", FIELD_TEXT, offsetof(struct query, format)},
    {"module", FIELD_LIST, offsetof(struct query, module)},
    {"prefix", FIELD_TEXT, offsetof(struct query, prefix)},
    {"paths", FIELD_TEXT, offsetof(struct query, paths)},
    {"methods", FIELD_BOOL, offsetof(struct query, methods)},
    {"partial", FIELD_TEXT, offsetof(struct query, partial)},
    {"test", FIELD_TEXT, offsetof(struct query, test)},
    {"label", FIELD_TEXT, offsetof(struct query, label)},
    {"fail_under", FIELD_NUMBER, offsetof(struct query, fail_under)},
    {"download", FIELD_BOOL, offsetof(struct query, download)},
    {"total", FIELD_BOOL, offsetof(struct query, total)},
    {"force", FIELD_BOOL, offsetof(struct query, force)},
};

static struct string_list *list_of(struct query *q, const struct field *field)
{
	return (struct string_list *)((char *)q + field->offset);
}

/* The ASCII letter that c folds to, where Unicode has two more letters that fold to one. */
static uint32_t fold(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c | 0x20;
	if (c == 0x17f) /* long s */
		return 's';
	if (c == 0x212a) /* Kelvin sign */
		return 'k';
	return c;
}

/* Names match without regard to case, as the keys of Go's encoding/json do. */
static bool same_name(const char *name, const char *text, size_t n)
{
	size_t at = 0;

	for (; *name && at < n; name++) {
		uint32_t c;
		size_t len = utf8_decode(text + at, n - at, &c);

		if (!len || fold(c) != fold((unsigned char)*name))
			return false;
		at += len;
	}
	return !*name && at == n;
}

static const struct field *field_named(const char *text, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof fields / sizeof *fields; i++)
		if (same_name(fields[i].name, text, n))
			return &fields[i];
	return NULL;
}

/* What every value must be, wherever it comes from. */
static int add_value(struct query *q, const struct field *field, const char *text, size_t n,
		     struct error *err)
{
	if (memchr(text, '\0', n))
		return error_set(err, ERROR_BAD_REQUEST, "%s holds a NUL character", field->name);
	if (!utf8_valid(text, n))
		return error_set(err, ERROR_BAD_REQUEST, "%s is not valid UTF-8", field->name);
	if (field->kind != FIELD_LIST)
		string_list_free(list_of(q, field));
	if (string_list_add(list_of(q, field), text, n) < 0)
		return error_no_memory(err);
	return 0;
}

/* --- forms ----------------------------------------------------------------------------------- */

/* A bool in a form is what Go's strconv.ParseBool takes. */
static int set_form_bool(struct query *q, const struct field *field, const char *value,
			 struct error *err)
{
	static const char *const words[2][6] = {
	    {"0", "f", "F", "FALSE", "false", "False"},
	    {"1", "t", "T", "TRUE", "true", "True"},
	};
	int truth, i;

	for (truth = 0; truth < 2; truth++) {
		for (i = 0; i < 6; i++) {
			if (strcmp(value, words[truth][i]) == 0) {
				*(bool *)((char *)q + field->offset) = truth;
				return 0;
			}
		}
	}
	return error_set(err, ERROR_BAD_REQUEST, "%s must be true or false, not \"%.64s\"",
			 field->name, value);
}

/* 1 = added, 0 = the name is not known, -1. */
static int add_form_pair(struct query *q, const char *pair, size_t n, const char *what,
			 struct error *err)
{
	cleanup_buffer struct buffer name = BUFFER_INIT, value = BUFFER_INIT;
	const char *equals = memchr(pair, '=', n);
	size_t name_len = equals ? (size_t)(equals - pair) : n;
	const struct field *field;

	if (percent_decode(&name, pair, name_len, true) < 0)
		return name.failed
			   ? error_no_memory(err)
			   : error_set(err, ERROR_BAD_REQUEST,
				       "the %s has a name with a %% that is not followed by two "
				       "hex digits",
				       what);
	field = field_named(buffer_str(&name), name.len);
	if (!field)
		return 0;
	if (equals && percent_decode(&value, equals + 1, n - name_len - 1, true) < 0)
		return value.failed
			   ? error_no_memory(err)
			   : error_set(err, ERROR_BAD_REQUEST,
				       "%s in the %s has a %% that is not followed by two hex "
				       "digits",
				       field->name, what);
	if (field->kind == FIELD_BOOL ? set_form_bool(q, field, buffer_str(&value), err) < 0
				      : add_value(q, field, buffer_str(&value), value.len, err) < 0)
		return -1;
	return 1;
}

int query_add_form(struct query *q, const char *text, size_t len, const char *what,
		   struct error *err)
{
	size_t at = 0;
	int known = 0;

	while (at < len) {
		const char *amp = memchr(text + at, '&', len - at);
		size_t n = amp ? (size_t)(amp - text) - at : len - at;
		int added = n ? add_form_pair(q, text + at, n, what, err) : 0;

		if (added < 0)
			return -1;
		known += added;
		at += n + 1;
	}
	return known;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static struct json_object *parse_json(const char *text, size_t len, struct error *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH);
	struct json_object *root;
	enum json_tokener_error why;
	bool exhausted;

	if (!tokener) {
		error_no_memory(err);
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	errno = 0;
	root = json_tokener_parse_ex(tokener, text, (int)len);
	exhausted = errno == ENOMEM; /* json-c blames the text for it */
	why = json_tokener_get_error(tokener);
	if (why == json_tokener_success && json_tokener_get_parse_end(tokener) != len)
		why = json_tokener_error_parse_unexpected;
	if (exhausted)
		error_no_memory(err);
	else if (why == json_tokener_continue)
		error_set(err, ERROR_BAD_REQUEST,
			  "the request body is not valid JSON: it ends in the middle");
	else if (why != json_tokener_success)
		error_set(err, ERROR_BAD_REQUEST,
			  "the request body is not valid JSON: %s at byte %zu",
			  json_tokener_error_desc(why), json_tokener_get_parse_end(tokener));
	json_tokener_free(tokener);
	if (why == json_tokener_success && !exhausted)
		return root;
	json_object_put(root);
	return NULL;
}

static const char *json_kind(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "a boolean";
	case json_type_double:
	case json_type_int:
		return "a number";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "an array";
	case json_type_string:
		return "a string";
	}
	return "something else";
}

static int set_json_list(struct query *q, const struct field *field, struct json_object *value,
			 struct error *err)
{
	size_t i, n;

	string_list_free(list_of(q, field));
	if (!json_object_is_type(value, json_type_array))
		return error_set(err, ERROR_BAD_REQUEST, "%s must be an array of strings, not %s",
				 field->name, json_kind(value));
	n = json_object_array_length(value);
	for (i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);

		if (!json_object_is_type(item, json_type_string))
			return error_set(err, ERROR_BAD_REQUEST,
					 "%s must be an array of strings: element %zu is %s",
					 field->name, i, json_kind(item));
		if (add_value(q, field, json_object_get_string(item),
			      (size_t)json_object_get_string_len(item), err) < 0)
			return -1;
	}
	return 0;
}

static int set_json_text(struct query *q, const struct field *field, struct json_object *value,
			 struct error *err)
{
	bool is_number = json_object_is_type(value, json_type_int) ||
			 json_object_is_type(value, json_type_double);

	if (!json_object_is_type(value, json_type_string) &&
	    !(is_number && field->kind == FIELD_NUMBER))
		return error_set(err, ERROR_BAD_REQUEST, "%s must be a %s, not %s", field->name,
				 field->kind == FIELD_NUMBER ? "number" : "string",
				 json_kind(value));
	if (is_number)
		return add_value(q, field, json_object_to_json_string(value),
				 strlen(json_object_to_json_string(value)), err);
	return add_value(q, field, json_object_get_string(value),
			 (size_t)json_object_get_string_len(value), err);
}

static int set_json_field(struct query *q, const char *key, struct json_object *value,
			  struct error *err)
{
	const struct field *field = field_named(key, strlen(key));

	if (!field || !value) /* null leaves a field as it is, as in Go */
		return 0;
	if (field->kind == FIELD_LIST)
		return set_json_list(q, field, value, err);
	if (field->kind == FIELD_TEXT || field->kind == FIELD_NUMBER)
		return set_json_text(q, field, value, err);
	if (!json_object_is_type(value, json_type_boolean))
		return error_set(err, ERROR_BAD_REQUEST, "%s must be true or false, not %s",
				 field->name, json_kind(value));
	*(bool *)((char *)q + field->offset) = json_object_get_boolean(value);
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int query_add_json(struct query *q, const char *text, size_t len, struct error *err)
{
	struct json_object *root;
	int rc = 0;

	while (len && is_blank(text[len - 1]))
		len--;
	if (memchr(text, '\0', len))
		return error_set(err, ERROR_BAD_REQUEST, "the request body holds a NUL byte");
	if (!utf8_valid(text, len))
		return error_set(err, ERROR_BAD_REQUEST, "the request body is not valid UTF-8");
	if (len == 4 && memcmp(text, "null", 4) == 0)
		return 0;
	if (json_strict_check(text, len, err) < 0)
		return -1;
	root = parse_json(text, len, err);
	if (!root)
		return err->class == ERROR_NONE
			   ? error_set(err, ERROR_BAD_REQUEST,
				       "the request body must be a JSON object")
			   : -1;
	if (!json_object_is_type(root, json_type_object)) {
		rc = error_set(err, ERROR_BAD_REQUEST,
			       "the request body must be a JSON object, not %s", json_kind(root));
	} else {
		json_object_object_foreach(root, key, value)
		{
			rc = set_json_field(q, key, value, err);
			if (rc < 0)
				break;
		}
	}
	json_object_put(root);
	return rc;
}

/* --- either ---------------------------------------------------------------------------------- */

static bool is_type(const char *content_type, const char *type)
{
	return content_type && strncasecmp(content_type, type, strlen(type)) == 0;
}

/* Names that are not known are passed over beside one that is; alone they are a mistake. */
static int add_form_body(struct query *q, const char *body, size_t len, struct error *err)
{
	int known = query_add_form(q, body, len, "form body", err);

	if (known)
		return known < 0 ? -1 : 0;
	return error_set(
	    err, ERROR_BAD_REQUEST,
	    "the request body is a form without a field that is known here: send JSON, such "
	    "as {\"skipFile\": [\"_gen\\\\.go$\"]}, or a form, such as skipFile=_gen (curl "
	    "sends a file with -d @FILE, and the mere name with -d FILE)");
}

int query_add_body(struct query *q, const char *body, size_t len, const char *content_type,
		   struct error *err)
{
	while (len && is_blank(*body)) {
		body++;
		len--;
	}
	while (len && is_blank(body[len - 1]))
		len--;
	if (!len)
		return 0;
	if (*body == '{' || *body == '[' || (len == 4 && memcmp(body, "null", 4) == 0))
		return query_add_json(q, body, len, err);
	if (is_type(content_type, "application/x-www-form-urlencoded"))
		return add_form_body(q, body, len, err);
	if (is_type(content_type, "multipart/form-data"))
		return error_set(
		    err, ERROR_BAD_REQUEST,
		    "the request body is multipart/form-data, which is not read here: send "
		    "JSON, or an ordinary form (curl: -d, not -F)");
	return query_add_json(q, body, len, err);
}

void query_free(struct query *q)
{
	string_list_free(&q->skip_file);
	string_list_free(&q->cover_file);
	string_list_free(&q->service);
	string_list_free(&q->address);
	string_list_free(&q->build);
	string_list_free(&q->since);
	string_list_free(&q->mode);
	string_list_free(&q->format);
	string_list_free(&q->module);
	string_list_free(&q->prefix);
	string_list_free(&q->paths);
	string_list_free(&q->fail_under);
	string_list_free(&q->partial);
	string_list_free(&q->test);
	string_list_free(&q->label);
	*q = QUERY_INIT;
}
