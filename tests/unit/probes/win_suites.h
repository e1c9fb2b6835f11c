/* The suites of what the probe of Windows is made of, over made answers: they run on every system. */
#ifndef OC_TEST_PROBES_WIN_SUITES_H
#define OC_TEST_PROBES_WIN_SUITES_H

#include <check.h>

Suite *win_walk_suite(void);
Suite *win_record_suite(void);

#endif
