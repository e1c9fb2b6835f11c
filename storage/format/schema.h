/*
 * The tables of the store, and how an older file becomes one of today. The text of the tables is
 * in schema.c; docs/storage.md explains them to people.
 *
 *   boot    id, uuid                  one row per boot of the machine
 *   clock   boot, boot_ms, unix_ms    wall clock = boot time + (unix_ms - boot_ms) of the last row
 *                                     at or before it (before the first: the first)
 *   subject id, name, kind
 *   source  id, subject, kind, boot, begin_ms, end_ms (NULL: runs), end, status, interval_ms,
 *           inode, upkeep, killer, killer_scope (NULL: none)
 *   life    source, pid, start_ticks, exec_count, parent_pid, uid, start_unix_ms, name, exe, cgroup,
 *           cmdline, plan (words; NULL where unknown)
 *   raw, minute, hour
 *           id = source << 24 | chunk number, block, t0, t1 (of the first and last row), n (rows in
 *           the chunk: for "all known" in summaries of raw), summary, data (chunk.h)
 *           Numbers of a source ascend with time within a block; there may be holes.
 *   journal id, boot, t0, t1 (least and greatest tick), keyed, data (journal.h)
 *
 *   text    id, hash (oc_text_hash()), text: names of modules and places of limits, each once
 *   walk    source, t, id (of its rows below; NULL: nothing changed), keyed (its rows are all that is
 *           known then, not only what changed), seen, known (OC_WALK_…: by it; by it and those
 *           before), cpu_us, wall_us, stall_us, largest_free, largest_free_at (NULL: unknown),
 *           arenas, runtime (NULL: as before; '': none)
 *   region_total walk, cell (OC_WALK_CELL), count (0: gone), bytes, largest, resident (NULL: unknown)
 *   family  id, hash, kind, folded, name, example (NULL: the name); of all sources
 *   family_count walk, family, count (0: gone), names (different ones), bytes, deleted
 *   module  source, loaded, n, base, bytes, inode, name (a text), hash (its), flags: still there
 *   module_gone source, unloaded, n, loaded, …: those that went
 *   limit_value source, kind, metric, place (a text), begin_ms, end_ms (NULL: in force), value
 *   subject_label subject, key, value
 *
 *   forecast_series id, source, kind (of the limit; 0: none), metric, place (a text), end_ms (NULL:
 *           it is said now; else that limit or metric was forecast no more from then on)
 *   forecast series, t, state, since, samples, value, ceiling, growth (per hour), growth_error,
 *           chance, p10, p50, p90 (seconds from t), saved_life (seconds). NULL: unknown;
 *           infinity, as SQLite keeps it: not in sight
 *   forecaster id, kind (enum oc_memory_kind), name, key, row (of the journal when it was written:
 *           the least is the oldest), bytes (the forecaster's)
 *   forecast_record subject (its name: the record outlives the subject's row), metric, kind, first_unix_ms,
 *           last_unix_ms, and the sums of struct oc_accuracy
 *
 *   alert   episode, and the figures of struct oc_alert by their names (times: NULL not yet); of what
 *           it is about limit_kind, limit_place, metric, forecast_state, forecast_unix_ms,
 *           since_unix_ms, samples, last (its value), ceiling, growth, growth_error, goes_on (its
 *           chance), p10, p50, p90, saved_life: as in forecast
 *   alert_decision id, t_unix_ms, episode, fingerprint, from_state, to_state, mutes, rule, subject, reason
 *   outbox  row, id, receiver, group_key, state, severity, is_digest, attempts, made_unix_ms,
 *           next_unix_ms, done_unix_ms, status, why, body (NULL: it was never given)
 *   silence id, begin_unix_ms, end_unix_ms, author, comment
 *   silence_matcher silence, n, name, glob, is_negative
 *           Names of rules and subjects stand in these as they are: an alert outlives both.
 *
 * Times are CLOCK_BOOTTIME ms of the source's boot, but for …unix_ms.
 */
#ifndef OC_STORAGE_FORMAT_SCHEMA_H
#define OC_STORAGE_FORMAT_SCHEMA_H

#include "base/err.h"

#include <stdint.h>

struct sqlite3;

#define OC_SCHEMA_APPLICATION_ID 0x6f6f6d63 /* "oomc" */
#define OC_SCHEMA_VERSION 5                 /* PRAGMA user_version of a file of today */

/* Kinds of rows of table forecaster that readers know too: of enum oc_memory_kind. */
#define OC_FORECASTER_SERIES 1
#define OC_FORECASTER_SUBJECT 3

#define OC_CHUNK_ROWID(source, chunk_number) ((int64_t)(source) << 24 | (int64_t)(chunk_number))
#define OC_CHUNK_SOURCE(rowid) ((uint32_t)((rowid) >> 24))
#define OC_CHUNK_NUMBER_MAX 0xffffff

/* Waits for a file in use. */
#define OC_SCHEMA_BUSY_MS 5000

/*
 * What a file is: 0 (ours, of today), OC_E_NOENT (empty: no table yet), OC_E_FOREIGN, OC_E_NEWER,
 * OC_E_AGAIN (ours and older: to be upgraded), OC_E_CORRUPT, OC_E_BUSY, OC_E_IO.
 */
int oc_schema_probe(struct sqlite3 *db, int *out_version);

/* Makes the tables in an empty file (application_id, page_size, auto_vacuum first). */
int oc_schema_create(struct sqlite3 *db);

/* Runs the migrations from version on, in one transaction. */
int oc_schema_upgrade(struct sqlite3 *db, int version);

#endif
