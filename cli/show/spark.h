/* A row of small bars. */
#ifndef OC_CLI_SHOW_SPARK_H
#define OC_CLI_SHOW_SPARK_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define OC_SPARK_NONE INT64_MIN /* no value here: a blank */

/*
 * Appends one character a value, ▁ the lowest to █ the highest of them ("_.-=+*#@"-like steps
 * without utf8). All the same: the lowest bar. A swing of less than 1 % of the highest stays low,
 * so that noise does not look like growth.
 */
void oc_spark(const int64_t *values, size_t count, int utf8, struct oc_buf *out);

#endif
