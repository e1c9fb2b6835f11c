#include "daemon/windows/token.h"

#include <aclapi.h>

#define GROUPS_MAX_BYTES 16384

struct sid {
    unsigned char bytes[SECURITY_MAX_SID_SIZE];
};

static PSID known(WELL_KNOWN_SID_TYPE kind, struct sid *room)
{
    DWORD bytes = sizeof(room->bytes);

    return CreateWellKnownSid(kind, NULL, room->bytes, &bytes) ? room->bytes : NULL;
}

/* SECURITY_WRITE_RESTRICTED_CODE: Windows' own logs and ports let services in by it that are restricted the same way. */
static PSID write_restricted(struct sid *room)
{
    SID_IDENTIFIER_AUTHORITY nt = SECURITY_NT_AUTHORITY;

    if (!InitializeSid(room->bytes, &nt, 1))
        return NULL;
    *GetSidSubAuthority(room->bytes, 0) = SECURITY_WRITE_RESTRICTED_CODE_RID;
    return room->bytes;
}

/* The session's own number, where there is one: a desktop lets its processes in by it. */
static PSID logon_of(HANDLE token, TOKEN_GROUPS *room, DWORD room_bytes)
{
    DWORD bytes = 0;

    if (!GetTokenInformation(token, TokenGroups, room, room_bytes, &bytes))
        return NULL;
    for (DWORD i = 0; i < room->GroupCount; i++) {
        if ((room->Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID)
            return room->Groups[i].Sid;
    }
    return NULL;
}

static DWORD cut_down(HANDLE own, HANDLE *out_token)
{
    union {
        TOKEN_GROUPS groups;
        unsigned char bytes[GROUPS_MAX_BYTES];
    } groups;
    struct sid rooms[3];
    SID_AND_ATTRIBUTES refused = { .Sid = known(WinBuiltinAdministratorsSid, &rooms[0]) };
    SID_AND_ATTRIBUTES allowed[3] = { { .Sid = known(WinWorldSid, &rooms[1]) },
                                      { .Sid = write_restricted(&rooms[2]) },
                                      { .Sid = logon_of(own, &groups.groups, sizeof(groups)) } };

    if (!refused.Sid || !allowed[0].Sid || !allowed[1].Sid)
        return GetLastError();
    if (!CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE | WRITE_RESTRICTED, 1, &refused, 0, NULL,
                               allowed[2].Sid ? 3 : 2, allowed, out_token))
        return GetLastError();
    return 0;
}

/* What it makes itself (events, threads) it must be able to open again. */
static void open_own_objects(HANDLE token)
{
    union {
        TOKEN_DEFAULT_DACL list;
        unsigned char bytes[GROUPS_MAX_BYTES];
    } now;
    TOKEN_DEFAULT_DACL then = { .DefaultDacl = NULL };
    struct sid room;
    EXPLICIT_ACCESSW entry = { .grfAccessPermissions = GENERIC_ALL,
                               .grfAccessMode = GRANT_ACCESS,
                               .Trustee = { .TrusteeForm = TRUSTEE_IS_SID,
                                            .ptstrName = (LPWSTR)write_restricted(&room) } };
    DWORD bytes = 0;

    if (!entry.Trustee.ptstrName ||
        !GetTokenInformation(token, TokenDefaultDacl, &now, sizeof(now), &bytes) ||
        SetEntriesInAclW(1, &entry, now.list.DefaultDacl, &then.DefaultDacl) != ERROR_SUCCESS)
        return;
    (void)SetTokenInformation(token, TokenDefaultDacl, &then, sizeof(then));
    (void)LocalFree(then.DefaultDacl);
}

/* Below services: it cannot read their memory, whatever their own lists say. */
static void lower(HANDLE token)
{
    struct sid room;
    TOKEN_MANDATORY_LABEL label = { .Label = { .Sid = known(WinMediumLabelSid, &room),
                                               .Attributes = SE_GROUP_INTEGRITY } };

    if (label.Label.Sid)
        (void)SetTokenInformation(token, TokenIntegrityLevel, &label,
                                  (DWORD)sizeof(label) + GetLengthSid(label.Label.Sid));
}

DWORD oc_token_restricted(HANDLE *out_token)
{
    HANDLE own = NULL;
    DWORD error = 0;

    if (!OpenProcessToken(
            GetCurrentProcess(),
            TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT, &own))
        return GetLastError();
    error = cut_down(own, out_token);
    (void)CloseHandle(own);
    if (error != 0)
        return error;
    open_own_objects(*out_token);
    lower(*out_token);
    return 0;
}
