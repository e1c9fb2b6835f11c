#ifndef OC_TESTS_CLI_SUITES_H
#define OC_TESTS_CLI_SUITES_H

#include <check.h>

Suite *timespec_suite(void);
Suite *options_suite(void);
Suite *present_suite(void);
Suite *plot_suite(void);
Suite *series_suite(void);
Suite *top_suite(void);
Suite *pages_suite(void);
Suite *keys_suite(void);
Suite *history_suite(void);
Suite *calendar_suite(void);

#endif
