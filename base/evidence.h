/*
 * What is known of how something grew: figures, region usages and families at two times, its limits and forecast.
 * A plain type: the store's reader gathers it of the past (oc_reader_evidence), the command line of a live process by two
 * looks; explain/ judges it.
 */
#ifndef OC_BASE_EVIDENCE_H
#define OC_BASE_EVIDENCE_H

#include "base/census.h"
#include "base/forecast.h"
#include "base/limit.h"
#include "base/metric.h"
#include "base/plan.h"
#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

#define OC_EVIDENCE_METRICS 64
#define OC_EVIDENCE_FAMILIES 24
#define OC_EVIDENCE_MEMBERS 32
#define OC_EVIDENCE_LIMITS 24

/* A figure then and now. has_…: it is known. */
struct oc_moved {
    uint8_t has_then, has_now;
    int64_t then, now;
};
static inline int oc_moved_known(const struct oc_moved *moved)
{
    return moved->has_then && moved->has_now;
}

struct oc_evidence_family {
    uint8_t kind; /* enum oc_family_kind */
    uint8_t flags;
    char name[256], example[256];
    struct oc_moved count, distinct, bytes;
    /* of 6 points in time between, oldest first, the count; -1 unknown: whether it grows evenly */
    int64_t course[6];
};

struct oc_evidence_member { /* a process of the subject */
    uint32_t source, pid;
    char name[64];
    struct oc_moved private_bytes;
    int64_t begin_unix_ms; /* of its life */
};

/* Zeroed is empty. All of one source (the process that grew most, of a subject of several) but for the members. */
struct oc_evidence {
    char subject[640];
    uint8_t source_kind; /* enum oc_source_kind */
    uint32_t source, pid;
    char name[64], exe[512], cgroup[512], cmdline[1024]; /* "" unknown */
    char os[8];                                          /* "linux" "windows" */
    char runtime[16];                                    /* as of the census; "" */
    char plan[OC_PLAN_TEXT_BYTES];     /* how it is ended by plan; "": it is not, or nobody knows */
    int is_live;                       /* it runs now */
    int is_one_look;                   /* there is no "then": only what one look can say */
    int64_t then_unix_ms, now_unix_ms; /* of the figures */
    int64_t walk_then_unix_ms, walk_now_unix_ms; /* of the walks; 0: none */
    uint32_t samples, walks;                     /* between; how thin it is */
    struct oc_moved
        metrics[OC_EVIDENCE_METRICS *
                OC_BLOCK_COUNT]; /* by number: process, cgroup, host blocks as far as known;
                                                                      the cgroup's and host's are those it lives in */
    struct oc_moved usage_commit[OC_USAGE_COUNT],
        usage_reserve[OC_USAGE_COUNT];              /* bytes by usage */
    struct oc_moved usage_count[OC_USAGE_COUNT];    /* regions */
    struct oc_moved usage_resident[OC_USAGE_COUNT]; /* where pages were looked at */
    struct oc_moved largest_free_bytes, arenas;
    struct oc_evidence_family
        families[OC_EVIDENCE_FAMILIES]; /* those that grew most, by kind's own measure */
    size_t family_count;
    struct oc_evidence_member members[OC_EVIDENCE_MEMBERS]; /* those that grew most first */
    size_t member_count, members_in_all;
    struct oc_limit limits[OC_EVIDENCE_LIMITS];
    size_t limit_count;
    struct oc_forecast_row
        forecast; /* the binding one, else that of private bytes; state and limit.kind 0: none */
    uint8_t has_forecast;
    int64_t program_since_unix_ms; /* another build since; 0: unknown or the first */
    /* of a life that is over */
    uint8_t has_end;
    enum oc_end end;
    int status; /* -1 unknown */
    enum oc_killer killer;
    char killer_scope[512];
    int64_t begin_unix_ms, end_unix_ms; /* of the life; 0 unknown */
    struct oc_forecast_row
        last_forecast; /* before the end, of the limit that it met, else the binding one; kind 0: none */
    uint8_t has_last_forecast;
};

#endif
