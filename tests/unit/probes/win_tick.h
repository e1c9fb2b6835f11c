/* The suites of test_win_probe. */
#ifndef OC_TEST_PROBES_WIN_TICK_H
#define OC_TEST_PROBES_WIN_TICK_H

#include "probes/fake/fake_win.h"
#include "probes/probe.h"

#include <check.h>

Suite *win_probe_suite(void);
Suite *win_identity_suite(void);

#endif
