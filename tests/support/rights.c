#include "tests/support/rights.h"

#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

int can_be_nobody(void) { return geteuid() == 0; }

int give_to_nobodys_group(const char *path, unsigned mode)
{
    return chown(path, 0, NOBODY) == 0 && chmod(path, mode) == 0 ? 0 : -1;
}

int become_nobody(void)
{
    return setresgid(NOBODY, NOBODY, 0) == 0 && setresuid(NOBODY, NOBODY, 0) == 0 ? 0 : -1;
}

int become_root(void) { return setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0 ? 0 : -1; }

int has_file_modes(void) { return 1; }
