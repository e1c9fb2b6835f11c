/* A worker's command line, as the Windows Process Activation Service writes it:
 * c:\windows\system32\inetsrv\w3wp.exe -ap "DefaultAppPool" -v "v4.0" -l "webengine4.dll" -a \\.\pipe\iisipm… -h "C:\…\DefaultAppPool.config" -w "" -m 0 -t 20 -ta 0
 */
#include "probes/windows/iis.h"

#include "base/text.h"

#include <string.h>

#define ARGUMENT_BYTES 1024 /* longer ones are cut */

struct arguments {
    const char *at;
    char text[ARGUMENT_BYTES]; /* the one at hand */
};

static int is_blank(char c) { return c == ' ' || c == '\t'; }

static void put(struct arguments *a, size_t *len, char c)
{
    if (*len + 1 < sizeof(a->text))
        a->text[(*len)++] = c;
}

/* A run of backslashes: halved where a quote follows; the quote is literal where their count is odd. */
static void take_backslashes(struct arguments *a, size_t *len)
{
    size_t count = strspn(a->at, "\\");
    int has_quote = a->at[count] == '"';

    for (size_t i = 0; i < (has_quote ? count / 2 : count); i++)
        put(a, len, '\\');
    a->at += count;
    if (has_quote && count % 2 == 1) {
        put(a, len, '"');
        a->at++;
    }
}

/* The next argument by the rules of CommandLineToArgvW; 0 at the end. */
static int next(struct arguments *a)
{
    size_t len = 0;
    int is_quoted = 0;

    while (is_blank(*a->at))
        a->at++;
    if (*a->at == '\0')
        return 0;
    while (*a->at && (is_quoted || !is_blank(*a->at))) {
        if (*a->at == '\\') {
            take_backslashes(a, &len);
        } else if (*a->at == '"') {
            is_quoted = !is_quoted;
            a->at++;
        } else {
            put(a, &len, *a->at++);
        }
    }
    a->text[len] = '\0';
    return 1;
}

static int same_letter(char a, char b)
{
    a = a >= 'A' && a <= 'Z' ? (char)(a - 'A' + 'a') : a;
    b = b >= 'A' && b <= 'Z' ? (char)(b - 'A' + 'a') : b;
    return a == b;
}

static int same_word(const char *a, const char *b)
{
    while (*a && same_letter(*a, *b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static const char *file_of(const char *path)
{
    const char *file = path;

    for (; *path; path++) {
        if (*path == '\\' || *path == '/')
            file = path + 1;
    }
    return file;
}

int oc_win_is_worker(const char *path)
{
    const char *file = file_of(path);

    return same_word(file, "w3wp.exe") || same_word(file, "w3wp");
}

static void keep(struct arguments *a, char *out, size_t out_bytes)
{
    if (next(a))
        oc_text_copy_utf8(out, out_bytes, a->text, strlen(a->text));
}

int oc_win_worker_parse(const char *exe, const char *cmdline, struct oc_win_worker *out_worker)
{
    struct oc_win_worker worker = { .pool = "" };
    struct arguments a = { .at = cmdline ? cmdline : "" };

    if (!next(&a) || !oc_win_is_worker(exe && exe[0] ? exe : a.text))
        return 0;
    while (next(&a)) {
        if (same_word(a.text, "-ap"))
            keep(&a, worker.pool, sizeof(worker.pool));
        else if (same_word(a.text, "-v"))
            keep(&a, worker.clr, sizeof(worker.clr));
        else if (same_word(a.text, "-h"))
            keep(&a, worker.config, sizeof(worker.config));
    }
    if (!worker.pool[0])
        return 0;
    *out_worker = worker;
    return 1;
}
