#include "cli/frame/control.h"

#include "base/os.h"
#include "base/text.h"
#include "base/windows/service.h"
#include "base/windows/wide.h"

#include <string.h>

int oc_control_path(const struct oc_cli *cli, char *out_path, size_t out_bytes)
{
    char folder[OC_WIDE_PATH_UNITS];
    size_t len = oc_path_folder_bytes(cli->db_path);

    if (len >= sizeof(folder))
        return OC_E_TOOBIG;
    if (len == 0)
        (void)oc_text_copy(folder, sizeof(folder), ".");
    memcpy(folder, cli->db_path, len);
    if (len > 0)
        folder[len] = '\0';
    return oc_service_pipe_name(folder, out_path, out_bytes);
}

const char *oc_control_mend(int rc)
{
    if (rc == OC_E_NOENT || rc == OC_E_GONE)
        return "start it: oomcast service start, or name its store: --db PATH";
    if (rc == OC_E_DENIED)
        return "ask as an administrator, or as a member of the group 'oomcast readers'";
    return "look at the event log (Application, source oomcast)";
}
