/* The suites of the daemon's unit tests, one a file. */
#ifndef OC_TESTS_UNIT_DAEMON_SUITES_H
#define OC_TESTS_UNIT_DAEMON_SUITES_H

#include <check.h>

Suite *schedule_suite(void); /* schedule, clocks */
Suite *queue_suite(void);
Suite *words_suite(void); /* command line, requests */
Suite *source_suite(void);
Suite *choose_suite(void);   /* which process to watch, labels, sums */
Suite *outlet_suite(void);   /* the journal, and clients of the control channel */
Suite *tracks_suite(void);   /* the series of one source */
Suite *forecast_suite(void); /* forecasts, over a scripted probe and a real store */
Suite *walker_suite(void);   /* when a process is walked */
Suite *targets_suite(void);  /* targets, walks and limits over scripted walks */
Suite *alert_suite(void);    /* what waits for the store, heap caps */
Suite *facts_suite(void);    /* what the rules are told of lives */
Suite *notifier_suite(void); /* the child that delivers */
Suite *groups_suite(void);   /* groups and writer over a scripted probe and a real store */

#endif
