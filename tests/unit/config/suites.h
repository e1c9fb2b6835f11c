#ifndef OC_TESTS_CONFIG_SUITES_H
#define OC_TESTS_CONFIG_SUITES_H

#include <check.h>

Suite *target_suite(void);
Suite *load_target_suite(void);
Suite *written_suite(void);
Suite *alerts_suite(void);
Suite *mistakes_suite(void);
Suite *warnings_suite(void);

#endif
