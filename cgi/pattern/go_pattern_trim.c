/*
 * An unanchored search asks only whether the pattern matches somewhere.  What may be left out at
 * the beginning or at the end of a match is therefore idle: in `.*_test\.go` and in `mocks/.*` the
 * `.*` costs time, and steps back by the thousand when the rest fails, for nothing.
 */
#include "cgi/pattern/go_pattern_tree.h"

enum end { END_LEFT, END_RIGHT };

static void trim_end(struct pattern_tree *tree, uint32_t index, enum end end);

static void make_empty(struct node *node)
{
	node->kind = NODE_EMPTY;
	node->first = node->last = 0;
}

/* Put the only child in the place of its parent. */
static void pull_up(struct pattern_tree *tree, struct node *parent)
{
	struct node child = *node_at(tree, parent->first);

	child.next = parent->next;
	child.prev = parent->prev;
	*parent = child;
}

/* The least number of rounds is enough; the others would only make the match longer. */
static void trim_repeat(struct pattern_tree *tree, uint32_t index, enum end end)
{
	struct node *node = node_at(tree, index);

	if (node->min == 0) {
		make_empty(node);
	} else if (node->min == 1) {
		pull_up(tree, node);
		trim_end(tree, index, end);
	} else {
		node->max = node->min;
	}
}

/* Drop children from one end until one is needed. */
static void trim_concat(struct pattern_tree *tree, struct node *node, enum end end)
{
	uint32_t child;

	while (node->first) {
		child = end == END_LEFT ? node->first : node->last;
		trim_end(tree, child, end);
		if (node_at(tree, child)->kind != NODE_EMPTY)
			break;
		if (node->first == node->last)
			make_empty(node);
		else if (end == END_LEFT)
			node->first = node_at(tree, child)->next;
		else
			node->last = node_at(tree, child)->prev;
	}
	if (!node->first)
		return;
	node_at(tree, node->first)->prev = 0;
	node_at(tree, node->last)->next = 0;
	if (node->first == node->last)
		pull_up(tree, node);
}

static void trim_end(struct pattern_tree *tree, uint32_t index, enum end end)
{
	struct node *node = node_at(tree, index);

	if (node->kind == NODE_REPEAT)
		trim_repeat(tree, index, end);
	else if (node->kind == NODE_CONCAT)
		trim_concat(tree, node, end);
	else if (node->kind == NODE_ALTERNATE)
		for (uint32_t i = node->first; i; i = node_at(tree, i)->next)
			trim_end(tree, i, end);
}

void pattern_tree_trim(struct pattern_tree *tree, uint32_t root)
{
	trim_end(tree, root, END_LEFT);
	trim_end(tree, root, END_RIGHT);
}
