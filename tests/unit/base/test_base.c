#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(text_suite());
    int failed = 0;

    srunner_add_suite(runner, buf_suite());
    srunner_add_suite(runner, metric_suite());
    srunner_add_suite(runner, os_suite());
    srunner_add_suite(runner, identity_suite());
    srunner_add_suite(runner, pattern_suite());
    srunner_add_suite(runner, redact_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
