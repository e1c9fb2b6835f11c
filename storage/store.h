/*
 * The writing side of the store: one SQLite file, one writer. Synchronous; the daemon picks the
 * thread. reader.h is the other side. docs/storage.md says what the file holds.
 *
 * Times are CLOCK_BOOTTIME milliseconds of a boot (…_boot_ms), unless the name says _unix_ms.
 */
#ifndef OC_STORAGE_STORE_H
#define OC_STORAGE_STORE_H

#include "base/alert.h"
#include "base/census.h"
#include "base/err.h"
#include "base/forecast.h"
#include "base/limit.h"
#include "base/sample.h"
#include "storage/tick.h"

#include <stdint.h>

typedef struct oc_store oc_store;

struct oc_store_options {
    const char *path;    /* of the database file; its folder exists */
    const char *boot_id; /* of this boot */
    int64_t now_boot_ms, now_unix_ms;
    uint64_t max_file_bytes;  /* 0: 1 GiB */
    int64_t raw_keep_ms;      /* 0: 7 d */
    int64_t minute_keep_ms;   /* 0: 90 d */
    int64_t hour_keep_ms;     /* 0: 2 years */
    uint32_t seal_samples;    /* 0: 512 */
    int64_t seal_age_ms;      /* 0: 1 h */
    int32_t sync_interval_ms; /* 0: 10 s; what a power cut can take */
    uint64_t max_open_bytes;  /* memory for samples not yet sealed; 0: 64 MiB */
};

/* What opening had to do, for the log. */
struct oc_store_report {
    int created;
    char set_aside[512];        /* name of a corrupt file that was moved away; "" */
    char backup[512];           /* name of the backup made before an upgrade; "" */
    uint64_t recovered_samples; /* taken back from the journal */
    uint64_t ended_lives;       /* of an earlier run, closed as unwatched or (other boot) unknown */
};

/*
 * Opens or makes the store and takes the journal back. A corrupt file is set aside and a new one
 * begun. Returns 0, OC_E_FOREIGN, OC_E_NEWER, OC_E_DENIED, OC_E_NOSPC, OC_E_BUSY, OC_E_NOMEM,
 * OC_E_IO; *detail names the file and the mend.
 */
int oc_store_open(const struct oc_store_options *options, oc_store **out_store,
                  struct oc_store_report *out_report, struct oc_detail *detail);

/* Commits, seals nothing, checkpoints, closes. Sources still open stay so in the file: the next open takes them up. NULL is allowed. */
int oc_store_close(oc_store *store);

/* ---- sources ---- */

struct oc_source_info {
    enum oc_source_kind kind;
    const char *subject; /* "proc:nginx", "cgroup:/a/b", "host", "oomcastd" */
    int64_t begin_boot_ms;
    const struct oc_proc_facts *facts; /* a process: copied into its life row; else NULL */
    uint64_t cgroup_inode;             /* a cgroup; 0 else */
    int32_t interval_ms;               /* of its ticks */
};

/*
 * A new source (and subject, if it is new; and life, if it is a process), in the batch now open.
 * The same process (boot, pid, start, exec, subject) or cgroup (boot, path, inode) that the file already
 * knows is taken up again: the same id; not where that life ended with an exec. OC_SOURCE_SELF is
 * always 0.
 */
int oc_store_source_begin(oc_store *store, const struct oc_source_info *info, uint32_t *out_source);

/* Its facts came later (exe, cmdline): updates the life row. */
int oc_store_source_facts(oc_store *store, uint32_t source, const struct oc_proc_facts *facts);

/*
 * Labels of a source's subject, as the config has them now: pairs key, value, … ended by NULL, in
 * the order of the keys. Nothing is written where they are what the file has.
 */
int oc_store_subject_labels(oc_store *store, uint32_t source, const char *const *pairs);

/* Who ended it, told before or after oc_store_source_end() in the same boot. scope may be NULL. */
int oc_store_source_killer(oc_store *store, uint32_t source, enum oc_killer killer,
                           const char *scope);

/* How a life is ended by plan, in words (base/plan.h); "": it is not. 0, OC_E_NOENT, OC_E_NOMEM. */
int oc_store_source_plan(oc_store *store, uint32_t source, const char *text);

/* ---- walks and limits ---- */

struct oc_store_walk {
    int64_t boot_ms; /* when it ended */
    int64_t cpu_us, wall_us,
        stall_us; /* what it cost the watcher; the most that the watched waited */
    const struct oc_census *census;
};
/*
 * Takes a walk of a source into the batch: cells and families that changed since its last walk,
 * modules that came and went since. A walk that could not see a part (has_… clear) leaves what was
 * known of it as it was. A module is told by base, inode and name.
 *
 * The census is copied, and written with the next commit. OC_E_NOENT (no such source, or its end is
 * in the file), OC_E_INVAL (not later than its last walk), OC_E_TOOBIG (what waits for room on disk
 * is 32 MiB) or OC_E_NOMEM: then it is counted as dropped.
 * Cost: a row for each change; a read of the source's open modules.
 */
int oc_store_walk(oc_store *store, uint32_t source, const struct oc_store_walk *walk);

/*
 * The limits of a source as they are now, all of them: one that is new or has another value begins
 * a row, one that is not there any more ends. `use` is not kept: the series has it.
 * OC_E_NOENT, OC_E_TOOBIG (more than 384, or as above) or OC_E_NOMEM: say it again later.
 */
int oc_store_limits(oc_store *store, uint32_t source, int64_t boot_ms,
                    const struct oc_limit *limits, size_t count);

/* ---- forecasts ---- */

/*
 * What is forecast of a source, all of it; t_ms and since_ms are boot ms. A row is written where it is
 * new, its state changed, the end moved by a tenth of what is left, or the last one is 10 min old
 * and it is growing (6 h else; longer where so much grows that it would be more than 24,000 rows
 * a day). The newest one of a (source, limit kind, metric, place) is what is said now; one that is
 * not among the rows any more is not said now. From the 288th of a source on a day on, a row takes
 * the place of the one before it. In the batch now open.
 *
 * Of the limit, its kind and place are kept; its value is that of the forecast. Times from 10,000 s
 * and growth from 10,000 an hour on are kept as whole numbers. NAN and INFINITY survive.
 * OC_E_NOENT, OC_E_TOOBIG (more than 64, or too much waits for room on disk) or OC_E_NOMEM: say it
 * again later. Cost where nothing is news: a comparison a row.
 */
int oc_store_forecasts(oc_store *store, uint32_t source, const struct oc_forecast_row *rows,
                       size_t count);

/*
 * Bytes of the forecaster, to go on from after a restart: of a source's series (key: metric number),
 * or what was learnt of a subject (key: subject's name or image, metric). Replaced as a whole. Of
 * subjects and images the 20,000 last written are kept.
 */
#define OC_MEMORY_MAX_BYTES 16384
#define OC_MEMORY_NAME_BYTES 1024 /* with its NUL */
enum oc_memory_kind {
    OC_MEMORY_SERIES = 1,  /* name: the source's id in decimal; goes when the source ends */
    OC_MEMORY_BOOK = 2,    /* the same, of a limit: key is metric << 8 | slot */
    OC_MEMORY_SUBJECT = 3, /* oc_prior of a subject */
    OC_MEMORY_IMAGE = 4    /* oc_prior of a program */
};
/* In the batch now open. OC_E_NOENT (no such source runs), OC_E_TOOBIG (bytes or name, or too much
 * waits for room on disk) or OC_E_NOMEM: put it again later. */
int oc_store_memory_put(oc_store *store, enum oc_memory_kind kind, const char *name, uint32_t key,
                        const void *bytes, size_t len_bytes);
/* Calls back for all of a kind; a callback other than 0 ends it. At start, before the first batch. */
typedef int oc_store_memory_fn(const char *name, uint32_t key, const void *bytes, size_t len_bytes,
                               void *context);
int oc_store_memory(oc_store *store, enum oc_memory_kind kind, oc_store_memory_fn *fn,
                    void *context);

/* Adds to the record of a source's subject: metric, limit kind. 20,000 rows are kept apart; those
 * longest without an entry are added up as the subject "others". The source may have ended. In the
 * batch now open. OC_E_NOENT, OC_E_TOOBIG or OC_E_NOMEM: add it with the next. */
int oc_store_accuracy(oc_store *store, uint32_t source, unsigned metric, unsigned limit_kind,
                      int64_t boot_ms, const struct oc_accuracy *more);

/* ---- alerts ---- */

/*
 * Alerts, what was decided of them, the outbox and silences: in the batch now open; committed with
 * OC_DURABLE_NOW they survive a power cut, all of a batch or none of it. All of these copy.
 * OC_E_TOOBIG (too much waits for room on disk: alerts have 8 MiB and 20,000 rows beyond all else), OC_E_INVAL (id or
 * episode 0, too many matchers) or OC_E_NOMEM: then nothing of that call is taken in.
 *
 * An alert replaces the row of its episode. Ended ones are kept 2 years, at most 100,000; decisions 90 d, at most
 * 200,000; outbox rows that are sent or dropped 7 d, at most 2,000.
 */
int oc_store_alert(oc_store *store, const struct oc_alert *alert);
int oc_store_alert_decision(oc_store *store, const struct oc_alert_decision *decision);
/* Replaces the row of its id; body NULL: as it was. */
int oc_store_outbox(oc_store *store, const struct oc_outbox_row *row);
/* Replaces the one of its id; one whose end is past stays for `silence list --all` (90 d). */
int oc_store_silence(oc_store *store, const struct oc_silence *silence);

/* At start, before the first batch: what is not over. A callback other than 0 ends it. Returns the number or a code. */
typedef int oc_store_alert_fn(const struct oc_alert *alert, void *context);
int oc_store_alerts(oc_store *store, oc_store_alert_fn *fn, void *context); /* pending and firing */
typedef int oc_store_outbox_fn(const struct oc_outbox_row *row, void *context);
int oc_store_outbox_open(oc_store *store, oc_store_outbox_fn *fn,
                         void *context); /* waiting and parked, by id */
typedef int oc_store_silence_fn(const struct oc_silence *silence, void *context);
int oc_store_silences(oc_store *store, int64_t now_unix_ms, oc_store_silence_fn *fn, void *context);
/* The highest episode ever written; 0: none. */
int oc_store_alert_episode(oc_store *store, uint64_t *out_episode);

/* The end of a source: its open samples are sealed, its life row says how. */
int oc_store_source_end(oc_store *store, uint32_t source, int64_t end_boot_ms, enum oc_end end,
                        int status);

/* A process of an earlier run in this boot that was not taken up again yet. */
struct oc_store_left {
    uint32_t source;
    struct oc_proc_id id;
    int64_t last_boot_ms; /* of its last sample; 0: it has none */
};

/*
 * Calls back for each of them; a callback other than 0 ends it. Who knows how one ended says so by
 * oc_store_source_end(); the others end as unwatched two minutes after opening.
 * Returns 0 or a code. One statement and a row each.
 */
typedef int oc_store_left_fn(const struct oc_store_left *left, void *context);
int oc_store_left(oc_store *store, oc_store_left_fn *fn, void *context);

/* ---- samples ---- */

/*
 * Takes a tick into the batch. An entry of an unknown source, or "same" where none came before, is
 * counted and left out. OC_E_PARSE where the bytes do not hold together; OC_E_NOMEM.
 */
int oc_store_append(oc_store *store, const struct oc_tick *tick);

/*
 * Samples of a source that came after a time, as they were taken in: for who was stopped and goes
 * on. Those of raw chunks first, then those not yet sealed; in ascending time, one by one, also
 * where nothing changed. Chunks that are damaged are left out.
 *
 * fn gets the wanted figures of one sample (borrowed during the call) and must not call the store;
 * another value than 0 ends it. Returns the number of samples told, OC_E_NOENT (the source is not
 * open), OC_E_NOMEM or another code. In no transaction; any time, from the start on.
 * Cost: a seek and what is decoded: 12 us for a source with some 200 open samples of 14 figures.
 */
struct oc_since {
    uint32_t source;
    unsigned block;  /* enum oc_block: the metrics of one block at a time */
    uint64_t wanted; /* OC_METRIC_BIT()s of it */
    int64_t boot_ms; /* samples later than this; INT64_MIN: all that raw still has */
};
typedef int oc_store_sample_fn(int64_t boot_ms, const struct oc_sample *sample, void *context);
int oc_store_samples_since(oc_store *store, const struct oc_since *since, oc_store_sample_fn *fn,
                           void *context);

enum oc_durability {
    OC_DURABLE_BATCH, /* survives a killed process at once, a power cut after sync_interval_ms */
    OC_DURABLE_NOW    /* survives a power cut: an fsync */
};

/*
 * Ends the batch: when it returns 0, all that came before survives kill -9. OC_E_NOSPC (the batch
 * is rolled back as far as the file goes, nothing in memory is lost: call it again when there is
 * room), OC_E_IO, OC_E_CORRUPT.
 */
int oc_store_commit(oc_store *store, enum oc_durability durability, int64_t now_boot_ms);

/* Bounded chores between commits: merging, tiers, retention, vacuum, checkpoint. Works at most
 * budget_us. Returns 1 while there is more to do, 0, or a code. */
int oc_store_maintain(oc_store *store, int64_t now_boot_ms, int64_t now_unix_ms, int64_t budget_us);

/* A row of the clock table: at start (oc_store_open does that) and whenever the wall clock jumped. */
int oc_store_clock(oc_store *store, int64_t boot_ms, int64_t unix_ms);

struct oc_store_stats {
    uint64_t file_bytes, wal_bytes;
    uint64_t samples, values; /* appended since open; a "same" counts */
    uint64_t commits, syncs;
    uint64_t chunks;          /* sealed since open */
    uint64_t open_bytes;      /* memory held for samples not yet sealed */
    uint64_t dropped_entries; /* entries that could not be taken in */
    uint64_t lost_samples;    /* taken in, then lost: no room on disk nor in memory */
    uint64_t walks;           /* taken in since open */
    uint64_t dropped_walks;   /* not taken in: too many wait for room on disk, or short memory */
    uint64_t skipped_rows; /* of alerts, outbox and silences that could not be read at the start */
};
void oc_store_stats(const oc_store *store, struct oc_store_stats *out_stats);

/* The file's path. Borrowed until close. */
const char *oc_store_path(const oc_store *store);

#endif
