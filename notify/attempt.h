/* One attempt at one delivery: what it is of, and where its transport keeps its things. */
#ifndef OC_NOTIFY_ATTEMPT_H
#define OC_NOTIFY_ATTEMPT_H

#include "alert/wire.h"
#include "notify/outcome.h"
#include "notify/table.h"

#include <stddef.h>
#include <stdint.h>

#define OC_ANSWER_READ_MAX                                                                         \
    (64u << 10) /* bytes of an answer that are read; OC_WIRE_ANSWER_MAX are kept */

struct oc_courier;

struct oc_attempt {
    struct oc_courier *courier;
    struct oc_wire_delivery delivery; /* owned */
    struct oc_target *target;         /* held; NULL until it begins */
    int64_t came_mono_ms, began_mono_ms;
    char answer[OC_WIRE_ANSWER_MAX + 1]; /* the beginning of what was answered, as it came */
    size_t answer_bytes, read_bytes;
    struct oc_attempt *next; /* in the queue */
};

/* Keeps the beginning of an answer, counts the rest. 0, or OC_E_TOOBIG: no more of it is wanted. */
int oc_attempt_answer(struct oc_attempt *attempt, const void *bytes, size_t len_bytes);
/* The answer as text for people, secrets taken out: into out (OC_WIRE_ANSWER_MAX + 1 bytes). */
void oc_attempt_answer_text(const struct oc_attempt *attempt, char *out);
/* The end without a word: at the end of all. */
void oc_attempt_drop(struct oc_attempt *attempt);
/* The end: reports it and frees the attempt; begins what waited. */
void oc_attempt_done(struct oc_attempt *attempt, struct oc_outcome *outcome);

#endif
