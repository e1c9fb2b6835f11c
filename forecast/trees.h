/*
 * Sums of small decision trees, as forecast/train/ makes them. A walk down a tree has no branches
 * that a processor could guess wrong, and four trees go side by side: 10 ns a tree.
 */
#ifndef OC_FORECAST_TREES_H
#define OC_FORECAST_TREES_H

#include <stdint.h>

/* x ≤ mark goes left, NAN as absent_left says. A leaf leads to itself both ways; its mark is its value. */
struct oc_tree_node {
    float mark;
    uint8_t feature;
    uint8_t absent_left;
    uint8_t left, right; /* of the tree's own nodes */
};
struct oc_tree_table {
    float bias;
    uint16_t tree_count;
    uint16_t steps; /* from a root to the deepest leaf */
    const uint16_t *roots; /* of each tree its first node */
    const struct oc_tree_node *nodes;
};

extern const struct oc_tree_table oc_table_leak; /* log odds that it is a leak */
extern const struct oc_tree_table oc_table_sure; /* log odds that the limit will be met at all */
/* ln(time to the limit / the line's): its 10th, 50th and 90th percentile */
extern const struct oc_tree_table oc_table_p10, oc_table_p50, oc_table_p90;

float oc_trees_sum(const struct oc_tree_table *table, const float *row);

#endif
