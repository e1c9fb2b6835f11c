#include "forecast/score.h"

#include "base/err.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define GAP_SHARE 0.2 /* of the time to the limit: from one kept to the next */
#define LEAST_GAP_S 1.0
#define LEAST_S 1.0     /* shorter times are as good as now: their ratio says nothing */
#define LATE_SHARE 0.05 /* of the growth: an alert within it comes too late to count */
#define MS_PER_S 1000.0

#define BLOB_MARK 0x4f424b31u /* "1KBO": the first form of a book */
#define ENTRY_BYTES 20
#define CHECKED_BYTES ((size_t)(OC_BOOK_BLOB_BYTES - 4))

void oc_book_init(struct oc_book *book)
{
    memset(book, 0, sizeof(*book));
    book->leaking_ms = book->growth_ms = book->last_ms = INT64_MIN;
}

static double seconds(int64_t from_ms, int64_t to_ms)
{
    return ((double)to_ms - (double)from_ms) / MS_PER_S;
}

static void watch(struct oc_book *book, int64_t t_ms, struct oc_accuracy *sum)
{
    if (book->last_ms != INT64_MIN && t_ms > book->last_ms)
        sum->watched_s += seconds(book->last_ms, t_ms);
    if (book->last_ms == INT64_MIN || t_ms > book->last_ms)
        book->last_ms = t_ms;
}

/* ---- what is kept ---- */

static void remove_entry(struct oc_book *book, uint32_t at)
{
    book->count--;
    memmove(&book->open[at], &book->open[at + 1], (book->count - at) * sizeof(book->open[0]));
}

/* p90 has passed, and nothing has happened. */
static void judge_overdue(struct oc_book *book, int64_t t_ms, struct oc_accuracy *sum)
{
    for (uint32_t i = 0; i < book->count;) {
        const struct oc_book_entry *entry = &book->open[i];

        if (seconds(entry->t_ms, t_ms) > (double)entry->p90_s) {
            sum->judged++;
            sum->late++;
            remove_entry(book, i);
        } else {
            i++;
        }
    }
}

/* One that its neighbours stand for best goes: never the first, which says most. */
static void make_room(struct oc_book *book)
{
    uint32_t best = 1;
    int64_t least_ms = INT64_MAX;

    if (book->count < OC_BOOK_OPEN)
        return;
    for (uint32_t i = 1; i + 1 < book->count; i++) {
        int64_t span_ms = book->open[i + 1].t_ms - book->open[i - 1].t_ms;

        if (span_ms < least_ms) {
            least_ms = span_ms;
            best = i;
        }
    }
    remove_entry(book, best);
}

/* Whether there is an interval to be judged. */
static int is_answer(const struct oc_forecast *forecast)
{
    return forecast->state != OC_FORECAST_EXHAUSTED && forecast->p10_s >= 0 &&
           forecast->p50_s >= forecast->p10_s && forecast->p50_s < (double)FLT_MAX &&
           forecast->p90_s >= forecast->p50_s; /* and none is NAN */
}

static int is_due(const struct oc_book *book, const struct oc_forecast *forecast)
{
    double gap_s = forecast->p50_s * GAP_SHARE;

    if (book->count == 0)
        return 1;
    return seconds(book->open[book->count - 1].t_ms, forecast->t_ms) >=
           (gap_s > LEAST_GAP_S ? gap_s : LEAST_GAP_S);
}

static void keep(struct oc_book *book, const struct oc_forecast *forecast)
{
    if (!is_answer(forecast) || !is_due(book, forecast))
        return;
    make_room(book);
    book->open[book->count++] = (struct oc_book_entry){ .t_ms = forecast->t_ms,
                                                        .p10_s = (float)forecast->p10_s,
                                                        .p50_s = (float)forecast->p50_s,
                                                        .p90_s = (float)forecast->p90_s };
}

/* ---- alarms ---- */

static void follow_growth(struct oc_book *book, const struct oc_forecast *forecast)
{
    int64_t since_ms = forecast->since_ms < forecast->t_ms ? forecast->since_ms : forecast->t_ms;

    switch (forecast->state) {
    case OC_FORECAST_GROWING:
    case OC_FORECAST_LEAKING:
    case OC_FORECAST_SAVED:
        if (book->growth_ms == INT64_MIN)
            book->growth_ms = since_ms;
        break;
    case OC_FORECAST_FLAT:
    case OC_FORECAST_CYCLIC:
        book->growth_ms = INT64_MIN;
        break;
    default: /* nothing is said of growth */
        break;
    }
}

/* EXHAUSTED keeps an alarm up: it was right. SAVED ends one that was not wrong. */
static void follow_alarm(struct oc_book *book, const struct oc_forecast *forecast,
                         struct oc_accuracy *sum)
{
    if (forecast->state == OC_FORECAST_LEAKING) {
        if (!book->leaking) {
            book->leaking = 1;
            book->leaking_ms = forecast->t_ms;
            sum->alarms++;
        }
    } else if (book->leaking && forecast->state != OC_FORECAST_EXHAUSTED) {
        book->leaking = 0;
        sum->false_alarms += forecast->state != OC_FORECAST_SAVED;
    }
}

void oc_book_forecast(struct oc_book *book, const struct oc_forecast *forecast,
                      struct oc_accuracy *inout_sum)
{
    watch(book, forecast->t_ms, inout_sum);
    judge_overdue(book, forecast->t_ms, inout_sum);
    follow_growth(book, forecast);
    follow_alarm(book, forecast, inout_sum);
    keep(book, forecast);
}

/* ---- ends ---- */

static void judge(const struct oc_book_entry *entry, int64_t t_ms, struct oc_accuracy *sum)
{
    double took_s = seconds(entry->t_ms, t_ms);

    sum->judged++;
    if (took_s < (double)entry->p10_s)
        sum->early++;
    else if (took_s > (double)entry->p90_s)
        sum->late++;
    else
        sum->inside++;
    sum->error_sum += fabs(log(fmax((double)entry->p50_s, LEAST_S) / fmax(took_s, LEAST_S)));
    sum->errors++;
}

/* In time: before the last twentieth of the growth, which is taken to have begun by the alarm. */
static int was_foretold(const struct oc_book *book, int64_t t_ms)
{
    int64_t growth_ms = book->growth_ms;

    if (!book->leaking || t_ms <= book->leaking_ms)
        return 0;
    if (growth_ms == INT64_MIN || growth_ms > book->leaking_ms)
        growth_ms = book->leaking_ms;
    return seconds(book->leaking_ms, t_ms) >= LATE_SHARE * seconds(growth_ms, t_ms);
}

void oc_book_met(struct oc_book *book, int64_t t_ms, struct oc_accuracy *inout_sum)
{
    watch(book, t_ms, inout_sum);
    for (uint32_t i = 0; i < book->count; i++)
        judge(&book->open[i], t_ms, inout_sum);
    inout_sum->ends++;
    if (was_foretold(book, t_ms)) {
        inout_sum->foretold++;
        inout_sum->lead_s_sum += seconds(book->leaking_ms, t_ms);
    }
    oc_book_init(book);
}

void oc_book_censor(struct oc_book *book, int64_t t_ms, struct oc_accuracy *inout_sum)
{
    watch(book, t_ms, inout_sum);
    inout_sum->censored += book->count;
    oc_book_init(book);
}

/* ---- saving: little-endian; mark, count, leaking, times, entries, checksum ---- */

static uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
    return at + bytes;
}

static const uint8_t *get(const uint8_t *at, unsigned bytes, uint64_t *out_value)
{
    *out_value = 0;
    for (unsigned i = 0; i < bytes; i++)
        *out_value |= (uint64_t)at[i] << (8 * i);
    return at + bytes;
}

static uint8_t *put_float(uint8_t *at, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return put(at, bits, 4);
}

static const uint8_t *get_float(const uint8_t *at, float *out_value)
{
    uint64_t value;
    uint32_t bits;

    at = get(at, 4, &value);
    bits = (uint32_t)value;
    memcpy(out_value, &bits, sizeof(bits));
    return at;
}

static const uint8_t *get_time(const uint8_t *at, int64_t *out_ms)
{
    uint64_t value;

    at = get(at, 8, &value);
    *out_ms = (int64_t)value;
    return at;
}

/* FNV-1a: against damage, not against malice. */
static uint32_t checksum(const uint8_t *bytes, size_t len_bytes)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len_bytes; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

size_t oc_book_save(const struct oc_book *book, uint8_t out_blob[OC_BOOK_BLOB_BYTES])
{
    uint8_t *at = out_blob;

    memset(out_blob, 0, OC_BOOK_BLOB_BYTES);
    at = put(at, BLOB_MARK, 4);
    at = put(at, book->count, 4);
    at = put(at, book->leaking, 4);
    at = put(at, (uint64_t)book->leaking_ms, 8);
    at = put(at, (uint64_t)book->growth_ms, 8);
    at = put(at, (uint64_t)book->last_ms, 8);
    for (uint32_t i = 0; i < book->count; i++) {
        at = put(at, (uint64_t)book->open[i].t_ms, 8);
        at = put_float(at, book->open[i].p10_s);
        at = put_float(at, book->open[i].p50_s);
        at = put_float(at, book->open[i].p90_s);
    }
    (void)put(out_blob + CHECKED_BYTES, checksum(out_blob, CHECKED_BYTES), 4);
    return OC_BOOK_BLOB_BYTES;
}

_Static_assert(36 + OC_BOOK_OPEN * ENTRY_BYTES + 4 <= OC_BOOK_BLOB_BYTES, "a full book fits");

static int is_sound(const struct oc_book_entry *entry)
{
    return entry->p10_s >= 0 && entry->p50_s >= entry->p10_s && entry->p50_s <= FLT_MAX &&
           entry->p90_s >= entry->p50_s; /* and none is NAN */
}

static const uint8_t *get_entry(const uint8_t *at, struct oc_book_entry *out_entry)
{
    at = get_time(at, &out_entry->t_ms);
    at = get_float(at, &out_entry->p10_s);
    at = get_float(at, &out_entry->p50_s);
    return get_float(at, &out_entry->p90_s);
}

int oc_book_load(const void *blob, size_t len_bytes, struct oc_book *out_book)
{
    const uint8_t *at = blob;
    struct oc_book book;
    uint64_t mark, count, leaking, sum;

    if (len_bytes != OC_BOOK_BLOB_BYTES)
        return OC_E_PARSE;
    (void)get(at + CHECKED_BYTES, 4, &sum);
    at = get(at, 4, &mark);
    at = get(at, 4, &count);
    at = get(at, 4, &leaking);
    if (sum != checksum(blob, CHECKED_BYTES) || mark != BLOB_MARK || count > OC_BOOK_OPEN ||
        leaking > 1)
        return OC_E_PARSE;
    oc_book_init(&book);
    book.count = (uint32_t)count;
    book.leaking = (uint8_t)leaking;
    at = get_time(at, &book.leaking_ms);
    at = get_time(at, &book.growth_ms);
    at = get_time(at, &book.last_ms);
    for (uint32_t i = 0; i < book.count; i++) {
        at = get_entry(at, &book.open[i]);
        if (!is_sound(&book.open[i]) || (i > 0 && book.open[i].t_ms < book.open[i - 1].t_ms))
            return OC_E_PARSE;
    }
    *out_book = book;
    return OC_OK;
}
