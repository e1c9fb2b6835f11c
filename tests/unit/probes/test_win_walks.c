/* Walks and limits of Windows processes, over a made table of calls. */
#include "win_suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(win_walk_suite());
    int failed = 0;

    srunner_add_suite(runner, win_record_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
