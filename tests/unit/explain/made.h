/* Evidence made by hand: a process that is quiet, to which a test adds what grows. */
#ifndef OC_TESTS_UNIT_EXPLAIN_MADE_H
#define OC_TESTS_UNIT_EXPLAIN_MADE_H

#include "explain/explain.h"

#include <stddef.h>
#include <stdint.h>

#define KIB (INT64_C(1) << 10)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define THEN_UNIX_MS INT64_C(1790000000000)
#define HOUR_MS INT64_C(3600000)

/* Three hours of a process of 100 MiB with 1,000 samples and 18 walks; nothing moves. */
void made_quiet(struct oc_evidence *evidence, const char *runtime);
/* One look at it. */
void made_one_look(struct oc_evidence *evidence, const char *runtime);
void made_moved(struct oc_moved *moved, int64_t then, int64_t now);
void made_metric(struct oc_evidence *evidence, unsigned metric, int64_t then, int64_t now);
/* Committed bytes of a usage; private_bytes grows by as much. */
void made_grows(struct oc_evidence *evidence, unsigned usage, int64_t then, int64_t now);
/* A family that grew evenly from then to now. */
struct oc_evidence_family *made_family(struct oc_evidence *evidence, unsigned kind, unsigned flags,
                                       const char *name, int64_t then, int64_t now);
void made_limit(struct oc_evidence *evidence, unsigned kind, uint64_t value, uint64_t use);
void made_member(struct oc_evidence *evidence, uint32_t source, int64_t then, int64_t now);

/* The cause of a kind in an explanation; NULL. */
const struct oc_cause *cause_of(const struct oc_explanation *explanation, unsigned kind);
/* The share of a kind and name; name NULL: any. NULL: there is none. */
const struct oc_share *share_of(const struct oc_explanation *explanation, unsigned kind,
                                const char *name);

#endif
