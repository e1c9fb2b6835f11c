/* The processes of a subject: which of them grew most, and how much each did. */
#include "storage/read/evidence.h"

#include "base/text.h"

#include <float.h>
#include <string.h>

/* Looks of one boot at a time: the cast is in the order of ids, and so of boots. */
static int look_by_boots(oc_reader *reader, struct oc_look *looks, size_t count)
{
    int rc = OC_OK;

    for (size_t from = 0, to; from < count && rc == OC_OK; from = to) {
        to = from + 1;
        while (to < count && looks[to].boot == looks[from].boot)
            to++;
        rc = oc_look(reader, looks + from, to - from);
    }
    return rc;
}

static int look_at_members(struct oc_gathering *gathering)
{
    for (size_t i = 0; i < gathering->cast.count; i++) {
        const struct oc_evidence_source *source = &gathering->cast.items[i];
        unsigned metric =
            source->kind == OC_SOURCE_CGROUP ? OC_METRIC_CGROUP_CHARGE : OC_METRIC_PRIVATE;

        oc_gathering_look(&gathering->looks[i], source, &gathering->member_cells[i], metric, 1);
        gathering->looks[i].since_boot_ms = oc_gathering_since(gathering, source);
        gathering->looks[i].until_boot_ms = oc_gathering_until(gathering, source);
    }
    return look_by_boots(gathering->reader, gathering->looks, gathering->cast.count);
}

/* A process that began after the time that is asked about has grown by all that it has. */
static double growth_of(const struct oc_gathering *gathering, size_t index)
{
    const struct oc_evidence_source *source = &gathering->cast.items[index];
    int64_t begin_unix_ms = oc_gathering_unix_ms(gathering, source->boot, source->begin_boot_ms);
    struct oc_moved moved;

    oc_look_moved(&gathering->looks[index], gathering->looks[index].base, &moved);
    if (!moved.has_now)
        return -DBL_MAX;
    if (gathering->since_unix_ms > 0 && begin_unix_ms > gathering->since_unix_ms)
        return (double)moved.now;
    return moved.has_then ? (double)moved.now - (double)moved.then : 0;
}

static int rank_members(struct oc_gathering *gathering)
{
    int rc = OC_OK;

    if (gathering->ranked_since_unix_ms == gathering->since_unix_ms)
        return OC_OK;
    rc = look_at_members(gathering);
    gathering->ranked_since_unix_ms = gathering->since_unix_ms;
    for (size_t i = 0; i < gathering->cast.count && rc == OC_OK; i++)
        gathering->grown[i] = growth_of(gathering, i);
    return rc;
}

static size_t most_grown(const struct oc_gathering *gathering)
{
    size_t best = 0;

    for (size_t i = 1; i < gathering->cast.count; i++)
        if (gathering->grown[i] > gathering->grown[best])
            best = i;
    return best;
}

static void put_member(struct oc_gathering *gathering, size_t index)
{
    struct oc_evidence *evidence = gathering->evidence;
    const struct oc_evidence_source *source = &gathering->cast.items[index];
    struct oc_evidence_member *member = &evidence->members[evidence->member_count++];

    *member = (struct oc_evidence_member){
        .source = source->id,
        .pid = source->pid,
        .begin_unix_ms = oc_gathering_unix_ms(gathering, source->boot, source->begin_boot_ms),
    };
    (void)oc_text_copy(member->name, sizeof member->name, source->name);
    oc_look_moved(&gathering->looks[index], gathering->looks[index].base, &member->private_bytes);
}

/* Those that grew most first; of one that was given itself too, wherever it stands. */
static void put_members(struct oc_gathering *gathering)
{
    struct oc_evidence *evidence = gathering->evidence;
    uint8_t is_put[OC_EVIDENCE_CANDIDATES] = { 0 };

    evidence->members_in_all = gathering->cast.in_all;
    while (evidence->member_count < OC_EVIDENCE_MEMBERS &&
           evidence->member_count < gathering->cast.count) {
        size_t best = SIZE_MAX;

        for (size_t i = 0; i < gathering->cast.count; i++)
            if (!is_put[i] && (best == SIZE_MAX || gathering->grown[i] > gathering->grown[best]))
                best = i;
        if (evidence->member_count + 1 == OC_EVIDENCE_MEMBERS && !is_put[gathering->chosen])
            best = gathering->chosen;
        is_put[best] = 1;
        put_member(gathering, best);
    }
}

int oc_evidence_choose(struct oc_gathering *gathering)
{
    int rc = OC_OK;

    gathering->chosen = gathering->cast.chosen;
    if (gathering->chosen == SIZE_MAX) {
        rc = gathering->cast.count > 1 ? rank_members(gathering) : OC_OK;
        gathering->chosen = most_grown(gathering);
    }
    gathering->source = gathering->cast.items[gathering->chosen];
    return rc;
}

/* The members by the same time as itself; of one alone its figures say it. */
int oc_evidence_members(struct oc_gathering *gathering)
{
    int rc;

    if (gathering->source.kind != OC_SOURCE_PROCESS || gathering->cast.count == 1)
        return OC_OK;
    rc = rank_members(gathering);
    if (rc == OC_OK)
        put_members(gathering);
    return rc;
}

/* One that began since has no figure of then. */
static void forget_unborn(struct oc_evidence *evidence)
{
    for (size_t i = 0; i < evidence->member_count; i++) {
        struct oc_evidence_member *member = &evidence->members[i];

        if (member->source != evidence->source && member->begin_unix_ms > evidence->then_unix_ms)
            member->private_bytes.has_then = 0, member->private_bytes.then = 0;
    }
}

static void put_single_member(struct oc_gathering *gathering)
{
    struct oc_evidence *evidence = gathering->evidence;

    if (gathering->source.kind != OC_SOURCE_PROCESS || gathering->cast.count != 1)
        return;
    put_members(gathering);
    evidence->members[0].private_bytes = evidence->metrics[OC_METRIC_PRIVATE];
}

void oc_evidence_settle_members(struct oc_gathering *gathering)
{
    put_single_member(gathering);
    forget_unborn(gathering->evidence);
}
