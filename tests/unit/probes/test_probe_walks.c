/* What the memory of processes is made of: parsers, classes, families, and walks of real ones. */
#include "walks.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(maps_suite());
    int failed = 0;

    srunner_add_suite(runner, classify_suite());
    srunner_add_suite(runner, family_suite());
    srunner_add_suite(runner, spaces_suite());
    srunner_add_suite(runner, moments_suite());
    srunner_add_suite(runner, runtimes_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
