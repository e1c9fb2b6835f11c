#include "win_tick.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(win_probe_suite());
    int failed = 0;

    srunner_add_suite(runner, win_identity_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
