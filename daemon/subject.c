#include "daemon/subject.h"

#include "daemon/source.h"

#include "base/alloc.h"

#include <string.h>

#define FIRST_BUCKETS 64

/* What may be added up: nothing that members share, as resident pages are. */
static const unsigned char counters[OC_SUBJECT_COUNTERS] = { OC_METRIC_MINOR_FAULTS,
                                                             OC_METRIC_MAJOR_FAULTS,
                                                             OC_METRIC_CPU_TIME };
static const unsigned char gauges[] = { OC_METRIC_PRIVATE, OC_METRIC_SWAP,     OC_METRIC_MEMFD,
                                        OC_METRIC_COMMIT,  OC_METRIC_VIRTUAL,  OC_METRIC_THREADS,
                                        OC_METRIC_FDS,     OC_METRIC_MAPPINGS, OC_METRIC_MODULES };

/* ---- the table ---- */

static size_t bucket_of(const struct oc_subjects *subjects, const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return (size_t)hash & (subjects->bucket_count - 1);
}

void oc_subjects_clear(struct oc_subjects *subjects)
{
    for (size_t i = 0; i < subjects->bucket_count; i++) {
        while (subjects->buckets[i]) {
            struct oc_subject *next = subjects->buckets[i]->next;

            oc_free(subjects->buckets[i]);
            subjects->buckets[i] = next;
        }
    }
    oc_free(subjects->buckets);
    *subjects = (struct oc_subjects){ 0 };
}

struct oc_subject *oc_subjects_find(const struct oc_subjects *subjects, const char *name)
{
    struct oc_subject *subject =
        subjects->bucket_count ? subjects->buckets[bucket_of(subjects, name)] : NULL;

    while (subject && strcmp(subject->name, name) != 0)
        subject = subject->next;
    return subject;
}

static void put(struct oc_subjects *subjects, struct oc_subject *subject)
{
    struct oc_subject **bucket = &subjects->buckets[bucket_of(subjects, subject->name)];

    subject->next = *bucket;
    *bucket = subject;
}

static int rehash(struct oc_subjects *subjects)
{
    struct oc_subjects old = *subjects;
    size_t wanted = old.bucket_count ? 2 * old.bucket_count : FIRST_BUCKETS;
    struct oc_subject **buckets = oc_calloc(wanted, sizeof(struct oc_subject *));

    if (!buckets)
        return OC_E_NOMEM;
    subjects->buckets = buckets;
    subjects->bucket_count = wanted;
    for (size_t i = 0; i < old.bucket_count; i++) {
        for (struct oc_subject *next = NULL, *subject = old.buckets[i]; subject; subject = next) {
            next = subject->next;
            put(subjects, subject);
        }
    }
    oc_free(old.buckets);
    return OC_OK;
}

static struct oc_subject *make(struct oc_subjects *subjects, const char *name)
{
    size_t bytes = strlen(name) + 1;
    struct oc_subject *subject = NULL;

    if (subjects->count >= subjects->bucket_count && rehash(subjects) < 0)
        return NULL;
    subject = oc_calloc(1, sizeof(*subject) + bytes);
    if (!subject)
        return NULL;
    memcpy(subject->name, name, bytes);
    put(subjects, subject);
    subjects->count++;
    return subject;
}

static void destroy(struct oc_subjects *subjects, struct oc_subject *subject)
{
    struct oc_subject **at = &subjects->buckets[bucket_of(subjects, subject->name)];

    while (*at != subject)
        at = &(*at)->next;
    *at = subject->next;
    subjects->count--;
    oc_free(subject);
}

/* ---- members ---- */

int oc_subjects_join(struct oc_subjects *subjects, struct oc_source *process, const char *name)
{
    struct oc_subject *subject = oc_subjects_find(subjects, name);

    if (!subject)
        subject = make(subjects, name);
    if (!subject)
        return OC_E_NOMEM;
    process->subject = subject;
    process->next_member = subject->members;
    process->previous_member = NULL;
    if (subject->members)
        subject->members->previous_member = process;
    subject->members = process;
    subject->member_count++;
    subject->changes++;
    return OC_OK;
}

void oc_subjects_keep_counters(const struct oc_source *process)
{
    struct oc_subject *subject = process->subject;

    for (unsigned i = 0; i < OC_SUBJECT_COUNTERS; i++) {
        int64_t value = 0;

        if (oc_last_value(&process->last, counters[i], &value) == OC_OK)
            subject->past[i] += value;
        else if (process->last.values)
            subject->past_unknown |= (uint8_t)(1u << i);
    }
}

void oc_subjects_leave(struct oc_subjects *subjects, struct oc_source *process)
{
    struct oc_subject *subject = process->subject;

    if (!subject)
        return;
    oc_subjects_keep_counters(process);
    if (process->previous_member)
        process->previous_member->next_member = process->next_member;
    else
        subject->members = process->next_member;
    if (process->next_member)
        process->next_member->previous_member = process->previous_member;
    process->subject = NULL;
    process->next_member = NULL;
    process->previous_member = NULL;
    subject->changes++;
    if (--subject->member_count == 0)
        destroy(subjects, subject);
}

/* ---- sums ---- */

/* A figure of the last sample, else of the last walk. */
static int figure(const struct oc_source *process, unsigned bit, int64_t *out_value)
{
    if (oc_last_value(&process->last, bit, out_value) == OC_OK)
        return OC_OK;
    if (!process->walk || !(process->walk->known & (UINT64_C(1) << bit)))
        return OC_E_NOENT;
    *out_value = process->walk->values[bit];
    return OC_OK;
}

/* Those without a sample yet are left out. Returns whether all others know it. */
static int add_up(const struct oc_subject *subject, unsigned bit, int64_t *sum)
{
    for (const struct oc_source *at = subject->members; at; at = at->next_member) {
        int64_t value = 0;

        if (!at->last.values)
            continue;
        if (figure(at, bit, &value) < 0 || value < 0 || *sum > INT64_MAX - value)
            return 0;
        *sum += value;
    }
    return 1;
}

static int64_t count_sampled(const struct oc_subject *subject)
{
    int64_t count = 0;

    for (const struct oc_source *at = subject->members; at; at = at->next_member)
        count += at->last.values != NULL;
    return count;
}

int oc_subject_sum(const struct oc_subject *subject, struct oc_sample *out_sample)
{
    int64_t processes = count_sampled(subject);

    if (processes == 0)
        return OC_READ_SAME;
    out_sample->block = OC_BLOCK_PROCESS;
    out_sample->known = 0;
    oc_sample_set(out_sample, OC_METRIC_PROCESSES, processes);
    for (size_t i = 0; i < sizeof(gauges); i++) {
        int64_t sum = 0;

        if (add_up(subject, gauges[i], &sum))
            oc_sample_set(out_sample, (enum oc_metric)gauges[i], sum);
    }
    for (unsigned i = 0; i < OC_SUBJECT_COUNTERS; i++) {
        int64_t sum = subject->past[i];

        if (!(subject->past_unknown >> i & 1) && add_up(subject, counters[i], &sum))
            oc_sample_set(out_sample, (enum oc_metric)counters[i], sum);
    }
    return OC_OK;
}
