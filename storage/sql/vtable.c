/*
 * The virtual tables of SQL: samples, samples_minute and samples_hour. Eponymous: they are there
 * without a CREATE. Conditions on subject (=, GLOB), source, metric, pid and t are pushed down.
 */
#include "storage/sql/cursor.h"

#include "base/alloc.h"
#include "storage/reader.h"
#include "storage/sql/views.h"

#include <string.h>

/* Columns that all three have at the same place, and those of their own between them. */
enum { COLUMN_SUBJECT, COLUMN_SOURCE, COLUMN_METRIC, COLUMN_T, COLUMN_FIRST_FIGURE };
enum { FIGURE_MIN, FIGURE_MAX, FIGURE_MEAN, FIGURE_LAST, FIGURE_COUNT, TIER_FIGURES };
enum { HIDDEN_PID, HIDDEN_KIND, HIDDEN_BOOT, HIDDEN_BOOT_MS };

struct table {
    const char *name;
    enum oc_tier tier;
    int figures; /* columns between t and the hidden ones */
    const char *declaration;
};

static const struct table tables[] = {
    { .name = "samples",
      .tier = OC_TIER_RAW,
      .figures = 1,
      .declaration = "CREATE TABLE x(subject TEXT, source INTEGER, metric TEXT, t INTEGER, "
                     "value INTEGER, pid INTEGER HIDDEN, kind TEXT HIDDEN, boot INTEGER HIDDEN, "
                     "boot_ms INTEGER HIDDEN)" },
    { .name = "samples_minute",
      .tier = OC_TIER_MINUTE,
      .figures = TIER_FIGURES,
      .declaration = "CREATE TABLE x(subject TEXT, source INTEGER, metric TEXT, t INTEGER, "
                     "min INTEGER, max INTEGER, mean REAL, last INTEGER, count INTEGER, "
                     "pid INTEGER HIDDEN, kind TEXT HIDDEN, boot INTEGER HIDDEN, "
                     "boot_ms INTEGER HIDDEN)" },
    { .name = "samples_hour",
      .tier = OC_TIER_HOUR,
      .figures = TIER_FIGURES,
      .declaration = "CREATE TABLE x(subject TEXT, source INTEGER, metric TEXT, t INTEGER, "
                     "min INTEGER, max INTEGER, mean REAL, last INTEGER, count INTEGER, "
                     "pid INTEGER HIDDEN, kind TEXT HIDDEN, boot INTEGER HIDDEN, "
                     "boot_ms INTEGER HIDDEN)" },
};

struct vtab {
    sqlite3_vtab base; /* first: SQLite's pointer is ours */
    sqlite3 *db;
    const struct table *table;
};

struct vcursor {
    sqlite3_vtab_cursor base;
    struct oc_vcursor cursor;
};

static int sqlite_code(int rc)
{
    switch (rc) {
    case OC_E_NOMEM:
        return SQLITE_NOMEM;
    case OC_E_BUSY:
        return SQLITE_BUSY;
    case OC_E_AGAIN:
        return SQLITE_INTERRUPT;
    case OC_E_PARSE:
    case OC_E_CORRUPT:
        return SQLITE_CORRUPT_VTAB;
    case OC_E_TOOBIG:
        return SQLITE_TOOBIG;
    default:
        return rc < 0 ? SQLITE_ERROR : SQLITE_OK;
    }
}

static int connect_table(sqlite3 *db, void *context, int argc, const char *const *argv,
                         sqlite3_vtab **out_vtab, char **out_error)
{
    const struct table *table = context;
    struct vtab *vtab;
    int rc = sqlite3_declare_vtab(db, table->declaration);

    (void)argc;
    (void)argv;
    (void)out_error;
    if (rc != SQLITE_OK)
        return rc;
    (void)sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    vtab = oc_calloc(1, sizeof *vtab);
    if (!vtab)
        return SQLITE_NOMEM;
    vtab->db = db;
    vtab->table = table;
    *out_vtab = &vtab->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *vtab)
{
    oc_free(vtab);
    return SQLITE_OK;
}

/* ---- which conditions are pushed down ---- */

enum push {
    PUSH_SUBJECT,
    PUSH_GLOB,
    PUSH_SOURCE,
    PUSH_METRIC,
    PUSH_PID,
    PUSH_SINCE,
    PUSH_UNTIL,
    PUSH_AT,
    PUSH_COUNT,
    PUSH_NONE = PUSH_COUNT
};

/* How much of all rows a condition leaves, 1 in so many: guesses that put the plans in order. */
static const double selectivity[PUSH_COUNT] = {
    [PUSH_SUBJECT] = 300, [PUSH_GLOB] = 50, [PUSH_SOURCE] = 1000, [PUSH_METRIC] = 20,
    [PUSH_PID] = 1000,    [PUSH_SINCE] = 5, [PUSH_UNTIL] = 2,     [PUSH_AT] = 5000,
};

static enum push push_of_time(unsigned char op)
{
    switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return PUSH_AT;
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
        return PUSH_SINCE;
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
        return PUSH_UNTIL;
    default:
        return PUSH_NONE;
    }
}

static enum push push_of(const struct table *table,
                         const struct sqlite3_index_constraint *constraint)
{
    int is_equal = constraint->op == SQLITE_INDEX_CONSTRAINT_EQ;

    if (constraint->iColumn == COLUMN_T)
        return push_of_time(constraint->op);
    if (constraint->iColumn == COLUMN_SUBJECT && constraint->op == SQLITE_INDEX_CONSTRAINT_GLOB)
        return PUSH_GLOB;
    if (!is_equal)
        return PUSH_NONE;
    if (constraint->iColumn == COLUMN_SUBJECT)
        return PUSH_SUBJECT;
    if (constraint->iColumn == COLUMN_SOURCE)
        return PUSH_SOURCE;
    if (constraint->iColumn == COLUMN_METRIC)
        return PUSH_METRIC;
    if (constraint->iColumn == COLUMN_FIRST_FIGURE + table->figures + HIDDEN_PID)
        return PUSH_PID;
    return PUSH_NONE;
}

/*
 * idxNum: a bit for each condition pushed, whose values come in the order of enum push. SQLite
 * checks every condition again (omit stays 0), so that its rules of comparing hold.
 */
static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const struct table *table = ((struct vtab *)(void *)base)->table;
    int place[PUSH_COUNT];
    int args = 0;
    double rows = 1e9;

    for (int push = 0; push < PUSH_COUNT; push++)
        place[push] = -1;
    for (int i = 0; i < info->nConstraint; i++) {
        enum push push = push_of(table, &info->aConstraint[i]);

        if (push != PUSH_NONE && info->aConstraint[i].usable && place[push] < 0)
            place[push] = i;
    }
    for (int push = 0; push < PUSH_COUNT; push++) {
        if (place[push] < 0)
            continue;
        info->aConstraintUsage[place[push]].argvIndex = ++args;
        info->idxNum |= 1 << push;
        rows /= selectivity[push];
    }
    info->estimatedRows = rows < 1 ? 1 : (sqlite3_int64)rows;
    info->estimatedCost = rows + 1000; /* some µs to begin */
    return SQLITE_OK;
}

/* ---- the cursor ---- */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out_cursor)
{
    struct vtab *vtab = (struct vtab *)(void *)base;
    struct vcursor *cursor = oc_calloc(1, sizeof *cursor);

    if (!cursor)
        return SQLITE_NOMEM;
    if (oc_vcursor_init(&cursor->cursor, vtab->db, vtab->table->tier) < 0) {
        oc_vcursor_clear(&cursor->cursor);
        oc_free(cursor);
        return SQLITE_NOMEM;
    }
    *out_cursor = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    struct vcursor *cursor = (struct vcursor *)(void *)base;

    oc_vcursor_clear(&cursor->cursor);
    oc_free(cursor);
    return SQLITE_OK;
}

static int finish(struct vcursor *cursor, int rc)
{
    sqlite3_vtab *vtab = cursor->base.pVtab;

    if (rc < 0 && cursor->cursor.detail.text[0]) {
        sqlite3_free(vtab->zErrMsg);
        vtab->zErrMsg = sqlite3_mprintf("%s", cursor->cursor.detail.text);
    }
    return sqlite_code(rc);
}

static int metric_number(sqlite3_value *value)
{
    const unsigned char *name = sqlite3_value_text(value);
    const struct oc_metric_row *row = name ? oc_metric_by_name((const char *)name) : NULL;

    return row ? row->number : -2;
}

/* A bound that is no number bounds nothing here: SQLite knows how text compares. */
static void narrow(sqlite3_value *value, int64_t *bound_unix_ms)
{
    int type = value ? sqlite3_value_type(value) : SQLITE_NULL;

    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
        *bound_unix_ms = sqlite3_value_int64(value);
}

static void read_filter(int pushed, sqlite3_value **argv, struct oc_vfilter *out_filter)
{
    sqlite3_value *values[PUSH_COUNT] = { NULL };

    for (int push = 0, arg = 0; push < PUSH_COUNT; push++) {
        if (pushed & (1 << push))
            values[push] = argv[arg++];
    }
    *out_filter = (struct oc_vfilter){ .subject = values[PUSH_SUBJECT],
                                       .glob = values[PUSH_GLOB],
                                       .source = values[PUSH_SOURCE],
                                       .pid = values[PUSH_PID],
                                       .since_unix_ms = INT64_MIN,
                                       .until_unix_ms = INT64_MAX,
                                       .metric = -1 };
    if (values[PUSH_METRIC])
        out_filter->metric = metric_number(values[PUSH_METRIC]);
    narrow(values[PUSH_SINCE], &out_filter->since_unix_ms);
    narrow(values[PUSH_UNTIL], &out_filter->until_unix_ms);
    narrow(values[PUSH_AT], &out_filter->since_unix_ms);
    narrow(values[PUSH_AT], &out_filter->until_unix_ms);
}

static int filter(sqlite3_vtab_cursor *base, int pushed, const char *text, int argc,
                  sqlite3_value **argv)
{
    struct vcursor *cursor = (struct vcursor *)(void *)base;
    struct oc_vfilter wanted;

    (void)text;
    (void)argc;
    read_filter(pushed, argv, &wanted);
    return finish(cursor, oc_vcursor_filter(&cursor->cursor, &wanted));
}

static int next(sqlite3_vtab_cursor *base)
{
    struct vcursor *cursor = (struct vcursor *)(void *)base;

    return finish(cursor, oc_vcursor_next(&cursor->cursor));
}

static int at_end(sqlite3_vtab_cursor *base)
{
    return oc_vcursor_at_end(&((struct vcursor *)(void *)base)->cursor);
}

static void metric_column(sqlite3_context *context, unsigned number)
{
    const struct oc_metric_row *row = oc_metric_by_number(number);
    char text[24];

    if (row) {
        sqlite3_result_text(context, row->name, -1, SQLITE_STATIC);
        return;
    }
    (void)sqlite3_snprintf((int)sizeof text, text, "metric_%u", number); /* of a newer oomcast */
    sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static void tier_figure(sqlite3_context *context, const struct oc_vcursor *cursor, int figure)
{
    struct oc_vtier tier = oc_vcursor_tier(cursor);

    if (figure == FIGURE_MIN)
        sqlite3_result_int64(context, tier.min);
    else if (figure == FIGURE_MAX)
        sqlite3_result_int64(context, tier.max);
    else if (figure == FIGURE_MEAN)
        sqlite3_result_double(context, tier.mean);
    else if (figure == FIGURE_LAST)
        sqlite3_result_int64(context, oc_vcursor_value(cursor));
    else
        sqlite3_result_int64(context, tier.count);
}

static void hidden_column(sqlite3_context *context, const struct oc_vcursor *cursor, int hidden)
{
    const struct oc_vsource *source = oc_vcursor_source(cursor);

    if (hidden == HIDDEN_KIND)
        sqlite3_result_text(context, oc_source_kind_name((enum oc_source_kind)source->kind), -1,
                            SQLITE_STATIC);
    else if (hidden == HIDDEN_BOOT)
        sqlite3_result_int64(context, (sqlite3_int64)source->boot);
    else if (hidden == HIDDEN_BOOT_MS)
        sqlite3_result_int64(context, cursor->t_boot_ms);
    else if (source->pid != 0)
        sqlite3_result_int64(context, (sqlite3_int64)source->pid);
}

static void figure_column(sqlite3_context *context, const struct oc_vcursor *cursor, int figure,
                          int figures)
{
    if (figure >= figures)
        hidden_column(context, cursor, figure - figures);
    else if (figures == 1)
        sqlite3_result_int64(context, oc_vcursor_value(cursor));
    else
        tier_figure(context, cursor, figure);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
    const struct oc_vcursor *cursor = &((struct vcursor *)(void *)base)->cursor;
    const struct table *table = ((struct vtab *)(void *)base->pVtab)->table;

    switch (index) {
    case COLUMN_SUBJECT:
        sqlite3_result_text(context, oc_vcursor_subject(cursor), -1, SQLITE_TRANSIENT);
        break;
    case COLUMN_SOURCE:
        sqlite3_result_int64(context, (sqlite3_int64)oc_vcursor_source(cursor)->source);
        break;
    case COLUMN_METRIC:
        metric_column(context, cursor->metric);
        break;
    case COLUMN_T:
        sqlite3_result_int64(context, cursor->t_unix_ms);
        break;
    default:
        figure_column(context, cursor, index - COLUMN_FIRST_FIGURE, table->figures);
    }
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out_rowid)
{
    *out_rowid = ((struct vcursor *)(void *)base)->cursor.rowid;
    return SQLITE_OK;
}

/* No xCreate: the tables are eponymous and only that. */
static const sqlite3_module module = {
    .xConnect = connect_table,
    .xDisconnect = disconnect_table,
    .xBestIndex = best_index,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = rowid,
};

int oc_vtable_register(struct sqlite3 *db)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        int rc = sqlite3_create_module_v2(db, tables[i].name, &module,
                                          (void *)(uintptr_t)&tables[i], NULL);

        if (rc != SQLITE_OK)
            return oc_scan_code(rc);
    }
    return oc_views_create(db);
}
