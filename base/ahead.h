/* Times that lie ahead, and how they are said: "3 h 20 min (2 h 40 min - 4 h 10 min)". */
#ifndef OC_BASE_AHEAD_H
#define OC_BASE_AHEAD_H

#include <stddef.h>

/* Neither NAN nor infinite. */
int oc_ahead_is_known(double value);

/*
 * A time from now on, rounded to the digits that a forecast has: "45 s", "12 min", "3 h 20 min", "14 h", "4 d 6 h",
 * "52 d", "3.2 years". ≤ 0: "now". INFINITY: "never". NAN: "-". out_bytes ≥ 32. Returned.
 */
const char *oc_ahead_time(double seconds, char *out, size_t out_bytes);

/* "2 h 40 min - 4 h 10 min", "2 h 40 min or never" (an open end), "-" where p10 is unknown. out_bytes ≥ 64. Returned. */
const char *oc_ahead_interval(double p10_s, double p90_s, char *out, size_t out_bytes);

/* Both: "3 h 20 min (2 h 40 min - 4 h 10 min)"; "moments" where all of it is now. out_bytes ≥ 128. Returned. */
const char *oc_ahead_all(double p10_s, double p50_s, double p90_s, char *out, size_t out_bytes);

/* What happens at a limit of a kind: "dies at", "fails at", "stalls at", "told at"; "" where there is none. */
const char *oc_ahead_effect(unsigned limit_kind);

/* A state for a column: as its name, but "saved" for "saved by restarts". Borrowed for ever. */
const char *oc_ahead_state(unsigned state);

#endif
