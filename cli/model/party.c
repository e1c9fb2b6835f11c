#include "cli/model/party.h"

#include "base/alloc.h"
#include "base/text.h"
#include "cli/model/history.h"
#include "cli/show/timespec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct collect {
    struct oc_party *party;
    int newest_only; /* of those that ended: one life is kept */
    int rc;
};

uint32_t oc_party_pid(const char *word)
{
    uint64_t pid;

    if (!word || oc_text_u64(word, &pid) || pid == 0 || pid > UINT32_MAX)
        return 0;
    return (uint32_t)pid;
}

static void fill(struct oc_party_member *member, const struct oc_life_row *row)
{
    memset(member, 0, sizeof(*member));
    member->source = row->source;
    member->pid = row->facts.id.pid;
    member->kind = row->kind;
    member->end = row->end;
    member->status = row->status;
    member->killer = row->killer;
    member->start_ticks = row->facts.id.start_ticks;
    member->begin_unix_ms = row->begin_unix_ms;
    member->end_unix_ms = row->end_unix_ms;
    member->last_unix_ms = row->last_unix_ms;
    (void)oc_text_copy(member->subject, sizeof(member->subject), row->subject);
    (void)oc_text_copy(member->name, sizeof(member->name), row->facts.name);
    (void)oc_text_copy(member->cgroup, sizeof(member->cgroup), row->facts.cgroup);
}

static int take_life(const struct oc_life_row *row, void *context)
{
    struct collect *collect = context;
    struct oc_party *party = collect->party;
    void *items = party->items;

    if (row->kind != OC_SOURCE_PROCESS && row->kind != OC_SOURCE_SELF)
        return 0;
    if (collect->newest_only && party->count == 1) {
        if (row->end_unix_ms >= party->items[0].end_unix_ms)
            fill(&party->items[0], row);
        return 0;
    }
    collect->rc = oc_array_grow(&items, &party->capacity, party->count + 1, sizeof(*party->items),
                                OC_PARTY_MAX);
    party->items = items;
    if (collect->rc)
        return 1;
    fill(&party->items[party->count++], row);
    return 0;
}

static int by_subject(const void *a, const void *b)
{
    const struct oc_party_member *x = a, *y = b;
    int order = strcmp(x->subject, y->subject);

    if (order == 0 && x->begin_unix_ms != y->begin_unix_ms)
        order = x->begin_unix_ms < y->begin_unix_ms ? -1 : 1;
    return order ? order : (x->source > y->source) - (x->source < y->source);
}

static int nothing(const char *word, int64_t at_unix_ms, struct oc_detail *detail)
{
    char time[48];

    if (!word)
        return oc_detail_set(detail, OC_E_NOENT, "the store holds no process yet");
    if (at_unix_ms == INT64_MAX)
        return oc_detail_set(detail, OC_E_NOENT,
                             "the store knows no process '%s'; 'oomcast lives' lists them", word);
    return oc_detail_set(
        detail, OC_E_NOENT,
        "the store knows no process '%s' at %s; 'oomcast lives %s' says when there "
        "was one",
        word, oc_timespec_format(at_unix_ms, time, sizeof(time)), word);
}

int oc_party_load(struct oc_party *party, oc_reader *reader, const char *word, int64_t at_unix_ms,
                  struct oc_detail *detail)
{
    struct oc_life_filter filter = { .until_unix_ms = INT64_MAX };
    struct collect collect = { .party = party };
    int rc;

    filter.pid = oc_party_pid(word);
    if (!filter.pid)
        filter.subject = word;
    filter.running_only = at_unix_ms == INT64_MAX;
    if (at_unix_ms != INT64_MAX) {
        filter.since_unix_ms = at_unix_ms;
        filter.until_unix_ms = at_unix_ms + 1;
    }
    rc = oc_reader_lives(reader, &filter, take_life, &collect);
    if (rc >= 0 && !collect.rc && party->count == 0 && word) {
        filter.running_only = 0;
        filter.since_unix_ms = 0;
        collect.newest_only = party->has_ended = 1;
        rc = oc_reader_lives(reader, &filter, take_life, &collect);
    }
    if (rc < 0 || collect.rc)
        return rc < 0 ? rc : collect.rc;
    if (party->count == 0)
        return nothing(word, at_unix_ms, detail);
    if (party->count > 1)
        qsort(party->items, party->count, sizeof(*party->items), by_subject);
    return OC_OK;
}

void oc_party_clear(struct oc_party *party)
{
    oc_free(party->items);
    memset(party, 0, sizeof(*party));
}
