/* The terminal and this process on Windows. */
#include "base/os.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/windows/wide.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <windows.h>

#include <shellapi.h>

static HANDLE stream_handle(enum oc_stream stream)
{
    return GetStdHandle(stream == OC_STDIN    ? STD_INPUT_HANDLE
                        : stream == OC_STDOUT ? STD_OUTPUT_HANDLE
                                              : STD_ERROR_HANDLE);
}

/* Not isatty(), which takes the null device and printers for one. */
int oc_term_is_tty(enum oc_stream stream)
{
    DWORD mode = 0;

    return GetConsoleMode(stream_handle(stream), &mode) ? 1 : 0;
}

int oc_term_size(enum oc_stream stream, int *out_columns, int *out_rows)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(stream_handle(stream), &info) ||
        info.srWindow.Right <= info.srWindow.Left)
        return OC_E_NOTSUP;
    *out_columns = info.srWindow.Right - info.srWindow.Left + 1;
    *out_rows = info.srWindow.Bottom - info.srWindow.Top + 1;
    return OC_OK;
}

/* Bytes go out as they are written: what is piped is the same on each system. */
void oc_term_init(void)
{
    const enum oc_stream streams[] = { OC_STDOUT, OC_STDERR };

    (void)_setmode(_fileno(stdin), _O_BINARY);
    (void)_setmode(_fileno(stdout), _O_BINARY);
    (void)_setmode(_fileno(stderr), _O_BINARY);
    for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++) {
        DWORD mode = 0;

        if (GetConsoleMode(stream_handle(streams[i]), &mode))
            (void)SetConsoleMode(stream_handle(streams[i]), mode | ENABLE_PROCESSED_OUTPUT |
                                                                ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
    (void)SetConsoleOutputCP(CP_UTF8);
}

uint32_t oc_os_pid(void) { return GetCurrentProcessId(); }

const char *oc_os_name(void) { return "windows"; }
char oc_os_path_separator(void) { return '\\'; }

/* Elevated: of the token of one who could be, the group may only deny. */
int oc_os_is_admin(void)
{
    SID_IDENTIFIER_AUTHORITY authority = { SECURITY_NT_AUTHORITY };
    BOOL is_member = FALSE;
    PSID group = NULL;

    if (!AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID,
                                  DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0, &group))
        return 0;
    if (!CheckTokenMembership(NULL, group, &is_member))
        is_member = FALSE;
    (void)FreeSid(group);
    return is_member ? 1 : 0;
}

int oc_os_hostname(char *out_name, size_t out_bytes)
{
    wchar_t name[256];
    DWORD units = sizeof(name) / sizeof(*name);

    if (!GetComputerNameExW(ComputerNameDnsHostname, name, &units))
        return oc_err_from_windows(GetLastError());
    return oc_wide_to_utf8(out_name, out_bytes, name);
}

/* Arguments of a program are at most 32,767 units in all, so that none is longer. */
static char *utf8_of(const wchar_t *wide)
{
    size_t bytes = 3 * wcslen(wide) + 1;
    char *text = oc_malloc(bytes);

    if (text && oc_wide_to_utf8(text, bytes, wide) < 0) {
        oc_free(text);
        return NULL;
    }
    return text;
}

int oc_os_args(int *argc, char ***argv)
{
    int count = 0, rc = OC_OK;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **args = wide ? oc_calloc((size_t)count + 1, sizeof(*args)) : NULL;

    if (!args)
        rc = OC_E_NOMEM;
    for (int i = 0; rc == OC_OK && i < count; i++) {
        args[i] = utf8_of(wide[i]);
        rc = args[i] ? OC_OK : OC_E_NOMEM;
    }
    (void)LocalFree(wide);
    if (rc == OC_OK) {
        *argc = count;
        *argv = args;
        return OC_OK;
    }
    for (int i = 0; args && i < count; i++)
        oc_free(args[i]);
    oc_free(args);
    return rc;
}

/* Handles have no limit that a process sets: sixteen million of them, and memory. */
uint64_t oc_os_raise_nofile(void) { return UINT64_MAX; }
