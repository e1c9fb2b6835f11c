/* What the daemon says to others by sockets, and the child that it starts: of Linux. */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(outlet_suite());
    int failed = 0;

    srunner_add_suite(runner, notifier_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
