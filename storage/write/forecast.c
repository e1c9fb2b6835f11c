/*
 * What is forecast, into the file: of what is said with each decision only what is news. What was
 * last written of each limit is kept in memory, so that saying the same again costs a comparison.
 */
#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define OC_DAY_MS INT64_C(86400000)
#define OC_CALM_MS INT64_C(21600000)  /* what does not grow is written again after so long … */
#define OC_GROWING_MS INT64_C(600000) /* … and what grows, but for all of it … */
#define OC_GROWING_ROWS_A_DAY 24000   /* … no more than so often: 1.6 MB */
#define OC_MOVES 2                    /* a p50 that jumps is written so much more often … */
#define OC_NEAR_MS INT64_C(60000)     /* … or after a tenth of what is left, at least this */
/* Beyond this, a row of a source takes the place of the one before it; beyond twice as many there
 * is no new one: limits that come and go. */
#define OC_SOURCE_ROWS_A_DAY 288
#define OC_MOVED 0.1

enum verdict { OC_SAY_NOTHING, OC_SAY_ROW, OC_SAY_INSTEAD };

struct saying {
    oc_store *store;
    struct oc_open_source *open;
    const struct oc_forecast_row *rows;
    size_t count;
    uint8_t verdicts[OC_STORE_MAX_FORECASTS]; /* enum verdict, a row each */
    uint8_t stays[OC_STORE_MAX_FORECASTS];    /* of what was said before, still there */
    unsigned before;                          /* that were said before */
    unsigned puts, day_rows;
    int64_t last_ms;
};

/* ---- what is news ---- */

static int grows(unsigned state)
{
    return state == OC_FORECAST_GROWING || state == OC_FORECAST_LEAKING ||
           state == OC_FORECAST_SAVED;
}

static int32_t place_of(const struct oc_limit *limit)
{
    char where[OC_LIMIT_WHERE_BYTES];

    (void)oc_text_copy(where, sizeof where, limit->where);
    return oc_text_hash(where, strlen(where));
}

/* Index of what was said of this limit; said->count: nothing. */
static unsigned find_said(const struct oc_said_list *said, const struct oc_forecast_row *row,
                          int32_t place)
{
    unsigned i = 0;

    while (i < said->count &&
           (said->items[i].metric != row->forecast.metric ||
            said->items[i].kind != row->limit.kind || said->items[i].place != place))
        i++;
    return i;
}

/* After how long the same is written again: longer where much grows at a time. */
static int64_t interval_ms(const oc_store *store, unsigned state)
{
    int64_t fair_ms = OC_DAY_MS / OC_GROWING_ROWS_A_DAY * store->growing;

    if (!grows(state))
        return OC_CALM_MS;
    if (fair_ms > OC_CALM_MS)
        return OC_CALM_MS;
    return fair_ms > OC_GROWING_MS ? fair_ms : OC_GROWING_MS;
}

/* Whether the time of the end is another than what was said, by more than a tenth of what is left. */
static int has_moved(const struct oc_said *said, const struct oc_forecast *now)
{
    double expected_s = said->p50_s - (double)(now->t_ms - said->t_ms) / 1000.0;

    if (!oc_store_is_number(said->p50_s) || !oc_store_is_number(now->p50_s))
        return (said->p50_s >= 0) != (now->p50_s >= 0) || /* NAN is not */
               oc_store_is_number(said->p50_s) != oc_store_is_number(now->p50_s);
    return fabs(now->p50_s - expected_s) > OC_MOVED * fmax(fabs(now->p50_s), 60.0);
}

/* After how long one that jumped is written: near the end it is wanted soon. */
static int64_t move_ms(int64_t interval_ms, double left_s)
{
    int64_t step_ms = interval_ms / OC_MOVES;
    double near_ms = fmax(left_s * 1000.0 * OC_MOVED, (double)OC_NEAR_MS);

    return near_ms < (double)step_ms ? (int64_t)near_ms : step_ms;
}

static enum verdict judge(const struct saying *saying, const struct oc_said *said,
                          const struct oc_forecast *now)
{
    int64_t age_ms = now->t_ms - said->t_ms;
    int64_t interval = interval_ms(saying->store, now->state);
    int has_room = saying->day_rows < OC_SOURCE_ROWS_A_DAY;

    if (age_ms < 0 || (age_ms == 0 && now->state == said->state))
        return OC_SAY_NOTHING;
    if (now->state != said->state)
        return has_room ? OC_SAY_ROW : OC_SAY_INSTEAD;
    if (age_ms >= interval || (age_ms >= move_ms(interval, now->p50_s) && has_moved(said, now)))
        return has_room ? OC_SAY_ROW : OC_SAY_INSTEAD;
    return OC_SAY_NOTHING;
}

static void judge_row(struct saying *saying, size_t i)
{
    const struct oc_said_list *said = saying->open->said;
    const struct oc_forecast_row *row = &saying->rows[i];
    unsigned at = find_said(said, row, place_of(&row->limit));
    enum verdict verdict =
        saying->day_rows < 2 * OC_SOURCE_ROWS_A_DAY ? OC_SAY_ROW : OC_SAY_NOTHING;

    if (at < said->count) {
        saying->stays[at] = 1;
        verdict = judge(saying, &said->items[at], &row->forecast);
    }
    saying->verdicts[i] = (uint8_t)verdict;
    saying->puts += verdict != OC_SAY_NOTHING;
    saying->day_rows += verdict == OC_SAY_ROW;
    if (row->forecast.t_ms > saying->last_ms)
        saying->last_ms = row->forecast.t_ms;
}

static void judge_all(struct saying *saying)
{
    struct oc_said_list *said = saying->open->said;

    saying->last_ms = INT64_MIN;
    for (unsigned i = 0; i < said->count; i++)
        if (said->items[i].t_ms > saying->last_ms)
            saying->last_ms = said->items[i].t_ms;
    saying->before = said->count;
    saying->day_rows = saying->count && saying->rows[0].forecast.t_ms / OC_DAY_MS == said->day
                           ? said->day_rows
                           : 0;
    for (size_t i = 0; i < saying->count; i++)
        judge_row(saying, i);
    for (unsigned i = 0; i < said->count; i++)
        saying->puts += !saying->stays[i];
}

/* ---- what was said before, of an earlier run too ---- */

static void take_said(struct oc_said_list *said, sqlite3_stmt *statement)
{
    const char *place = (const char *)sqlite3_column_text(statement, 2);
    struct oc_said *item = &said->items[said->count++];

    place = place ? place : "";
    *item = (struct oc_said){ .kind = (uint8_t)sqlite3_column_int(statement, 0),
                              .metric = (uint16_t)sqlite3_column_int(statement, 1),
                              .place = oc_text_hash(place, strlen(place)),
                              .t_ms = sqlite3_column_int64(statement, 3),
                              .state = (uint8_t)sqlite3_column_int(statement, 4),
                              .p50_s = NAN };
    if (sqlite3_column_type(statement, 5) != SQLITE_NULL)
        item->p50_s = sqlite3_column_double(statement, 5);
}

static int load_said(oc_store *store, struct oc_open_source *open)
{
    struct oc_said_list *said = oc_calloc(1, sizeof *said);
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_FORECASTS_SAID);
    int step = SQLITE_DONE;

    if (!said || !statement) {
        oc_free(said);
        return said ? oc_sqlite_err(store->last_sqlite_rc) : OC_E_NOMEM;
    }
    (void)sqlite3_bind_int64(statement, 1, open->id);
    (void)sqlite3_bind_int(statement, 2, OC_STORE_MAX_FORECASTS);
    while (said->count < OC_STORE_MAX_FORECASTS && (step = sqlite3_step(statement)) == SQLITE_ROW)
        take_said(said, statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        oc_free(said);
        return oc_sqlite_err(step);
    }
    for (unsigned i = 0; i < said->count; i++)
        store->growing += (unsigned)grows(said->items[i].state);
    open->said = said;
    return OC_OK;
}

void oc_store_said_free(oc_store *store, struct oc_said_list *said)
{
    for (unsigned i = 0; said && i < said->count; i++)
        store->growing -= (unsigned)grows(said->items[i].state);
    oc_free(said);
}

/* ---- into the batch ---- */

static void remember(struct saying *saying, const struct oc_forecast_row *row)
{
    struct oc_said_list *said = saying->open->said;
    int32_t place = place_of(&row->limit);
    unsigned at = find_said(said, row, place);

    if (at == said->count)
        said->count++; /* there is room: see forget_gone() */
    else
        saying->store->growing -= (unsigned)grows(said->items[at].state);
    said->items[at] = (struct oc_said){ .kind = row->limit.kind,
                                        .metric = row->forecast.metric,
                                        .place = place,
                                        .t_ms = row->forecast.t_ms,
                                        .state = row->forecast.state,
                                        .p50_s = row->forecast.p50_s };
    saying->store->growing += (unsigned)grows(row->forecast.state);
}

static void put_end(struct oc_forecast_put *put, const struct saying *saying,
                    const struct oc_said *item)
{
    memset(put, 0, sizeof *put);
    put->is_end = 1;
    put->place = item->place; /* its text is not kept in memory */
    put->row.limit.kind = item->kind;
    put->row.forecast.metric = item->metric;
    put->row.forecast.t_ms = saying->last_ms;
}

/* Those that were said before and are not now: from the last to the first, so that they may go at once. */
static struct oc_forecast_put *forget_gone(struct saying *saying, struct oc_forecast_put *put)
{
    struct oc_said_list *said = saying->open->said;

    for (unsigned i = saying->before; i-- > 0;) {
        if (saying->stays[i])
            continue;
        put_end(put++, saying, &said->items[i]);
        saying->store->growing -= (unsigned)grows(said->items[i].state);
        said->items[i] = said->items[--said->count];
    }
    return put;
}

static void fill(struct saying *saying, struct oc_forecast_put *put)
{
    struct oc_said_list *said = saying->open->said;

    put = forget_gone(saying, put);
    for (size_t i = 0; i < saying->count; i++) {
        const struct oc_forecast_row *row = &saying->rows[i];
        unsigned at;

        if (saying->verdicts[i] == OC_SAY_NOTHING)
            continue;
        at = find_said(said, row, place_of(&row->limit));
        *put = (struct oc_forecast_put){ .row = *row, .replaces_ms = INT64_MIN };
        if (saying->verdicts[i] == OC_SAY_INSTEAD && at < said->count)
            put->replaces_ms = said->items[at].t_ms;
        put++;
        remember(saying, row);
    }
    if (saying->count) {
        said->day = saying->rows[0].forecast.t_ms / OC_DAY_MS;
        said->day_rows = saying->day_rows;
    }
}

int oc_store_forecasts(oc_store *store, uint32_t source, const struct oc_forecast_row *rows,
                       size_t count)
{
    struct saying saying = {
        .store = store, .open = oc_store_find(store, source), .rows = rows, .count = count
    };
    struct oc_op *op;
    size_t bytes;
    int rc = OC_OK;

    if (!saying.open || saying.open->ended)
        return OC_E_NOENT;
    if (count > OC_STORE_MAX_FORECASTS)
        return OC_E_TOOBIG;
    if (!saying.open->said)
        rc = load_said(store, saying.open);
    if (rc < 0)
        return rc;
    assert(saying.open->said);
    judge_all(&saying);
    if (saying.puts == 0)
        return OC_OK;
    bytes = saying.puts * sizeof(struct oc_forecast_put);
    if (!oc_store_has_room(store, bytes))
        return OC_E_TOOBIG;
    op = oc_store_add_op(store, OC_OP_FORECASTS, source, NULL, NULL);
    if (!op || !oc_store_add_load(store, op, bytes)) /* an op without one writes nothing */
        return OC_E_NOMEM;
    fill(&saying, op->load);
    return OC_OK;
}
