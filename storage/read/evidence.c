/*
 * How something grew between two times, gathered from all that the store has of it: who is meant
 * (evidence_pick.c), since when (evidence_said.c), figures (evidence_look.c), walks (evidence_walks.c).
 */
#include "storage/read/evidence.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int64_t oc_gathering_unix_ms(const struct oc_gathering *gathering, uint32_t boot, int64_t boot_ms)
{
    return oc_clockmap_unix_ms(&gathering->reader->scan.clock, boot, boot_ms);
}

static unsigned main_block(const struct oc_evidence_source *source)
{
    return oc_reader_main_block(source->kind);
}

int oc_gathering_is_now(const struct oc_evidence_query *query)
{
    return query->until_unix_ms == INT64_MAX || query->until_unix_ms <= 0;
}

/* ---- spans ---- */

/* From when on: as asked, but not before it began. */
int64_t oc_gathering_since(const struct oc_gathering *gathering,
                           const struct oc_evidence_source *source)
{
    int64_t since_ms = source->begin_boot_ms;

    if (gathering->since_unix_ms > 0) {
        int64_t asked_ms =
            oc_evidence_boot_ms(gathering->reader, source->boot, gathering->since_unix_ms);

        if (asked_ms > since_ms)
            since_ms = asked_ms;
    }
    return since_ms;
}

int64_t oc_gathering_until(const struct oc_gathering *gathering,
                           const struct oc_evidence_source *source)
{
    int64_t until_ms = source->end_boot_ms;

    if (!oc_gathering_is_now(gathering->query)) {
        int64_t asked_ms =
            oc_evidence_boot_ms(gathering->reader, source->boot, gathering->query->until_unix_ms);

        if (asked_ms < until_ms)
            until_ms = asked_ms;
    }
    return until_ms;
}

void oc_gathering_look(struct oc_look *look, const struct oc_evidence_source *source,
                       struct oc_look_cell *cells, unsigned base, unsigned cell_count)
{
    memset(cells, 0, cell_count * sizeof *cells);
    *look = (struct oc_look){ .source = source->id,
                              .boot = source->boot,
                              .main_block = main_block(source),
                              .interval_ms = source->interval_ms,
                              .cells = cells,
                              .base = base,
                              .cell_count = cell_count };
}

/* ---- what is known of it by name ---- */

static void copy_column(sqlite3_stmt *statement, int column, char *out, size_t out_bytes)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    oc_text_copy_utf8(out, out_bytes, text ? text : "", text ? strlen(text) : 0);
}

static void put_end(struct oc_gathering *gathering, sqlite3_stmt *statement)
{
    struct oc_evidence *evidence = gathering->evidence;
    const struct oc_evidence_source *source = &gathering->source;
    int killer = sqlite3_column_int(statement, 6);

    evidence->has_end = 1;
    evidence->is_live = 0;
    evidence->end = (enum oc_end)sqlite3_column_int(statement, 4);
    evidence->status = sqlite3_column_int(statement, 5);
    if (killer > 0 && killer <= (int)OC_KILLER_IIS)
        evidence->killer = (enum oc_killer)killer;
    copy_column(statement, 7, evidence->killer_scope, sizeof evidence->killer_scope);
    evidence->end_unix_ms = oc_gathering_unix_ms(gathering, source->boot, source->end_boot_ms);
}

#define COLUMN_SUBJECT 8
#define COLUMN_PLAN 9

static int put_facts(struct oc_gathering *gathering)
{
    struct oc_evidence *evidence = gathering->evidence;
    const struct oc_evidence_source *source = &gathering->source;
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(gathering->reader->scan.db, &statement,
                             "SELECT l.name, l.exe, l.cgroup, l.cmdline, s.\"end\", s.status, "
                             "s.killer, s.killer_scope, b.name, l.plan FROM main.source s "
                             "LEFT JOIN main.life l ON l.source = s.id "
                             "LEFT JOIN main.subject b ON b.id = s.subject WHERE s.id = %lld",
                             (long long)source->id);

    evidence->source = source->id;
    evidence->source_kind = source->kind;
    evidence->pid = source->pid;
    evidence->status = -1;
    evidence->is_live = 1;
    evidence->begin_unix_ms = oc_gathering_unix_ms(gathering, source->boot, source->begin_boot_ms);
    if (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        copy_column(statement, 0, evidence->name, sizeof evidence->name);
        copy_column(statement, 1, evidence->exe, sizeof evidence->exe);
        copy_column(statement, 2, evidence->cgroup, sizeof evidence->cgroup);
        copy_column(statement, 3, evidence->cmdline, sizeof evidence->cmdline);
        /* its own: of a cgroup who in it grew was chosen */
        copy_column(statement, COLUMN_PLAN, evidence->plan, sizeof evidence->plan);
        copy_column(statement, COLUMN_SUBJECT, evidence->subject, sizeof evidence->subject);
        (void)oc_text_copy(gathering->cast.name, sizeof gathering->cast.name, evidence->subject);
        if (source->is_over)
            put_end(gathering, statement);
    }
    (void)sqlite3_finalize(statement); /* step told */
    return rc < 0 ? rc : oc_scan_code(step);
}

/* A cgroup is its own, whatever life it has. */
static const char *cgroup_of(const struct oc_gathering *gathering)
{
    static const char prefix[] = "cgroup:";
    const char *name = gathering->cast.name;

    if (gathering->source.kind != OC_SOURCE_CGROUP)
        return gathering->evidence->cgroup;
    return strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : "";
}

/* ---- figures ---- */

static void take_block(struct oc_gathering *gathering, const struct oc_look *look, unsigned block)
{
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER(block, bit);

        oc_look_moved(look, number, &gathering->evidence->metrics[number]);
    }
}

static int by_source(const void *a, const void *b)
{
    const struct oc_look *x = a, *y = b;

    return x->source != y->source ? (x->source < y->source ? -1 : 1) : 0;
}

static void take_figures(struct oc_gathering *gathering, const struct oc_look *look)
{
    struct oc_evidence *evidence = gathering->evidence;

    if (look->source != gathering->source.id) {
        take_block(gathering, look, look->main_block);
        return;
    }
    for (unsigned block = 0; block < OC_BLOCK_COUNT; block++)
        if (block == look->main_block || gathering->source.kind == OC_SOURCE_SELF)
            take_block(gathering, look, block);
    evidence->samples = look->samples > UINT32_MAX ? UINT32_MAX : (uint32_t)look->samples;
    evidence->is_one_look = 1;
    if (look->first_ms > look->last_ms)
        return;
    evidence->is_one_look = look->first_ms == look->last_ms;
    evidence->then_unix_ms = oc_gathering_unix_ms(gathering, look->boot, look->first_ms);
    evidence->now_unix_ms = oc_gathering_unix_ms(gathering, look->boot, look->last_ms);
    gathering->since_boot_ms = look->first_ms;
    gathering->until_boot_ms = look->last_ms;
}

static size_t add_look(struct oc_gathering *gathering, size_t count, size_t kin)
{
    struct oc_look *look = &gathering->looks[count];

    oc_gathering_look(look, &gathering->kin.items[kin], gathering->cells[count], 0, OC_METRIC_MAX);
    look->since_boot_ms = gathering->since_boot_ms;
    look->until_boot_ms = gathering->until_boot_ms;
    return count + 1;
}

/* Of itself, and of the cgroup and the host it lives in, of the same time. */
static int put_figures(struct oc_gathering *gathering)
{
    const struct oc_evidence_kin *kin = &gathering->kin;
    size_t count = add_look(gathering, 0, 0);
    int rc;

    if (kin->cgroup)
        count = add_look(gathering, count, kin->cgroup);
    if (kin->host)
        count = add_look(gathering, count, kin->host);
    qsort(gathering->looks, count, sizeof *gathering->looks, by_source);
    rc = oc_look(gathering->reader, gathering->looks, count);
    for (size_t i = 0; i < count && rc == OC_OK; i++)
        take_figures(gathering, &gathering->looks[i]);
    return rc;
}

/* ---- all of it ---- */

/* Who it is: in one transaction. */
static int gather_who(struct oc_gathering *gathering)
{
    int rc = oc_reader_begin(gathering->reader);

    if (rc == OC_OK)
        rc = oc_evidence_pick(gathering->reader, gathering->query, &gathering->cast);
    if (rc == OC_OK)
        rc = oc_evidence_choose(gathering);
    if (rc == OC_OK)
        rc = put_facts(gathering);
    if (rc == OC_OK)
        rc = oc_evidence_find_kin(gathering->reader, &gathering->source, gathering->cast.name,
                                  cgroup_of(gathering), &gathering->kin);
    oc_reader_end(gathering->reader);
    return rc;
}

/* What is said of it, and so since when. */
static int gather_said(struct oc_gathering *gathering, int64_t *out_since_unix_ms)
{
    struct oc_evidence *evidence = gathering->evidence;
    struct oc_prior_program program = { 0 };
    int64_t by_unix_ms =
        oc_gathering_is_now(gathering->query) ? INT64_MAX : gathering->query->until_unix_ms;
    int rc;

    if (evidence->has_end && by_unix_ms > evidence->end_unix_ms)
        by_unix_ms = evidence->end_unix_ms;
    rc = oc_evidence_forecasts(gathering->reader, &gathering->kin, by_unix_ms, evidence,
                               out_since_unix_ms);
    if (rc < 0)
        return rc;
    rc = oc_reader_program(gathering->reader, evidence->subject, &program);
    evidence->program_since_unix_ms = program.since_unix_ms; /* a damaged one is unknown */
    return rc == OC_E_NOMEM || rc == OC_E_BUSY ? rc : OC_OK;
}

/* How it was then and now: in one transaction. */
static int gather_growth(struct oc_gathering *gathering)
{
    int rc = oc_reader_begin(gathering->reader);

    gathering->since_boot_ms = oc_gathering_since(gathering, &gathering->source);
    gathering->until_boot_ms = oc_gathering_until(gathering, &gathering->source);
    if (rc == OC_OK)
        rc = oc_evidence_members(gathering);
    if (rc == OC_OK)
        rc = put_figures(gathering);
    if (rc == OC_OK)
        oc_evidence_settle_members(gathering);
    if (rc == OC_OK)
        rc = oc_evidence_walks(gathering->reader, &gathering->source, gathering->since_boot_ms,
                               gathering->until_boot_ms, gathering->evidence);
    oc_reader_end(gathering->reader);
    return rc;
}

static int gather(struct oc_gathering *gathering)
{
    struct oc_evidence *evidence = gathering->evidence;
    int64_t since_unix_ms = 0;
    int rc;

    gathering->since_unix_ms =
        gathering->query->since_unix_ms > 0 ? gathering->query->since_unix_ms : 0;
    gathering->ranked_since_unix_ms = -1;
    rc = gather_who(gathering);

    if (rc == OC_OK)
        rc = gather_said(gathering, &since_unix_ms);
    if (gathering->since_unix_ms <= 0)
        gathering->since_unix_ms = since_unix_ms;
    if (rc == OC_OK)
        rc = gather_growth(gathering);
    if (rc == OC_OK)
        rc = oc_evidence_limits(
            gathering->reader, &gathering->kin,
            evidence->now_unix_ms ? evidence->now_unix_ms : evidence->begin_unix_ms, evidence);
    return rc;
}

int oc_reader_evidence(oc_reader *reader, const struct oc_evidence_query *query,
                       struct oc_evidence *out_evidence)
{
    struct oc_gathering *gathering = oc_calloc(1, sizeof *gathering);
    struct oc_evidence *evidence = oc_calloc(1, sizeof *evidence);
    int rc = OC_E_NOMEM;

    if (gathering && evidence) {
        gathering->reader = reader;
        gathering->query = query;
        gathering->evidence = evidence;
        (void)oc_text_copy(evidence->os, sizeof evidence->os, oc_os_name());
        rc = gather(gathering);
        if (rc == OC_OK)
            *out_evidence = *evidence;
    }
    oc_free(gathering);
    oc_free(evidence);
    return rc;
}
