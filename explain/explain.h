/*
 * Why it grows: evidence in; shares of the growth, what is left unexplained, the known causes that fit and what to
 * do next out. Pure arithmetic and words; the same for the command line and for alerts.
 *
 * measure.c   which figure grew                      shares.c   who has which part of the growth
 * causes.c    the table of causes; shape_*.c the evidence that each needs
 * next.c      commands for this OS with the PID      text.c json.c   for people, for machines
 * life.c      after the end: limit, killer, how wrong the last forecast was
 */
#ifndef OC_EXPLAIN_EXPLAIN_H
#define OC_EXPLAIN_EXPLAIN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/evidence.h"

#include <stddef.h>
#include <stdint.h>

#define OC_EXPLAIN_SHARES 24
#define OC_EXPLAIN_CAUSES 8
#define OC_EXPLAIN_STEPS 12

enum oc_share_kind {
    OC_SHARE_USAGE,  /* a region usage: Heap, LoaderHeap, Image … */
    OC_SHARE_FAMILY, /* within a usage: its most growing families */
    OC_SHARE_STACKS,
    OC_SHARE_CACHE,
    OC_SHARE_KERNEL,
    OC_SHARE_SHMEM,
    OC_SHARE_MEMBER, /* a process of the subject */
    OC_SHARE_UNEXPLAINED
};
struct oc_share {
    uint8_t kind;        /* enum oc_share_kind */
    uint8_t is_estimate; /* told from counts or address space, not measured in RAM */
    char name[256];
    int64_t bytes; /* that it grew by; negative: it shrank */
    double part;   /* of the growth, -… 1; NAN where there was none */
    int64_t count; /* things that came: modules, threads, regions; 0: not counted */
};

/* Each cause says what fits and what speaks against it. */
enum oc_cause_kind {
    OC_CAUSE_GENERATED_MODULES =
        1,             /* a family of generated modules: serializers, dynamic proxies, scripts */
    OC_CAUSE_MAPPINGS, /* mappings near max_map_count */
    OC_CAUSE_ARENAS,   /* malloc arenas per thread */
    OC_CAUSE_THREADS,
    OC_CAUSE_DESCRIPTORS,
    OC_CAUSE_CACHE,         /* file-backed growth that is only cache: no leak */
    OC_CAUSE_SHARED,        /* memfd, tmpfs, SysV */
    OC_CAUSE_FRAGMENTATION, /* space is reserved and not used, the largest hole shrinks */
    OC_CAUSE_HEAP_CAP,      /* heap cap and native memory above the container's limit */
    OC_CAUSE_NATIVE_HEAP,
    OC_CAUSE_MANAGED_HEAP,
    OC_CAUSE_LOADER_HEAP,
    OC_CAUSE_JIT,
    OC_CAUSE_MAPPED_FILES,
    OC_CAUSE_PROCESSES, /* ever more processes of the subject */
    OC_CAUSE_SECTIONS,  /* mapped memory without a file: assemblies that were loaded from bytes */
    OC_CAUSE_UNKNOWN,   /* what grows is not attributed: a finding by itself */
    OC_CAUSES
};
const char *oc_cause_name(unsigned kind); /* "generated-modules" … */

struct oc_cause {
    uint8_t kind;
    double confidence;  /* 0 … 1 */
    char title[160];    /* "a family of generated modules" */
    char evidence[512]; /* figures that it rests on */
    char against[256];  /* what speaks against it, or is missing; "" */
    char mend[512];     /* what usually mends it, with a source where there is one */
};
struct oc_step {
    char command[512]; /* PID filled in; as typed */
    char text[256];    /* what it tells */
    uint8_t is_ours;   /* oomcast's own */
    uint8_t stops_it;  /* the watched is paused or slowed: said */
};
enum oc_confidence { OC_EVIDENCE_NONE, OC_EVIDENCE_THIN, OC_EVIDENCE_FAIR, OC_EVIDENCE_GOOD };

struct oc_explanation {
    char subject[640];
    uint32_t pid;
    uint16_t metric;  /* what grew */
    uint8_t evidence; /* enum oc_confidence */
    char thin[256];   /* why it is thin, and what would make it better; "" */
    int64_t since_unix_ms, until_unix_ms;
    int64_t grew_bytes;                        /* or things, as the metric's unit says */
    double growth_per_h;                       /* NAN unknown */
    struct oc_share shares[OC_EXPLAIN_SHARES]; /* largest first; unexplained last */
    size_t share_count;
    double explained_part;                     /* 0 … 1; NAN: nothing grew */
    struct oc_cause causes[OC_EXPLAIN_CAUSES]; /* likeliest first */
    size_t cause_count;
    struct oc_step steps[OC_EXPLAIN_STEPS];
    size_t step_count;
};

/* Judges. Nothing can fail. */
void oc_explain(const struct oc_evidence *evidence, struct oc_explanation *out_explanation);

/*
 * Text for people, each line ≤ columns but for commands, which are never broken; no colour, names escaped. lines 0: all of
 * it; else the short form of an alert (growth, shares, the likeliest cause, its mend) in at most so many lines, without the steps.
 */
void oc_explain_text(const struct oc_evidence *evidence, const struct oc_explanation *explanation,
                     unsigned columns, unsigned lines, struct oc_buf *out);
/* The steps alone, a command a line with its text behind '#': an alert's `next`. */
void oc_explain_next(const struct oc_explanation *explanation, unsigned steps, struct oc_buf *out);
void oc_explain_json(const struct oc_evidence *evidence, const struct oc_explanation *explanation,
                     struct oc_buf *out);
/* Of a life that is over: limit, who killed it, the last forecast and how wrong it was. */
void oc_explain_life_text(const struct oc_evidence *evidence, unsigned columns, struct oc_buf *out);
void oc_explain_life_json(const struct oc_evidence *evidence, struct oc_buf *out);

#endif
