#include "cli/frame/control.h"

#include <stdio.h>
#include <string.h>

#define SOCKET_NAME "oomcastd.sock" /* as daemon/linux/peer.c makes it */

int oc_control_path(const struct oc_cli *cli, char *out_path, size_t out_bytes)
{
    const char *slash = strrchr(cli->db_path, '/');
    int folder = slash ? (int)(slash - cli->db_path + 1) : 0;
    int written = snprintf(out_path, out_bytes, "%.*s" SOCKET_NAME, folder, cli->db_path);

    return written < 0 || (size_t)written >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

const char *oc_control_mend(int rc)
{
    if (rc == OC_E_NOENT || rc == OC_E_GONE)
        return "start it: oomcastd --foreground, or name its store: --db PATH";
    if (rc == OC_E_DENIED)
        return "ask as the daemon's user, as root, or as a member of its group";
    return "look at its log";
}
