/*
 * Rules tried over a replay: what each would have said, to be shown or held against what was expected. Rules about events (kills,
 * restart loops, who is missing, the daemon itself, heap caps, families) are left out: a replay has no such events.
 */
#ifndef OC_CLI_MODEL_REPLAY_TRIED_H
#define OC_CLI_MODEL_REPLAY_TRIED_H

#include "base/alert.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/rule.h"
#include "cli/model/replay_rules.h"

#include <stddef.h>
#include <stdint.h>

#define OC_TRIED_CHANGES_MAX ((size_t)100000)
#define OC_EXPECT_MAX_BYTES ((size_t)16 << 20)

struct oc_tried_change {
    int64_t t_ms;
    char *subject; /* owned */
    char rule[OC_RULE_NAME_BYTES];
    uint8_t severity, state;
    uint8_t is_told; /* nothing keeps it back */
    char reason[OC_ALERT_WHY_BYTES];
};

/* Zeroed but for the rules is empty. */
struct oc_replay_tried {
    struct oc_rules rules;     /* owned */
    struct oc_windows windows; /* owned */
    struct oc_tried_change *items;
    size_t count, capacity;
    uint64_t dropped; /* beyond the maximum */
    int err;          /* the first failure stays */
};
void oc_replay_tried_clear(struct oc_replay_tried *tried);

/* Those of one figure. 0 or OC_E_NOMEM. */
int oc_replay_tried_begin(struct oc_replay_tried *tried, const char *subject,
                          oc_replay_rules **out_rules);
/* By time, subject, rule. */
void oc_replay_tried_sort(struct oc_replay_tried *tried);

/* The head of the lines below, and one of them: CSV without its end of line. Times are seconds. */
#define OC_TRIED_HEAD "t,subject,rule,severity,state,told"
void oc_tried_write(const struct oc_tried_change *change, struct oc_buf *out);

/*
 * Holds what was said against a text of such lines (a head, empty lines and those that begin with '#' are passed over; an empty
 * field and those that are left out stand for anything; times may be a second off). Writes what is missing ("-") and what came in its
 * place ("+") to out. Returns the number of differences, or OC_E_PARSE (detail: the line).
 */
int oc_tried_compare(const struct oc_replay_tried *tried, const char *expected, size_t len_bytes,
                     struct oc_buf *out, struct oc_detail *detail);

#endif
