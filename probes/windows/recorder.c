/* The table that writes down what it asked: each call goes to the inner one. */
#include "probes/windows/record.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/redact.h"
#include "base/text.h"
#include "probes/windows/list.h"

#include <stdio.h>
#include <string.h>

#define HANDLES_MAX 256 /* of processes, at once */
#define USERS_MAX 64
#define PIDS_MAX 32 /* whose threads are written */

struct held {
    oc_win_handle handle;
    uint32_t pid;
};

struct recorder {
    struct oc_win win; /* first */
    struct oc_win *inner;
    struct oc_buf text;
    struct held held[HANDLES_MAX];
    size_t held_count;
    char users[USERS_MAX][128];
    size_t user_count;
    uint32_t pids[PIDS_MAX]; /* that were opened for reading */
    size_t pid_count;
    int64_t begin_ns;
};

static struct recorder *recorder_of(struct oc_win *win) { return (struct recorder *)(void *)win; }

static struct oc_win *begin(struct oc_win *win)
{
    struct recorder *recorder = recorder_of(win);

    recorder->begin_ns = oc_clock_mono_ns();
    return recorder->inner;
}

static void put(struct oc_win *win, struct oc_win_answer *answer)
{
    oc_win_answer_write(&recorder_of(win)->text, answer);
}

/* An answer of a call that began last, with its time. */
static struct oc_win_answer answer_of(struct oc_win *win, enum oc_win_call call, int rc)
{
    return (struct oc_win_answer){ .kind = call,
                                   .rc = rc,
                                   .ns = oc_clock_mono_ns() - recorder_of(win)->begin_ns };
}

static uint32_t pid_of(struct oc_win *win, oc_win_handle handle)
{
    struct recorder *recorder = recorder_of(win);

    for (size_t i = 0; i < recorder->held_count; i++) {
        if (recorder->held[i].handle == handle)
            return recorder->held[i].pid;
    }
    return 0;
}

static void put_of(struct oc_win *win, oc_win_handle handle, struct oc_win_answer *answer)
{
    answer->keys[0] = pid_of(win, handle);
    put(win, answer);
}

/* ---- handles ---- */

static void note_pid(struct recorder *recorder, uint32_t pid)
{
    for (size_t i = 0; i < recorder->pid_count; i++) {
        if (recorder->pids[i] == pid)
            return;
    }
    if (recorder->pid_count < PIDS_MAX)
        recorder->pids[recorder->pid_count++] = pid;
}

static int rec_open(struct oc_win *win, uint32_t pid, enum oc_win_access access, oc_win_handle *out)
{
    struct recorder *recorder = recorder_of(win);
    const int is_full = recorder->held_count == HANDLES_MAX;
    int rc = is_full ? OC_E_NOMEM : begin(win)->open(recorder->inner, pid, access, out);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_OPEN, rc);

    answer.keys[0] = pid;
    answer.keys[1] = (uint64_t)access;
    put(win, &answer);
    if (rc == OC_OK) {
        recorder->held[recorder->held_count++] = (struct held){ *out, pid };
        note_pid(recorder, pid);
    }
    return rc;
}

static void rec_close(struct oc_win *win, oc_win_handle handle)
{
    struct recorder *recorder = recorder_of(win);

    for (size_t i = 0; i < recorder->held_count; i++) {
        if (recorder->held[i].handle == handle) {
            recorder->held[i] = recorder->held[--recorder->held_count];
            break;
        }
    }
    recorder->inner->close(recorder->inner, handle);
}

/* ---- figures ---- */

static int rec_memory(struct oc_win *win, oc_win_handle handle, struct oc_win_memory *out)
{
    struct oc_win_memory memory = { 0 };
    int rc = begin(win)->memory(recorder_of(win)->inner, handle, &memory);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_MEMORY, rc);
    const uint64_t numbers[] = {
        memory.private_usage,    memory.pagefile_usage, memory.working_set,
        memory.peak_working_set, memory.fault_count,    memory.virtual_size
    };

    memcpy(answer.numbers, numbers, sizeof numbers);
    put_of(win, handle, &answer);
    if (rc == OC_OK)
        *out = memory;
    return rc;
}

static int rec_times(struct oc_win *win, oc_win_handle handle, struct oc_win_times *out)
{
    struct oc_win_times times = { 0 };
    int rc = begin(win)->times(recorder_of(win)->inner, handle, &times);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_TIMES, rc);

    answer.numbers[0] = times.created;
    answer.numbers[1] = times.cpu_ns;
    put_of(win, handle, &answer);
    if (rc == OC_OK)
        *out = times;
    return rc;
}

static int rec_handles(struct oc_win *win, oc_win_handle handle, uint32_t *out)
{
    uint32_t count = 0;
    int rc = begin(win)->handles(recorder_of(win)->inner, handle, &count);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_HANDLES, rc);

    answer.numbers[0] = count;
    put_of(win, handle, &answer);
    if (rc == OC_OK)
        *out = count;
    return rc;
}

static int rec_exited(struct oc_win *win, oc_win_handle handle, uint32_t *out)
{
    uint32_t code = 0;
    int rc = begin(win)->exited(recorder_of(win)->inner, handle, &code);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_EXITED, rc);

    answer.numbers[0] = code;
    put_of(win, handle, &answer);
    if (rc == 1)
        *out = code;
    return rc;
}

static int rec_basics(struct oc_win *win, oc_win_handle handle, struct oc_win_basics *out)
{
    struct oc_win_basics basics = { 0 };
    int rc = begin(win)->basics(recorder_of(win)->inner, handle, &basics);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_BASICS, rc);
    const uint64_t numbers[] = { basics.peb,       basics.peb32,       basics.parent_pid,
                                 basics.session,   basics.is_32bit,    basics.is_protected,
                                 basics.is_in_job, basics.has_session, basics.has_protection,
                                 basics.has_job };

    memcpy(answer.numbers, numbers, sizeof numbers);
    put_of(win, handle, &answer);
    if (rc == OC_OK)
        *out = basics;
    return rc;
}

static int rec_host(struct oc_win *win, struct oc_win_host *out)
{
    struct oc_win_host host = { 0 };
    int rc = begin(win)->host(recorder_of(win)->inner, &host);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_HOST, rc);
    const uint64_t numbers[] = { host.total_phys,   host.avail_phys,    host.commit_total,
                                 host.commit_limit, host.commit_peak,   host.commit_max,
                                 host.pool_paged,   host.pool_nonpaged, host.processes,
                                 host.threads,      host.handles,       host.cpu_count,
                                 host.top_address };

    memcpy(answer.numbers, numbers, sizeof numbers);
    put(win, &answer);
    if (rc == OC_OK)
        *out = host;
    return rc;
}

/* ---- text ---- */

static void put_text_of(struct oc_win *win, oc_win_handle handle, struct oc_win_answer *answer,
                        char *text)
{
    if (answer->rc == OC_OK) {
        answer->text = text;
        answer->text_bytes = strlen(text);
    }
    put_of(win, handle, answer);
}

static int rec_image(struct oc_win *win, oc_win_handle handle, char *out, size_t out_bytes)
{
    int rc = begin(win)->image(recorder_of(win)->inner, handle, out, out_bytes);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_IMAGE, rc);

    if (rc == OC_OK)
        oc_win_redact_path(out);
    put_text_of(win, handle, &answer, out);
    return rc;
}

static int rec_cmdline(struct oc_win *win, oc_win_handle handle, char *out, size_t out_bytes)
{
    int rc = begin(win)->cmdline(recorder_of(win)->inner, handle, out, out_bytes);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_CMDLINE, rc);

    if (rc == OC_OK) {
        oc_redact(out);
        oc_win_redact_path(out);
    }
    put_text_of(win, handle, &answer, out);
    return rc;
}

/* Accounts of Windows and of pools say what they are for; all others are persons, or may be. */
static int is_nobody(const char *user)
{
    static const char *const domains[] = { "NT AUTHORITY\\", "IIS APPPOOL\\", "NT SERVICE\\",
                                           "Window Manager\\" };

    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
        if (strncmp(user, domains[i], strlen(domains[i])) == 0)
            return 1;
    }
    return 0;
}

static size_t number_of(struct recorder *recorder, const char *user)
{
    size_t i = 0;

    while (i < recorder->user_count && strcmp(recorder->users[i], user) != 0)
        i++;
    if (i == recorder->user_count && i < USERS_MAX)
        (void)oc_text_copy(recorder->users[recorder->user_count++], sizeof recorder->users[0],
                           user);
    return i + 1;
}

static int rec_user(struct oc_win *win, oc_win_handle handle, char *out, size_t out_bytes)
{
    int rc = begin(win)->user(recorder_of(win)->inner, handle, out, out_bytes);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_USER, rc);

    if (rc == OC_OK && !is_nobody(out))
        (void)snprintf(out, out_bytes, "HOST\\user%zu", number_of(recorder_of(win), out));
    put_text_of(win, handle, &answer, out);
    return rc;
}

static int rec_mapped_name(struct oc_win *win, oc_win_handle handle, uint64_t address, char *out,
                           size_t out_bytes)
{
    int rc = begin(win)->mapped_name(recorder_of(win)->inner, handle, address, out, out_bytes);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_MAPPED_NAME, rc);

    if (rc == OC_OK)
        oc_win_redact_path(out);
    answer.keys[1] = address;
    put_text_of(win, handle, &answer, out);
    return rc;
}

/* ---- memory ---- */

static int rec_query(struct oc_win *win, oc_win_handle handle, uint64_t address,
                     struct oc_win_region *out)
{
    struct oc_win_region region = { 0 };
    int rc = begin(win)->query(recorder_of(win)->inner, handle, address, &region);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_QUERY, rc);
    const uint64_t numbers[] = { region.base,
                                 region.size,
                                 region.allocation_base,
                                 region.allocation_protect,
                                 region.state,
                                 region.protect,
                                 region.type };

    memcpy(answer.numbers, numbers, sizeof numbers);
    answer.keys[1] = address;
    put_of(win, handle, &answer);
    if (rc == OC_OK)
        *out = region;
    return rc;
}

static int rec_read(struct oc_win *win, oc_win_handle handle, uint64_t address, void *out,
                    size_t bytes)
{
    int rc = begin(win)->read(recorder_of(win)->inner, handle, address, out, bytes);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_READ, rc);

    answer.keys[1] = address;
    answer.keys[2] = bytes;
    if (rc == OC_OK) {
        oc_win_redact_memory(out, bytes);
        answer.text = out;
        answer.text_bytes = bytes;
    }
    put_of(win, handle, &answer);
    return rc;
}

static int rec_thread_teb(struct oc_win *win, uint32_t tid, uint64_t *out)
{
    uint64_t address = 0;
    int rc = begin(win)->thread_teb(recorder_of(win)->inner, tid, &address);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_THREAD_TEB, rc);

    answer.keys[0] = tid;
    answer.numbers[0] = address;
    put(win, &answer);
    if (rc == OC_OK)
        *out = address;
    return rc;
}

/* ---- lists ---- */

static int is_noted(const struct recorder *recorder, uint32_t pid)
{
    for (size_t i = 0; i < recorder->pid_count; i++) {
        if (recorder->pids[i] == pid)
            return 1;
    }
    return 0;
}

static void put_entry(struct oc_win *win, const struct oc_win_entry *entry)
{
    struct oc_win_answer answer = { .kind = OC_WIN_RECORD_ENTRY,
                                    .text = entry->name,
                                    .text_bytes = strlen(entry->name) };
    const uint64_t numbers[] = { entry->pid,
                                 entry->parent_pid,
                                 entry->session,
                                 entry->thread_count,
                                 entry->handle_count,
                                 entry->fault_count,
                                 entry->hard_fault_count,
                                 entry->created,
                                 entry->cpu_ns,
                                 entry->virtual_bytes,
                                 entry->working_set_bytes,
                                 entry->peak_working_set_bytes,
                                 entry->pagefile_bytes,
                                 entry->private_page_bytes };

    memcpy(answer.numbers, numbers, sizeof numbers);
    put(win, &answer);
    if (!is_noted(recorder_of(win), entry->pid))
        return;
    for (uint32_t i = 0; i < entry->thread_count; i++) {
        struct oc_win_answer thread = { .kind = OC_WIN_RECORD_THREAD };

        thread.numbers[0] = oc_win_entry_tid(entry, i);
        put(win, &thread);
    }
}

static int rec_list(struct oc_win *win, void *out, size_t max_bytes, size_t *out_bytes)
{
    size_t bytes = 0;
    int rc = begin(win)->list(recorder_of(win)->inner, out, max_bytes, &bytes);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_LIST, rc);
    struct oc_win_list list;
    struct oc_win_entry entry;

    answer.numbers[0] = bytes;
    put(win, &answer);
    if (rc == OC_OK || rc == OC_E_TOOBIG)
        *out_bytes = bytes;
    if (rc != OC_OK)
        return rc;
    oc_win_list_begin(&list, out, bytes, (uint64_t)(uintptr_t)out);
    while (oc_win_list_next(&list, &entry) == 1)
        put_entry(win, &entry);
    return rc;
}

struct telling {
    struct oc_win *win;
    oc_win_service_fn *fn;
    void *context;
    struct oc_buf lines;
};

static void take_service(uint32_t pid, const char *name, void *context)
{
    struct telling *telling = context;
    struct oc_win_answer answer = { .kind = OC_WIN_RECORD_SERVICE,
                                    .text = name,
                                    .text_bytes = strlen(name) };

    answer.numbers[0] = pid;
    oc_win_answer_write(&telling->lines, &answer);
    telling->fn(pid, name, telling->context);
}

static int rec_services(struct oc_win *win, oc_win_service_fn *fn, void *context)
{
    struct telling telling = { .win = win, .fn = fn, .context = context };
    struct oc_win_answer answer;
    int rc = OC_OK;

    oc_buf_init(&telling.lines, OC_WIN_RECORD_MAX_BYTES);
    rc = begin(win)->services(recorder_of(win)->inner, take_service, &telling);
    answer = answer_of(win, OC_WIN_CALL_SERVICES, rc);
    put(win, &answer);
    oc_buf_add(&recorder_of(win)->text, telling.lines.data, telling.lines.len_bytes);
    oc_buf_clear(&telling.lines);
    return rc;
}

/* ---- files ---- */

/* A path as a key, since keys are numbers (FNV-1a); its text is not needed to find it again. */
static uint64_t key_of(const char *path)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * UINT64_C(0x100000001b3);
    return hash;
}

static int rec_file(struct oc_win *win, const char *path, size_t max_bytes, char **out_text,
                    size_t *out_bytes, uint64_t *out_changed)
{
    uint64_t changed = 0;
    int rc =
        begin(win)->file(recorder_of(win)->inner, path, max_bytes, out_text, out_bytes, &changed);
    struct oc_win_answer answer = answer_of(win, OC_WIN_CALL_FILE, rc);
    char *pools = rc == OC_OK && out_text ? oc_win_redact_config(*out_text, *out_bytes) : NULL;

    answer.keys[0] = key_of(path);
    answer.numbers[0] = changed;
    answer.numbers[1] = out_text != NULL;
    answer.text = pools;
    answer.text_bytes = pools ? strlen(pools) : 0;
    put(win, &answer);
    oc_free(pools);
    if (rc == OC_OK && out_changed)
        *out_changed = changed;
    return rc;
}

/* ---- what waits: passed on ---- */

static int rec_wait(struct oc_win *win, oc_win_handle handle, void (*fn)(uint64_t, void *),
                    uint64_t tag, void *context, void **out_wait)
{
    struct oc_win *inner = recorder_of(win)->inner;

    return inner->wait(inner, handle, fn, tag, context, out_wait);
}

static void rec_unwait(struct oc_win *win, void *wait)
{
    recorder_of(win)->inner->unwait(recorder_of(win)->inner, wait);
}

static int rec_records(struct oc_win *win, oc_win_record_fn *fn, void *context)
{
    return recorder_of(win)->inner->records(recorder_of(win)->inner, fn, context);
}

static int rec_signal_new(struct oc_win *win, oc_win_handle *out)
{
    return recorder_of(win)->inner->signal_new(recorder_of(win)->inner, out);
}

static void rec_signal_set(struct oc_win *win, oc_win_handle signal)
{
    recorder_of(win)->inner->signal_set(recorder_of(win)->inner, signal);
}

static void rec_signal_reset(struct oc_win *win, oc_win_handle signal)
{
    recorder_of(win)->inner->signal_reset(recorder_of(win)->inner, signal);
}

static void rec_signal_free(struct oc_win *win, oc_win_handle signal)
{
    recorder_of(win)->inner->signal_free(recorder_of(win)->inner, signal);
}

/* ---- all of it ---- */

static void put_head(struct recorder *recorder)
{
    const struct oc_win *win = &recorder->win;
    struct oc_win_answer answer = { .kind = OC_WIN_RECORD_SYSTEM,
                                    .text = win->system_root,
                                    .text_bytes = strlen(win->system_root) };

    answer.numbers[0] = win->build;
    answer.numbers[1] = (uint64_t)win->is_wine;
    answer.numbers[2] = (uint64_t)win->is_elevated;
    answer.numbers[3] = (uint64_t)win->has_debug;
    oc_buf_puts(&recorder->text,
                OC_WIN_RECORD_HEAD "\n"
                                   "# what oomcast asked of this machine, with its answers and the "
                                   "nanoseconds of each call\n"
                                   "# secrets in command lines, users' names and folders are taken "
                                   "out; names of programs, services, pools and files are not:\n"
                                   "# look through it before you give it to anybody\n");
    oc_win_answer_write(&recorder->text, &answer);
}

int oc_win_recorder_open(struct oc_win *inner, struct oc_win **out_win)
{
    struct recorder *recorder = oc_calloc(1, sizeof *recorder);

    if (!recorder)
        return OC_E_NOMEM;
    recorder->inner = inner;
    recorder->win = (struct oc_win){
        .list = rec_list,
        .open = rec_open,
        .close = rec_close,
        .memory = rec_memory,
        .times = rec_times,
        .handles = rec_handles,
        .exited = rec_exited,
        .image = rec_image,
        .basics = rec_basics,
        .cmdline = rec_cmdline,
        .user = rec_user,
        .host = rec_host,
        .query = rec_query,
        .mapped_name = rec_mapped_name,
        .read = rec_read,
        .thread_teb = rec_thread_teb,
        .services = rec_services,
        .file = rec_file,
        .wait = rec_wait,
        .unwait = rec_unwait,
        .records = rec_records,
        .signal_new = rec_signal_new,
        .signal_set = rec_signal_set,
        .signal_reset = rec_signal_reset,
        .signal_free = rec_signal_free,
        .is_wine = inner->is_wine,
        .is_elevated = inner->is_elevated,
        .has_debug = inner->has_debug,
        .build = inner->build,
    };
    (void)oc_text_copy(recorder->win.system_root, sizeof recorder->win.system_root,
                       inner->system_root);
    oc_buf_init(&recorder->text, OC_WIN_RECORD_MAX_BYTES);
    put_head(recorder);
    *out_win = &recorder->win;
    return OC_OK;
}

void oc_win_recorder_close(struct oc_win *win)
{
    if (!win)
        return;
    oc_buf_clear(&recorder_of(win)->text);
    oc_free(recorder_of(win));
}

const struct oc_buf *oc_win_recorder_text(const struct oc_win *win)
{
    return &((const struct recorder *)(const void *)win)->text;
}
