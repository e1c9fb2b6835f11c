#include "base/windows/spawn.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/windows/wide.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define WORDS_MAX 1024
#define LINE_MAX_BYTES 32767 /* CreateProcess takes no longer command line */
#define ENVIRONMENT_MAX_BYTES (256u << 10)
#define KILLED_STATUS 137 /* as a shell tells of SIGKILL */

/* ---- the command line ---- */

static int needs_quotes(const char *word) { return *word == '\0' || strpbrk(word, " \t\n\v\""); }

/* As every C runtime takes it apart: a backslash counts before a quotation mark alone. */
static void put_word(struct oc_buf *out, const char *word)
{
    size_t slashes = 0;

    if (!needs_quotes(word)) {
        oc_buf_puts(out, word);
        return;
    }
    oc_buf_putc(out, '"');
    for (; *word; word++) {
        size_t more = *word == '"' ? slashes + 1 : 0;

        while (more-- > 0)
            oc_buf_putc(out, '\\');
        slashes = *word == '\\' ? slashes + 1 : 0;
        oc_buf_putc(out, *word);
    }
    while (slashes-- > 0)
        oc_buf_putc(out, '\\');
    oc_buf_putc(out, '"');
}

/* Yours to free; NULL: no memory, or too long. */
static wchar_t *wide(const char *text, size_t len_bytes)
{
    int units = MultiByteToWideChar(CP_UTF8, 0, text, (int)len_bytes, NULL, 0);
    wchar_t *out = units > 0 ? oc_malloc(((size_t)units + 1) * sizeof(*out)) : NULL;

    if (!out)
        return NULL;
    (void)MultiByteToWideChar(CP_UTF8, 0, text, (int)len_bytes, out, units);
    out[units] = L'\0';
    return out;
}

static wchar_t *make_line(char *const *argv)
{
    struct oc_buf line;
    wchar_t *out = NULL;

    oc_buf_init(&line, LINE_MAX_BYTES);
    for (size_t i = 0; argv[i]; i++) {
        if (i > 0)
            oc_buf_putc(&line, ' ');
        put_word(&line, argv[i]);
    }
    if (line.err == OC_OK)
        out = wide(line.data, line.len_bytes);
    oc_buf_clear(&line);
    return out;
}

/* ---- the environment ---- */

static int compare_words(const void *a, const void *b)
{
    return _stricmp(*(char *const *)a, *(char *const *)b);
}

/* A block as Windows wants it: sorted, each ended by NUL, another NUL at the end. */
static wchar_t *make_environment(char *const *words)
{
    const char *sorted[WORDS_MAX] = { NULL };
    struct oc_buf block;
    wchar_t *out = NULL;
    size_t count = 0;

    for (; count < WORDS_MAX && words[count]; count++)
        sorted[count] = words[count];
    qsort(sorted, count, sizeof(sorted[0]), compare_words);
    oc_buf_init(&block, ENVIRONMENT_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        oc_buf_add(&block, sorted[i], strlen(sorted[i]) + 1);
    oc_buf_add(&block, "", 1);
    if (block.err == OC_OK)
        out = wide(block.data, block.len_bytes);
    oc_buf_clear(&block);
    return out;
}

/* ---- what it inherits ---- */

struct inheritance {
    HANDLE copies[3]; /* one each: a list that names a handle twice is refused */
    DWORD count;
    LPPROC_THREAD_ATTRIBUTE_LIST list;
};

static void clear_inheritance(struct inheritance *inheritance)
{
    if (inheritance->list)
        DeleteProcThreadAttributeList(inheritance->list);
    oc_free(inheritance->list);
    for (DWORD i = 0; i < inheritance->count; i++)
        (void)CloseHandle(inheritance->copies[i]);
}

/* A copy that can be inherited; NULL where there is nothing to copy. */
static HANDLE inherit(struct inheritance *inheritance, HANDLE handle)
{
    HANDLE self = GetCurrentProcess(), copy = NULL;

    if (!handle || handle == INVALID_HANDLE_VALUE ||
        !DuplicateHandle(self, handle, self, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))
        return NULL;
    inheritance->copies[inheritance->count++] = copy;
    return copy;
}

static DWORD make_list(struct inheritance *inheritance)
{
    SIZE_T bytes = 0;

    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &bytes);
    inheritance->list = oc_malloc(bytes);
    if (!inheritance->list)
        return ERROR_NOT_ENOUGH_MEMORY;
    if (!InitializeProcThreadAttributeList(inheritance->list, 1, 0, &bytes)) {
        oc_free(inheritance->list);
        inheritance->list = NULL;
        return GetLastError();
    }
    if (inheritance->count > 0 &&
        !UpdateProcThreadAttribute(inheritance->list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                   inheritance->copies,
                                   inheritance->count * sizeof(inheritance->copies[0]), NULL, NULL))
        return GetLastError();
    return 0;
}

/* ---- the start ---- */

static HANDLE make_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { 0 };
    HANDLE job = CreateJobObjectW(NULL, NULL);

    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
    if (job &&
        !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits))) {
        (void)CloseHandle(job);
        return NULL;
    }
    return job;
}

struct words {
    wchar_t *line, *environment;
    wchar_t program[OC_WIDE_PATH_UNITS], folder[OC_WIDE_PATH_UNITS];
};

/* Suspended, so that it starts nothing before it is in its job. 0 or Windows' error. */
static DWORD create(const struct oc_spawn *spawn, struct words *words,
                    struct inheritance *inheritance, PROCESS_INFORMATION *out_info)
{
    DWORD flags = CREATE_SUSPENDED | CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT |
                  EXTENDED_STARTUPINFO_PRESENT;
    STARTUPINFOEXW start = { .StartupInfo = { .cb = sizeof(start),
                                              .dwFlags = STARTF_USESTDHANDLES } };
    const wchar_t *folder = spawn->folder ? words->folder : NULL;
    DWORD error = 0;
    BOOL ok = FALSE;

    start.StartupInfo.hStdInput = inherit(inheritance, spawn->streams[0]);
    start.StartupInfo.hStdOutput = inherit(inheritance, spawn->streams[1]);
    start.StartupInfo.hStdError = inherit(inheritance, spawn->streams[2]);
    error = make_list(inheritance);
    if (error != 0)
        return error;
    start.lpAttributeList = inheritance->list;
    if (spawn->token)
        ok = CreateProcessAsUserW(spawn->token, words->program, words->line, NULL, NULL,
                                  inheritance->count > 0, flags, words->environment, folder,
                                  &start.StartupInfo, out_info);
    else
        ok = CreateProcessW(words->program, words->line, NULL, NULL, inheritance->count > 0, flags,
                            words->environment, folder, &start.StartupInfo, out_info);
    return ok ? 0 : GetLastError();
}

static void CALLBACK on_ended(void *context, BOOLEAN timed_out)
{
    struct oc_spawned *spawned = context;
    DWORD status = 0;

    (void)timed_out;
    (void)GetExitCodeProcess(spawned->process, &status);
    spawned->ended(status, spawned->context);
}

/* It is there and has not run yet. */
static DWORD set_going(const struct oc_spawn *spawn, HANDLE thread, struct oc_spawned *spawned)
{
    if (spawn->wants_job) {
        spawned->job = make_job();
        if (!spawned->job || !AssignProcessToJobObject(spawned->job, spawned->process))
            return GetLastError();
    }
    spawned->ended = spawn->ended;
    spawned->context = spawn->context;
    if (spawn->ended && !RegisterWaitForSingleObject(&spawned->wait, spawned->process, on_ended,
                                                     spawned, INFINITE, WT_EXECUTEONLYONCE))
        return GetLastError();
    return ResumeThread(thread) == (DWORD)-1 ? GetLastError() : 0;
}

unsigned long oc_spawn(const struct oc_spawn *spawn, struct oc_spawned *out_spawned)
{
    struct inheritance inheritance = { .count = 0 };
    struct words *words = oc_calloc(1, sizeof(*words));
    PROCESS_INFORMATION info = { 0 };
    DWORD error = ERROR_NOT_ENOUGH_MEMORY;

    *out_spawned = (struct oc_spawned){ 0 };
    if (!words)
        return error;
    words->line = make_line(spawn->argv);
    words->environment = spawn->environment ? make_environment(spawn->environment) : NULL;
    if (!words->line || (spawn->environment && !words->environment))
        goto out;
    error = ERROR_FILENAME_EXCED_RANGE;
    if (oc_wide_path(words->program, OC_WIDE_PATH_UNITS, spawn->argv[0]) < 0 ||
        (spawn->folder && oc_wide_path(words->folder, OC_WIDE_PATH_UNITS, spawn->folder) < 0))
        goto out;
    error = create(spawn, words, &inheritance, &info);
    if (error != 0)
        goto out;
    out_spawned->process = info.hProcess;
    out_spawned->pid = info.dwProcessId;
    error = set_going(spawn, info.hThread, out_spawned);
    (void)CloseHandle(info.hThread);
    if (error != 0) {
        oc_spawn_kill(out_spawned);
        oc_spawn_clear(out_spawned);
    }
out:
    clear_inheritance(&inheritance);
    oc_free(words->line);
    oc_free(words->environment);
    oc_free(words);
    return error;
}

void oc_spawn_kill(struct oc_spawned *spawned)
{
    if (spawned->job)
        (void)TerminateJobObject(spawned->job, KILLED_STATUS);
    if (spawned->process)
        (void)TerminateProcess(spawned->process, KILLED_STATUS);
}

void oc_spawn_clear(struct oc_spawned *spawned)
{
    if (spawned->wait)
        (void)UnregisterWaitEx(spawned->wait, INVALID_HANDLE_VALUE);
    if (spawned->process)
        (void)CloseHandle(spawned->process);
    if (spawned->job)
        (void)CloseHandle(spawned->job);
    *spawned = (struct oc_spawned){ 0 };
}
