#ifndef OC_TESTS_BASE_SUITES_H
#define OC_TESTS_BASE_SUITES_H

#include <check.h>

Suite *text_suite(void);
Suite *buf_suite(void);
Suite *metric_suite(void);
Suite *os_suite(void);
Suite *identity_suite(void);
Suite *pattern_suite(void);
Suite *redact_suite(void);

#endif
