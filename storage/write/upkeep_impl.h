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
    OC_UPKEEP_SQL_COUNT
};

enum oc_upkeep_stage { OC_STAGE_IDLE, OC_STAGE_TIERS, OC_STAGE_RETENTION, OC_STAGE_VACUUM };

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

    int64_t cut_unix_ms[OC_TIER_COUNT];    /* chunks that end before go */
    int64_t oldest_unix_ms[OC_TIER_COUNT]; /* seen in this pass */
    int is_pressed;                        /* the file is larger than it may be */
    int pressed_tier;                      /* enum oc_tier: gives way next */
    int pressed_shift;                     /* by its time >> shift */
    int dropped;                           /* something, in this pass */

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

/* ---- retention.c ---- */
int oc_retention_begin(oc_store *store, int64_t now_unix_ms);
/* One source. 1 while there is more to do with it, 0, or a code. */
int oc_retention_step(oc_store *store, const struct oc_upkeep_source *source, int64_t now_boot_ms,
                      int64_t now_unix_ms);
/* The pass is over: whether another must follow at once. */
int oc_retention_end(oc_store *store);

#endif
