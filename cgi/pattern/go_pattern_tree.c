#include "cgi/pattern/go_pattern_tree.h"

#include <string.h>

int pattern_tree_init(struct pattern_tree *tree)
{
	memset(tree, 0, sizeof *tree);
	tree->cap_nodes = 64;
	tree->nodes = calloc(tree->cap_nodes, sizeof *tree->nodes);
	tree->n_nodes = 1; /* index 0 is none */
	return tree->nodes ? 0 : -1;
}

void pattern_tree_free(struct pattern_tree *tree)
{
	free(tree->nodes);
	free(tree->properties);
	code_set_free(&tree->ranges);
	memset(tree, 0, sizeof *tree);
}

static bool grow_nodes(struct pattern_tree *tree)
{
	uint32_t cap = 2 * tree->cap_nodes;
	struct node *nodes;

	if (tree->n_nodes < tree->cap_nodes)
		return true;
	nodes = cap > tree->cap_nodes ? realloc(tree->nodes, cap * sizeof *nodes) : NULL;
	if (!nodes) {
		tree->failed = true;
		return false;
	}
	tree->nodes = nodes;
	tree->cap_nodes = cap;
	return true;
}

/* A node of one instruction that consumes something and has no case; the callers change what
 * differs. */
static uint32_t node_new(struct pattern_tree *tree, enum node_kind kind)
{
	uint32_t index = grow_nodes(tree) ? tree->n_nodes++ : 0;

	tree->nodes[index] = (struct node){.kind = kind, .size = 1, .copies = 1};
	return index;
}

uint32_t node_empty(struct pattern_tree *tree)
{
	uint32_t index = node_new(tree, NODE_EMPTY);

	node_at(tree, index)->empty = EMPTY_ALWAYS;
	node_at(tree, index)->zero_width = true;
	return index;
}

static bool has_case(uint32_t c)
{
	return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void set_case(struct node *node, bool has, bool folded)
{
	node->folded = folded && has;
	node->case_needs = !has ? 0 : folded ? CASE_FOLDED : CASE_EXACT;
}

uint32_t node_literal(struct pattern_tree *tree, uint32_t character, bool folded)
{
	uint32_t index = node_new(tree, NODE_LITERAL);

	node_at(tree, index)->character = character;
	set_case(node_at(tree, index), has_case(character), folded);
	return index;
}

uint32_t node_any(struct pattern_tree *tree, bool newline)
{
	uint32_t index = node_new(tree, NODE_ANY);

	node_at(tree, index)->any_newline = newline;
	return index;
}

uint32_t node_assertion(struct pattern_tree *tree, enum assertion assertion)
{
	uint32_t index = node_new(tree, NODE_ASSERTION);

	node_at(tree, index)->assertion = assertion;
	node_at(tree, index)->empty = EMPTY_BY_ASSERTION;
	node_at(tree, index)->zero_width = true;
	return index;
}

static bool reserve_properties(struct pattern_tree *tree, uint32_t n)
{
	uint32_t cap = 2 * tree->cap_properties + n;
	struct class_property *properties;

	if (tree->cap_properties - tree->n_properties >= n)
		return true;
	properties = realloc(tree->properties, cap * sizeof *properties);
	if (!properties) {
		tree->failed = true;
		return false;
	}
	tree->properties = properties;
	tree->cap_properties = cap;
	return true;
}

static bool set_has_case(const struct code_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct code_range *r = &set->ranges[i];

		if (r->hi >= 0x80 || (r->hi >= 'A' && r->lo <= 'Z') ||
		    (r->hi >= 'a' && r->lo <= 'z'))
			return true;
	}
	return false;
}

uint32_t node_class(struct pattern_tree *tree, const struct code_set *set,
		    const struct class_property *properties, uint32_t n, bool negated, bool folded)
{
	const bool full =
	    set->n == 1 && set->ranges[0].lo == 0 && set->ranges[0].hi == MAX_CODE_POINT;
	uint32_t index;

	if (full || (set->n == 0 && n == 0))
		return full != negated ? node_any(tree, true) : node_new(tree, NODE_NEVER);
	if (!reserve_properties(tree, n))
		return 0;
	index = node_new(tree, NODE_CLASS);
	node_at(tree, index)->class = (struct node_class){
	    .first_range = (uint32_t)tree->ranges.n,
	    .n_ranges = (uint32_t)set->n,
	    .first_property = tree->n_properties,
	    .n_properties = n,
	    .negated = negated,
	};
	set_case(node_at(tree, index), n > 0 || set_has_case(set), folded);
	code_set_add_all(&tree->ranges, set->ranges, set->n);
	if (n)
		memcpy(tree->properties + tree->n_properties, properties, n * sizeof *properties);
	tree->n_properties += n;
	tree->failed |= set->failed | tree->ranges.failed;
	return index;
}

void node_chain_add(struct pattern_tree *tree, struct node_chain *chain, uint32_t index)
{
	node_at(tree, index)->prev = chain->last;
	node_at(tree, index)->next = 0;
	if (chain->last)
		node_at(tree, chain->last)->next = index;
	else
		chain->first = index;
	chain->last = index;
}

/* What a concatenation (all of it must be empty) or an alternation (one must) makes of
 * emptiness. */
static enum emptiness join_empty(enum node_kind kind, enum emptiness a, enum emptiness b)
{
	return (kind == NODE_CONCAT) == (a < b) ? a : b;
}

static void account_child(struct node *parent, const struct node *child)
{
	parent->empty = join_empty(parent->kind, parent->empty, child->empty);
	parent->zero_width &= child->zero_width;
	parent->case_needs |= child->case_needs;
	parent->size += child->size;
	if (child->depth > parent->depth)
		parent->depth = child->depth;
	if (child->copies > parent->copies)
		parent->copies = child->copies;
}

uint32_t node_join(struct pattern_tree *tree, enum node_kind kind, const struct node_chain *chain)
{
	struct node *parent;
	uint32_t index;

	if (!chain->first)
		return node_empty(tree);
	if (chain->first == chain->last)
		return chain->first;
	index = node_new(tree, kind);
	parent = node_at(tree, index);
	parent->first = chain->first;
	parent->last = chain->last;
	parent->empty = node_at(tree, chain->first)->empty;
	parent->zero_width = true;
	parent->size = 0;
	for (uint32_t i = chain->first; i; i = node_at(tree, i)->next) {
		account_child(parent, node_at(tree, i));
		if (kind == NODE_ALTERNATE && i != chain->first)
			parent->size++;
	}
	return index;
}

/* Instructions of a repetition, as Go estimates them. */
static uint64_t repeated_size(uint64_t size, uint32_t min, uint32_t max)
{
	if (max == REPEAT_FOREVER)
		return min == 0 ? size + 2 : 1 + min * size;
	return max == 0 ? 1 : max * size + (max - min);
}

static uint32_t repeated_copies(uint32_t copies, uint32_t min, uint32_t max)
{
	uint32_t count = max == REPEAT_FOREVER ? min : max;

	if (max == 0)
		return 1;
	return count > 1 ? count * copies : copies;
}

void node_repeat(struct pattern_tree *tree, uint32_t index, uint32_t min, uint32_t max)
{
	const uint32_t body = node_new(tree, NODE_EMPTY);
	struct node *node = node_at(tree, index), old = *node;

	*node_at(tree, body) = old;
	node_at(tree, body)->next = node_at(tree, body)->prev = 0;
	node->size = repeated_size(old.size, min, max);
	node->copies = repeated_copies(old.copies, min, max);
	if (max == 0 || (old.zero_width && min == 0)) {
		node->kind = NODE_EMPTY;
		node->empty = EMPTY_ALWAYS;
		node->zero_width = true;
		node->case_needs = 0;
		return;
	}
	if (old.zero_width)
		return; /* once is as good as often */
	if (old.empty == EMPTY_ALWAYS)
		min = 0;
	node->kind = NODE_REPEAT;
	node->first = node->last = body;
	node->min = min;
	node->max = max;
	node->empty = min == 0 ? EMPTY_ALWAYS : old.empty;
	node->depth = old.depth + (old.kind == NODE_REPEAT);
}
