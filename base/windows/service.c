#include "base/windows/service.h"

#include "base/err.h"
#include "base/os.h"
#include "base/windows/wide.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

/* ---- one spelling of each folder ---- */

/* Full, with long names where it exists, '\' and small letters, no '\' at its end. */
static int one_spelling(const char *path, wchar_t out[OC_WIDE_PATH_UNITS])
{
    wchar_t given[OC_WIDE_PATH_UNITS], full[OC_WIDE_PATH_UNITS];
    DWORD len = 0;
    int rc = oc_wide_from_utf8(given, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    len = GetFullPathNameW(given, OC_WIDE_PATH_UNITS, full, NULL);
    if (len == 0 || len >= OC_WIDE_PATH_UNITS)
        return len ? OC_E_TOOBIG : oc_err_from_windows(GetLastError());
    len = GetLongPathNameW(full, out, OC_WIDE_PATH_UNITS);
    if (len == 0 || len >= OC_WIDE_PATH_UNITS) /* not there yet */
        (void)wmemcpy(out, full, wcslen(full) + 1);
    (void)CharLowerBuffW(out, (DWORD)wcslen(out));
    len = (DWORD)wcslen(out);
    while (len > 3 && out[len - 1] == L'\\')
        out[--len] = L'\0';
    return OC_OK;
}

int oc_service_is_system_folder(const char *path)
{
    char system_path[OC_WIDE_PATH_UNITS];
    wchar_t own[OC_WIDE_PATH_UNITS], system_one[OC_WIDE_PATH_UNITS];

    return oc_os_system_state_dir(system_path, sizeof(system_path)) == OC_OK &&
           one_spelling(path, own) == OC_OK && one_spelling(system_path, system_one) == OC_OK &&
           wcscmp(own, system_one) == 0;
}

static uint64_t hash_of(const wchar_t *text)
{
    uint64_t hash = FNV_START;

    for (; *text; text++)
        hash = (hash ^ *text) * FNV_PRIME;
    return hash;
}

int oc_service_pipe_name(const char *data_dir, char *out_name, size_t out_bytes)
{
    wchar_t spelling[OC_WIDE_PATH_UNITS];
    int rc = one_spelling(data_dir, spelling), len = 0;

    if (rc < 0)
        return rc;
    if (oc_service_is_system_folder(data_dir))
        len = snprintf(out_name, out_bytes, "\\\\.\\pipe\\oomcast");
    else
        len = snprintf(out_name, out_bytes, "\\\\.\\pipe\\oomcast-%016llx",
                       (unsigned long long)hash_of(spelling));
    return len < 0 || (size_t)len >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

/* ---- who may ---- */

int oc_service_readers_sid(wchar_t out_sid[OC_SID_UNITS])
{
    unsigned char sid[SECURITY_MAX_SID_SIZE];
    wchar_t domain[256], *text = NULL;
    DWORD sid_bytes = sizeof(sid), domain_units = 256;
    SID_NAME_USE use = SidTypeUnknown;
    int rc = OC_E_NOENT;

    if (!LookupAccountNameW(NULL, OC_READERS_GROUP, sid, &sid_bytes, domain, &domain_units, &use))
        return OC_E_NOENT;
    /* a user or a domain of that name is not meant */
    if ((use != SidTypeAlias && use != SidTypeGroup) || !ConvertSidToStringSidW(sid, &text))
        return OC_E_NOENT;
    if (wcslen(text) < OC_SID_UNITS) {
        (void)wmemcpy(out_sid, text, wcslen(text) + 1);
        rc = OC_OK;
    }
    (void)LocalFree(text);
    return rc;
}

/* For a folder that somebody else made beforehand: anybody may make one in ProgramData. */
static void enable_privilege(const wchar_t *name)
{
    TOKEN_PRIVILEGES wanted = { .PrivilegeCount = 1 };
    HANDLE token = NULL;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token))
        return;
    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    if (LookupPrivilegeValueW(NULL, name, &wanted.Privileges[0].Luid))
        (void)AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL);
    (void)CloseHandle(token);
}

static int put_rules(wchar_t *path, PSECURITY_DESCRIPTOR rules)
{
    PSID owner = NULL;
    PACL list = NULL;
    BOOL defaulted = FALSE, present = FALSE;
    DWORD error = 0;

    if (!GetSecurityDescriptorOwner(rules, &owner, &defaulted) ||
        !GetSecurityDescriptorDacl(rules, &present, &list, &defaulted))
        return OC_E_IO;
    /* the owner first: he may then set the list whatever it was */
    error = SetNamedSecurityInfoW(path, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, owner, NULL,
                                  NULL, NULL);
    if (error == ERROR_SUCCESS)
        error = SetNamedSecurityInfoW(
            path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
            NULL, NULL, list, NULL);
    return error == ERROR_SUCCESS ? OC_OK : oc_err_from_windows(error);
}

int oc_service_secure_folder(const char *path)
{
    wchar_t wide[OC_WIDE_PATH_UNITS], sid[OC_SID_UNITS], text[512], readers[256] = L"";
    PSECURITY_DESCRIPTOR rules = NULL;
    int rc = oc_wide_path(wide, OC_WIDE_PATH_UNITS, path);

    if (rc < 0)
        return rc;
    if (oc_service_readers_sid(sid) == OC_OK)
        (void)swprintf(readers, 256, L"(A;OICI;0x1200a9;;;%ls)", sid); /* read, list, traverse */
    (void)swprintf(text, 512, L"O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)%ls", readers);
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &rules, NULL))
        return oc_err_from_windows(GetLastError());
    enable_privilege(L"SeTakeOwnershipPrivilege");
    enable_privilege(L"SeRestorePrivilege");
    rc = put_rules(wide, rules);
    (void)LocalFree(rules);
    return rc;
}
