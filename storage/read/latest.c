#include "storage/read/running.h"

#include "base/alloc.h"

#include <string.h>

/* The newest sample so far of a source and block that the tail of the journal does not name. */
struct held {
    struct oc_running *item;
    int64_t t_boot_ms;
    struct oc_sample sample;
};

#define OC_LATEST_MAX_HELD 65536

struct latest {
    oc_reader *reader;
    struct oc_running_list running;
    oc_latest_fn *fn;
    void *context;
    int given, stopped;
    struct held *held;
    size_t held_count, held_capacity;
};

static int give(struct latest *latest, struct oc_running *item, int64_t t_boot_ms,
                const struct oc_sample *sample)
{
    const struct oc_latest_row row = {
        .source = item->source,
        .subject = item->subject,
        .kind = item->kind,
        .pid = item->pid,
        .name = item->name,
        .t_unix_ms = oc_clockmap_unix_ms(&latest->reader->scan.clock, item->boot, t_boot_ms),
        .sample = sample,
    };

    item->seen_blocks |= (uint8_t)(1u << sample->block);
    latest->given++;
    latest->stopped = latest->fn(&row, latest->context) != 0;
    return latest->stopped;
}

static int give_replayed(uint32_t source, int64_t t_boot_ms, const struct oc_sample *sample,
                         int same, void *context)
{
    struct latest *latest = context;
    struct oc_running *item = oc_running_find(&latest->running, source);

    (void)same;
    return item ? give(latest, item, t_boot_ms, sample) : 0;
}

/* Replays the journal of the newest boot from begin on. *out_replay: yours to free, NULL where it is empty. */
static int replay_newest(struct latest *latest, int64_t begin_boot_ms, oc_replay_fn *fn,
                         oc_replay **out_replay)
{
    struct oc_scan *scan = &latest->reader->scan;
    struct oc_scan_replay what = { .only_source = OC_READER_ALL_SOURCES,
                                   .begin_boot_ms = begin_boot_ms };
    int64_t newest_boot_ms = 0;
    int rc = oc_scan_newest_tick(scan, &what.boot, &newest_boot_ms);

    *out_replay = NULL;
    if (rc != 1)
        return rc;
    *out_replay = oc_replay_new(what.only_source);
    return *out_replay ? oc_scan_journal(scan, &what, *out_replay, fn, latest) : OC_E_NOMEM;
}

static int from_journal(struct latest *latest)
{
    oc_replay *replay;
    int rc = replay_newest(latest, INT64_MAX, NULL, &replay);

    if (rc == OC_OK && replay)
        rc = oc_replay_each(replay, give_replayed, latest);
    oc_replay_free(replay);
    return rc < 0 ? rc : OC_OK;
}

/* ---- sources that were silent since the last keyed row ---- */

static struct held *hold(struct latest *latest, struct oc_running *item, unsigned block)
{
    void *held = latest->held;

    if (item->held[block] > 0)
        return &latest->held[item->held[block] - 1];
    if (oc_array_grow(&held, &latest->held_capacity, latest->held_count + 1, sizeof(struct held),
                      OC_LATEST_MAX_HELD) < 0)
        return NULL;
    latest->held = held;
    item->held[block] = (uint32_t)++latest->held_count;
    return &latest->held[latest->held_count - 1];
}

static int hold_sample(uint32_t source, int64_t t_boot_ms, const struct oc_sample *sample, int same,
                       void *context)
{
    struct latest *latest = context;
    struct oc_running *item = oc_running_find(&latest->running, source);
    struct held *held;

    (void)same;
    if (!item || item->seen_blocks)
        return 0;
    held = hold(latest, item, sample->block);
    if (!held)
        return OC_E_NOMEM;
    *held = (struct held){ .item = item, .t_boot_ms = t_boot_ms, .sample = *sample };
    return 0;
}

static int has_unseen(const struct oc_running *item)
{
    if (item->kind == OC_SOURCE_SELF)
        return !(item->seen_blocks & (1u << OC_BLOCK_SELF)) ||
               !(item->seen_blocks & (1u << OC_BLOCK_PROCESS));
    return item->seen_blocks == 0;
}

static size_t count_silent(const struct latest *latest)
{
    size_t count = 0;

    for (size_t i = 0; i < latest->running.count; i++)
        count += latest->running.items[i].seen_blocks == 0;
    return count;
}

/* Their interval is longer than the distance of keyed rows: the whole journal is looked at. */
static int from_whole_journal(struct latest *latest)
{
    oc_replay *replay = NULL;
    int rc = OC_OK;

    if (count_silent(latest))
        rc = replay_newest(latest, INT64_MIN, hold_sample, &replay);
    oc_replay_free(replay);
    for (size_t i = 0; i < latest->held_count && rc == OC_OK && !latest->stopped; i++)
        (void)give(latest, latest->held[i].item, latest->held[i].t_boot_ms,
                   &latest->held[i].sample);
    return rc;
}

/* ---- sources of which the journal says nothing ---- */

/* The last values of a chunk as a sample of its last time. */
static int give_chunk(struct latest *latest, struct oc_running *item,
                      const struct oc_chunk_row *row)
{
    struct oc_scan *scan = &latest->reader->scan;
    struct oc_sample sample = { .block = (uint8_t)row->block };
    int count = oc_scan_summaries(scan, row);

    for (int i = 0; i < count; i++) {
        const struct oc_summary *summary = &scan->summaries[i];

        if (summary->count > 0 && OC_METRIC_BLOCK(summary->number) == row->block)
            oc_sample_set(&sample, (enum oc_metric)summary->number, summary->last);
    }
    return count < 0 ? count : give(latest, item, row->t1_boot_ms, &sample);
}

static int prepare_newest_chunks(struct latest *latest, sqlite3_stmt **out_statement)
{
    return oc_scan_prepare(latest->reader->scan.db, out_statement,
                           "SELECT id, block, t0, t1, n, summary, data FROM main.raw "
                           "WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT %d",
                           OC_SCAN_LAST_CHUNKS);
}

/* A source of which the journal's tail says nothing: its newest chunks do. */
static int from_chunks(struct latest *latest, sqlite3_stmt *statement, struct oc_running *item)
{
    struct oc_chunk_row row;
    int rc;

    (void)sqlite3_reset(statement);
    sqlite3_bind_int64(statement, 1, OC_CHUNK_ROWID(item->source, 0));
    sqlite3_bind_int64(statement, 2, OC_CHUNK_ROWID(item->source, OC_CHUNK_NUMBER_MAX));
    while ((rc = oc_scan_next_chunk(statement, &row)) == 1) {
        if (item->seen_blocks & (1u << row.block))
            continue;
        rc = give_chunk(latest, item, &row);
        if (rc != 0)
            break;
    }
    return rc < 0 ? rc : OC_OK;
}

static int fill_from_chunks(struct latest *latest)
{
    sqlite3_stmt *statement = NULL;
    int rc = prepare_newest_chunks(latest, &statement);

    for (size_t i = 0; i < latest->running.count && rc == OC_OK && !latest->stopped; i++) {
        if (has_unseen(&latest->running.items[i]))
            rc = from_chunks(latest, statement, &latest->running.items[i]);
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

int oc_reader_latest(oc_reader *reader, oc_latest_fn *fn, void *context)
{
    struct latest latest = { .reader = reader, .fn = fn, .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = oc_running_load(&latest.running, reader);
    if (rc == OC_OK)
        rc = from_journal(&latest);
    if (rc == OC_OK && !latest.stopped)
        rc = from_whole_journal(&latest);
    if (rc == OC_OK && !latest.stopped)
        rc = fill_from_chunks(&latest);
    oc_free(latest.held);
    oc_running_clear(&latest.running);
    oc_reader_end(reader);
    return rc < 0 ? rc : latest.given;
}
