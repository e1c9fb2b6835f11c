/* Alerts as a person asks for them: the worst first, how many of each kind, and which receivers are behind. */
#ifndef OC_CLI_MODEL_ALERTS_H
#define OC_CLI_MODEL_ALERTS_H

#include "base/alert.h"
#include "base/buf.h"
#include "cli/model/outlook.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_ALERT_LIST_MAX 100000u
#define OC_BEHIND_MAX OC_RECEIVERS_MAX

struct oc_alert_list {
    struct oc_alert *items; /* owned */
    size_t count, capacity;
    size_t left_out; /* beyond the limit */
};
/*
 * Those that a filter takes, newest first, at most limit of them (0: all). Fills *list (zeroed). 0 or a code;
 * the list is the caller's to clear also after a failure.
 */
int oc_alert_list_load(struct oc_alert_list *list, oc_reader *reader,
                       const struct oc_alert_filter *filter, size_t limit);
void oc_alert_list_clear(struct oc_alert_list *list);

/*
 * Whether a is to be shown before b: firing before pending, told before muted, critical before warning, then
 * what is met first, then by subject and rule. Of equals neither. The order at a time holds at any: all
 * times to a limit are as of the same moment.
 */
int oc_alert_is_before(const struct oc_alert *a, const struct oc_alert *b);
void oc_alert_list_sort(struct oc_alert_list *list);

/* Firing ones by what they ask of a person; pending ones apart. */
struct oc_alert_counts {
    size_t critical, warning; /* firing, not muted */
    size_t muted;             /* firing, told to nobody */
    size_t pending;
    size_t acked; /* of critical and warning */
};
void oc_alert_count(const struct oc_alert *alerts, size_t count,
                    struct oc_alert_counts *out_counts);
/* "2 critical, 1 warning (1 acked), 3 muted, 1 pending"; "none". */
void oc_alert_counts_text(const struct oc_alert_counts *counts, struct oc_buf *out);

/* Whether it fires and someone ought to do something: not muted. */
int oc_alert_counts_for(const struct oc_alert *alert);

/* The forecast that an alert is about, moved on to now. 1; 0: it is about none. */
int oc_alert_ahead(const struct oc_alert *alert, int64_t now_unix_ms, struct oc_outlook_row *out);

/* "silenced, acked": why it is not told, or not again. "" where it is. Returned; out_bytes ≥ 80. */
const char *oc_alert_mutes_text(unsigned mutes, char *out, size_t out_bytes);
const char *oc_alert_mute_name(unsigned bit); /* of one OC_ALERT_… bit; "" */

/* A receiver that something waits for, by the store's outbox. */
struct oc_behind {
    char receiver[OC_RULE_NAME_BYTES];
    uint32_t waiting, parked; /* rows that were tried at least once and not taken */
    uint32_t attempts;        /* the most of any of them */
    int64_t since_unix_ms;    /* the oldest was made */
    int32_t status;           /* of the last failure; 0: none came */
    char why[OC_ALERT_WHY_BYTES];
};
struct oc_behind_list {
    struct oc_behind items[OC_BEHIND_MAX];
    size_t count;
    uint64_t dropped; /* rows that nobody will get */
};
/* Fills *out. 0 or a code. Cost: a row for each that is open. */
int oc_behind_load(oc_reader *reader, struct oc_behind_list *out);

#endif
