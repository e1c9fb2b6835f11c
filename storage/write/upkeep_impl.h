/* The chores between commits, for upkeep.c, tiers.c, merge.c and retention.c alone. */
#ifndef OC_STORAGE_WRITE_UPKEEP_IMPL_H
#define OC_STORAGE_WRITE_UPKEEP_IMPL_H

#include "storage/format/tier.h"
#include "storage/write/store_impl.h"

/* Statements by tier. */
enum oc_tier_sql {
    /* for oc_upkeep_find() */
    OC_TIER_LAST,     /* the last chunk of a block */
    OC_TIER_BEFORE,   /* the last chunk of a block that ends before a time */
    OC_TIER_FIRST,    /* the first chunk of a source, whatever its block */
    OC_TIER_LAST_ANY, /* the last */

    OC_TIER_AFTER, /* chunks of a block above a rowid, in order */
    OC_TIER_PUT,
    OC_TIER_DELETE,
    OC_TIER_BLOCKS, /* blocks of a source's last chunks */
    OC_TIER_SQL_COUNT
};

enum oc_upkeep_sql {
    OC_UPKEEP_NEXT,
    OC_UPKEEP_DONE,
    OC_UPKEEP_NEXT_ANY,
    OC_UPKEEP_FORGET_SOURCE,
    OC_UPKEEP_FORGET_LIFE,
    OC_UPKEEP_FORGET_SUBJECTS,
    OC_UPKEEP_CLOCK,
    OC_UPKEEP_MAY_FORGET,
    OC_UPKEEP_FORGET_LABELS,
    OC_UPKEEP_FORGET_TEXT,
    OC_UPKEEP_FORGET_FAMILY,

    OC_UPKEEP_HAS_ANY,
    OC_UPKEEP_WALK_TIMES,
    OC_UPKEEP_WALKS,
    OC_UPKEEP_WALK_MERGE,
    OC_UPKEEP_WALK_DROP,
    OC_UPKEEP_CELLS_MOVE,
    OC_UPKEEP_CELLS_DROP,
    OC_UPKEEP_CELLS_DROP_GONE,
    OC_UPKEEP_COUNTS_MOVE,
    OC_UPKEEP_COUNTS_DROP,
    OC_UPKEEP_COUNTS_DROP_GONE,
    OC_UPKEEP_HAS_BETWEEN,
    OC_UPKEEP_GONE_THIN,
    OC_UPKEEP_LIMITS_THIN,
    OC_UPKEEP_MODULES_FORGET,
    OC_UPKEEP_GONE_FORGET,
    OC_UPKEEP_LIMITS_FORGET,

    OC_UPKEEP_FORECASTS_OLD,
    OC_UPKEEP_FORECASTS_DROP,
    OC_UPKEEP_FORECASTS_THIN,
    OC_UPKEEP_FORECASTS_FORGET,
    OC_UPKEEP_FORECAST_SERIES_FORGET,
    OC_UPKEEP_MEMORY_DROP,
    OC_UPKEEP_RECORD_FOLD,
    OC_UPKEEP_RECORD_DROP,

    OC_UPKEEP_ALERTS_OLD,
    OC_UPKEEP_ALERTS_DROP,
    OC_UPKEEP_DECISIONS_OLD,
    OC_UPKEEP_DECISIONS_DROP,
    OC_UPKEEP_OUTBOX_OLD,
    OC_UPKEEP_OUTBOX_DROP,
    OC_UPKEEP_SILENCES_OLD,
    OC_UPKEEP_SILENCES_DROP,
    OC_UPKEEP_SQL_COUNT
};

enum oc_upkeep_stage {
    OC_STAGE_IDLE,
    OC_STAGE_TIERS,
    OC_STAGE_RETENTION,
    OC_STAGE_TEXTS,
    OC_STAGE_VACUUM
};

/* Bits of ids below count; NULL: there are none. */
struct oc_marks {
    uint8_t *bits; /* owned */
    int64_t count;
};

#define OC_SWEEP_KEYS 5

/* texts.c */
struct oc_sweep {
    struct oc_marks texts, families;
    sqlite3_stmt *statement; /* of the stage */
    int stage;
    int64_t key[OC_SWEEP_KEYS]; /* the row last looked at */
};

/* Rows of an upper tier in the making: of one metric. */
struct oc_fold_column {
    int64_t *count, *last, *low, *high,
        *excess; /* first min, max and sum, then as they are stored */
    uint8_t *known;
    int64_t first; /* the first value in all */
    double sum;
    uint8_t is_used, has_first;
};

#define OC_FOLD_ROWS 256

struct oc_upkeep {
    sqlite3_stmt *tier_statements[OC_TIER_COUNT][OC_TIER_SQL_COUNT];
    sqlite3_stmt *statements[OC_UPKEEP_SQL_COUNT];
    enum oc_upkeep_stage stage;
    int64_t next_round_boot_ms;
    int64_t next_retention_boot_ms;
    uint32_t cursor; /* source last visited */
    int at_begin;    /* none visited yet */

    int64_t cut_unix_ms[OC_TIER_COUNT];     /* chunks that end before go */
    int64_t oldest_unix_ms[OC_TIER_COUNT];  /* seen in this pass */
    int64_t cut_detail_unix_ms;             /* lives that ended before lose their walks */
    int64_t oldest_detail_unix_ms;          /* end of a life with walks, seen in this pass */
    int is_pressed;                         /* the file is larger than it may be */
    int pressed_tier;                       /* enum oc_tier: gives way next */
    int pressed_shift;                      /* by its time >> shift */
    int dropped;                            /* something, in this pass */
    int64_t thinned_unix_ms[OC_TIER_COUNT]; /* the cuts of the last whole pass; INT64_MIN: none */
    int64_t passed_unix_ms;                 /* when a pass last began */

    struct oc_sweep sweep;
    int texts_dropped; /* rows that name texts went since the last sweep */
    int64_t next_sweep_boot_ms;

    /* folding and merging: reused */
    oc_codec *reader; /* beside store->codec, which writes */
    struct oc_fold_column columns[OC_BLOCK_METRICS];
    int64_t fold_times[OC_FOLD_ROWS];
    unsigned fold_rows;
    int64_t *times, *values; /* OC_CHUNK_MAX_SAMPLES each */
    int64_t *tier_values[5]; /* OC_CHUNK_MAX_SAMPLES each; only for hours */
    uint8_t *known;
    uint16_t *rows; /* of each sample of the chunk now open */
};

/* A source on its turn. */
struct oc_upkeep_source {
    uint32_t id;
    int64_t boot;
    int ended;
    int64_t end_ms; /* where it ended */
};

sqlite3_stmt *oc_upkeep_tier_statement(oc_store *store, enum oc_tier tier, enum oc_tier_sql which);
sqlite3_stmt *oc_upkeep_statement(oc_store *store, enum oc_upkeep_sql which);

/* Binds source's whole range of rowids to parameters 1 and 2. */
void oc_upkeep_bind_source(sqlite3_stmt *statement, uint32_t source);

/* A chunk's row, without its bytes. */
struct oc_tier_chunk {
    int64_t rowid, t0_ms, t1_ms; /* times of its first and last row */
};

/* Which of a source's chunks: what a statement does not ask for is not looked at. */
struct oc_tier_question {
    enum oc_tier tier;
    enum oc_tier_sql which;
    uint32_t source;
    unsigned block;
    int64_t before_ms;
};

/* 1 with *out_chunk, 0 (there is none), or a code. */
int oc_upkeep_find(oc_store *store, const struct oc_tier_question *question,
                   struct oc_tier_chunk *out_chunk);

/* Runs work in a transaction of its own. */
int oc_upkeep_transaction(oc_store *store, int (*work)(oc_store *, void *), void *context);

/* ---- tiers.c: 1 where a chunk was made (there may be more), 0, or a code ---- */
int oc_tiers_step(oc_store *store, const struct oc_upkeep_source *source, unsigned block,
                  enum oc_tier tier);

/* ---- merge.c: 1 where chunks were merged (there may be more), 0, or a code ---- */
/* Short raw chunks that lie before until_ms (what the minute tier holds) are put together. */
int oc_merge_step(oc_store *store, uint32_t source, unsigned block, int64_t from_ms,
                  int64_t until_ms);

/* ---- thin.c: 1 while there is more to do with the source, 0, or a code ---- */
/*
 * Walks, modules and limits that are too old for what they are kept by; where the file is too large,
 * all of a life that ended long ago. In no transaction.
 */
int oc_thin_step(oc_store *store, const struct oc_upkeep_source *source, int64_t zero_unix_ms);
/* All of a source's, in the open transaction. */
int oc_thin_forget(oc_store *store, uint32_t source);

/* ---- thin_forecasts.c: 1 while there is more to do with the source, 0, or a code ---- */
/* Rows that are too old or too dense for their age. In no transaction. */
int oc_thin_forecasts(oc_store *store, uint32_t source, int64_t zero_unix_ms);
/* All of a source's, in the open transaction. */
int oc_thin_forget_forecasts(oc_store *store, uint32_t source);
/* What was learnt and recorded of more subjects and programs than may be. Once a pass. */
int oc_thin_learnt(oc_store *store);

/* ---- thin_alerts.c ---- */
/* Alerts that are over, decisions, what was sent and silences, beyond their age or number. Once a pass. */
int oc_thin_alerts(oc_store *store, int64_t now_unix_ms);

/* ---- texts.c: 1 while there is more to do, 0, or a code ---- */
int oc_sweep_begin(oc_store *store);
int oc_sweep_step(oc_store *store);
void oc_sweep_clear(struct oc_sweep *sweep);

/* ---- retention.c ---- */
int oc_retention_begin(oc_store *store, int64_t now_unix_ms);
/* One source. 1 while there is more to do with it, 0, or a code. */
int oc_retention_step(oc_store *store, const struct oc_upkeep_source *source, int64_t now_boot_ms,
                      int64_t now_unix_ms);
/* The pass is over: whether another must follow at once. */
int oc_retention_end(oc_store *store);

#endif
