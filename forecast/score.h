/*
 * Forecasts held against what happened, as they are made: the daemon's own record, and the
 * backtest's. A book keeps a few open forecasts of one (series, limit), spaced in time, and counts
 * what came of them. Plain bytes, no memory of its own.
 */
#ifndef OC_FORECAST_SCORE_H
#define OC_FORECAST_SCORE_H

#include "base/forecast.h"

#include <stddef.h>
#include <stdint.h>

#define OC_BOOK_OPEN 12

struct oc_book_entry {
    int64_t t_ms;
    float p10_s, p50_s, p90_s; /* p90 INFINITY: open */
};
struct oc_book {
    struct oc_book_entry open[OC_BOOK_OPEN];
    uint32_t count;
    uint8_t leaking; /* LEAKING stands */
    uint8_t reserved[3];
    int64_t leaking_ms; /* since */
    int64_t growth_ms;  /* growth was first said at */
    int64_t last_ms;    /* of the last forecast; INT64_MIN: none */
};

void oc_book_init(struct oc_book *book);

/*
 * A forecast was made: kept where enough time passed since the last one that was (the gaps grow with the time to
 * the limit), so that a life leaves some ten. Overdue ones, false alarms and time go to *inout_sum.
 */
void oc_book_forecast(struct oc_book *book, const struct oc_forecast *forecast,
                      struct oc_accuracy *inout_sum);

/* The limit was met at t_ms: all that is open is judged. The book is empty afterwards. */
void oc_book_met(struct oc_book *book, int64_t t_ms, struct oc_accuracy *inout_sum);

/* The life ended otherwise, or the limit moved: what is open is censored. */
void oc_book_censor(struct oc_book *book, int64_t t_ms, struct oc_accuracy *inout_sum);

#define OC_BOOK_BLOB_BYTES 320
size_t oc_book_save(const struct oc_book *book, uint8_t out_blob[OC_BOOK_BLOB_BYTES]);
int oc_book_load(const void *blob, size_t len_bytes,
                 struct oc_book *out_book); /* 0 or OC_E_PARSE */

#endif
