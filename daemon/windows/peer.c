/* The control channel is a named pipe. */
#include "daemon/os.h"

#include "base/windows/service.h"
#include "base/windows/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#define RULES_UNITS 1024
#define ACCOUNT_UNITS 128

union user_room {
    TOKEN_USER user;
    unsigned char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

/* ---- whose pipe ---- */

int oc_control_address(const char *data_dir, char *out_address, size_t out_bytes)
{
    return oc_service_pipe_name(data_dir, out_address, out_bytes);
}

/* A pipe goes with its last handle. */
void oc_control_address_clear(const char *address) { (void)address; }

static int token_user(HANDLE token, union user_room *out_user)
{
    DWORD got_bytes = 0;

    return GetTokenInformation(token, TokenUser, out_user, sizeof(*out_user), &got_bytes)
               ? OC_OK
               : oc_err_from_windows(GetLastError());
}

static int own_user(union user_room *out_user)
{
    HANDLE token = NULL;
    int rc = OC_OK;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return oc_err_from_windows(GetLastError());
    rc = token_user(token, out_user);
    (void)CloseHandle(token);
    return rc;
}

/*
 * Nobody from the network; the system, administrators and our own account all; the readers may ask. Who may ask could also
 * offer another end of the pipe (the same bit): only he who may read all that it tells, anyway.
 */
static int rules_text(wchar_t out[RULES_UNITS])
{
    union user_room own;
    wchar_t readers_sid[OC_SID_UNITS], readers[OC_SID_UNITS + 24] = L"";
    wchar_t *own_sid = NULL;
    int rc = own_user(&own);

    if (rc < 0)
        return rc;
    if (!ConvertSidToStringSidW(own.user.User.Sid, &own_sid))
        return oc_err_from_windows(GetLastError());
    if (oc_service_readers_sid(readers_sid) == OC_OK)
        (void)swprintf(readers, OC_SID_UNITS + 24, L"(A;;GRGW;;;%ls)", readers_sid);
    (void)swprintf(out, RULES_UNITS, L"D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;%ls)%ls",
                   own_sid, readers);
    (void)LocalFree(own_sid);
    return OC_OK;
}

int oc_control_address_protect(uv_pipe_t *server, const char *address)
{
    wchar_t text[RULES_UNITS];
    PSECURITY_DESCRIPTOR rules = NULL;
    PACL list = NULL;
    BOOL present = FALSE, defaulted = FALSE;
    uv_os_fd_t handle = INVALID_HANDLE_VALUE;
    DWORD error = ERROR_INVALID_HANDLE;
    int rc = rules_text(text);

    (void)address;
    if (rc < 0)
        return rc;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &rules, NULL))
        return oc_err_from_windows(GetLastError());
    /* the rules are the pipe's, whichever of its ends they are set by */
    if (uv_fileno((uv_handle_t *)server, &handle) == 0 &&
        GetSecurityDescriptorDacl(rules, &present, &list, &defaulted))
        error = SetSecurityInfo(handle, SE_KERNEL_OBJECT,
                                DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
                                NULL, NULL, list, NULL);
    (void)LocalFree(rules);
    return error == ERROR_SUCCESS ? OC_OK : oc_err_from_windows(error);
}

/* ---- who asks ---- */

static int is_administrator(HANDLE token)
{
    unsigned char group[SECURITY_MAX_SID_SIZE];
    DWORD group_bytes = sizeof(group);
    BOOL is_member = FALSE;

    return CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, group, &group_bytes) &&
           CheckTokenMembership(token, group, &is_member) && is_member;
}

static void name_of(PSID sid, char *out, size_t out_bytes)
{
    wchar_t name[ACCOUNT_UNITS], domain[ACCOUNT_UNITS], both[2 * ACCOUNT_UNITS + 2];
    DWORD name_units = ACCOUNT_UNITS, domain_units = ACCOUNT_UNITS;
    SID_NAME_USE use = SidTypeUnknown;

    if (!LookupAccountSidW(NULL, sid, name, &name_units, domain, &domain_units, &use))
        return;
    (void)swprintf(both, sizeof(both) / sizeof(both[0]), L"%ls\\%ls", domain, name);
    if (oc_wide_to_utf8(out, out_bytes, both) < 0)
        (void)oc_wide_to_utf8(out, out_bytes, name);
}

/* Its token, to look at: what the client lets us do in its name is not needed. */
static int client_token(HANDLE pipe, HANDLE *out_token)
{
    HANDLE token = NULL;
    int rc = OC_OK;

    if (!ImpersonateNamedPipeClient(pipe))
        return oc_err_from_windows(GetLastError());
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token))
        rc = oc_err_from_windows(GetLastError());
    if (!RevertToSelf())
        abort(); /* going on as somebody else would be worse than anything */
    if (rc == OC_OK)
        *out_token = token;
    return rc;
}

int oc_control_peer(uv_stream_t *client, struct oc_peer *out_peer)
{
    struct oc_peer peer = { .uid = -1 };
    union user_room user, own;
    uv_os_fd_t pipe = INVALID_HANDLE_VALUE;
    HANDLE token = NULL;
    ULONG pid = 0;
    int rc = uv_fileno((uv_handle_t *)client, &pipe) == 0 ? client_token(pipe, &token) : OC_E_IO;

    if (rc < 0)
        return rc;
    if (GetNamedPipeClientProcessId(pipe, &pid))
        peer.pid = pid;
    rc = token_user(token, &user);
    if (rc == OC_OK) {
        name_of(user.user.User.Sid, peer.name, sizeof(peer.name));
        peer.may_change =
            is_administrator(token) ||
            (own_user(&own) == OC_OK && EqualSid(user.user.User.Sid, own.user.User.Sid));
        *out_peer = peer;
    }
    (void)CloseHandle(token);
    return rc;
}
