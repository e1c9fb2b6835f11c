#include "cli/cli.h"

#include "base/os.h"

int main(int argc, char **argv)
{
    (void)oc_os_args(&argc, &argv); /* failed: those at hand will do for most */
    return oc_cli_main(argc, argv);
}
