/* Inside explain/ alone: what the judges share of one explanation in the making. */
#ifndef OC_EXPLAIN_VIEW_H
#define OC_EXPLAIN_VIEW_H

#include "explain/explain.h"

#include <stddef.h>
#include <stdint.h>

#define OC_EXPLAIN_LEAST_BYTES (INT64_C(256) << 10) /* less than this is noise of allocators */
#define OC_EXPLAIN_LEAST_THINGS 4
#define OC_EXPLAIN_PAGE_BYTES 4096 /* a share below that is of rounding */
#define OC_EXPLAIN_HOUR_MS 3600000.0

enum oc_explain_runtime {
    OC_RUNTIME_NATIVE = 1u, /* none was recognised: C, C++, Rust … */
    OC_RUNTIME_DOTNET = 2u,
    OC_RUNTIME_JVM = 4u,
    OC_RUNTIME_NODE = 8u,
    OC_RUNTIME_GO = 16u,
    OC_RUNTIME_PYTHON = 32u,
    OC_RUNTIME_ANY = 63u
};

struct oc_explain_view {
    const struct oc_evidence *evidence;
    struct oc_explanation *out;
    unsigned runtime; /* one of the bits above */
    int is_windows;
    int is_growing;                      /* out->grew_bytes is more than noise */
    double hours;                        /* between then and now; 0: one look */
    double walk_hours;                   /* between the walks; 0: fewer than two */
    int64_t usage_bytes[OC_USAGE_COUNT]; /* what a usage has of the growth */
    double usage_part[OC_USAGE_COUNT];
    double cache_part, shared_part, kernel_part, unexplained_part;
};

void oc_explain_view_init(struct oc_explain_view *view, const struct oc_evidence *evidence,
                          struct oc_explanation *out);

/* measure.c: which metric grew, and by how much. */
void oc_explain_measure(struct oc_explain_view *view);
/* shares.c: who has which part of it. */
void oc_explain_shares(struct oc_explain_view *view);
/* causes.c */
void oc_explain_causes(struct oc_explain_view *view);
/* next.c */
void oc_explain_steps(struct oc_explain_view *view);
/* confidence.c */
void oc_explain_confidence(struct oc_explain_view *view);

/* ---- figures ---- */

/* now - then; 0 where one of them is unknown. */
int64_t oc_explain_change(const struct oc_moved *moved);
const struct oc_moved *oc_explain_metric(const struct oc_explain_view *view, unsigned number);
int64_t oc_explain_metric_change(const struct oc_explain_view *view, unsigned number);
/* Whether it grew by more than noise, as its unit says. */
int oc_explain_grew(const struct oc_moved *moved, unsigned unit);
/* The name of the process, or what stands for it. */
const char *oc_explain_name(const struct oc_evidence *evidence);

/* A family of a kind: the one whose count grew most; NULL: none grew. */
const struct oc_evidence_family *oc_explain_family(const struct oc_explain_view *view,
                                                   unsigned kind);
/* The usage that a family's bytes are of; OC_USAGE_COUNT: none. */
unsigned oc_explain_family_usage(const struct oc_evidence_family *family);
/* How a family's count went: it grew at each look, only at first, or it cannot be said. */
enum oc_explain_course { OC_COURSE_UNKNOWN, OC_COURSE_EVEN, OC_COURSE_STOPPED };
enum oc_explain_course oc_explain_course_of(const struct oc_evidence_family *family);

/* ---- words; cut where there is no more room ---- */

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void oc_explain_say(char *out, size_t out_bytes, const char *format, ...); /* appends */
/* "+12.3 MiB", "-4"; "12.3 MiB/h". out_bytes ≥ 40. Returned. */
const char *oc_explain_amount(int64_t value, unsigned unit, char *out, size_t out_bytes);
const char *oc_explain_signed(int64_t value, unsigned unit, char *out, size_t out_bytes);
const char *oc_explain_rate(double per_hour, unsigned unit, char *out, size_t out_bytes);
/* "78 %"; "< 1 %"; "-" unknown. out_bytes ≥ 16. Returned. */
const char *oc_explain_percent(double part, char *out, size_t out_bytes);
/* Seconds as people say them: "3 h 20 min"; "never", "-". out_bytes ≥ 32. Returned. */
const char *oc_explain_span(double seconds, char *out, size_t out_bytes);
/* "17:02:11", of another day "2026-11-22 17:02". out_bytes ≥ 32. Returned. */
const char *oc_explain_time(int64_t unix_ms, int64_t now_unix_ms, char *out, size_t out_bytes);
/* "memory.max of /x (512.0 MiB)". */
void oc_explain_limit(const struct oc_limit *limit, char *out, size_t out_bytes);

#endif
