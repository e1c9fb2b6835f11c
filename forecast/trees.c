#include "forecast/trees.h"

#define SIDE_BY_SIDE 4u

static unsigned step(const struct oc_tree_node *tree, unsigned at, const float *row)
{
    const struct oc_tree_node *node = &tree[at];
    float x = row[node->feature];
    unsigned is_left = (unsigned)(x <= node->mark) |
                       ((unsigned)!(x <= 0.0F || x > 0.0F) & (unsigned)node->absent_left);

    return is_left ? node->left : node->right;
}

float oc_trees_sum(const struct oc_tree_table *table, const float *row)
{
    unsigned count = table->tree_count, i = 0;
    float sum = table->bias;

    for (; i + SIDE_BY_SIDE <= count; i += SIDE_BY_SIDE) {
        const struct oc_tree_node *a = table->nodes + table->roots[i];
        const struct oc_tree_node *b = table->nodes + table->roots[i + 1];
        const struct oc_tree_node *c = table->nodes + table->roots[i + 2];
        const struct oc_tree_node *d = table->nodes + table->roots[i + 3];
        unsigned at_a = 0, at_b = 0, at_c = 0, at_d = 0;

        for (unsigned n = 0; n < table->steps; n++) {
            at_a = step(a, at_a, row);
            at_b = step(b, at_b, row);
            at_c = step(c, at_c, row);
            at_d = step(d, at_d, row);
        }
        sum += a[at_a].mark;
        sum += b[at_b].mark;
        sum += c[at_c].mark;
        sum += d[at_d].mark;
    }
    for (; i < count; i++) {
        const struct oc_tree_node *tree = table->nodes + table->roots[i];
        unsigned at = 0;

        for (unsigned n = 0; n < table->steps; n++)
            at = step(tree, at, row);
        sum += tree[at].mark;
    }
    return sum;
}
