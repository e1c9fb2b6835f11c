/* How right forecasts were, summed up as a person asks for it. */
#ifndef OC_CLI_MODEL_VERDICT_H
#define OC_CLI_MODEL_VERDICT_H

#include "base/forecast.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_VERDICTS_MAX 65536u
#define OC_VERDICT_LEAST 10     /* judged intervals below which nothing is concluded */
#define OC_VERDICT_LEAST_ENDS 3 /* the intervals of one life are right or wrong together */

struct oc_verdict {
    char subject[OC_SUBJECT_NAME_BYTES];
    uint16_t metric; /* 0 and 0: of all */
    uint8_t limit_kind;
    struct oc_accuracy sum;
};

struct oc_verdicts {
    struct oc_verdict *items; /* owned; those with the most judged intervals first */
    size_t count, capacity;
    int by_limit; /* a row for each metric and kind of limit; else for each subject */
    struct oc_accuracy all;
    int64_t first_unix_ms, last_unix_ms; /* 0: nothing is known */
};

/* Those of a word as oc_subject_is_meant() takes it; NULL: of all. Fills *verdicts (zeroed but for by_limit). 0 or a code. */
int oc_verdicts_load(struct oc_verdicts *verdicts, oc_reader *reader, const char *word);
void oc_verdicts_clear(struct oc_verdicts *verdicts);

/* Share of the judged that held the outcome, and how sure that share is (one standard deviation). NAN: none was judged. */
double oc_verdict_inside(const struct oc_accuracy *sum);
double oc_verdict_inside_error(const struct oc_accuracy *sum);
/* Factor by which p50 was off in the mean, ≥ 1; NAN: no end is known. */
double oc_verdict_error(const struct oc_accuracy *sum);
/* Mean time from the alarm to the end; NAN: none was foretold. */
double oc_verdict_lead_s(const struct oc_accuracy *sum);
/* "as promised", "they are too narrow", "they are wider than need be", within what chance allows; "too few", "too few ends to
 * tell yet". Borrowed for ever. */
const char *oc_verdict_word(const struct oc_accuracy *sum);

#endif
