/* What a store says was forecast of a subject, held against what came of it. */
#ifndef OC_TESTS_INTEGRATION_FORETOLD_H
#define OC_TESTS_INTEGRATION_FORETOLD_H

#include "storage/reader.h"

#include <stdint.h>

#define MAX_FORETOLD 4096

/* All that was said of a subject: of every source of it, against every limit, in the order of time. */
struct foretold {
    size_t count;
    struct foretold_row {
        uint32_t source;
        uint16_t metric;
        uint8_t limit_kind; /* 0: against none */
        struct oc_forecast forecast;
    } rows[MAX_FORETOLD];
};
void foretold_read(oc_reader *reader, const char *subject, struct foretold *out_foretold);

/* How often a state was said, whatever the metric and the limit. */
size_t foretold_count(const struct foretold *foretold, enum oc_forecast_state state);

/* A life as it was: of what is known afterwards alone. */
struct truth {
    int64_t begin_ms; /* of the growth, unix */
    int64_t end_ms;   /* when the limit was met */
};
/* The time of the first raw sample of a source; of the first that is at least `value`. -1: none. */
int64_t first_sample_ms(oc_reader *reader, uint32_t source, unsigned metric);
int64_t first_at_least_ms(oc_reader *reader, uint32_t source, unsigned metric, uint64_t value);

/* What was said against one limit, between begin and end. */
struct judged {
    size_t rows;
    int64_t leaking_ms;       /* when LEAKING was said that stood at the end; -1: it was not */
    size_t intervals, inside; /* that stood at a quarter … three quarters of the life */
};
struct judged judge(const struct foretold *foretold, uint8_t limit_kind, unsigned metric,
                    const struct truth *truth);

#endif
