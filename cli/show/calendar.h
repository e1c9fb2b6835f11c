/* Steps of time that people count in: those of hours and days follow the local clock. */
#ifndef OC_CLI_SHOW_CALENDAR_H
#define OC_CLI_SHOW_CALENDAR_H

#include <stdint.h>

/*
 * The beginning of the step of step_ms > 0 that holds a time. Steps are counted from a local
 * midnight, so those of days begin at midnight, and one of two hours at an even hour. What is longer
 * than an hour keeps to that over a change of the clock: the day of the change has 23 or 25 hours.
 */
int64_t oc_calendar_begin(int64_t unix_ms, int64_t step_ms);

/* Where the next step begins: later than begin_ms, which is such a beginning. */
int64_t oc_calendar_next(int64_t begin_ms, int64_t step_ms);

#endif
