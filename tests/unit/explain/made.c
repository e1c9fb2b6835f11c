#include "tests/unit/explain/made.h"

#include <stdio.h>
#include <string.h>

void made_moved(struct oc_moved *moved, int64_t then, int64_t now)
{
    moved->has_then = 1;
    moved->has_now = 1;
    moved->then = then;
    moved->now = now;
}

void made_metric(struct oc_evidence *evidence, unsigned metric, int64_t then, int64_t now)
{
    made_moved(&evidence->metrics[metric], then, now);
}

void made_quiet(struct oc_evidence *evidence, const char *runtime)
{
    memset(evidence, 0, sizeof(*evidence));
    (void)snprintf(evidence->subject, sizeof(evidence->subject), "unit:shop.service");
    (void)snprintf(evidence->name, sizeof(evidence->name), "shop");
    (void)snprintf(evidence->os, sizeof(evidence->os), "linux");
    (void)snprintf(evidence->runtime, sizeof(evidence->runtime), "%s", runtime);
    evidence->source_kind = OC_SOURCE_PROCESS;
    evidence->source = 7;
    evidence->pid = 4711;
    evidence->is_live = 1;
    evidence->status = -1;
    evidence->then_unix_ms = THEN_UNIX_MS;
    evidence->now_unix_ms = THEN_UNIX_MS + 3 * HOUR_MS;
    evidence->walk_then_unix_ms = evidence->then_unix_ms;
    evidence->walk_now_unix_ms = evidence->now_unix_ms;
    evidence->samples = 1000;
    evidence->walks = 18;
    made_metric(evidence, OC_METRIC_PRIVATE, 100 * MIB, 100 * MIB);
    made_metric(evidence, OC_METRIC_RSS, 130 * MIB, 130 * MIB);
    made_metric(evidence, OC_METRIC_THREADS, 20, 20);
    made_metric(evidence, OC_METRIC_FDS, 50, 50);
    made_metric(evidence, OC_METRIC_MAPPINGS, 400, 400);
    made_metric(evidence, OC_METRIC_MODULES, 60, 60);
    for (unsigned usage = OC_USAGE_IMAGE; usage < OC_USAGE_COUNT; usage++) {
        made_moved(&evidence->usage_commit[usage], 10 * MIB, 10 * MIB);
        made_moved(&evidence->usage_reserve[usage], 0, 0);
        made_moved(&evidence->usage_count[usage], 20, 20);
    }
    made_moved(&evidence->arenas, 4, 4);
}

static void forget_then(struct oc_moved *moved, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        moved[i].has_then = 0;
        moved[i].then = 0;
    }
}

void made_one_look(struct oc_evidence *evidence, const char *runtime)
{
    made_quiet(evidence, runtime);
    evidence->is_one_look = 1;
    evidence->subject[0] = '\0';
    evidence->samples = 1;
    evidence->walks = 1;
    evidence->then_unix_ms = evidence->now_unix_ms;
    forget_then(evidence->metrics, sizeof(evidence->metrics) / sizeof(evidence->metrics[0]));
    forget_then(evidence->usage_commit, OC_USAGE_COUNT);
    forget_then(evidence->usage_reserve, OC_USAGE_COUNT);
    forget_then(evidence->usage_count, OC_USAGE_COUNT);
    forget_then(&evidence->arenas, 1);
}

void made_grows(struct oc_evidence *evidence, unsigned usage, int64_t then, int64_t now)
{
    made_moved(&evidence->usage_commit[usage], then, now);
    evidence->metrics[OC_METRIC_PRIVATE].now += now - then;
    evidence->metrics[OC_METRIC_RSS].now += now - then;
}

struct oc_evidence_family *made_family(struct oc_evidence *evidence, unsigned kind, unsigned flags,
                                       const char *name, int64_t then, int64_t now)
{
    struct oc_evidence_family *family = &evidence->families[evidence->family_count++];

    memset(family, 0, sizeof(*family));
    family->kind = (uint8_t)kind;
    family->flags = (uint8_t)flags;
    (void)snprintf(family->name, sizeof(family->name), "%s", name);
    (void)snprintf(family->example, sizeof(family->example), "%s", name);
    made_moved(&family->count, then, now);
    made_moved(&family->distinct, then, now);
    made_moved(&family->bytes, then * 64 * KIB, now * 64 * KIB);
    for (int i = 0; i < 6; i++)
        family->course[i] = then + (now - then) * i / 5;
    return family;
}

void made_limit(struct oc_evidence *evidence, unsigned kind, uint64_t value, uint64_t use)
{
    struct oc_limit *limit = &evidence->limits[evidence->limit_count++];

    memset(limit, 0, sizeof(*limit));
    limit->kind = (uint8_t)kind;
    limit->value = value;
    limit->use = use;
    limit->has_use = 1;
}

void made_member(struct oc_evidence *evidence, uint32_t source, int64_t then, int64_t now)
{
    struct oc_evidence_member *member = &evidence->members[evidence->member_count++];

    memset(member, 0, sizeof(*member));
    member->source = source;
    member->pid = 5000 + source;
    (void)snprintf(member->name, sizeof(member->name), "worker");
    member->begin_unix_ms = then < 0 ? THEN_UNIX_MS + HOUR_MS : THEN_UNIX_MS - HOUR_MS;
    made_moved(&member->private_bytes, then, now);
    if (then < 0) {
        member->private_bytes.has_then = 0;
        member->private_bytes.then = 0;
    }
    evidence->members_in_all = evidence->member_count;
}

const struct oc_cause *cause_of(const struct oc_explanation *explanation, unsigned kind)
{
    for (size_t i = 0; i < explanation->cause_count; i++) {
        if (explanation->causes[i].kind == kind)
            return &explanation->causes[i];
    }
    return NULL;
}

const struct oc_share *share_of(const struct oc_explanation *explanation, unsigned kind,
                                const char *name)
{
    for (size_t i = 0; i < explanation->share_count; i++) {
        if (explanation->shares[i].kind == kind &&
            (!name || strcmp(explanation->shares[i].name, name) == 0))
            return &explanation->shares[i];
    }
    return NULL;
}
