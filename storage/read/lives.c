#include "storage/read/reader_impl.h"
#include "storage/read/running.h"

#include "base/text.h"

#include <string.h>

/* ---- columns that may be NULL ---- */

static const char *text_or_empty(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text ? (const char *)text : "";
}

static int64_t i64_or(sqlite3_stmt *statement, int column, int64_t fallback)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? fallback
               : sqlite3_column_int64(statement, column);
}

/* Wall clock of the newest tick in the journal; 0: there is none. */
static int newest_tick(oc_reader *reader, int64_t *out_unix_ms)
{
    uint32_t boot = 0;
    int64_t boot_ms = 0;
    int rc = oc_scan_newest_tick(&reader->scan, &boot, &boot_ms);

    *out_unix_ms = rc == 1 ? oc_clockmap_unix_ms(&reader->scan.clock, boot, boot_ms) : 0;
    return rc < 0 ? rc : OC_OK;
}

/* ---- subjects ---- */

/* One row a source, those of a subject together: what is of the clock is added up here. */
struct grouping {
    oc_reader *reader;
    int64_t newest_unix_ms;
    struct oc_subject_row row;
    int has_row;
    char name[1100];
    oc_subject_fn *fn;
    void *context;
    int given, stopped;
};

static void give_subject(struct grouping *grouping)
{
    if (!grouping->has_row || grouping->stopped)
        return;
    grouping->row.name = grouping->name;
    grouping->given++;
    grouping->stopped = grouping->fn(&grouping->row, grouping->context);
    grouping->has_row = 0;
}

static void begin_subject(struct grouping *grouping, sqlite3_stmt *statement)
{
    grouping->row = (struct oc_subject_row){ .id = sqlite3_column_int64(statement, 0),
                                             .kind = (uint8_t)sqlite3_column_int(statement, 2),
                                             .first_unix_ms = INT64_MAX };
    grouping->has_row = 1;
    (void)oc_text_copy(grouping->name, sizeof grouping->name, text_or_empty(statement, 1));
}

static void add_source(struct grouping *grouping, sqlite3_stmt *statement)
{
    const struct oc_clockmap *clock = &grouping->reader->scan.clock;
    uint32_t boot = (uint32_t)sqlite3_column_int64(statement, 3);
    int64_t begin_unix_ms = oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, 4));
    int64_t last_unix_ms = begin_unix_ms;
    int counts = sqlite3_column_int(statement, 6) != OC_SOURCE_GROUP; /* its members do */

    if (sqlite3_column_type(statement, 5) != SQLITE_NULL) {
        last_unix_ms = oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, 5));
    } else {
        grouping->row.running += (uint32_t)counts;
        if (grouping->newest_unix_ms > last_unix_ms)
            last_unix_ms = grouping->newest_unix_ms;
    }
    grouping->row.sources += (uint32_t)counts;
    if (begin_unix_ms < grouping->row.first_unix_ms)
        grouping->row.first_unix_ms = begin_unix_ms;
    if (last_unix_ms > grouping->row.last_unix_ms)
        grouping->row.last_unix_ms = last_unix_ms;
}

static int group_subjects(struct grouping *grouping)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(grouping->reader->scan.db, &statement,
                             "SELECT b.id, b.name, b.kind, s.boot, s.begin_ms, s.end_ms, s.kind "
                             "FROM main.subject b JOIN main.source s ON s.subject = b.id "
                             "ORDER BY b.name, b.id");

    while (rc == OC_OK && !grouping->stopped && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!grouping->has_row || grouping->row.id != sqlite3_column_int64(statement, 0)) {
            give_subject(grouping);
            begin_subject(grouping, statement);
        }
        add_source(grouping, statement);
    }
    give_subject(grouping);
    (void)sqlite3_finalize(statement);
    return rc < 0 ? rc : oc_scan_code(step);
}

int oc_reader_subjects(oc_reader *reader, oc_subject_fn *fn, void *context)
{
    struct grouping grouping = { .reader = reader, .fn = fn, .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = newest_tick(reader, &grouping.newest_unix_ms);
    if (rc == OC_OK)
        rc = group_subjects(&grouping);
    oc_reader_end(reader);
    return rc < 0 ? rc : grouping.given;
}

/* ---- lives ---- */

enum life_column {
    LIFE_SOURCE,
    LIFE_SUBJECT,
    LIFE_KIND,
    LIFE_BOOT,
    LIFE_BEGIN,
    LIFE_END_MS,
    LIFE_END,
    LIFE_STATUS,
    LIFE_INTERVAL,
    LIFE_PID,
    LIFE_START_TICKS,
    LIFE_EXEC_COUNT,
    LIFE_PARENT,
    LIFE_UID,
    LIFE_START_UNIX,
    LIFE_NAME,
    LIFE_EXE,
    LIFE_CGROUP,
    LIFE_CMDLINE,
    LIFE_KILLER,
    LIFE_KILLER_SCOPE,
    LIFE_PLAN
};

static const char lives_sql[] =
    "SELECT s.id, b.name, s.kind, s.boot, s.begin_ms, s.end_ms, s.\"end\", s.status, "
    "s.interval_ms, l.pid, l.start_ticks, l.exec_count, l.parent_pid, l.uid, l.start_unix_ms, "
    "l.name, l.exe, l.cgroup, l.cmdline, s.killer, s.killer_scope, l.plan "
    "FROM main.source s JOIN main.subject b ON b.id = s.subject "
    "LEFT JOIN main.life l ON l.source = s.id WHERE (?1 = 0 OR s.end_ms IS NULL) AND "
    "(?2 = 0 OR s.kind = ?2) AND (?3 = 0 OR l.pid = ?3) ORDER BY s.id";

static void read_facts(sqlite3_stmt *statement, struct oc_proc_facts *out_facts)
{
    memset(out_facts, 0, sizeof *out_facts);
    out_facts->id.pid = (uint32_t)sqlite3_column_int64(statement, LIFE_PID);
    out_facts->id.start_ticks = (uint64_t)sqlite3_column_int64(statement, LIFE_START_TICKS);
    out_facts->id.exec_count = (uint32_t)sqlite3_column_int64(statement, LIFE_EXEC_COUNT);
    out_facts->parent_pid = (uint32_t)sqlite3_column_int64(statement, LIFE_PARENT);
    out_facts->uid = i64_or(statement, LIFE_UID, -1);
    out_facts->start_unix_ms = sqlite3_column_int64(statement, LIFE_START_UNIX);
    (void)oc_text_copy(out_facts->name, sizeof out_facts->name,
                       text_or_empty(statement, LIFE_NAME));
    (void)oc_text_copy(out_facts->exe, sizeof out_facts->exe, text_or_empty(statement, LIFE_EXE));
    (void)oc_text_copy(out_facts->cgroup, sizeof out_facts->cgroup,
                       text_or_empty(statement, LIFE_CGROUP));
    (void)oc_text_copy(out_facts->cmdline, sizeof out_facts->cmdline,
                       text_or_empty(statement, LIFE_CMDLINE));
}

static void read_life(oc_reader *reader, sqlite3_stmt *statement, struct oc_life_row *out_row)
{
    const struct oc_clockmap *clock = &reader->scan.clock;
    uint32_t boot = (uint32_t)sqlite3_column_int64(statement, LIFE_BOOT);

    memset(out_row, 0, sizeof *out_row);
    out_row->source = (uint32_t)sqlite3_column_int64(statement, LIFE_SOURCE);
    out_row->subject = text_or_empty(statement, LIFE_SUBJECT);
    out_row->kind = (uint8_t)sqlite3_column_int(statement, LIFE_KIND);
    out_row->begin_unix_ms =
        oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, LIFE_BEGIN));
    out_row->end_unix_ms = INT64_MAX;
    if (sqlite3_column_type(statement, LIFE_END_MS) != SQLITE_NULL)
        out_row->end_unix_ms =
            oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, LIFE_END_MS));
    out_row->end = (enum oc_end)sqlite3_column_int(statement, LIFE_END);
    out_row->status = (int)i64_or(statement, LIFE_STATUS, -1);
    out_row->interval_ms = sqlite3_column_int(statement, LIFE_INTERVAL);
    out_row->killer = (enum oc_killer)sqlite3_column_int(statement, LIFE_KILLER);
    out_row->killer_scope = text_or_empty(statement, LIFE_KILLER_SCOPE);
    out_row->plan = text_or_empty(statement, LIFE_PLAN);
    read_facts(statement, &out_row->facts);
}

static int life_matches(const struct oc_life_filter *filter, const struct oc_life_row *row)
{
    int64_t until_unix_ms = filter->until_unix_ms > 0 ? filter->until_unix_ms : INT64_MAX;

    return (!filter->subject || oc_subject_is_meant(row->subject, filter->subject)) &&
           row->begin_unix_ms < until_unix_ms && row->end_unix_ms >= filter->since_unix_ms;
}

struct listing {
    oc_reader *reader;
    const struct oc_life_filter *filter;
    struct oc_running_list running;
    sqlite3_stmt *sealed; /* count and last of the raw chunks of a source */
    oc_life_fn *fn;
    void *context;
    int given;
};

static int prepare_sealed(struct listing *listing)
{
    return oc_scan_prepare(listing->reader->scan.db, &listing->sealed,
                           "SELECT total(n), max(t1) FROM main.raw WHERE id BETWEEN ?1 AND ?2 "
                           "AND block = ?3");
}

/* Samples sealed and not, and the time of the last. */
static int add_figures(struct listing *listing, uint32_t boot, struct oc_life_row *row)
{
    sqlite3_stmt *sealed = listing->sealed;
    const struct oc_running *running = oc_running_find(&listing->running, row->source);
    int64_t last_boot_ms = INT64_MIN;
    int step;

    (void)sqlite3_reset(sealed);
    sqlite3_bind_int64(sealed, 1, OC_CHUNK_ROWID(row->source, 0));
    sqlite3_bind_int64(sealed, 2, OC_CHUNK_ROWID(row->source, OC_CHUNK_NUMBER_MAX));
    sqlite3_bind_int64(sealed, 3, (int64_t)oc_reader_main_block(row->kind));
    step = sqlite3_step(sealed);
    if (step != SQLITE_ROW)
        return oc_scan_code(step);
    row->samples = (uint64_t)sqlite3_column_int64(sealed, 0);
    if (sqlite3_column_type(sealed, 1) != SQLITE_NULL)
        last_boot_ms = sqlite3_column_int64(sealed, 1);
    if (running && running->unsealed_count > 0) {
        row->samples += running->unsealed_count;
        last_boot_ms = running->last_boot_ms;
    }
    if (last_boot_ms != INT64_MIN)
        row->last_unix_ms = oc_clockmap_unix_ms(&listing->reader->scan.clock, boot, last_boot_ms);
    return OC_OK;
}

/* 0 to go on, 1 where fn asked to stop, or a code. */
static int give_life(struct listing *listing, sqlite3_stmt *statement)
{
    struct oc_life_row row;
    int rc;

    read_life(listing->reader, statement, &row);
    if (!life_matches(listing->filter, &row))
        return 0;
    rc = add_figures(listing, (uint32_t)sqlite3_column_int64(statement, LIFE_BOOT), &row);
    if (rc < 0)
        return rc;
    listing->given++;
    return listing->fn(&row, listing->context) != 0;
}

static int list_lives(struct listing *listing)
{
    const struct oc_life_filter *filter = listing->filter;
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(listing->reader->scan.db, &statement, "%s", lives_sql);

    if (rc == OC_OK) {
        sqlite3_bind_int(statement, 1, filter->running_only != 0);
        sqlite3_bind_int(statement, 2, filter->processes_only ? OC_SOURCE_PROCESS : 0);
        sqlite3_bind_int64(statement, 3, (int64_t)filter->pid);
    }
    while (rc == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = give_life(listing, statement);
    (void)sqlite3_finalize(statement);
    return rc < 0 ? rc : oc_scan_code(step);
}

int oc_reader_lives(oc_reader *reader, const struct oc_life_filter *filter, oc_life_fn *fn,
                    void *context)
{
    static const struct oc_life_filter all = { .until_unix_ms = INT64_MAX };
    struct listing listing = {
        .reader = reader, .filter = filter ? filter : &all, .fn = fn, .context = context
    };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = oc_running_load(&listing.running, reader);
    if (rc == OC_OK)
        rc = oc_running_count(&listing.running, reader);
    if (rc == OC_OK)
        rc = prepare_sealed(&listing);
    if (rc == OC_OK)
        rc = list_lives(&listing);
    (void)sqlite3_finalize(listing.sealed);
    oc_running_clear(&listing.running);
    oc_reader_end(reader);
    return rc < 0 ? rc : listing.given;
}
