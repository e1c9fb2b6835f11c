/*
 * oomcastd starts it with a restricted token where Windows lets it (daemon/windows/child.c); here goes what a process can
 * only give up itself, and all of it where it was started by hand.
 */
#include "notify/rights.h"

#include <windows.h>

#define PRIVILEGES_MAX_BYTES 2048

/* All but the one that lets a path be walked through folders that may not be read: without it hardly a file can be opened. */
static int remove_privileges(HANDLE token)
{
    union {
        TOKEN_PRIVILEGES all;
        unsigned char bytes[PRIVILEGES_MAX_BYTES];
    } held;
    DWORD got_bytes = 0;
    LUID notify = { 0 };

    if (!GetTokenInformation(token, TokenPrivileges, &held, sizeof(held), &got_bytes) ||
        !LookupPrivilegeValueW(NULL, L"SeChangeNotifyPrivilege", &notify))
        return 0;
    for (DWORD i = 0; i < held.all.PrivilegeCount; i++) {
        LUID_AND_ATTRIBUTES *privilege = &held.all.Privileges[i];

        if (privilege->Luid.LowPart != notify.LowPart ||
            privilege->Luid.HighPart != notify.HighPart)
            privilege->Attributes = SE_PRIVILEGE_REMOVED;
    }
    return AdjustTokenPrivileges(token, FALSE, &held.all, 0, NULL, NULL) &&
           GetLastError() == ERROR_SUCCESS;
}

static int is_administrator(void)
{
    unsigned char sid[SECURITY_MAX_SID_SIZE];
    DWORD bytes = sizeof(sid);
    BOOL is_member = FALSE;

    return CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &bytes) &&
           CheckTokenMembership(NULL, sid, &is_member) && is_member;
}

/* DLLs from Windows' folder alone, none over a network, none that some setting puts into each process. */
static void harden(void)
{
    PROCESS_MITIGATION_EXTENSION_POINT_DISABLE_POLICY points = { .DisableExtensionPoints = 1 };
    PROCESS_MITIGATION_IMAGE_LOAD_POLICY images = { .NoRemoteImages = 1 };

    (void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    (void)SetProcessMitigationPolicy(ProcessExtensionPointDisablePolicy, &points, sizeof(points));
    (void)SetProcessMitigationPolicy(ProcessImageLoadPolicy, &images, sizeof(images));
    /* No box that waits for a person, and no dump of what holds secrets. */
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
}

int oc_rights_drop(const struct oc_notify_args *args, char *const *argv, struct oc_detail *note)
{
    HANDLE token = NULL;
    int ok = 0;

    (void)args;
    (void)argv;
    harden();
    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES, &token)) {
        ok = remove_privileges(token);
        (void)CloseHandle(token);
    }
    if (!ok)
        (void)oc_detail_set(note, OC_E_DENIED, "some privileges could not be given up");
    else if (is_administrator())
        (void)oc_detail_set(note, OC_E_DENIED,
                            "it has an administrator's rights: its token could not be restricted");
    return OC_OK;
}
