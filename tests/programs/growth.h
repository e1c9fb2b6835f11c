/* How much the leaker is to hold at a time: arithmetic alone, so that a test can work it out too. */
#ifndef OC_TESTS_PROGRAMS_GROWTH_H
#define OC_TESTS_PROGRAMS_GROWTH_H

#include <stdint.h>

struct growth {
    uint64_t rate;      /* bytes or things a second */
    uint64_t max;       /* never beyond */
    uint64_t period_ms; /* of what comes round, or takes so long */
};

/* What is to be held `ms` after the start. */
typedef uint64_t growth_fn(const struct growth *growth, uint64_t ms);

growth_fn growth_line;     /* evenly */
growth_fn growth_step;     /* what a period brings comes at its end */
growth_fn growth_sawtooth; /* as a line, given back at the end of each period */
growth_fn growth_ratchet;  /* the same, but a quarter of it stays */
growth_fn growth_warmup;   /* towards max, by 63 % of what is left in a period */
growth_fn growth_jump;     /* nothing for a period, then max at once */
growth_fn growth_wave;     /* from nothing to max and back in a period */

#endif
