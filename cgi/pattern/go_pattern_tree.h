/*
 * The parsed pattern: a tree without groups, captures or flags (each leaf knows how it was
 * flagged), and without laziness, which never changes whether a pattern matches.
 *
 * Nodes live in one array and name each other by index; index 0 is none.  Nothing here reports that
 * memory ran out: the tree turns `failed`, as a buffer does, and hands out node 0.
 */
#ifndef GOVERAGE_PATTERN_GO_PATTERN_TREE_H
#define GOVERAGE_PATTERN_GO_PATTERN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgi/pattern/go_pattern_set.h"

enum node_kind {
	NODE_EMPTY, /* matches the empty string */
	NODE_NEVER, /* matches nothing: a class without a member */
	NODE_LITERAL,
	NODE_ANY,
	NODE_CLASS,
	NODE_ASSERTION,
	NODE_CONCAT,
	NODE_ALTERNATE,
	NODE_REPEAT,
};

enum assertion {
	ASSERT_TEXT_BEGIN,
	ASSERT_TEXT_END,
	ASSERT_LINE_BEGIN,
	ASSERT_LINE_END,
	ASSERT_WORD_BOUNDARY,
	ASSERT_NO_WORD_BOUNDARY,
};

/* Can it match without consuming anything? */
enum emptiness { EMPTY_NEVER, EMPTY_BY_ASSERTION, EMPTY_ALWAYS };

/* Which case sensitivity the leaves under a node need; leaves without case need none. */
enum { CASE_FOLDED = 1, CASE_EXACT = 2 };

#define REPEAT_FOREVER UINT32_MAX

struct class_property {
	const char *name; /* from unicode_class_name() */
	bool negated;
};

/* The union of the ranges and properties, or, negated, what is not in it. */
struct node_class {
	uint32_t first_range, n_ranges;	       /* in the tree's ranges; normalized */
	uint32_t first_property, n_properties; /* in the tree's properties */
	bool negated;
};

struct node {
	enum node_kind kind;
	enum emptiness empty;
	bool zero_width;      /* never consumes anything */
	bool folded;	      /* literal, class: letter case is ignored */
	bool any_newline;     /* NODE_ANY: a line feed too */
	unsigned case_needs;  /* CASE_* */
	uint32_t next, prev;  /* among the children of one parent */
	uint32_t first, last; /* children */
	uint32_t depth;	      /* groups and stacked repetitions, one inside the other */
	uint64_t size;	      /* instructions, as Go counts them, repetitions written out */
	uint32_t copies;      /* most copies of one leaf that the counts ask for, multiplied */
	union {
		uint32_t character;
		enum assertion assertion;
		struct node_class class;
		struct {
			uint32_t min, max;
		};
	};
};

struct pattern_tree {
	struct node *nodes; /* owned, as the next two */
	uint32_t n_nodes, cap_nodes;
	struct code_set ranges;		   /* of all classes */
	struct class_property *properties; /* of all classes */
	uint32_t n_properties, cap_properties;
	bool failed;
};

/* 0, or -1 when memory runs out. */
must_check int pattern_tree_init(struct pattern_tree *tree);
void pattern_tree_free(struct pattern_tree *tree);

#define cleanup_pattern_tree cleanup_with(pattern_tree_free)

static inline struct node *node_at(const struct pattern_tree *tree, uint32_t index)
{
	return &tree->nodes[index];
}

uint32_t node_empty(struct pattern_tree *tree);
uint32_t node_literal(struct pattern_tree *tree, uint32_t character, bool folded);
uint32_t node_any(struct pattern_tree *tree, bool newline);
uint32_t node_assertion(struct pattern_tree *tree, enum assertion assertion);

/* A class of the normalized ranges in set and the n properties; all of it is copied. */
uint32_t node_class(struct pattern_tree *tree, const struct code_set *set,
		    const struct class_property *properties, uint32_t n, bool negated, bool folded);

/* A chain of nodes, linked by next and prev, as they are collected for a parent. */
struct node_chain {
	uint32_t first, last;
};

void node_chain_add(struct pattern_tree *tree, struct node_chain *chain, uint32_t index);

/* The concatenation or alternation of a chain: nothing, one node, or a parent for all of them. */
uint32_t node_join(struct pattern_tree *tree, enum node_kind kind, const struct node_chain *chain);

/*
 * Turn the node at index into its own repetition, which stays where the node stood.  What repeats
 * the empty string is simplified: no count is left that an idle round could fulfil, except where an
 * assertion decides whether the round is idle.
 */
void node_repeat(struct pattern_tree *tree, uint32_t index, uint32_t min, uint32_t max);

/*
 * Drop what an unanchored search never needs: optional parts at both ends.  Only for a whole
 * pattern.
 */
void pattern_tree_trim(struct pattern_tree *tree, uint32_t root);

#endif
