/* Sums of small decision trees, as forecast/train/ makes them. */
#ifndef OC_FORECAST_TREES_H
#define OC_FORECAST_TREES_H

#include <stdint.h>

#define OC_TREE_LEAF 255

/* feature OC_TREE_LEAF: a leaf, mark is its value. Else x ≤ mark goes left, NAN as absent_left says. */
struct oc_tree_node {
    float mark;
    uint16_t left, right;
    uint8_t feature;
    uint8_t absent_left;
};
struct oc_tree_table {
    float bias;
    uint16_t tree_count;
    const uint16_t *roots;
    const struct oc_tree_node *nodes;
};

extern const struct oc_tree_table oc_table_leak; /* log odds that it is a leak */
extern const struct oc_tree_table oc_table_sure; /* log odds that a forecast comes true */
/* ln(time to the limit / the line's): its 10th, 50th and 90th percentile */
extern const struct oc_tree_table oc_table_p10, oc_table_p50, oc_table_p90;

float oc_trees_sum(const struct oc_tree_table *table, const float *row);

#endif
