/* Who is meant by a question, who else is of the subject, and whose limits it can meet. */
#include "storage/read/evidence.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum column {
    COLUMN_ID,
    COLUMN_KIND,
    COLUMN_BOOT,
    COLUMN_BEGIN,
    COLUMN_END_MS,
    COLUMN_END,
    COLUMN_PID,
    COLUMN_NAME,
    COLUMN_INTERVAL
};

#define SOURCE_SQL                                                                                 \
    "SELECT s.id, s.kind, s.boot, s.begin_ms, s.end_ms, s.\"end\", l.pid, l.name, s.interval_ms "  \
    "FROM "                                                                                        \
    "main.source s LEFT JOIN main.life l ON l.source = s.id "

static void read_source(sqlite3_stmt *statement, struct oc_evidence_source *out)
{
    const char *name = (const char *)sqlite3_column_text(statement, COLUMN_NAME);

    *out = (struct oc_evidence_source){
        .id = (uint32_t)sqlite3_column_int64(statement, COLUMN_ID),
        .boot = (uint32_t)sqlite3_column_int64(statement, COLUMN_BOOT),
        .pid = (uint32_t)sqlite3_column_int64(statement, COLUMN_PID),
        .kind = (uint8_t)sqlite3_column_int(statement, COLUMN_KIND),
        .begin_boot_ms = oc_evidence_clamp(sqlite3_column_int64(statement, COLUMN_BEGIN)),
        .interval_ms = sqlite3_column_int(statement, COLUMN_INTERVAL),
        .end_boot_ms = INT64_MAX,
    };
    if (sqlite3_column_type(statement, COLUMN_END_MS) != SQLITE_NULL) {
        out->is_over = 1;
        out->end_boot_ms = oc_evidence_clamp(sqlite3_column_int64(statement, COLUMN_END_MS));
    }
    (void)oc_text_copy(out->name, sizeof out->name, name ? name : "");
}

int64_t oc_evidence_boot_ms(oc_reader *reader, uint32_t boot, int64_t unix_ms)
{
    struct oc_clockmap_span span;
    size_t index = 0;

    if (unix_ms == INT64_MAX)
        return INT64_MAX;
    if (!oc_clockmap_next_span(&reader->scan.clock, boot, unix_ms, INT64_MAX, &index, &span))
        return INT64_MAX;
    return span.begin_boot_ms;
}

static int64_t unix_of(oc_reader *reader, const struct oc_evidence_source *source, int64_t boot_ms)
{
    return boot_ms == INT64_MAX ? INT64_MAX
                                : oc_clockmap_unix_ms(&reader->scan.clock, source->boot, boot_ms);
}

/* ---- the subject ---- */

/* Whether a subject has a process that runs. 1, 0 or a code. */
static int is_running(sqlite3_stmt *running, int64_t subject)
{
    int step;

    (void)sqlite3_bind_int64(running, 1, subject);
    step = sqlite3_step(running);
    (void)sqlite3_reset(running); /* says again what step said */
    return step == SQLITE_ROW ? 1 : oc_scan_code(step);
}

/* The first subject that is meant, in the order of names; one that runs before others. */
static int find_subject(oc_reader *reader, const struct oc_evidence_query *query,
                        int64_t *out_subject)
{
    sqlite3_stmt *names = NULL, *running = NULL;
    int step = SQLITE_DONE, found = 0;
    int rc =
        oc_scan_prepare(reader->scan.db, &names, "SELECT id, name FROM main.subject ORDER BY name");

    if (rc == OC_OK)
        rc = oc_scan_prepare(reader->scan.db, &running,
                             "SELECT 1 FROM main.source WHERE subject = ?1 AND end_ms IS NULL");
    while (rc == OC_OK && (step = sqlite3_step(names)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(names, 1);

        if (!name || !oc_subject_is_meant(name, query->subject))
            continue;
        rc = query->want_ended ? !found : is_running(running, sqlite3_column_int64(names, 0));
        if (rc >= 0 && (rc == 1 || !found))
            *out_subject = sqlite3_column_int64(names, 0);
        found |= rc >= 0;
    }
    (void)sqlite3_finalize(names); /* step told */
    (void)sqlite3_finalize(running);
    if (rc < 0 || rc == 1)
        return rc < 0 ? rc : OC_OK;
    if (oc_scan_code(step) < 0)
        return oc_scan_code(step);
    return found ? OC_OK : OC_E_NOENT;
}

/* ---- lives ---- */

/* Whether it ran at the time that is asked about. */
static int lived(oc_reader *reader, const struct oc_evidence_query *query,
                 const struct oc_evidence_source *source)
{
    if (query->until_unix_ms == INT64_MAX || query->until_unix_ms <= 0)
        return !source->is_over;
    return unix_of(reader, source, source->begin_boot_ms) <= query->until_unix_ms &&
           unix_of(reader, source, source->end_boot_ms) >= query->until_unix_ms;
}

/* Whether a life that is over is a better answer than another: it really ended, and later. */
static int is_newer(oc_reader *reader, const struct oc_evidence_source *a, int a_went_on,
                    const struct oc_evidence_source *b, int b_went_on)
{
    int64_t a_end = unix_of(reader, a, a->end_boot_ms), b_end = unix_of(reader, b, b->end_boot_ms);

    if (a_went_on != b_went_on)
        return b_went_on;
    return a_end != b_end ? a_end > b_end : a->id > b->id;
}

struct casting {
    oc_reader *reader;
    const struct oc_evidence_query *query;
    struct oc_evidence_cast *cast;
    struct oc_evidence_source newest; /* of those that are over */
    int has_newest, newest_went_on;
};

static void consider(struct casting *casting, sqlite3_stmt *statement)
{
    struct oc_evidence_cast *cast = casting->cast;
    struct oc_evidence_source source;
    int end = sqlite3_column_int(statement, COLUMN_END);
    int went_on = end == OC_END_EXECED || end == OC_END_UNWATCHED;

    read_source(statement, &source);
    if (source.kind == OC_SOURCE_GROUP)
        return;
    if (!casting->query->want_ended && lived(casting->reader, casting->query, &source)) {
        cast->in_all++;
        if (cast->count < OC_EVIDENCE_CANDIDATES)
            cast->items[cast->count++] = source;
        return;
    }
    if (source.is_over &&
        (!casting->has_newest ||
         is_newer(casting->reader, &source, went_on, &casting->newest, casting->newest_went_on))) {
        casting->newest = source;
        casting->newest_went_on = went_on;
        casting->has_newest = 1;
    }
}

/* The rows of a statement with its parameters bound; finalizes it. */
static int cast_rows(oc_reader *reader, const struct oc_evidence_query *query,
                     sqlite3_stmt *statement, struct oc_evidence_cast *cast)
{
    struct casting casting = { .reader = reader, .query = query, .cast = cast };
    int step;

    while ((step = sqlite3_step(statement)) == SQLITE_ROW)
        consider(&casting, statement);
    (void)sqlite3_finalize(statement); /* step told */
    if (oc_scan_code(step) < 0)
        return oc_scan_code(step);
    if (cast->count == 0 && casting.has_newest) {
        cast->items[cast->count++] = casting.newest;
        cast->in_all = 1;
    }
    return cast->count ? OC_OK : OC_E_NOENT;
}

/* Lives of a subject, or of a PID: parameter 1. */
static int cast_lives(oc_reader *reader, const struct oc_evidence_query *query, const char *where,
                      int64_t key, struct oc_evidence_cast *cast)
{
    sqlite3_stmt *statement = NULL;
    int rc = oc_scan_prepare(reader->scan.db, &statement, SOURCE_SQL "WHERE %s = ?1 ORDER BY s.id",
                             where);

    if (rc < 0) {
        (void)sqlite3_finalize(statement);
        return rc;
    }
    (void)sqlite3_bind_int64(statement, 1, key);
    return cast_rows(reader, query, statement, cast);
}

#define CGROUP_WORD "cgroup:"

/*
 * A cgroup has no regions of its own: who in it, or below it, grew tells why it did. Where nothing in it is
 * watched, it stands alone.
 */
static int cast_inside(oc_reader *reader, const struct oc_evidence_query *query,
                       struct oc_evidence_cast *cast)
{
    const char *path = cast->name + strlen(CGROUP_WORD);
    struct oc_evidence_cast inside = { .subject = cast->subject, .chosen = SIZE_MAX };
    sqlite3_stmt *statement = NULL;
    int rc;

    if (cast->items[0].kind != OC_SOURCE_CGROUP || strcmp(path, "/") == 0)
        return OC_OK;
    rc = oc_scan_prepare(reader->scan.db, &statement,
                         SOURCE_SQL "WHERE s.kind = %d AND (l.cgroup = ?1 OR substr(l.cgroup, 1, "
                                    "length(?1) + 1) = ?1 || '/') ORDER BY s.id",
                         (int)OC_SOURCE_PROCESS);
    if (rc < 0) {
        (void)sqlite3_finalize(statement);
        return rc;
    }
    (void)sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
    (void)oc_text_copy(inside.name, sizeof inside.name, cast->name);
    rc = cast_rows(reader, query, statement, &inside);
    if (rc == OC_OK)
        *cast = inside;
    return rc == OC_E_NOENT ? OC_OK : rc;
}

static int read_one(oc_reader *reader, uint32_t source, struct oc_evidence_source *out)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(reader->scan.db, &statement, SOURCE_SQL "WHERE s.id = %lld",
                             (long long)source);

    if (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        read_source(statement, out);
    (void)sqlite3_finalize(statement); /* step told */
    if (rc < 0)
        return rc;
    return step == SQLITE_ROW ? OC_OK : step == SQLITE_DONE ? OC_E_NOENT : oc_scan_code(step);
}

static int subject_of(oc_reader *reader, uint32_t source, struct oc_evidence_cast *cast)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT b.id, b.name FROM main.source s JOIN main.subject b ON b.id = "
                             "s.subject WHERE s.id = %lld",
                             (long long)source);

    if (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 1);

        cast->subject = sqlite3_column_int64(statement, 0);
        (void)oc_text_copy(cast->name, sizeof cast->name, name ? name : "");
    }
    (void)sqlite3_finalize(statement); /* step told */
    if (rc < 0)
        return rc;
    return step == SQLITE_ROW ? OC_OK : step == SQLITE_DONE ? OC_E_NOENT : oc_scan_code(step);
}

/* The given one among the others of its subject; it alone where it is none of them. */
static int cast_around(oc_reader *reader, const struct oc_evidence_query *query,
                       const struct oc_evidence_source *source, struct oc_evidence_cast *cast)
{
    struct oc_evidence_query others = *query;
    int rc;

    others.want_ended = 0;
    rc = cast_lives(reader, &others, "s.subject", cast->subject, cast);
    if (rc < 0 && rc != OC_E_NOENT)
        return rc;
    for (size_t i = 0; i < cast->count; i++)
        if (cast->items[i].id == source->id)
            cast->chosen = i;
    if (cast->chosen != SIZE_MAX)
        return OC_OK;
    if (source->is_over || cast->count == 0) {
        cast->count = cast->in_all = 1;
        cast->chosen = 0;
    } else { /* more run than are looked at */
        cast->chosen = cast->count - 1;
    }
    cast->items[cast->chosen] = *source;
    return OC_OK;
}

static int pick_source(oc_reader *reader, const struct oc_evidence_query *query, uint32_t id,
                       struct oc_evidence_cast *cast)
{
    struct oc_evidence_source source = { 0 };
    int rc = read_one(reader, id, &source);

    if (rc == OC_OK)
        rc = subject_of(reader, id, cast);
    if (rc < 0)
        return rc;
    if (source.kind == OC_SOURCE_GROUP) /* a sum: of its members */
        return cast_lives(reader, query, "s.subject", cast->subject, cast);
    rc = cast_around(reader, query, &source, cast);
    return rc < 0 ? rc : cast_inside(reader, query, cast);
}

static int pick_pid(oc_reader *reader, const struct oc_evidence_query *query,
                    struct oc_evidence_cast *cast)
{
    int rc = cast_lives(reader, query, "l.pid", query->pid, cast);
    uint32_t id;

    if (rc < 0)
        return rc;
    id = cast->items[cast->count - 1].id; /* the newest of those with that PID */
    memset(cast, 0, sizeof *cast);
    cast->chosen = SIZE_MAX;
    return pick_source(reader, query, id, cast);
}

int oc_evidence_pick(oc_reader *reader, const struct oc_evidence_query *query,
                     struct oc_evidence_cast *out_cast)
{
    int rc = OC_E_INVAL;

    memset(out_cast, 0, sizeof *out_cast);
    out_cast->chosen = SIZE_MAX;
    if (query->subject) {
        rc = find_subject(reader, query, &out_cast->subject);
        if (rc == OC_OK)
            rc = cast_lives(reader, query, "s.subject", out_cast->subject, out_cast);
        if (rc == OC_OK)
            rc = subject_of(reader, out_cast->items[0].id, out_cast);
        return rc < 0 ? rc : cast_inside(reader, query, out_cast);
    }
    if (query->source)
        return pick_source(reader, query, query->source, out_cast);
    return query->pid ? pick_pid(reader, query, out_cast) : rc;
}

/* ---- kin ---- */

/* A source of a subject that ran beside the first of the kin. 1, 0 or a code. */
static int add_kin(sqlite3_stmt *statement, struct oc_evidence_kin *kin, const char *subject,
                   enum oc_source_kind kind)
{
    const struct oc_evidence_source *self = &kin->items[0];
    int step;

    if (kin->count == OC_EVIDENCE_KIN)
        return 0;
    (void)sqlite3_bind_text(statement, 1, subject, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(statement, 2, (int)kind);
    (void)sqlite3_bind_int64(statement, 3, self->boot);
    (void)sqlite3_bind_int64(statement, 4, self->end_boot_ms);
    (void)sqlite3_bind_int64(statement, 5, self->begin_boot_ms);
    step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        read_source(statement, &kin->items[kin->count++]);
    (void)sqlite3_reset(statement); /* says again what step said */
    return step == SQLITE_ROW ? 1 : oc_scan_code(step);
}

/* The cgroup and those above it, the nearest first. */
static int add_cgroups(sqlite3_stmt *statement, struct oc_evidence_kin *kin, const char *cgroup)
{
    char name[8 + 512];
    char *path = name + 7, *slash;
    int rc = 0;

    if (cgroup[0] != '/')
        return 0;
    (void)snprintf(name, sizeof name, "cgroup:%s", cgroup);
    while (rc >= 0) {
        rc = add_kin(statement, kin, name, OC_SOURCE_CGROUP);
        if (rc == 1 && !kin->cgroup)
            kin->cgroup = kin->count - 1;
        slash = strrchr(path, '/');
        if (!slash || !path[1])
            break;
        slash[slash == path] = '\0'; /* the root keeps its own */
    }
    return rc;
}

int oc_evidence_find_kin(oc_reader *reader, const struct oc_evidence_source *source,
                         const char *subject, const char *cgroup, struct oc_evidence_kin *out_kin)
{
    sqlite3_stmt *statement = NULL;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             SOURCE_SQL "JOIN main.subject b ON b.id = s.subject WHERE b.name = ?1 "
                                        "AND s.kind = ?2 AND s.boot = ?3 AND s.begin_ms <= ?4 AND "
                                        "(s.end_ms IS NULL OR s.end_ms >= ?5) ORDER BY s.id DESC "
                                        "LIMIT 1");

    memset(out_kin, 0, sizeof *out_kin);
    out_kin->items[0] = *source;
    out_kin->count = 1;
    if (rc == OC_OK && source->kind == OC_SOURCE_PROCESS)
        rc = add_kin(statement, out_kin, subject, OC_SOURCE_GROUP);
    if (rc >= 0)
        rc = add_cgroups(statement, out_kin, cgroup);
    if (rc >= 0 && source->kind != OC_SOURCE_HOST) {
        rc = add_kin(statement, out_kin, "host", OC_SOURCE_HOST);
        if (rc == 1)
            out_kin->host = out_kin->count - 1;
    }
    (void)sqlite3_finalize(statement); /* nothing is running */
    return rc < 0 ? rc : OC_OK;
}
