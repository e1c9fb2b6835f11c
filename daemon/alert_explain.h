/*
 * Why it grows, for alerts: evidence is gathered from the store and judged on a thread of our own with a
 * reader of its own, since that takes some 50 ms. The queue is bounded and nothing waits for it: an alert
 * whose explanation is not there in time is sent without.
 */
#ifndef OC_DAEMON_ALERT_EXPLAIN_H
#define OC_DAEMON_ALERT_EXPLAIN_H

#include "base/alert.h"

#include <stdint.h>
#include <uv.h>

typedef struct oc_explainer oc_explainer;

#define OC_EXPLAIN_WAITING_MAX 64 /* questions */
#define OC_EXPLAIN_TEXT_BYTES 4096

struct oc_explain_question {
    uint64_t fingerprint, episode;
    uint32_t source, pid; /* 0: unknown */
    uint8_t is_over;      /* it died: limit, killer, the last forecast and how wrong it was */
    char subject[OC_ALERT_SUBJECT_BYTES];
};

struct oc_explain_answer {
    struct oc_explain_answer *next;
    uint64_t fingerprint, episode;
    uint8_t is_over;
    char *text; /* owned, lines; NULL: there is nothing to say */
    char *then; /* owned, commands, lines; NULL: none */
};
void oc_explain_answer_free(struct oc_explain_answer *take_answer); /* NULL is allowed */

/* done: on the loop's thread, answers wait. 0 or OC_E_NOMEM. */
int oc_explainer_start(uv_loop_t *loop, const char *store_path, void (*done)(void *context),
                       void *context, oc_explainer **out_explainer);
/* 0, OC_E_EXISTS (it is asked already), OC_E_TOOBIG (too many wait) or OC_E_NOMEM. */
int oc_explainer_ask(oc_explainer *explainer, const struct oc_explain_question *question);
/* The next answer, yours; NULL: none. */
struct oc_explain_answer *oc_explainer_take(oc_explainer *explainer);
/* Waits at most timeout_ms; one that is stuck is left behind. Freed once the loop ran. NULL is allowed. */
void oc_explainer_stop(oc_explainer *explainer, int64_t timeout_ms);

#endif
