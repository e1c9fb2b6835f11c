/* Where Windows keeps what is ours. */
#include "base/os.h"

#include "base/err.h"
#include "base/windows/wide.h"

#include <stdio.h>
#include <windows.h>

#include <shlobj.h>

/* A known folder and what stands below it. */
static int below(const KNOWNFOLDERID *folder, const char *tail, char *out_path, size_t out_bytes)
{
    wchar_t *wide = NULL;
    char path[OC_WIDE_PATH_UNITS];
    HRESULT found = SHGetKnownFolderPath(folder, KF_FLAG_DONT_VERIFY, NULL, &wide);
    int rc = found == S_OK ? oc_wide_to_utf8(path, sizeof(path), wide) : OC_E_NOENT, len = 0;

    CoTaskMemFree(wide);
    if (rc < 0)
        return rc;
    len = snprintf(out_path, out_bytes, "%s%s", path, tail);
    return len < 0 || (size_t)len >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

int oc_os_system_state_dir(char *out_path, size_t out_bytes)
{
    return below(&FOLDERID_ProgramData, "\\oomcast", out_path, out_bytes);
}

int oc_os_user_state_dir(char *out_path, size_t out_bytes)
{
    if (oc_os_is_admin())
        return oc_os_system_state_dir(out_path, out_bytes);
    return below(&FOLDERID_LocalAppData, "\\oomcast", out_path, out_bytes);
}

/* Pipes have names of their own; what else belongs to a run lies beside the store. */
int oc_os_runtime_dir(char *out_path, size_t out_bytes)
{
    return oc_os_user_state_dir(out_path, out_bytes);
}

int oc_os_config_path(char *out_path, size_t out_bytes)
{
    char system_path[OC_WIDE_PATH_UNITS];
    int rc =
        below(&FOLDERID_ProgramData, "\\oomcast\\oomcast.json", system_path, sizeof(system_path));

    if (rc == OC_OK && !oc_os_is_admin()) {
        rc = below(&FOLDERID_RoamingAppData, "\\oomcast\\oomcast.json", out_path, out_bytes);
        if (rc == OC_OK && (oc_file_exists(out_path) || !oc_file_exists(system_path)))
            return OC_OK;
    }
    return below(&FOLDERID_ProgramData, "\\oomcast\\oomcast.json", out_path, out_bytes);
}
