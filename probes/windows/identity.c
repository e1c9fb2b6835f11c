#include "probes/windows/identity.h"

#include "base/alloc.h"
#include "base/redact.h"
#include "base/text.h"
#include "probes/windows/handles.h"
#include "probes/windows/iis.h"
#include "probes/windows/utf16.h"

#include <stdio.h>
#include <string.h>

#define CMDLINE_BYTES (OC_WALK_CMDLINE_MAX + 1)
#define UNITS_MAX 32767u                            /* of arguments: CreateProcess takes no more */
#define EPOCH_FILETIME UINT64_C(116444736000000000) /* 1970 in 100 ns since 1601 */

int64_t oc_win_unix_ms(uint64_t filetime)
{
    if (filetime < EPOCH_FILETIME || filetime - EPOCH_FILETIME > INT64_MAX)
        return 0;
    return (int64_t)((filetime - EPOCH_FILETIME) / 10000);
}

/* ---- arguments ---- */

/*
 * Where a PEB keeps them: ProcessParameters, in it CommandLine, a UNICODE_STRING. Offsets of winternl.h's layouts, which
 * Windows has kept since XP, and Wine has too.
 */
struct layout {
    unsigned pointer_bytes, parameters, cmdline, buffer;
};
static const struct layout layout32 = { 4, 0x10, 0x40, 4 }, layout64 = { 8, 0x20, 0x70, 8 };

static int read_pointer(struct oc_win *win, oc_win_handle process, const struct layout *layout,
                        uint64_t address, uint64_t *out)
{
    unsigned char bytes[8] = { 0 };
    int rc = win->read(win, process, address, bytes, layout->pointer_bytes);

    if (rc == OC_OK)
        memcpy(out, bytes, sizeof *out);
    return rc;
}

static int read_text(struct oc_win *win, oc_win_handle process, uint64_t address, size_t text_bytes,
                     char **out_text)
{
    unsigned char *wide = oc_malloc(text_bytes);
    char *text = oc_malloc(text_bytes / 2 * 3 + 1);
    int rc = wide && text ? win->read(win, process, address, wide, text_bytes) : OC_E_NOMEM;

    if (rc == OC_OK) {
        (void)oc_win_utf8(wide, text_bytes / 2, text, text_bytes / 2 * 3 + 1);
        *out_text = text;
        text = NULL;
    }
    oc_free(wide);
    oc_free(text);
    return rc;
}

int oc_win_peb_cmdline(struct oc_win *win, oc_win_handle process,
                       const struct oc_win_basics *basics, char **out_text)
{
    const struct layout *layout = basics->is_32bit ? &layout32 : &layout64;
    const uint64_t peb = basics->is_32bit ? basics->peb32 : basics->peb;
    unsigned char string[16] = { 0 };
    uint64_t parameters = 0, address = 0;
    uint16_t text_bytes = 0;
    int rc = OC_E_NOENT;

    if (peb == 0)
        return rc;
    rc = read_pointer(win, process, layout, peb + layout->parameters, &parameters);
    if (rc == OC_OK)
        rc = win->read(win, process, parameters + layout->cmdline, string,
                       layout->buffer + layout->pointer_bytes);
    if (rc != OC_OK)
        return rc;
    memcpy(&text_bytes, string, sizeof text_bytes);
    memcpy(&address, string + layout->buffer, layout->pointer_bytes);
    if (text_bytes == 0 || address == 0)
        return OC_E_NOENT;
    return text_bytes % 2 != 0 ? OC_E_PARSE
                               : read_text(win, process, address, text_bytes, out_text);
}

/* By the call for them. */
static int ask_cmdline(struct oc_win *win, oc_win_handle process, char **out_text)
{
    char *text = oc_malloc(3 * UNITS_MAX + 1);
    char *exact = NULL;
    int rc = text ? win->cmdline(win, process, text, 3 * UNITS_MAX + 1) : OC_E_NOMEM;

    if (rc == OC_OK) {
        exact = oc_strdup(text);
        rc = exact ? OC_OK : OC_E_NOMEM;
        *out_text = exact;
    }
    oc_free(text);
    return rc;
}

static const char *file_name(const char *path)
{
    const char *name = path;

    for (; *path != '\0'; path++) {
        if (*path == '\\' || *path == '/')
            name = path + 1;
    }
    return name;
}

static int is_worker(const char *image)
{
    static const char worker[] = "w3wp.exe";
    const char *name = file_name(image);
    size_t i = 0;

    for (; worker[i] != '\0'; i++) {
        if ((name[i] | 0x20) != worker[i] && name[i] != worker[i])
            return 0;
    }
    return name[i] == '\0';
}

/* By its memory, with a handle of its own. */
static int read_cmdline(struct oc_win *win, uint32_t pid, oc_win_handle limited, char **out_text)
{
    struct oc_win_basics basics;
    oc_win_handle process = 0;
    int rc = win->basics(win, limited, &basics);

    if (rc == OC_OK)
        rc = oc_win_open_read(win, pid, 0, &process); /* the PID stays its while limited is open */
    if (rc != OC_OK)
        return rc;
    rc = oc_win_peb_cmdline(win, process, &basics, out_text);
    win->close(win, process);
    return rc;
}

int oc_win_cmdline(struct oc_win *win, uint32_t pid, oc_win_handle limited, const char *image,
                   char **out_text)
{
    int rc = ask_cmdline(win, limited, out_text);

    return rc == OC_E_NOTSUP && is_worker(image) ? read_cmdline(win, pid, limited, out_text) : rc;
}

static int find_cmdline(struct oc_win *win, oc_win_handle process, enum oc_win_access access,
                        const struct oc_win_basics *basics, struct oc_walk *walk)
{
    struct oc_proc_facts *facts = &walk->facts;
    char *text = NULL, *redacted = NULL;
    int rc = oc_win_cmdline(win, facts->id.pid, process, facts->exe, &text);

    if (rc == OC_E_NOTSUP && access == OC_WIN_READ)
        rc = oc_win_peb_cmdline(win, process, basics, &text);
    if (rc == OC_E_NOMEM)
        return rc;
    if (rc != OC_OK)
        return OC_OK; /* unknown */
    /* all of it is redacted before it is cut: a secret at the edge would not be known for one */
    redacted = oc_strdup(text);
    if (!redacted) {
        oc_free(text);
        return OC_E_NOMEM;
    }
    oc_redact(redacted);
    oc_text_copy_utf8(facts->cmdline, sizeof facts->cmdline, redacted, strlen(redacted));
    oc_free(redacted);
    oc_free(walk->cmdline);
    walk->cmdline = text;
    return OC_OK;
}

/* ---- the program ---- */

static uint64_t mix(uint64_t hash, uint64_t more)
{
    return ((hash ^ more) ^ ((hash ^ more) >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Of the file by its path and when it changed: a running program's file is not replaced on Windows. */
static uint64_t stamp_of(struct oc_win *win, const char *path)
{
    uint64_t changed = 0, hash = UINT64_C(0x9e3779b97f4a7c15);

    if (win->file(win, path, 0, NULL, NULL, &changed) != OC_OK)
        return 0;
    for (const char *c = path; *c != '\0'; c++)
        hash = mix(hash, (unsigned char)*c);
    hash = mix(hash, changed);
    return hash ? hash : 1;
}

static void find_image(struct oc_win *win, oc_win_handle process, struct oc_walk *walk)
{
    struct oc_proc_facts *facts = &walk->facts;
    char path[3 * 1024];

    if (win->image(win, process, path, sizeof path) != OC_OK)
        return;
    oc_text_copy_utf8(facts->exe, sizeof facts->exe, path, strlen(path));
    oc_text_copy_utf8(facts->name, sizeof facts->name, file_name(path), strlen(file_name(path)));
    walk->program_stamp = stamp_of(win, path);
}

/* ---- the service ---- */

struct service_of {
    uint32_t pid;
    char *out;
    size_t out_bytes;
};

static void take_service(uint32_t pid, const char *name, void *context)
{
    const struct service_of *wanted = context;

    if (pid == wanted->pid && wanted->out[0] == '\0')
        oc_text_copy_utf8(wanted->out, wanted->out_bytes, name, strlen(name));
}

/* Services are in session 0, but Wine's. */
static void find_service(struct oc_win *win, const struct oc_win_basics *basics,
                         struct oc_walk *walk)
{
    struct service_of wanted = { walk->facts.id.pid, walk->names.service,
                                 sizeof walk->names.service };

    if (basics->has_session && basics->session != 0 && !win->is_wine)
        return;
    (void)win->services(win, take_service, &wanted);
}

/* ---- all of it ---- */

static int find_times(struct oc_win *win, oc_win_handle process, struct oc_proc_facts *facts)
{
    struct oc_win_times times;
    uint32_t exit_code = 0;

    if (win->exited(win, process, &exit_code) == 1)
        return OC_E_GONE;
    if (win->times(win, process, &times) == OC_OK) {
        facts->id.start_ticks = times.created;
        facts->start_unix_ms = oc_win_unix_ms(times.created);
    }
    return OC_OK;
}

static void begin(struct oc_walk *walk)
{
    const struct oc_proc_id id = walk->facts.id;

    memset(&walk->facts, 0, sizeof walk->facts);
    memset(&walk->names, 0, sizeof walk->names);
    walk->facts.id = id;
    walk->facts.uid = -1;
    walk->program_stamp = 0;
    oc_free(walk->cmdline);
    walk->cmdline = NULL;
}

int oc_win_identity(struct oc_win *win, oc_win_handle process, enum oc_win_access access,
                    struct oc_walk *walk, struct oc_win_basics *out_basics)
{
    static const struct oc_win_basics none; /* all unknown */
    struct oc_win_basics basics = none;
    int rc = OC_OK;

    begin(walk);
    rc = find_times(win, process, &walk->facts);
    if (rc != OC_OK)
        return rc;
    (void)win->basics(win, process, &basics);
    walk->facts.parent_pid = basics.parent_pid;
    if (basics.has_session)
        (void)snprintf(walk->names.session, sizeof walk->names.session, "%u", basics.session);
    find_image(win, process, walk);
    (void)win->user(win, process, walk->names.user, sizeof walk->names.user);
    find_service(win, &basics, walk);
    rc = find_cmdline(win, process, access, &basics, walk);
    if (rc == OC_OK)
        rc = oc_win_iis_names(win, walk);
    if (rc == OC_OK && out_basics)
        *out_basics = basics;
    return rc;
}
