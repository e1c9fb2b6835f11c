#include "tests/support/environment.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the C library, which hands it on to the process. */
int set_variable(const char *name, const char *value)
{
    return _putenv_s(name, value ? value : "") == 0 ? 0 : -1;
}

/* Offsets in whole hours, all year: what can be looked at without a table of zones. */
static int is_here(const char *rules)
{
    static const int64_t january_unix_ms = INT64_C(1704110400000);
    struct oc_civil now;
    int hours = 0;

    if (strncmp(rules, "UTC", 3) != 0)
        return 0;
    hours = rules[3] ? (int)strtol(rules + 3, NULL, 10) : 0;
    oc_civil_from_unix_ms(january_unix_ms, &now);
    return now.offset_minutes == -60 * hours;
}

int set_local_time(const char *rules)
{
    if (is_here(rules))
        return 1;
    printf("SKIP: local time is not that of %s, and a process has none of its own\n", rules);
    return 0;
}
