/* Forecasts of a source: told where they are news, and held against what happens. */
#include "daemon/forecast.h"

#include "daemon/daemon.h"

#include "base/alloc.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define LOOK_MS 600000        /* where nothing grows */
#define LOOK_GROWING_MS 60000 /* where something does; near the end sooner */
#define LOOK_LEAST_MS 1000
#define LOOK_MEETING_MS 10000
#define LOOK_PART 20       /* of the time that is left */
#define EXHAUSTED_MS 60000 /* who is refused memory for so long has met its end, alive or not */
#define RETRY_MS 10000     /* while the store takes nothing */
#define REPEAT_MS 600000   /* what grows is told again */
#define REPEAT_CALM_MS 21600000 /* and all else */
#define P50_PART 0.1            /* so much off is news */
#define TELL_WATCHED_S 3600     /* time under forecast alone is told this rarely */

static int is_growing(unsigned state)
{
    return state == OC_FORECAST_GROWING || state == OC_FORECAST_LEAKING ||
           state == OC_FORECAST_SAVED;
}

/* ---- news ---- */

/* Whether the end is expected at another time than was told. */
static int has_moved(const struct oc_track_said *said, const struct oc_forecast *forecast)
{
    double then_s = (double)said->p50_s - (double)(forecast->t_ms - said->ms) / 1000;

    if (!oc_is_number((double)said->p50_s) || !oc_is_number(forecast->p50_s))
        return oc_is_number((double)said->p50_s) != oc_is_number(forecast->p50_s);
    return fabs(forecast->p50_s - then_s) > P50_PART * forecast->p50_s;
}

static int is_news(const struct oc_track_said *said, const struct oc_forecast *forecast)
{
    int64_t repeat_ms = is_growing(forecast->state) ? REPEAT_MS : REPEAT_CALM_MS;

    if (said->ms == INT64_MIN) /* that nothing is known yet is no news */
        return forecast->state != OC_FORECAST_LEARNING;
    return said->state != forecast->state || has_moved(said, forecast) ||
           forecast->t_ms - said->ms >= repeat_ms;
}

static void note_said(struct oc_track_said *said, const struct oc_forecast *forecast)
{
    said->ms = forecast->t_ms;
    said->state = forecast->state;
    said->p50_s = (float)forecast->p50_s;
}

/* ---- the record ---- */

/* 0, or a code: it is kept, to be told with the next. */
static int tell_sum(struct oc_daemon *daemon, const struct oc_source *source,
                    const struct oc_track *track, const struct oc_track_limit *limit,
                    const struct oc_accuracy *sum, int64_t t_ms)
{
    struct oc_message *message = oc_writer_is_degraded(daemon->writer)
                                     ? NULL
                                     : oc_writer_message(daemon->writer, OC_MESSAGE_ACCURACY);

    if (!message)
        return OC_E_BUSY;
    message->source = source->id;
    message->metric = track->metric;
    message->limit_kind = limit->kind;
    message->boot_ms = t_ms;
    message->accuracy = *sum;
    oc_writer_push(daemon->writer, message);
    return OC_OK;
}

static int is_worth_telling(const struct oc_accuracy *sum)
{
    return sum->judged || sum->censored || sum->ends || sum->alarms || sum->false_alarms ||
           sum->watched_s >= TELL_WATCHED_S;
}

static void tell_record(struct oc_daemon *daemon, const struct oc_source *source,
                        const struct oc_track *track, struct oc_track_limit *limit, int64_t t_ms)
{
    struct oc_accuracy sum = { 0 };

    if (limit->record)
        sum = limit->record->sum;
    sum.watched_s += (double)limit->watched_s;
    if (!is_worth_telling(&sum) || tell_sum(daemon, source, track, limit, &sum, t_ms) < 0)
        return;
    limit->watched_s = 0;
    if (limit->record)
        limit->record->sum = (struct oc_accuracy){ 0 };
}

/* From the first forecast of an end on there is a book; before that only the time counts. */
static void make_record(struct oc_track_limit *limit, const struct oc_forecast *forecast)
{
    if (limit->record || !is_growing(forecast->state))
        return;
    limit->record = oc_calloc(1, sizeof(*limit->record)); /* no memory: with the next, then */
    if (limit->record)
        oc_book_init(&limit->record->book);
}

/* Whether something was said before it was met: not of one that was met from the start. */
static int was_unmet(const struct oc_track_limit *limit)
{
    return limit->said.ms != INT64_MIN && limit->said.state != OC_FORECAST_EXHAUSTED &&
           limit->said.state != OC_FORECAST_LEARNING;
}

/* What is refused for a moment is none of it; who lives on without room is at the end. */
static int64_t least_ms(const struct oc_track_limit *limit)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    return row && row->effect == OC_EFFECT_FAILS ? EXHAUSTED_MS : 0;
}

/* Whether it has just become an end: met, and for long enough. met_ms is when it was. */
static int is_met_now(struct oc_track_limit *limit, const struct oc_forecast *forecast)
{
    if (forecast->state != OC_FORECAST_EXHAUSTED)
        limit->met_ms = 0;
    else if (limit->met_ms == 0)
        limit->met_ms = was_unmet(limit) ? forecast->t_ms : OC_TRACK_MET;
    return limit->met_ms > 0 && forecast->t_ms - limit->met_ms >= least_ms(limit);
}

static void note_met(struct oc_daemon *daemon, const struct oc_source *source,
                     const struct oc_track *track, struct oc_track_limit *limit, int64_t t_ms)
{
    if (limit->record) {
        oc_book_met(&limit->record->book, t_ms, &limit->record->sum);
    } else {
        struct oc_accuracy sum = { .ends = 1 }; /* nobody foretold it */

        (void)tell_sum(daemon, source, track, limit, &sum, t_ms);
    }
}

static void note_record(struct oc_daemon *daemon, const struct oc_source *source,
                        const struct oc_track *track, struct oc_track_limit *limit,
                        const struct oc_forecast *forecast)
{
    const struct oc_tracks *tracks = source->tracks;

    make_record(limit, forecast);
    if (is_met_now(limit, forecast)) {
        note_met(daemon, source, track, limit, limit->met_ms);
        limit->met_ms = OC_TRACK_MET;
    } else if (limit->record && forecast->state != OC_FORECAST_EXHAUSTED) {
        oc_book_forecast(&limit->record->book, forecast, &limit->record->sum);
    } else if (!limit->record && tracks->looked_ms != INT64_MIN &&
               forecast->t_ms > tracks->looked_ms) {
        limit->watched_s += (float)(forecast->t_ms - tracks->looked_ms) / 1000.0F;
    }
    tell_record(daemon, source, track, limit, forecast->t_ms);
}

void oc_forecast_close(struct oc_daemon *daemon, const struct oc_source *source,
                       const struct oc_track *track, struct oc_track_limit *limit, int is_met)
{
    int64_t t_ms = oc_series_last_ms(track->series);

    if (is_met && (limit->met_ms > 0 || limit->said.state != OC_FORECAST_EXHAUSTED)) {
        note_met(daemon, source, track, limit, limit->met_ms > 0 ? limit->met_ms : t_ms);
        limit->said.state = OC_FORECAST_EXHAUSTED; /* who hears of it twice counts it once */
    } else if (limit->record) {
        oc_book_censor(&limit->record->book, t_ms, &limit->record->sum);
    }
    limit->met_ms = limit->said.state == OC_FORECAST_EXHAUSTED ? OC_TRACK_MET : 0;
    tell_record(daemon, source, track, limit, t_ms);
}

/* ---- all of a source ---- */

/* What one look found. */
struct look {
    size_t count; /* rows */
    int is_news;
    int growing;
    int is_meeting;   /* a limit is met: whether it stays so is to be seen */
    double soonest_s; /* p50 */
    double space_s;   /* of address space */
};

static int is_of_space(unsigned kind)
{
    return kind == OC_LIMIT_LARGEST_FREE || kind == OC_LIMIT_ADDRESS_SPACE;
}

static void add_row(struct oc_daemon *daemon, const struct oc_source *source, struct look *look,
                    const struct oc_track *track, const struct oc_track_limit *limit,
                    const struct oc_forecast *forecast)
{
    struct oc_forecast_row *row = &daemon->forecasts.rows[look->count++];
    const char *where = "";

    row->forecast = *forecast;
    row->forecast.metric = track->metric;
    row->limit = (struct oc_limit){ .kind = limit ? limit->kind : 0,
                                    .metric = track->metric,
                                    .value = limit ? limit->value : 0 };
    if (limit && limit->where)
        where = limit->where;
    else if (limit && source->cgroup)
        where = oc_cgroup_path(source->cgroup);
    (void)oc_text_copy(row->limit.where, sizeof(row->limit.where), where);
    look->is_news |= is_news(limit ? &limit->said : &track->said, forecast);
    look->growing |= is_growing(forecast->state);
    look->is_meeting |= limit && limit->met_ms > 0;
    if (forecast->p50_s < look->soonest_s)
        look->soonest_s = forecast->p50_s;
    if (limit && is_of_space(limit->kind) && forecast->p50_s < look->space_s)
        look->space_s = forecast->p50_s;
}

static void look_at_track(struct oc_daemon *daemon, const struct oc_source *source,
                          struct oc_track *track, struct look *look)
{
    struct oc_forecast forecast;

    if (!oc_is_number(track->last))
        return; /* no sample knew it yet */
    if (track->is_shown && !oc_track_has_limit(track)) {
        oc_series_forecast(track->series, OC_SERIES_LIMITS, &forecast);
        add_row(daemon, source, look, track, NULL, &forecast);
    }
    for (unsigned slot = 0; slot < track->limit_count; slot++) {
        struct oc_track_limit *limit = &track->limits[slot];

        if (limit->kind == 0)
            continue;
        oc_series_forecast(track->series, slot, &forecast);
        note_record(daemon, source, track, limit, &forecast);
        add_row(daemon, source, look, track, limit, &forecast);
    }
}

/* In the order in which they were looked at. */
static void note_told(const struct oc_daemon *daemon, struct oc_tracks *tracks)
{
    const struct oc_forecast_row *row = daemon->forecasts.rows;

    for (uint32_t i = 0; i < tracks->count; i++) {
        struct oc_track *track = &tracks->items[i];

        if (!oc_is_number(track->last))
            continue;
        if (track->is_shown && !oc_track_has_limit(track))
            note_said(&track->said, &row++->forecast);
        for (unsigned slot = 0; slot < track->limit_count; slot++) {
            if (track->limits[slot].kind != 0)
                note_said(&track->limits[slot].said, &row++->forecast);
        }
    }
}

static int tell_rows(struct oc_daemon *daemon, const struct oc_source *source, size_t count)
{
    struct oc_message *message = NULL;
    size_t bytes = count * sizeof(daemon->forecasts.rows[0]);

    if (oc_writer_is_degraded(daemon->writer))
        return OC_E_BUSY;
    message = oc_writer_message(daemon->writer, OC_MESSAGE_FORECASTS);
    if (message)
        message->forecasts = oc_malloc(bytes);
    if (!message || !message->forecasts) {
        oc_writer_give_back(daemon->writer, message);
        daemon->troubles.no_memory++;
        return OC_E_NOMEM;
    }
    memcpy(message->forecasts, daemon->forecasts.rows, bytes);
    message->forecast_count = count;
    message->source = source->id;
    oc_writer_push(daemon->writer, message);
    return OC_OK;
}

/* When all is to be forecast again: the sooner the nearer an end is. */
static int64_t next_look_ms(const struct look *look, int64_t t_ms)
{
    double wait_ms = look->growing ? LOOK_GROWING_MS : LOOK_MS;

    if (look->growing && look->soonest_s * 1000 / LOOK_PART < wait_ms)
        wait_ms = fmax(look->soonest_s * 1000 / LOOK_PART, LOOK_LEAST_MS);
    if (look->is_meeting)
        wait_ms = fmin(wait_ms, LOOK_MEETING_MS);
    return t_ms + (int64_t)wait_ms;
}

void oc_forecast_say(struct oc_daemon *daemon, struct oc_source *source, int64_t t_ms)
{
    struct oc_tracks *tracks = source->tracks;
    struct look look = { .soonest_s = (double)INFINITY, .space_s = (double)INFINITY };

    for (uint32_t i = 0; i < tracks->count; i++)
        look_at_track(daemon, source, &tracks->items[i], &look);
    tracks->say_now = 0;
    tracks->looked_ms = t_ms;
    tracks->space_s = (float)look.space_s;
    tracks->say_ms = next_look_ms(&look, t_ms);
    if (look.count == 0)
        return;
    if (look.is_news && tell_rows(daemon, source, look.count) < 0)
        tracks->say_ms = t_ms + RETRY_MS;
    else if (look.is_news)
        note_told(daemon, tracks);
    oc_alerting_forecasts(daemon, source, daemon->forecasts.rows,
                          look.count); /* the last to see them */
}
