/* What the memory of processes is made of: parsers, classes, families, and walks of real ones. */
#include "walks.h"

#include <stdlib.h>
#include <string.h>

const struct oc_family *family_named(const struct oc_census *census, enum oc_family_kind kind,
                                     const char *name)
{
    for (size_t i = 0; i < census->family_count; i++) {
        const struct oc_family *family = &census->families[i];

        if (family->kind == kind && strcmp(oc_census_text(census, family->name), name) == 0)
            return family;
    }
    return NULL;
}

int main(void)
{
    SRunner *runner = srunner_create(maps_suite());
    int failed = 0;

    srunner_add_suite(runner, classify_suite());
    srunner_add_suite(runner, family_suite());
    srunner_add_suite(runner, spaces_suite());
    srunner_add_suite(runner, runtimes_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
