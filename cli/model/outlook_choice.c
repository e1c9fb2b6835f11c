/* Of subjects, and of what a word names: one row stands for those that say the same. */
#include "cli/model/outlook.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CHOICE 65536u

/* ---- of all subjects ---- */

/* Sorted with qsort, which has no context: what is sorted carries its own. */
static int by_name(const void *a, const void *b)
{
    const struct oc_outlook_subject *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int soonest_first(const void *a, const void *b)
{
    const struct oc_outlook_subject *x = a, *y = b;
    double time_x = oc_outlook_time_s(x->row), time_y = oc_outlook_time_s(y->row);

    if (time_x < time_y || time_x > time_y)
        return time_x < time_y ? -1 : 1;
    if (oc_outlook_is_before(x->row, y->row))
        return -1;
    return oc_outlook_is_before(y->row, x->row) ? 1 : strcmp(x->name, y->name);
}

static void take_source(const struct oc_outlook *outlook, const struct oc_outlook_source *source,
                        struct oc_outlook_subject *subject)
{
    subject->name = source->subject;
    subject->kind = source->kind;
    subject->processes = source->kind == OC_SOURCE_PROCESS;
    subject->row = source->best == OC_OUTLOOK_NONE ? NULL : &outlook->rows[source->best];
}

/* Neighbours of one name become one. Returns how many are left. */
static size_t merge_names(struct oc_outlook_subject *all, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct oc_outlook_subject *last = kept ? &all[kept - 1] : NULL;

        if (!last || strcmp(last->name, all[i].name) != 0) {
            all[kept++] = all[i];
            continue;
        }
        last->processes += all[i].processes;
        if (last->kind == OC_SOURCE_GROUP)
            last->kind = all[i].kind;
        if (all[i].row && (!last->row || oc_outlook_is_before(all[i].row, last->row)))
            last->row = all[i].row;
    }
    return kept;
}

/* Takes those away that nothing is said of yet. Returns how many are left. */
static size_t drop_unsaid(struct oc_outlook_subject *all, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (all[i].row)
            all[kept++] = all[i];
    }
    return kept;
}

int oc_outlook_subjects(const struct oc_outlook *outlook, struct oc_outlook_subject **out_all,
                        size_t *out_count, size_t *out_unsaid)
{
    struct oc_outlook_subject *all = oc_calloc(outlook->count + 1, sizeof(*all));
    size_t count = 0, named;

    if (!all)
        return OC_E_NOMEM;
    for (size_t i = 0; i < outlook->count; i++) {
        if (outlook->sources[i].best != OC_OUTLOOK_NONE ||
            outlook->sources[i].kind == OC_SOURCE_PROCESS)
            take_source(outlook, &outlook->sources[i], &all[count++]);
    }
    if (count > 1)
        qsort(all, count, sizeof(*all), by_name);
    named = merge_names(all, count);
    count = drop_unsaid(all, named);
    if (count > 1)
        qsort(all, count, sizeof(*all), soonest_first);
    *out_all = all;
    *out_count = count;
    *out_unsaid = named - count;
    return OC_OK;
}

/* ---- of a word ---- */

static int is_named(const struct oc_outlook_source *source, const char *word, uint32_t pid)
{
    if (pid)
        return source->pid == pid && source->kind == OC_SOURCE_PROCESS;
    return oc_subject_is_meant(source->subject, word);
}

/* Of the same limit of several processes the most urgent row stands for all. */
static int add_row(struct oc_outlook_choice *choice, const struct oc_outlook_row *row, int merge)
{
    void *rows = choice->rows;
    int rc;

    for (size_t i = 0; i < choice->count && merge; i++) {
        const struct oc_forecast_row *other = &choice->rows[i]->said;

        if (other->limit.kind != row->said.limit.kind ||
            other->forecast.metric != row->said.forecast.metric ||
            strcmp(other->limit.where, row->said.limit.where) != 0)
            continue;
        if (oc_outlook_is_before(row, choice->rows[i]))
            choice->rows[i] = row;
        return OC_OK;
    }
    rc = oc_array_grow(&rows, &choice->capacity, choice->count + 1, sizeof(*choice->rows),
                       MAX_CHOICE);
    choice->rows = rows;
    if (!rc)
        choice->rows[choice->count++] = row;
    return rc;
}

static int add_source(struct oc_outlook_choice *choice, const struct oc_outlook *outlook,
                      const struct oc_outlook_source *source)
{
    int rc = OC_OK;

    for (size_t i = 0; i < source->row_count && !rc; i++)
        rc = add_row(choice, &outlook->rows[source->first_row + i], 1);
    return rc;
}

static void take_named(struct oc_outlook_choice *choice, const struct oc_outlook_source *source)
{
    if (!choice->subject) {
        choice->subject = source->subject;
        choice->subjects = 1;
    } else if (strcmp(choice->subject, source->subject) != 0) {
        choice->subjects++; /* sources of one subject need not stand together: at least so many */
    }
    if (!choice->kind || choice->kind == OC_SOURCE_GROUP)
        choice->kind = source->kind;
    if (source->kind == OC_SOURCE_PROCESS) {
        choice->pid = choice->processes ? 0 : source->pid;
        choice->processes++;
    }
    if (source->begin_unix_ms > choice->begin_unix_ms)
        choice->begin_unix_ms = source->begin_unix_ms;
}

/* A cgroup above a process that is named, or the host, where processes are asked about. */
static int is_above_named(const struct oc_outlook *outlook, const struct oc_outlook_source *source,
                          const char *word, uint32_t pid)
{
    for (size_t i = 0; i < outlook->count; i++) {
        const struct oc_outlook_source *named = &outlook->sources[i];

        if (named->kind != OC_SOURCE_PROCESS || !is_named(named, word, pid))
            continue;
        if (source->kind == OC_SOURCE_HOST || oc_outlook_is_above(source, named->cgroup))
            return 1;
    }
    return 0;
}

static int add_above(struct oc_outlook_choice *choice, const struct oc_outlook *outlook,
                     const char *word, uint32_t pid)
{
    int rc = OC_OK;

    for (size_t i = 0; i < outlook->count && !rc; i++) {
        const struct oc_outlook_source *source = &outlook->sources[i];

        if ((source->kind != OC_SOURCE_CGROUP && source->kind != OC_SOURCE_HOST) ||
            is_named(source, word, pid) || !is_above_named(outlook, source, word, pid))
            continue;
        for (size_t r = 0; r < source->row_count && !rc; r++) {
            const struct oc_outlook_row *row = &outlook->rows[source->first_row + r];

            if (row->said.limit.kind)
                rc = add_row(choice, row, 0);
        }
    }
    return rc;
}

static int urgent_first(const void *a, const void *b)
{
    const struct oc_outlook_row *const *x = a, *const *y = b;

    if (oc_outlook_is_before(*x, *y))
        return -1;
    if (oc_outlook_is_before(*y, *x))
        return 1;
    return *x < *y ? -1 : *x > *y; /* of one array */
}

int oc_outlook_choose(struct oc_outlook_choice *choice, const struct oc_outlook *outlook,
                      const char *word)
{
    uint32_t pid = oc_party_pid(word);
    int rc = OC_OK;

    for (size_t i = 0; i < outlook->count && !rc; i++) {
        if (!is_named(&outlook->sources[i], word, pid))
            continue;
        take_named(choice, &outlook->sources[i]);
        rc = add_source(choice, outlook, &outlook->sources[i]);
    }
    if (!rc && choice->processes > 0)
        rc = add_above(choice, outlook, word, pid);
    if (choice->count > 1)
        qsort(choice->rows, choice->count, sizeof(*choice->rows), urgent_first);
    for (size_t i = 0; i < choice->count && !choice->own; i++) {
        if (is_named(&outlook->sources[choice->rows[i]->source], word, pid))
            choice->own = choice->rows[i];
    }
    return rc;
}

void oc_outlook_choice_clear(struct oc_outlook_choice *choice)
{
    oc_free(choice->rows);
    memset(choice, 0, sizeof(*choice));
}

size_t oc_outlook_binding(const struct oc_outlook_choice *choice)
{
    if (choice->count == 0 || oc_outlook_urgency(choice->rows[0]) > OC_URGENCY_MAYBE)
        return OC_OUTLOOK_NONE;
    return 0;
}
