/* How the evidence of a growth is gathered: parts of oc_reader_evidence(), for read/evidence*.c alone. */
#ifndef OC_STORAGE_READ_EVIDENCE_H
#define OC_STORAGE_READ_EVIDENCE_H

#include "storage/read/reader_impl.h"

#define OC_EVIDENCE_CANDIDATES 256 /* processes of a subject that are looked at */

/* Times of rows that are damaged could be anything: they are not reckoned with. */
static inline int oc_evidence_can_be(int64_t boot_ms)
{
    return boot_ms >= -OC_SCAN_MAX_TIME_MS && boot_ms <= OC_SCAN_MAX_TIME_MS;
}

static inline int64_t oc_evidence_clamp(int64_t boot_ms)
{
    if (boot_ms < -OC_SCAN_MAX_TIME_MS)
        return -OC_SCAN_MAX_TIME_MS;
    return boot_ms > OC_SCAN_MAX_TIME_MS ? OC_SCAN_MAX_TIME_MS : boot_ms;
}

/* A source and the time that is asked about, in the time of its boot. */
struct oc_evidence_source {
    uint32_t id, boot, pid;
    uint8_t kind;
    uint8_t is_over;
    int32_t interval_ms;                /* of its ticks */
    int64_t begin_boot_ms, end_boot_ms; /* INT64_MAX: it runs */
    char name[64];
};

/* ---- evidence_pick.c: who is meant ---- */

struct oc_evidence_cast {
    int64_t subject;
    char name[640]; /* of the subject */
    struct oc_evidence_source items[OC_EVIDENCE_CANDIDATES];
    size_t count; /* of items: lives at the time, or the newest that was over by then */
    uint32_t in_all;
    size_t chosen; /* of items, where it was given; SIZE_MAX: the one that grew most */
};
/* In a read transaction. 0, OC_E_NOENT, OC_E_INVAL (nothing was asked for) or a code. */
int oc_evidence_pick(oc_reader *reader, const struct oc_evidence_query *query,
                     struct oc_evidence_cast *out_cast);

/* The chosen one, the sum of its subject, its cgroup and those above, its host: whose limits it can meet. */
#define OC_EVIDENCE_KIN 20
struct oc_evidence_kin {
    struct oc_evidence_source items[OC_EVIDENCE_KIN]; /* [0]: itself */
    size_t count;
    size_t cgroup, host; /* the nearest cgroup that is known, the host; 0: none */
};
/* In a read transaction. cgroup: its path; "": none. 0 or a code. */
int oc_evidence_find_kin(oc_reader *reader, const struct oc_evidence_source *source,
                         const char *subject, const char *cgroup, struct oc_evidence_kin *out_kin);

/* Boot time of a wall-clock time: of the first that is not before it. */
int64_t oc_evidence_boot_ms(oc_reader *reader, uint32_t boot, int64_t unix_ms);

/* ---- evidence_look.c: the first and the last figures of a span ---- */

struct oc_look_cell {
    int64_t then_ms, then, now_ms, now;
    uint8_t has;
};
struct oc_look {
    uint32_t source, boot;
    unsigned main_block;
    int64_t since_boot_ms, until_boot_ms; /* both included */
    struct oc_look_cell *cells;           /* by number from base on; the caller's, zeroed */
    unsigned base, cell_count;
    int32_t interval_ms;       /* of its ticks; 0: unknown */
    int64_t sealed_boot_ms;    /* last sample of the main block in a chunk; INT64_MIN: none */
    int64_t first_ms, last_ms; /* of what was found; first > last: nothing */
    uint64_t samples;          /* of the main block */
};
/* looks: of one boot, ascending source. In a read transaction. 0 or a code; chunks that are damaged are left out. */
int oc_look(oc_reader *reader, struct oc_look *looks, size_t count);
/* A figure; its ends must be near those of the span that was found. */
void oc_look_moved(const struct oc_look *look, unsigned number, struct oc_moved *out_moved);

/* ---- evidence_walks.c: what memory was made of ---- */

/* In a read transaction; then and now in boot time. 0 or a code. */
int oc_evidence_walks(oc_reader *reader, const struct oc_evidence_source *source,
                      int64_t then_boot_ms, int64_t now_boot_ms, struct oc_evidence *evidence);

/* ---- evidence_said.c: limits and forecasts; in no transaction ---- */

/* Forecasts of the kin by a time (INT64_MAX: now): the binding one, and since when the chosen one grows. */
int oc_evidence_forecasts(oc_reader *reader, const struct oc_evidence_kin *kin, int64_t by_unix_ms,
                          struct oc_evidence *evidence, int64_t *out_since_unix_ms);
/* Limits in force at a time, with what evidence has of their use. */
int oc_evidence_limits(oc_reader *reader, const struct oc_evidence_kin *kin, int64_t at_unix_ms,
                       struct oc_evidence *evidence);

/* ---- evidence.c and evidence_members.c: the gathering itself ---- */

#define OC_EVIDENCE_LOOKS 3 /* itself, its cgroup, its host */

struct oc_gathering {
    oc_reader *reader;
    const struct oc_evidence_query *query;
    struct oc_evidence *evidence;
    struct oc_evidence_cast cast;
    struct oc_evidence_source source; /* the chosen one */
    struct oc_evidence_kin kin;
    size_t chosen;                        /* of the cast */
    int64_t since_unix_ms;                /* as asked, or since it grows; 0: since it began */
    int64_t since_boot_ms, until_boot_ms; /* of the chosen one's boot */
    struct oc_look_cell cells[OC_EVIDENCE_LOOKS][OC_METRIC_MAX];
    struct oc_look_cell member_cells[OC_EVIDENCE_CANDIDATES];
    struct oc_look looks[OC_EVIDENCE_CANDIDATES];
    double grown[OC_EVIDENCE_CANDIDATES]; /* of each of the cast; below all: not known */
    int64_t ranked_since_unix_ms;         /* for which they were looked at; -1: not yet */
};

int64_t oc_gathering_unix_ms(const struct oc_gathering *gathering, uint32_t boot, int64_t boot_ms);
/* The span that is asked about, in the time of a source's boot: not before it began nor after its end. */
int64_t oc_gathering_since(const struct oc_gathering *gathering,
                           const struct oc_evidence_source *source);
int64_t oc_gathering_until(const struct oc_gathering *gathering,
                           const struct oc_evidence_source *source);
/* Whether it asks about now, not about a time past. */
int oc_gathering_is_now(const struct oc_evidence_query *query);
/* A look at cell_count figures from base on, with empty cells; its span is the caller's to set. */
void oc_gathering_look(struct oc_look *look, const struct oc_evidence_source *source,
                       struct oc_look_cell *cells, unsigned base, unsigned cell_count);

/* Which of the cast: as given, else the one that grew most. In a read transaction. 0 or a code. */
int oc_evidence_choose(struct oc_gathering *gathering);
/* The members by the same time as itself: before its own figures are looked for. In a read transaction. */
int oc_evidence_members(struct oc_gathering *gathering);
/* What its own figures say of the members: of one alone, of those that began since. */
void oc_evidence_settle_members(struct oc_gathering *gathering);

#endif
