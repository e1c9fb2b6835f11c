/* What local time is in these tests: by rules, since a machine may have no table of zones. */
#ifndef OC_TESTS_UNIT_CLI_LOCAL_TIME_H
#define OC_TESTS_UNIT_CLI_LOCAL_TIME_H

#include "tests/support/environment.h"

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define TWO_HOURS_EAST "UTC-2" /* no summer time: what most tests count on */

static inline void restore_local_time(void) { (void)set_local_time(TWO_HOURS_EAST); }

#endif
