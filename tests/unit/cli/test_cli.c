#include "suites.h"

#include "local_time.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner;
    int failed;

    restore_local_time();
    runner = srunner_create(timespec_suite());
    srunner_add_suite(runner, options_suite());
    srunner_add_suite(runner, present_suite());
    srunner_add_suite(runner, plot_suite());
    srunner_add_suite(runner, series_suite());
    srunner_add_suite(runner, top_suite());
    srunner_add_suite(runner, pages_suite());
    srunner_add_suite(runner, keys_suite());
    srunner_add_suite(runner, history_suite());
    srunner_add_suite(runner, calendar_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
