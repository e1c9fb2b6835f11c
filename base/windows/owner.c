/* Whose a file is. */
#include "base/os.h"

#include "base/err.h"
#include "base/windows/wide.h"

#include <windows.h>

#include <aclapi.h>

#define ACCOUNT_UNITS 256

/* "" where the account is unknown here: of another machine, or removed. */
static void account_name(PSID sid, char *out, size_t out_bytes)
{
    wchar_t name[ACCOUNT_UNITS], domain[ACCOUNT_UNITS];
    DWORD name_units = ACCOUNT_UNITS, domain_units = ACCOUNT_UNITS;
    SID_NAME_USE use = SidTypeUnknown;

    if (out_bytes)
        out[0] = '\0';
    if (sid && LookupAccountSidW(NULL, sid, name, &name_units, domain, &domain_units, &use))
        (void)oc_wide_to_utf8(out, out_bytes, name);
}

int oc_file_owner(const char *path, char *out_user, size_t user_bytes, char *out_group,
                  size_t group_bytes)
{
    wchar_t wide[OC_WIDE_PATH_UNITS];
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID user = NULL, group = NULL;
    DWORD error = 0;
    int rc = oc_wide_path(wide, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    error = GetNamedSecurityInfoW(wide, SE_FILE_OBJECT,
                                  OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION, &user,
                                  &group, NULL, NULL, &descriptor);
    if (error != ERROR_SUCCESS)
        return oc_err_from_windows(error);
    account_name(user, out_user, user_bytes);
    account_name(group, out_group, group_bytes);
    (void)LocalFree(descriptor);
    return OC_OK;
}
