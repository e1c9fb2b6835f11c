#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(parse_suite());
    int failed = 0;

    srunner_add_suite(runner, captures_suite());
    srunner_add_suite(runner, look_suite());
    srunner_add_suite(runner, life_suite());
    srunner_add_suite(runner, scan_suite());
    srunner_add_suite(runner, cgroup_suite());
    srunner_add_suite(runner, hostile_suite());
    srunner_add_suite(runner, walk_suite());
    srunner_add_suite(runner, fake_suite());
    srunner_add_suite(runner, kernels_suite());
    srunner_add_suite(runner, killer_suite());
    srunner_add_suite(runner, limits_suite());
    srunner_add_suite(runner, root_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
