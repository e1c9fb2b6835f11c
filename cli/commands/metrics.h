/* The metric reference as a page. */
#ifndef OC_CLI_COMMANDS_METRICS_H
#define OC_CLI_COMMANDS_METRICS_H

#include "base/buf.h"

/* Appends docs/metrics.md: a loop over the metric table. */
void oc_metrics_markdown(struct oc_buf *out);

#endif
