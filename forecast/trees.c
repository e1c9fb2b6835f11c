#include "forecast/trees.h"
#include "forecast/number.h"

#include <math.h>

float oc_trees_sum(const struct oc_tree_table *table, const float *row)
{
    float sum = table->bias;

    for (unsigned i = 0; i < table->tree_count; i++) {
        const struct oc_tree_node *node = &table->nodes[table->roots[i]];

        while (node->feature != OC_TREE_LEAF) {
            float x = row[node->feature];
            int left = oc_is_nan((double)x) ? node->absent_left : x <= node->mark;

            node = &table->nodes[left ? node->left : node->right];
        }
        sum += node->mark;
    }
    return sum;
}
