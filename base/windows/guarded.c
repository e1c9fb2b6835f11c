/* Whether somebody other than an administrator could change a file, or what its path names, by their access lists. */
#include "base/os.h"

#include "base/err.h"
#include "base/text.h"
#include "base/windows/wide.h"

#include <string.h>
#include <wchar.h>
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#define PATH_WORDS 1024

/* What is looked at: a folder far above may take new files, where none of its entries can be replaced. */
enum guarded_part { PART_FILE, PART_FOLDER, PART_ABOVE };

/* What lets somebody change a part: its content or its own rules; of a folder what it holds, and where its name leads to. */
static const ACCESS_MASK dangers[] = {
    [PART_FILE] = FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE | WRITE_DAC | WRITE_OWNER |
                  GENERIC_WRITE | GENERIC_ALL,
    /* a DLL beside a program is loaded before the system's */
    [PART_FOLDER] = FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY | FILE_DELETE_CHILD | DELETE | WRITE_DAC |
                    WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL,
    [PART_ABOVE] = FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL,
};

/* ---- who is trusted ---- */

static int is_well_known(PSID sid)
{
    static const WELL_KNOWN_SID_TYPE kinds[] = {
        WinLocalSystemSid,         WinBuiltinAdministratorsSid,   WinAccountAdministratorSid,
        WinAccountDomainAdminsSid, WinAccountEnterpriseAdminsSid, WinCreatorOwnerSid,
        WinCreatorOwnerRightsSid, /* both stand for the owner, who is looked at too */
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (IsWellKnownSid(sid, kinds[i]))
            return 1;
    }
    return 0;
}

/* NT SERVICE\TrustedInstaller, who owns what Windows came with. */
static int is_installer(PSID sid)
{
    static const DWORD parts[] = {
        SECURITY_SERVICE_ID_BASE_RID, 956008885, 3418522649, 1831038044, 1853292631, 2271478464
    };
    static const SID_IDENTIFIER_AUTHORITY nt = SECURITY_NT_AUTHORITY;

    if (memcmp(GetSidIdentifierAuthority(sid), &nt, sizeof(nt)) != 0 ||
        *GetSidSubAuthorityCount(sid) != sizeof(parts) / sizeof(parts[0]))
        return 0;
    for (DWORD i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (*GetSidSubAuthority(sid, i) != parts[i])
            return 0;
    }
    return 1;
}

static int is_own_user(PSID sid)
{
    union {
        TOKEN_USER user;
        unsigned char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } own;
    HANDLE token = NULL;
    DWORD got_bytes = 0;
    int is_own = 0;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return 0;
    is_own = GetTokenInformation(token, TokenUser, &own, sizeof(own), &got_bytes) &&
             EqualSid(own.user.User.Sid, sid);
    (void)CloseHandle(token);
    return is_own;
}

static int is_trusted(PSID sid)
{
    return is_well_known(sid) || is_installer(sid) || is_own_user(sid);
}

/* "BUILTIN\Users", or the number of who has no name. */
static void name_of(PSID sid, char *out, size_t out_bytes)
{
    wchar_t name[128] = L"", domain[128] = L"", both[258];
    DWORD name_len = 128, domain_len = 128;
    SID_NAME_USE use = SidTypeUnknown;
    LPWSTR number = NULL;

    if (LookupAccountSidW(NULL, sid, name, &name_len, domain, &domain_len, &use)) {
        (void)swprintf(both, sizeof(both) / sizeof(both[0]), L"%ls%ls%ls", domain,
                       domain[0] ? L"\\" : L"", name);
    } else if (ConvertSidToStringSidW(sid, &number)) {
        (void)swprintf(both, sizeof(both) / sizeof(both[0]), L"%ls", number);
        (void)LocalFree(number);
    } else {
        both[0] = L'?', both[1] = L'\0';
    }
    if (WideCharToMultiByte(CP_UTF8, 0, both, -1, out, (int)out_bytes, NULL, NULL) == 0)
        (void)oc_text_copy(out, out_bytes, "?");
}

/* ---- one part of a path ---- */

static void text_of(const wchar_t *path, char *out, size_t out_bytes)
{
    if (WideCharToMultiByte(CP_UTF8, 0, path, -1, out, (int)out_bytes, NULL, NULL) == 0)
        (void)oc_text_copy(out, out_bytes, "?");
}

static int refuse(const wchar_t *path, PSID sid, const char *what, const char *mend,
                  struct oc_detail *detail)
{
    char name[300] = "everybody", text[400];

    if (sid)
        name_of(sid, name, sizeof(name));
    text_of(path, text, sizeof(text));
    return oc_detail_set(detail, OC_E_DENIED, "%.200s %s %.80s%s", text, what, name, mend);
}

/* Who is allowed what an entry says; NULL: it allows nothing here. */
static PSID allowed_by(void *entry, ACCESS_MASK *out_mask)
{
    const ACE_HEADER *header = entry;
    ACCESS_ALLOWED_ACE *ace = entry; /* one with a condition begins the same; it counts as met */

    if ((header->AceFlags & INHERIT_ONLY_ACE) ||
        (header->AceType != ACCESS_ALLOWED_ACE_TYPE &&
         header->AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE))
        return NULL;
    *out_mask = ace->Mask;
    return &ace->SidStart;
}

/* Entries that deny are not looked at: what only they keep out may come in tomorrow. */
static int check_list(const wchar_t *path, ACL *list, enum guarded_part part,
                      struct oc_detail *detail)
{
    static const char mend[] = ": allow it to administrators alone (icacls)";

    if (!list)
        return refuse(path, NULL, "can be written by", mend, detail);
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACCESS_MASK mask = 0;
        void *entry = NULL;
        PSID sid = GetAce(list, i, &entry) ? allowed_by(entry, &mask) : NULL;

        if (sid && (mask & dangers[part]) && !is_trusted(sid))
            return refuse(path, sid, "can be written by", mend, detail);
    }
    return OC_OK;
}

static int check_part(const wchar_t *path, enum guarded_part part, struct oc_detail *detail)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    ACL *list = NULL;
    char text[400];
    int rc = OC_OK;
    DWORD error = GetNamedSecurityInfoW((wchar_t *)path, SE_FILE_OBJECT,
                                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                        &owner, NULL, &list, NULL, &descriptor);

    if (error != ERROR_SUCCESS) {
        text_of(path, text, sizeof(text));
        rc = oc_err_from_windows(error);
        return oc_detail_set(detail, rc, "%.300s: %s", text, oc_err_text(rc));
    }
    if (!owner || !is_trusted(owner))
        rc = refuse(path, owner, "belongs to", ", who could change it: icacls /setowner", detail);
    else
        rc = check_list(path, list, part, detail);
    (void)LocalFree(descriptor);
    return rc;
}

/* ---- a whole path ---- */

/* Each folder of "C:\a\b", from the nearest up to "C:\". */
static int check_folders(wchar_t *path, struct oc_detail *detail)
{
    enum guarded_part part = PART_FOLDER;
    wchar_t *slash = NULL;
    int rc = OC_OK;

    while (rc == OC_OK && (slash = wcsrchr(path, L'\\')) != NULL) {
        int is_root = slash > path && slash[-1] == L':';

        slash[is_root] = L'\0';
        rc = check_part(path, part, detail);
        part = PART_ABOVE;
        if (is_root)
            break;
        if (wcsncmp(path, L"\\\\", 2) == 0 && !wcschr(path + 2, L'\\'))
            break; /* \\server: a share's root was the last */
    }
    return rc;
}

/* Without the mark of long paths, which the calls above do not take. */
static void strip_mark(wchar_t *path)
{
    size_t len = wcslen(path);

    if (wcsncmp(path, L"\\\\?\\UNC\\", 8) == 0)
        (void)wmemmove(path + 2, path + 8, len - 8 + 1);
    else if (wcsncmp(path, L"\\\\?\\", 4) == 0)
        (void)wmemmove(path, path + 4, len - 4 + 1);
}

/* Where links lead to. 0 or a code. */
static int real_path(const wchar_t *path, wchar_t out[PATH_WORDS])
{
    HANDLE file =
        CreateFileW(path, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD len = 0;

    if (file == INVALID_HANDLE_VALUE)
        return oc_err_from_windows(GetLastError());
    len = GetFinalPathNameByHandleW(file, out, PATH_WORDS, FILE_NAME_NORMALIZED);
    (void)CloseHandle(file);
    if (len == 0 || len >= PATH_WORDS)
        return len ? OC_E_TOOBIG : OC_E_IO;
    strip_mark(out);
    return OC_OK;
}

int oc_file_guarded(const char *path, struct oc_detail *detail)
{
    wchar_t given[PATH_WORDS], written[PATH_WORDS], real[PATH_WORDS];
    DWORD len = 0;
    int rc = OC_OK;

    if (MultiByteToWideChar(CP_UTF8, 0, path, -1, given, PATH_WORDS) == 0)
        return oc_detail_set(detail, OC_E_TOOBIG, "%.300s: the path is too long", path);
    len = GetFullPathNameW(given, PATH_WORDS, written, NULL);
    if (len == 0 || len >= PATH_WORDS)
        return oc_detail_set(detail, OC_E_TOOBIG, "%.300s: the path is too long", path);
    rc = real_path(written, real);
    if (rc < 0)
        return oc_detail_set(detail, rc, "%.300s: %s", path, oc_err_text(rc));
    rc = check_part(real, PART_FILE, detail);
    if (rc == OC_OK)
        rc = check_folders(real, detail);
    if (rc == OC_OK)
        rc = check_folders(written, detail); /* a link on the way is changed where it stands */
    return rc;
}
