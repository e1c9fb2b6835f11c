/* The inside of a store, for storage/write/ alone. */
#ifndef OC_STORAGE_WRITE_STORE_IMPL_H
#define OC_STORAGE_WRITE_STORE_IMPL_H

#include "storage/format/chunk.h"
#include "storage/format/journal.h"
#include "storage/format/schema.h"
#include "storage/format/sqlite_api.h"
#include "storage/format/walk_rows.h"
#include "storage/store.h"
#include "storage/write/tail.h"

#include <float.h>

#define OC_STORE_MAX_OPEN 200000            /* sources at a time */
#define OC_STORE_MAX_PENDING_OPS 50000      /* rows of sources and lives not yet written */
#define OC_STORE_MAX_LOAD_BYTES (32u << 20) /* walks, limits and labels not yet written */
#define OC_STORE_MAX_ALERT_BYTES                                                                   \
    (8u << 20)                       /* alerts beyond that: they have room when walks have none */
#define OC_STORE_MAX_ALERT_OPS 20000 /* the same of rows */
#define OC_STORE_MAX_FORECASTS 64    /* of a source at a time */
#define OC_STORE_DUE_LIST 128        /* sources with a chunk to be sealed that are remembered */
#define OC_STORE_MAX_KEYED 256       /* keyed journal rows remembered */

/* The end of an INSERT that adds to what is there of the record of forecasts. */
#define OC_RECORD_ADD                                                                              \
    " ON CONFLICT(subject, metric, kind) DO UPDATE SET"                                            \
    " first_unix_ms = min(first_unix_ms, excluded.first_unix_ms),"                                 \
    " last_unix_ms = max(last_unix_ms, excluded.last_unix_ms),"                                    \
    " judged = judged + excluded.judged, inside = inside + excluded.inside,"                       \
    " early = early + excluded.early, late = late + excluded.late,"                                \
    " censored = censored + excluded.censored, ends = ends + excluded.ends,"                       \
    " foretold = foretold + excluded.foretold, alarms = alarms + excluded.alarms,"                 \
    " false_alarms = false_alarms + excluded.false_alarms,"                                        \
    " error_sum = error_sum + excluded.error_sum, errors = errors + excluded.errors,"              \
    " lead_s_sum = lead_s_sum + excluded.lead_s_sum,"                                              \
    " watched_s = watched_s + excluded.watched_s"

/* Statements that are kept prepared; their text is in statement.c. */
enum oc_statement {
    OC_SQL_BEGIN,
    OC_SQL_COMMIT,
    OC_SQL_ROLLBACK,
    OC_SQL_JOURNAL_PUT,
    OC_SQL_JOURNAL_TRIM,
    OC_SQL_RAW_PUT,
    OC_SQL_RAW_LAST,
    OC_SQL_RAW_SINCE,
    OC_SQL_SUBJECT_PUT,
    OC_SQL_SOURCE_PUT,
    OC_SQL_SOURCE_REOPEN,
    OC_SQL_SOURCE_END,
    OC_SQL_LIFE_PUT,
    OC_SQL_CLOCK_PUT,
    OC_SQL_FIND_LIFE,
    OC_SQL_FIND_SUBJECT_SOURCE,
    OC_SQL_SOURCE_KILLER,
    OC_SQL_LIFE_PLAN,
    OC_SQL_SOURCE_SUBJECT,
    OC_SQL_TEXT_FIND,
    OC_SQL_TEXT_PUT,
    OC_SQL_FAMILY_FIND,
    OC_SQL_FAMILY_PUT,
    OC_SQL_FAMILY_KIND,
    OC_SQL_WALK_PUT,
    OC_SQL_CELL_PUT,
    OC_SQL_FAMILY_COUNT_PUT,
    OC_SQL_MODULES,
    OC_SQL_MODULE_PUT,
    OC_SQL_MODULE_CHANGE,
    OC_SQL_MODULE_DELETE,
    OC_SQL_MODULE_GONE_PUT,
    OC_SQL_LIMITS,
    OC_SQL_LIMIT_PUT,
    OC_SQL_LIMIT_END,
    OC_SQL_LIMIT_CHANGE,
    OC_SQL_LIMIT_DELETE,
    OC_SQL_LABELS,
    OC_SQL_LABELS_DELETE,
    OC_SQL_LABEL_PUT,
    OC_SQL_FORECASTS_SAID,
    OC_SQL_FORECAST_SERIES,
    OC_SQL_FORECAST_SERIES_PUT,
    OC_SQL_FORECAST_SERIES_END,
    OC_SQL_FORECAST_END,
    OC_SQL_FORECAST_PUT,
    OC_SQL_FORECAST_DELETE,
    OC_SQL_MEMORY_PUT,
    OC_SQL_MEMORY_FORGET,
    OC_SQL_ACCURACY_ADD,
    OC_SQL_ALERT_PUT,
    OC_SQL_DECISION_PUT,
    OC_SQL_OUTBOX_PUT,
    OC_SQL_SILENCE_PUT,
    OC_SQL_MATCHERS_DELETE,
    OC_SQL_MATCHER_PUT,
    OC_SQL_COUNT
};

/* What was last written of a (limit, metric, place) of a source: what is new is told by it. */
struct oc_said {
    int64_t t_ms;
    double p50_s;
    int32_t place; /* hash of it */
    uint16_t metric;
    uint8_t kind, state;
};

/* Of a source; forecast.c. */
struct oc_said_list {
    struct oc_said items[OC_STORE_MAX_FORECASTS];
    unsigned count;
    unsigned day_rows; /* written on that day */
    int64_t day;
};

/* A source that runs. */
struct oc_open_source {
    struct oc_tail tail; /* its first block; the others hang on tail.next */
    uint32_t id;
    uint32_t next_chunk; /* number of its next raw chunk */
    int32_t interval_ms;
    int64_t boot;
    int64_t walk_boot_ms; /* of its last walk since it was opened; 0: none */
    uint8_t kind;
    uint8_t has_tail;          /* tail is in use */
    uint8_t ended;             /* leaves with the next commit */
    uint8_t waits;             /* taken from the file, not begun again since */
    struct oc_said_list *said; /* NULL: nothing was forecast yet */
    int64_t sealed_until_ms
        [OC_BLOCK_COUNT]; /* last sample in a chunk: only for taking the journal back */
};

/* A row to be written with the next commit: nothing goes to SQLite before, so that a full disk loses none. */
enum oc_op_kind {
    OC_OP_BEGIN,
    OC_OP_REOPEN,
    OC_OP_FACTS,
    OC_OP_END,
    OC_OP_CLOCK,
    OC_OP_KILLER,    /* subject: the scope */
    OC_OP_PLAN,      /* subject: its words */
    OC_OP_WALK,      /* load: struct oc_walk_load */
    OC_OP_LIMITS,    /* load: limits.c */
    OC_OP_LABELS,    /* load: limits.c */
    OC_OP_FORECASTS, /* load: forecast.c */
    OC_OP_MEMORY,    /* subject: the name, source_kind: what, inode: the key, load: the bytes */
    OC_OP_ACCURACY,  /* load: forecaster.c */
    OC_OP_ALERT,     /* loads of this one and those after it: alerts.c */
    OC_OP_DECISION,
    OC_OP_OUTBOX,
    OC_OP_SILENCE
};
struct oc_op {
    struct oc_op *next;
    enum oc_op_kind kind;
    uint32_t source;
    uint8_t source_kind;
    uint8_t has_facts;
    enum oc_end end;
    enum oc_killer killer;
    int status;
    int32_t interval_ms;
    void *load; /* owned; what a walk, limits or labels say */
    size_t load_bytes;
    int64_t boot_ms, unix_ms; /* begin, end, clock, or when it was looked */
    uint64_t inode;
    struct oc_proc_id id;
    uint32_t parent_pid;
    int64_t uid, start_unix_ms;
    /* into text, each ended by NUL */
    uint16_t subject, name, exe, cgroup, cmdline;
    char text[];
};

struct oc_store {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *statements[OC_SQL_COUNT];
    oc_codec *codec;
    struct oc_store_options options; /* defaults filled in; path and boot_id are not kept */
    struct oc_store_stats stats;

    int64_t boot; /* row of this boot */
    uint32_t next_source;
    struct oc_open_source **sources; /* ascending id */
    size_t source_count, source_cap, source_hint;
    struct oc_pool pool;
    uint32_t due_count;              /* tails with due set, and sources ended */
    uint32_t due[OC_STORE_DUE_LIST]; /* the sources; more than that: all are looked at */
    int64_t swept_boot_ms;           /* tails were last looked over for age */
    int64_t opened_boot_ms;

    struct oc_op *ops, **ops_end;
    uint32_t op_count;
    size_t load_bytes; /* of all ops */
    int is_held;       /* the last commit failed: what was in it waits */
    int64_t next_walk; /* id of the next rows of a walk */
    unsigned growing;  /* of what is said of all sources: what is written more often */
    struct oc_walk_rows walk_rows;
    struct oc_walk_state walk_state; /* of the source on its turn: its memory is used again */

    /* the batch now open */
    struct oc_journal_writer journal;
    struct oc_buf journal_blob;
    int64_t next_row; /* id of the journal row that the batch will be */
    int64_t batch_t0_ms, batch_t1_ms;
    int batch_keyed;
    uint32_t epoch; /* goes up with each keyed row */
    uint64_t samples_since_keyed;
    int64_t keyed_rows[OC_STORE_MAX_KEYED];
    uint64_t keyed_at_bytes[OC_STORE_MAX_KEYED]; /* journal_bytes before that row */
    uint64_t journal_bytes; /* of all rows since the oldest keyed one was written, or ever */
    unsigned keyed_count;
    int64_t trimmed_to; /* rows below are gone */
    unsigned commits_since_trim;
    int must_seal_all; /* samples of a dropped batch are in no journal row */

    int64_t synced_boot_ms, checkpointed_boot_ms;
    int is_unsynced;    /* commits that a power cut would take */
    uint64_t wal_bytes; /* since the last checkpoint */
    uint32_t page_bytes;
    int has_waiting; /* sources of an earlier run were not taken up yet */
    int is_corrupt;
    int last_sqlite_rc;

    /* sealing: reused */
    int64_t *seal_times, *seal_values;
    uint64_t *seal_known;
    uint8_t *seal_bytes, *seal_flags;
    size_t seal_values_cap, seal_rows_cap, seal_bytes_cap;

    struct oc_upkeep *upkeep; /* upkeep.c; made at the first oc_store_maintain() */
};

/* ---- statement.c ---- */

/* The kept statement, reset and ready to bind; NULL: store->last_sqlite_rc says why. */
sqlite3_stmt *oc_store_statement(oc_store *store, enum oc_statement which);

/* Runs it to its end and resets it; its bindings go. 0 or a code. NULL: the code of the failed prepare. */
int oc_store_run(oc_store *store, sqlite3_stmt *statement);

/* A row for raw, minute or hour. */
struct oc_chunk_put {
    int64_t rowid, t0_ms, t1_ms; /* times of its first and last row */
    unsigned block;
    uint32_t rows;
    struct oc_chunk_blobs blobs; /* borrowed */
};

/* Runs an INSERT with all columns of a chunk, in the order of the table. 0 or a code; NULL as above. */
int oc_store_put_chunk(oc_store *store, sqlite3_stmt *insert, const struct oc_chunk_put *put);

/* Runs a text. */
int oc_store_exec(oc_store *store, const char *sql);

void oc_store_statements_clear(oc_store *store);

/* ---- source.c ---- */
struct oc_open_source *oc_store_find(oc_store *store, uint32_t source);
/* Adds it (its id is not there yet). NULL where memory is short. */
struct oc_open_source *oc_store_add(oc_store *store, uint32_t source);
/* Takes ended sources out after their end was committed. */
void oc_store_drop_ended(oc_store *store);
/* The tail of a block; made where create is set. NULL: none, or short memory. */
struct oc_tail *oc_store_tail(struct oc_open_source *source, unsigned block, int create);
void oc_store_source_free(oc_store *store, struct oc_open_source *source);
/* Number of the next raw chunk of a source, and where its chunks end per block (NULL: not wanted). */
int oc_store_next_chunk(oc_store *store, uint32_t source, uint32_t *out_next,
                        int64_t *out_sealed_until_ms);

/* ---- op.c ---- */
/* A new op at the end of the list, with copies of the texts. NULL where memory is short or the list full. */
struct oc_op *oc_store_add_op(oc_store *store, enum oc_op_kind kind, uint32_t source,
                              const char *subject, const struct oc_proc_facts *facts);
/* Memory for the op's load, which goes with it. NULL where memory is short. */
void *oc_store_add_load(oc_store *store, struct oc_op *op, size_t bytes);
/* Whether a load of so many bytes may wait. */
int oc_store_has_room(const oc_store *store, size_t bytes);
/* Writes all pending ops in the open transaction. */
int oc_store_write_ops(oc_store *store);
void oc_store_clear_ops(oc_store *store);

/* ---- intern.c: rows that many others name; in the open transaction ---- */
int oc_store_intern(oc_store *store, const char *text, int64_t *out_id);
/* The family's name as the census has it. */
int oc_store_intern_family(oc_store *store, const struct oc_census *census,
                           const struct oc_family *family, int64_t *out_id);
/* The kind of a family; -1: there is none. Or a code below that. */
int oc_store_family_kind(oc_store *store, int64_t family, int *out_kind);

/* ---- walk.c, modules.c, limits.c: into the open transaction ---- */
struct oc_walk_load {
    struct oc_store_walk walk; /* but for its census */
    struct oc_census census;   /* its arrays follow in the same memory */
};
int oc_store_write_walk(oc_store *store, const struct oc_op *op);
int oc_store_write_modules(oc_store *store, uint32_t source, int64_t boot_ms,
                           const struct oc_census *census);
int oc_store_write_limits(oc_store *store, const struct oc_op *op);
int oc_store_write_labels(oc_store *store, const struct oc_op *op);
/* The id that the rows of the next walk get. */
int oc_store_load_next_walk(oc_store *store);

/* Neither NAN nor infinite; isfinite() warns on mingw. */
static inline int oc_store_is_number(double value) { return value >= -DBL_MAX && value <= DBL_MAX; }

/* ---- forecast.c, and forecast_rows.c: into the open transaction ---- */
/* A row on its way, or that there will be no more. */
struct oc_forecast_put {
    struct oc_forecast_row row; /* of an end only kind, metric and time */
    int64_t replaces_ms;        /* the row of then goes; INT64_MIN: none */
    int is_end;
    int32_t place; /* hash of the place that it is the end of */
};
int oc_store_write_forecasts(oc_store *store, const struct oc_op *op);
void oc_store_said_free(oc_store *store, struct oc_said_list *said);

/* ---- forecaster.c ---- */
int oc_store_write_memory(oc_store *store, const struct oc_op *op);
/* The memory of a source that ended. */
int oc_store_forget_memory(oc_store *store, uint32_t source);
int oc_store_write_accuracy(oc_store *store, const struct oc_op *op);

/* ---- alerts.c: into the open transaction ---- */
int oc_store_write_alert(oc_store *store, const struct oc_op *op);
int oc_store_write_decision(oc_store *store, const struct oc_op *op);
int oc_store_write_outbox(oc_store *store, const struct oc_op *op);
int oc_store_write_silence(oc_store *store, const struct oc_op *op);

/* ---- append.c ---- */
/* Takes one sample, as read back from the journal; row: where it already is. */
int oc_store_take_back(oc_store *store, struct oc_open_source *source, int64_t t_ms,
                       const struct oc_sample *sample, int same, int64_t row);

/* ---- seal.c ---- */
/* Puts the chunks of all due tails into the open transaction, marks them. */
int oc_store_seal_due(oc_store *store);
/* Something of the source is due: a tail, or its end. */
void oc_store_note_due(oc_store *store, uint32_t source);
/* After COMMIT: empties those marked, takes ended sources out. After ROLLBACK: unmarks them. */
void oc_store_sealed(oc_store *store);
void oc_store_unsealed(oc_store *store);
/* Streams that wait too long become due. */
void oc_store_sweep(oc_store *store, int64_t now_boot_ms);
void oc_store_seal_clear(oc_store *store);
/* Scratch memory for rows × columns: seal_times, seal_known, seal_flags, seal_values; seal_bytes. */
int oc_store_grow_scratch(oc_store *store, size_t rows, size_t columns, size_t bytes);
/* The open samples as columns in the scratch memory, as oc_tail_columns() gives them. */
int oc_store_tail_columns(oc_store *store, const struct oc_tail *tail, uint64_t *out_ever);

/* ---- recover.c ---- */
/* Takes the journal back into memory and ends what ran in another boot. In no transaction. */
int oc_store_recover(oc_store *store, struct oc_store_report *report);
/* Sources of an earlier run that nobody took up again for a while are ended as unwatched. */
void oc_store_end_waiting(oc_store *store, int64_t now_boot_ms);

/* ---- commit.c ---- */
/* A keyed row that begins after so many bytes of journal. */
void oc_store_note_keyed(oc_store *store, int64_t row, uint64_t at_bytes);
/* Commits that no sync followed for the sync interval are made safe from a power cut. */
void oc_store_sync_if_due(oc_store *store, int64_t now_boot_ms);
/* Least journal row that is still needed, or next_row. */
int64_t oc_store_needed_row(const oc_store *store);

/* SQLite's hook for the length of the WAL; context: the store. */
int oc_store_on_commit(void *context, sqlite3 *db, const char *name, int pages);

/* ---- texts.c: a row that nothing names any more goes; meanwhile what is named is marked ---- */
void oc_store_mark_text(oc_store *store, int64_t text);
void oc_store_mark_family(oc_store *store, int64_t family);

/* ---- upkeep.c ---- */
void oc_upkeep_free(struct oc_upkeep *upkeep);

#endif
