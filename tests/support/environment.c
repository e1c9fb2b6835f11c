#include "tests/support/environment.h"

#include <stdlib.h>
#include <time.h>

int set_variable(const char *name, const char *value)
{
    return value ? setenv(name, value, 1) : unsetenv(name);
}

int set_local_time(const char *rules)
{
    if (set_variable("TZ", rules) != 0)
        return 0;
    tzset();
    return 1;
}
