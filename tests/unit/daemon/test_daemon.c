#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(schedule_suite());
    int failed = 0;

    srunner_add_suite(runner, queue_suite());
    srunner_add_suite(runner, words_suite());
    srunner_add_suite(runner, source_suite());
    srunner_add_suite(runner, choose_suite());
    srunner_add_suite(runner, walker_suite());
    srunner_add_suite(runner, tracks_suite());
    srunner_add_suite(runner, forecast_suite());
    srunner_add_suite(runner, alert_suite());
    srunner_add_suite(runner, facts_suite());
    srunner_add_suite(runner, groups_suite());
    srunner_add_suite(runner, targets_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
