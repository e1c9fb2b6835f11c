/* Real calls that know the machine: memory, page files, services, files. */
#include "probes/windows/calls.h"

#include "base/alloc.h"
#include "base/os.h"
#include "probes/windows/pagefile.h"
#include "probes/windows/utf16.h"

#include <string.h>
#include <winsvc.h>

/* ---- page files ---- */

#define PAGEFILES_MAX 16
#define PAGEFILES_EVERY_NS INT64_C(60000000000) /* a registry key and some volumes */

struct pagefile_now {
    char drive;
    uint64_t bytes;
};

struct pagefiles {
    struct pagefile_now now[PAGEFILES_MAX];
    unsigned count;
    uint64_t page_bytes;
};

static BOOL CALLBACK add_pagefile(void *context, ENUM_PAGE_FILE_INFORMATION *info,
                                  const WCHAR *path)
{
    struct pagefiles *files = context;
    char name[16];

    if (files->count == PAGEFILES_MAX)
        return FALSE;
    (void)oc_win_utf8(path, wcslen(path), name, sizeof name);
    files->now[files->count].drive = name[0];
    files->now[files->count].bytes = info->TotalSize * files->page_bytes;
    files->count++;
    return TRUE;
}

static uint64_t bytes_now(const struct pagefiles *files, char drive)
{
    for (unsigned i = 0; i < files->count; i++) {
        if (files->now[i].drive == drive)
            return files->now[i].bytes;
    }
    return 0;
}

/* By how much the file of one line may grow. */
static uint64_t growth_of(const struct oc_win *win, const struct pagefiles *files, const char *line,
                          uint64_t ram_bytes)
{
    struct oc_win_pagefile file;
    WCHAR root[] = L"C:\\";
    ULARGE_INTEGER free_bytes = { .QuadPart = 0 }, all_bytes = { .QuadPart = 0 };
    uint64_t has_bytes = 0;

    if (oc_win_pagefile_parse(line, &file) != OC_OK)
        return 0;
    if (file.drive == '?')
        file.drive = files->count > 0 ? files->now[0].drive : win->system_root[0];
    root[0] = (WCHAR)file.drive;
    if (!GetDiskFreeSpaceExW(root, NULL, &all_bytes, &free_bytes))
        return 0;
    has_bytes = bytes_now(files, file.drive);
    return oc_win_pagefile_limit(&file, ram_bytes, all_bytes.QuadPart, free_bytes.QuadPart,
                                 has_bytes) -
           has_bytes;
}

/* Of all files; OC_E_NOENT where the machine does not say how they may grow. */
static int find_growth(const struct oc_win *win, uint64_t page_bytes, uint64_t ram_bytes,
                       uint64_t *out_bytes)
{
    WCHAR lines[2048];
    DWORD lines_bytes = sizeof lines;
    struct pagefiles files = { .page_bytes = page_bytes };
    uint64_t growth = 0;

    if (RegGetValueW(HKEY_LOCAL_MACHINE,
                     L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management",
                     L"PagingFiles", RRF_RT_REG_MULTI_SZ, NULL, lines,
                     &lines_bytes) != ERROR_SUCCESS)
        return OC_E_NOENT;
    if (!EnumPageFilesW(add_pagefile, &files))
        return OC_E_NOENT;
    for (const WCHAR *line = lines; *line != L'\0'; line += wcslen(line) + 1) {
        char text[512];

        (void)oc_win_utf8(line, wcslen(line), text, sizeof text);
        growth += growth_of(win, &files, text, ram_bytes);
    }
    *out_bytes = growth;
    return OC_OK;
}

/* What the commit limit may become; 0: unknown. */
static uint64_t commit_max(struct oc_win_real *real, const PERFORMANCE_INFORMATION *info)
{
    const int64_t now_ns = oc_clock_mono_ns();

    if (real->commit_max_mono_ns == 0 || now_ns - real->commit_max_mono_ns >= PAGEFILES_EVERY_NS) {
        real->commit_max_mono_ns = now_ns;
        real->has_commit_growth =
            find_growth(&real->win, info->PageSize, info->PhysicalTotal * info->PageSize,
                        &real->commit_growth) == OC_OK;
    }
    return real->has_commit_growth ? info->CommitLimit * info->PageSize + real->commit_growth : 0;
}

static int real_host(struct oc_win *win, struct oc_win_host *out)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_HOST);
    struct oc_win_real *real = oc_win_real_of(win);
    PERFORMANCE_INFORMATION info = { .cb = sizeof info };
    BOOL done = GetPerformanceInfo(&info, sizeof info);
    DWORD error = done ? ERROR_SUCCESS : GetLastError();

    if (done) {
        const uint64_t page_bytes = info.PageSize;

        out->total_phys = info.PhysicalTotal * page_bytes;
        out->avail_phys = info.PhysicalAvailable * page_bytes;
        out->commit_total = info.CommitTotal * page_bytes;
        out->commit_limit = info.CommitLimit * page_bytes;
        out->commit_peak = info.CommitPeak * page_bytes;
        out->commit_max = commit_max(real, &info);
        out->pool_paged = info.KernelPaged * page_bytes;
        out->pool_nonpaged = info.KernelNonpaged * page_bytes;
        out->processes = info.ProcessCount;
        out->threads = info.ThreadCount;
        out->handles = info.HandleCount;
        out->cpu_count = real->cpu_count;
        out->top_address = real->top_address;
    }
    oc_win_end(win, OC_WIN_CALL_HOST, begin_ns);
    return oc_win_error(error);
}

/* ---- services ---- */

#define SERVICES_BYTES (64u << 10)
#define SERVICES_TURNS_MAX 64

static void tell_services(const ENUM_SERVICE_STATUS_PROCESSW *services, DWORD count,
                          oc_win_service_fn *fn, void *context)
{
    for (DWORD i = 0; i < count; i++) {
        char name[256];

        (void)oc_win_utf8(services[i].lpServiceName, wcslen(services[i].lpServiceName), name,
                          sizeof name);
        fn(services[i].ServiceStatusProcess.dwProcessId, name, context);
    }
}

static int list_services(SC_HANDLE manager, void *buffer, oc_win_service_fn *fn, void *context)
{
    DWORD left_bytes = 0, count = 0, resume = 0;

    for (int turn = 0; turn < SERVICES_TURNS_MAX; turn++) {
        BOOL done =
            EnumServicesStatusExW(manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32, SERVICE_ACTIVE,
                                  buffer, SERVICES_BYTES, &left_bytes, &count, &resume, NULL);
        DWORD error = done ? ERROR_SUCCESS : GetLastError();

        if (!done && error != ERROR_MORE_DATA)
            return oc_win_error(error);
        tell_services(buffer, count, fn, context);
        if (done)
            return OC_OK;
    }
    return OC_E_TOOBIG;
}

static int real_services(struct oc_win *win, oc_win_service_fn *fn, void *context)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_SERVICES);
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ENUMERATE_SERVICE);
    void *buffer = manager ? oc_malloc(SERVICES_BYTES) : NULL;
    int rc = OC_E_NOMEM;

    if (!manager)
        rc = oc_win_error(GetLastError());
    else if (buffer)
        rc = list_services(manager, buffer, fn, context);
    oc_free(buffer);
    if (manager)
        (void)CloseServiceHandle(manager);
    oc_win_end(win, OC_WIN_CALL_SERVICES, begin_ns);
    return rc;
}

/* ---- files ---- */

/* All of an open file, NUL-terminated. */
static int read_all(HANDLE file, size_t max_bytes, char **out_text, size_t *out_bytes)
{
    LARGE_INTEGER size = { .QuadPart = 0 };
    char *text = NULL;
    DWORD got_bytes = 0;

    if (!GetFileSizeEx(file, &size))
        return oc_win_error(GetLastError());
    if (size.QuadPart < 0 || (uint64_t)size.QuadPart > max_bytes || size.QuadPart > INT32_MAX)
        return OC_E_TOOBIG;
    text = oc_malloc((size_t)size.QuadPart + 1);
    if (!text)
        return OC_E_NOMEM;
    if (!ReadFile(file, text, (DWORD)size.QuadPart, &got_bytes, NULL)) {
        oc_free(text);
        return oc_win_error(GetLastError());
    }
    text[got_bytes] = '\0'; /* shorter where somebody cut it meanwhile */
    *out_text = text;
    if (out_bytes)
        *out_bytes = got_bytes;
    return OC_OK;
}

static int read_file(const char *path, size_t max_bytes, char **out_text, size_t *out_bytes,
                     uint64_t *out_changed)
{
    WCHAR wide[OC_WIN_PATH_UNITS];
    FILETIME changed = { 0, 0 };
    HANDLE file = INVALID_HANDLE_VALUE;
    int rc = oc_win_wide(path, wide, OC_WIN_PATH_UNITS);

    if (rc != OC_OK)
        return rc;
    file = CreateFileW(wide, out_text ? GENERIC_READ : FILE_READ_ATTRIBUTES,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return oc_win_error(GetLastError());
    if (!GetFileTime(file, NULL, NULL, &changed))
        rc = oc_win_error(GetLastError());
    if (rc == OC_OK && out_text)
        rc = read_all(file, max_bytes, out_text, out_bytes);
    if (rc == OC_OK && out_changed)
        *out_changed = (uint64_t)changed.dwHighDateTime << 32 | changed.dwLowDateTime;
    (void)CloseHandle(file);
    return rc;
}

static int real_file(struct oc_win *win, const char *path, size_t max_bytes, char **out_text,
                     size_t *out_bytes, uint64_t *out_changed)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_FILE);
    int rc = read_file(path, max_bytes, out_text, out_bytes, out_changed);

    oc_win_end(win, OC_WIN_CALL_FILE, begin_ns);
    return rc;
}

void oc_win_calls_system(struct oc_win *win)
{
    win->host = real_host;
    win->services = real_services;
    win->file = real_file;
}
