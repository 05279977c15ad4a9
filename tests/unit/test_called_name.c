/* The name of a program by its argv[0]. */
#include "unit.h"

#include "cgi/base/called_name.h"

struct name_case {
	const char *argv0;
	const char *name, *unproved;
};

static void expect(const struct name_case *c)
{
	size_t len;
	const char *name = called_name(c->argv0, strlen(c->argv0), &len);

	assert_int_equal(len, strlen(c->name));
	assert_memory_equal(name, c->name, len);
	name = called_name_unproved(c->argv0, strlen(c->argv0), &len);
	assert_int_equal(len, strlen(c->unproved));
	assert_memory_equal(name, c->unproved, len);
}

static void names(void **state)
{
	static const struct name_case cases[] = {
	    {"shop", "shop", "shop"},
	    {"./shop", "shop", "shop"},
	    {"/usr/bin/shop-v1.2", "shop-v1.2", "shop-v1.2"},
	    {"-shop", "-shop", "-shop"},
	    {"", "", ""},
	    {"/", "", ""},
	    {"/opt/my apps/shop", "shop", "my"},
	    {"/opt/my shop", "my shop", "my"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		expect(&cases[i]);
}

static void titles_are_nobodys_business(void **state)
{
	static const struct name_case cases[] = {
	    {"shop: worker for alice", "shop", "shop"},
	    {"shop password=a/b/hunter2", "shop", "shop"},
	    {"shop:postgres://u:hunter2@db/x", "shop", "shop"},
	    {"/usr/bin/shop --password=a/hunter2", "shop", "shop"},
	    {"/usr/bin/shop\thunter2", "shop\thunter2", "shop"},
	    {"shop\nhunter2", "shop", "shop"},
	    {" hunter2", "", ""},
	    {"shop=hunter2", "shop=hunter2", "shop"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		expect(&cases[i]);
}

/* What is left of a longer name when a title was written over it. */
static void what_follows_a_nul_byte_is_old(void **state)
{
	static const char overwritten[] = "idle\0/bin/shop";
	size_t len;
	const char *name = called_name(overwritten, sizeof overwritten - 1, &len);

	(void)state;
	assert_int_equal(len, 4);
	assert_memory_equal(name, "idle", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(titles_are_nobodys_business),
	    cmocka_unit_test(what_follows_a_nul_byte_is_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
