#include "probes/fake/fake_win.h"

#include "base/alloc.h"
#include "base/text.h"
#include "probes/windows/handles.h"
#include "probes/windows/list.h"

#include <stdio.h>
#include <string.h>

#define SERVICES_MAX 64
#define FILES_MAX 16
#define RECORDS_MAX 64
#define SIGNALS_MAX 8
#define SIGNAL_BASE 1000000u /* signals are numbers above the handles */

#define FIRST_CREATED UINT64_C(132847392000000000) /* somewhere in 2021 */
#define SECOND UINT64_C(10000000)

struct handle {
    struct oc_fake_win_process *process; /* NULL: closed */
    enum oc_win_access access;
};

struct wait {
    struct wait *next;
    struct oc_fake_win_process *process;
    void (*fn)(uint64_t tag, void *context);
    uint64_t tag;
    void *context;
};

struct file {
    char path[260];
    char *text; /* NULL: removed */
    uint64_t changed;
};

struct service {
    uint32_t pid;
    const char *name;
};

struct signal {
    int is_used, is_set;
};

struct oc_fake_win {
    struct oc_win win; /* first */
    struct oc_win_host host;
    struct oc_fake_win_process *processes[OC_FAKE_WIN_PROCS_MAX]; /* ended ones too */
    size_t process_count;
    struct handle *handles;
    size_t handle_count, handle_capacity;
    struct wait *waits;
    struct service services[SERVICES_MAX];
    size_t service_count;
    struct file files[FILES_MAX];
    size_t file_count;
    struct oc_win_record records[RECORDS_MAX];
    size_t record_count;
    int has_records;
    int codes[OC_WIN_CALL_COUNT];
    struct signal signals[SIGNALS_MAX];
    unsigned faults;
};

static oc_fake_win *fake_of(struct oc_win *win) { return (oc_fake_win *)(void *)win; }

/* Counts, and gives the code that the test asked for. */
static int called(struct oc_win *win, enum oc_win_call call)
{
    win->counts.calls[call]++;
    return fake_of(win)->codes[call];
}

static struct handle *handle_of(struct oc_win *win, oc_win_handle number)
{
    oc_fake_win *fake = fake_of(win);

    if (number == 0 || number > fake->handle_count || !fake->handles[number - 1].process) {
        fake->faults++;
        return NULL;
    }
    return &fake->handles[number - 1];
}

static struct oc_fake_win_process *find(const oc_fake_win *fake, uint32_t pid)
{
    for (size_t i = fake->process_count; i > 0; i--) {
        struct oc_fake_win_process *process = fake->processes[i - 1];

        if (process->pid == pid && !process->has_ended)
            return process;
    }
    return NULL;
}

/* The process of a handle, or why not. */
static int begin(struct oc_win *win, enum oc_win_call call, oc_win_handle number,
                 struct oc_fake_win_process **out_process)
{
    int rc = called(win, call);
    struct handle *handle = handle_of(win, number);

    if (!handle)
        return OC_E_INVAL;
    *out_process = handle->process;
    return rc;
}

static int begin_read(struct oc_win *win, enum oc_win_call call, oc_win_handle number,
                      struct oc_fake_win_process **out_process)
{
    int rc = begin(win, call, number, out_process);
    const struct handle *handle = NULL;

    if (rc != OC_OK)
        return rc;
    handle = handle_of(win, number);
    if (!handle || handle->access != OC_WIN_READ) {
        fake_of(win)->faults++; /* Windows would refuse: the caller has the wrong handle */
        return OC_E_DENIED;
    }
    return (*out_process)->has_ended ? OC_E_GONE : OC_OK;
}

/* ---- the list ---- */

static void entry_of(const struct oc_fake_win_process *process, struct oc_win_entry *entry)
{
    const struct oc_win_memory *memory = &process->memory;

    memset(entry, 0, sizeof *entry);
    entry->pid = process->pid;
    entry->parent_pid = process->basics.parent_pid;
    entry->session = process->basics.session;
    entry->thread_count = process->thread_count ? process->thread_count : 1; /* 0: it ended */
    entry->handle_count = process->handles;
    entry->fault_count = (uint32_t)memory->fault_count;
    entry->created = process->times.created;
    entry->cpu_ns = process->times.cpu_ns;
    entry->virtual_bytes = memory->virtual_size;
    entry->working_set_bytes = memory->working_set;
    entry->peak_working_set_bytes = memory->peak_working_set;
    entry->pagefile_bytes = memory->pagefile_usage;
    entry->private_page_bytes = memory->private_usage;
    (void)oc_text_copy(entry->name, sizeof entry->name, process->name);
}

#define ENTRY_MAX (256u + 0x50u * OC_FAKE_WIN_TIDS_MAX + 160u)

static int fake_list(struct oc_win *win, void *out, size_t max_bytes, size_t *out_bytes)
{
    oc_fake_win *fake = fake_of(win);
    size_t used = 0, last = fake->process_count;
    int rc = called(win, OC_WIN_CALL_LIST);

    if (rc != OC_OK)
        return rc;
    while (last > 0 && fake->processes[last - 1]->has_ended)
        last--;
    for (size_t i = 0; i < last; i++) {
        struct oc_win_entry entry;
        unsigned char *at = (unsigned char *)out + used;
        size_t more = 0;

        if (fake->processes[i]->has_ended)
            continue;
        entry_of(fake->processes[i], &entry);
        more = oc_win_list_write(at, max_bytes - used, (uint64_t)(uintptr_t)at, &entry,
                                 fake->processes[i]->thread_count ? fake->processes[i]->tids : NULL,
                                 i + 1 == last);
        if (more == 0) {
            *out_bytes = last * ENTRY_MAX;
            return OC_E_TOOBIG;
        }
        used += more;
    }
    *out_bytes = used;
    return OC_OK;
}

/* ---- handles ---- */

static int new_handle(oc_fake_win *fake, struct oc_fake_win_process *process,
                      enum oc_win_access access, oc_win_handle *out)
{
    size_t at = 0;

    while (at < fake->handle_count && fake->handles[at].process)
        at++;
    if (at == fake->handle_count) {
        int rc = oc_array_grow((void **)&fake->handles, &fake->handle_capacity, at + 1,
                               sizeof *fake->handles, OC_FAKE_WIN_HANDLES_MAX);

        if (rc != OC_OK)
            return OC_E_NOMEM;
        fake->handle_count++;
    }
    fake->handles[at] = (struct handle){ process, access };
    *out = at + 1;
    return OC_OK;
}

static int fake_open(struct oc_win *win, uint32_t pid, enum oc_win_access access,
                     oc_win_handle *out)
{
    oc_fake_win *fake = fake_of(win);
    struct oc_fake_win_process *process = find(fake, pid);
    int rc = called(win, OC_WIN_CALL_OPEN);

    if (rc != OC_OK)
        return rc;
    if (!process)
        return OC_E_GONE;
    if (access == OC_WIN_READ) {
        win->counts.reads_opened++;
        process->reads_opened++;
        if (process->is_untargeted || oc_win_is_untouchable(pid, process->name, &process->basics))
            fake->faults++;
        rc = process->read_code;
    }
    if (process->open_code != OC_OK)
        rc = process->open_code;
    return rc == OC_OK ? new_handle(fake, process, access, out) : rc;
}

static void fake_close(struct oc_win *win, oc_win_handle number)
{
    struct handle *handle = handle_of(win, number);

    (void)called(win, OC_WIN_CALL_CLOSE);
    if (handle)
        handle->process = NULL;
}

/* ---- figures ---- */

static int fake_memory(struct oc_win *win, oc_win_handle number, struct oc_win_memory *out)
{
    struct oc_fake_win_process *process = NULL;
    int rc = begin(win, OC_WIN_CALL_MEMORY, number, &process);

    if (rc == OC_OK)
        *out = process->memory;
    return rc;
}

static int fake_times(struct oc_win *win, oc_win_handle number, struct oc_win_times *out)
{
    struct oc_fake_win_process *process = NULL;
    int rc = begin(win, OC_WIN_CALL_TIMES, number, &process);

    if (rc == OC_OK)
        *out = process->times;
    return rc;
}

static int fake_handles(struct oc_win *win, oc_win_handle number, uint32_t *out_count)
{
    struct oc_fake_win_process *process = NULL;
    int rc = begin(win, OC_WIN_CALL_HANDLES, number, &process);

    if (rc == OC_OK)
        *out_count = process->handles;
    return rc;
}

static int fake_exited(struct oc_win *win, oc_win_handle number, uint32_t *out_code)
{
    struct oc_fake_win_process *process = NULL;
    int rc = begin(win, OC_WIN_CALL_EXITED, number, &process);

    if (rc != OC_OK || !process->has_ended)
        return rc;
    *out_code = process->exit_code;
    return 1;
}

static int give_text(int rc, const char *text, int absent, char *out, size_t out_bytes)
{
    if (rc != OC_OK)
        return rc;
    if (!text)
        return absent;
    return oc_text_copy(out, out_bytes, text) == OC_OK ? OC_OK : OC_E_TOOBIG;
}

static int fake_image(struct oc_win *win, oc_win_handle number, char *out, size_t out_bytes)
{
    struct oc_fake_win_process *process = NULL;
    int rc = begin(win, OC_WIN_CALL_IMAGE, number, &process);

    return give_text(rc, rc == OC_OK ? process->image : NULL, OC_E_DENIED, out, out_bytes);
}

static int fake_cmdline(struct oc_win *win, oc_win_handle number, char *out, size_t out_bytes)
{
    struct oc_fake_win_process *process = NULL;
    int rc = begin(win, OC_WIN_CALL_CMDLINE, number, &process);

    return give_text(rc, rc == OC_OK ? process->cmdline : NULL, OC_E_NOTSUP, out, out_bytes);
}

static int fake_user(struct oc_win *win, oc_win_handle number, char *out, size_t out_bytes)
{
    struct oc_fake_win_process *process = NULL;
    int rc = begin(win, OC_WIN_CALL_USER, number, &process);

    return give_text(rc, rc == OC_OK ? process->user : NULL, OC_E_DENIED, out, out_bytes);
}

static int fake_basics(struct oc_win *win, oc_win_handle number, struct oc_win_basics *out)
{
    struct oc_fake_win_process *process = NULL;
    int rc = begin(win, OC_WIN_CALL_BASICS, number, &process);

    if (rc == OC_OK)
        *out = process->basics;
    return rc;
}

static int fake_host(struct oc_win *win, struct oc_win_host *out)
{
    int rc = called(win, OC_WIN_CALL_HOST);

    if (rc == OC_OK)
        *out = fake_of(win)->host;
    return rc;
}

/* ---- memory ---- */

static const struct oc_win_region *region_at(const struct oc_fake_win_process *process,
                                             uint64_t address)
{
    for (size_t i = 0; i < process->region_count; i++) {
        const struct oc_win_region *region = &process->regions[i];

        if (address >= region->base && address - region->base < region->size)
            return region;
    }
    return NULL;
}

/* As Windows: from the page of the address to the next region. */
static void free_at(const struct oc_fake_win_process *process, uint64_t address, uint64_t end,
                    struct oc_win_region *out)
{
    for (size_t i = 0; i < process->region_count; i++) {
        if (process->regions[i].base > address && process->regions[i].base < end)
            end = process->regions[i].base;
    }
    memset(out, 0, sizeof *out);
    out->base = address & ~UINT64_C(4095);
    out->size = end - out->base;
    out->state = OC_MEM_FREE;
    out->protect = 1; /* PAGE_NOACCESS */
}

static int fake_query(struct oc_win *win, oc_win_handle number, uint64_t address,
                      struct oc_win_region *out)
{
    struct oc_fake_win_process *process = NULL;
    const struct oc_win_region *region = NULL;
    uint64_t end = fake_of(win)->host.top_address;
    int rc = begin_read(win, OC_WIN_CALL_QUERY, number, &process);

    if (rc != OC_OK)
        return rc;
    if (process->basics.is_32bit && end > UINT64_C(0x100000000))
        end = UINT64_C(0x100000000) - 0x10000;
    if (address >= end)
        return OC_E_NOENT;
    region = region_at(process, address);
    if (region)
        *out = *region;
    else
        free_at(process, address, end, out);
    return OC_OK;
}

static int fake_mapped_name(struct oc_win *win, oc_win_handle number, uint64_t address, char *out,
                            size_t out_bytes)
{
    struct oc_fake_win_process *process = NULL;
    const struct oc_win_region *region = NULL;
    int rc = begin_read(win, OC_WIN_CALL_MAPPED_NAME, number, &process);

    if (rc != OC_OK)
        return rc;
    region = region_at(process, address);
    for (size_t i = 0; region && i < process->file_count; i++) {
        if (process->files[i].allocation_base == region->allocation_base)
            return give_text(OC_OK, process->files[i].name, OC_E_NOENT, out, out_bytes);
    }
    return OC_E_NOENT;
}

static int fake_read(struct oc_win *win, oc_win_handle number, uint64_t address, void *out,
                     size_t bytes)
{
    struct oc_fake_win_process *process = NULL;
    const struct oc_win_region *region = NULL;
    int rc = begin_read(win, OC_WIN_CALL_READ, number, &process);

    if (rc != OC_OK)
        return rc;
    for (size_t i = 0; i < process->bytes_count; i++) {
        const struct oc_fake_win_bytes *here = &process->bytes[i];

        if (address >= here->address && address - here->address <= here->len_bytes &&
            bytes <= here->len_bytes - (address - here->address)) {
            memcpy(out, (const char *)here->bytes + (address - here->address), bytes);
            return OC_OK;
        }
    }
    region = region_at(process, address);
    if (!region || region->state != OC_MEM_COMMIT ||
        bytes > region->size - (address - region->base))
        return OC_E_IO;
    memset(out, 0, bytes);
    return OC_OK;
}

static int fake_thread_teb(struct oc_win *win, uint32_t tid, uint64_t *out_address)
{
    oc_fake_win *fake = fake_of(win);
    int rc = called(win, OC_WIN_CALL_THREAD_TEB);

    if (rc != OC_OK)
        return rc;
    for (size_t i = 0; i < fake->process_count; i++) {
        const struct oc_fake_win_process *process = fake->processes[i];

        for (uint32_t k = 0; k < process->thread_count && !process->has_ended; k++) {
            if (process->tids[k] != tid)
                continue;
            if (process->tebs[k] == 0)
                return OC_E_DENIED;
            *out_address = process->tebs[k];
            return OC_OK;
        }
    }
    return OC_E_GONE;
}

/* ---- the system ---- */

static int fake_services(struct oc_win *win, oc_win_service_fn *fn, void *context)
{
    oc_fake_win *fake = fake_of(win);
    int rc = called(win, OC_WIN_CALL_SERVICES);

    for (size_t i = 0; rc == OC_OK && i < fake->service_count; i++)
        fn(fake->services[i].pid, fake->services[i].name, context);
    return rc;
}

static int fake_file(struct oc_win *win, const char *path, size_t max_bytes, char **out_text,
                     size_t *out_bytes, uint64_t *out_changed)
{
    oc_fake_win *fake = fake_of(win);
    const struct file *file = NULL;
    int rc = called(win, OC_WIN_CALL_FILE);

    for (size_t i = 0; i < fake->file_count; i++) {
        if (strcmp(fake->files[i].path, path) == 0)
            file = &fake->files[i];
    }
    if (rc != OC_OK)
        return rc;
    if (!file || !file->text)
        return OC_E_NOENT;
    if (strlen(file->text) > max_bytes)
        return OC_E_TOOBIG;
    if (out_text) {
        *out_text = oc_strdup(file->text);
        if (!*out_text)
            return OC_E_NOMEM;
        if (out_bytes)
            *out_bytes = strlen(file->text);
    }
    if (out_changed)
        *out_changed = file->changed;
    return OC_OK;
}

static int fake_records(struct oc_win *win, oc_win_record_fn *fn, void *context)
{
    oc_fake_win *fake = fake_of(win);
    int rc = called(win, OC_WIN_CALL_EVENTS);

    if (rc != OC_OK)
        return rc;
    if (!fake->has_records)
        return OC_E_NOTSUP;
    for (size_t i = 0; i < fake->record_count; i++)
        fn(&fake->records[i], context);
    fake->record_count = 0;
    return OC_OK;
}

/* ---- waits and signals ---- */

static int fake_wait(struct oc_win *win, oc_win_handle number,
                     void (*fn)(uint64_t tag, void *context), uint64_t tag, void *context,
                     void **out_wait)
{
    oc_fake_win *fake = fake_of(win);
    struct oc_fake_win_process *process = NULL;
    struct wait *wait = NULL;
    int rc = begin(win, OC_WIN_CALL_WAIT, number, &process);

    if (rc != OC_OK)
        return rc;
    wait = oc_calloc(1, sizeof *wait);
    if (!wait)
        return OC_E_NOMEM;
    *wait = (struct wait){ fake->waits, process, fn, tag, context };
    fake->waits = wait;
    *out_wait = wait;
    if (process->has_ended)
        fn(tag, context);
    return OC_OK;
}

static void fake_unwait(struct oc_win *win, void *given)
{
    struct wait **link = &fake_of(win)->waits;

    while (*link && *link != given)
        link = &(*link)->next;
    if (!*link) {
        fake_of(win)->faults++;
        return;
    }
    *link = (*link)->next;
    oc_free(given);
}

static int fake_signal_new(struct oc_win *win, oc_win_handle *out)
{
    oc_fake_win *fake = fake_of(win);
    int rc = called(win, OC_WIN_CALL_SIGNAL);

    for (unsigned i = 0; rc == OC_OK && i < SIGNALS_MAX; i++) {
        if (fake->signals[i].is_used)
            continue;
        fake->signals[i] = (struct signal){ .is_used = 1 };
        *out = SIGNAL_BASE + i;
        return OC_OK;
    }
    return rc != OC_OK ? rc : OC_E_NOMEM;
}

static struct signal *signal_of(struct oc_win *win, oc_win_handle number)
{
    oc_fake_win *fake = fake_of(win);

    if (number >= SIGNAL_BASE && number < SIGNAL_BASE + SIGNALS_MAX &&
        fake->signals[number - SIGNAL_BASE].is_used)
        return &fake->signals[number - SIGNAL_BASE];
    fake->faults++;
    return &fake->signals[0];
}

static void fake_signal_set(struct oc_win *win, oc_win_handle number)
{
    signal_of(win, number)->is_set = 1;
}

static void fake_signal_reset(struct oc_win *win, oc_win_handle number)
{
    signal_of(win, number)->is_set = 0;
}

static void fake_signal_free(struct oc_win *win, oc_win_handle number)
{
    if (number != 0)
        *signal_of(win, number) = (struct signal){ 0, 0 };
}

static const struct oc_win table = {
    .list = fake_list,
    .open = fake_open,
    .close = fake_close,
    .memory = fake_memory,
    .times = fake_times,
    .handles = fake_handles,
    .exited = fake_exited,
    .image = fake_image,
    .basics = fake_basics,
    .cmdline = fake_cmdline,
    .user = fake_user,
    .host = fake_host,
    .query = fake_query,
    .mapped_name = fake_mapped_name,
    .read = fake_read,
    .thread_teb = fake_thread_teb,
    .services = fake_services,
    .file = fake_file,
    .wait = fake_wait,
    .unwait = fake_unwait,
    .records = fake_records,
    .signal_new = fake_signal_new,
    .signal_set = fake_signal_set,
    .signal_reset = fake_signal_reset,
    .signal_free = fake_signal_free,
    .is_elevated = 1,
    .has_debug = 1,
    .build = 17763, /* Server 2019 */
    .system_root = "C:\\Windows",
};

/* ---- the script ---- */

int oc_fake_win_open(oc_fake_win **out_fake)
{
    oc_fake_win *fake = oc_calloc(1, sizeof *fake);

    if (!fake)
        return OC_E_NOMEM;
    fake->win = table;
    fake->host = (struct oc_win_host){
        .total_phys = UINT64_C(16) << 30,
        .avail_phys = UINT64_C(10) << 30,
        .commit_total = UINT64_C(7) << 30,
        .commit_limit = UINT64_C(18) << 30,
        .commit_max = UINT64_C(64) << 30,
        .cpu_count = 8,
        .top_address = UINT64_C(0x7fffffff0000),
    };
    *out_fake = fake;
    return OC_OK;
}

void oc_fake_win_close(oc_fake_win *fake)
{
    if (!fake)
        return;
    while (fake->waits)
        fake_unwait(&fake->win, fake->waits);
    for (size_t i = 0; i < fake->process_count; i++)
        oc_free(fake->processes[i]);
    for (size_t i = 0; i < fake->file_count; i++)
        oc_free(fake->files[i].text);
    oc_free(fake->handles);
    oc_free(fake);
}

struct oc_win *oc_fake_win_table(oc_fake_win *fake) { return &fake->win; }

struct oc_fake_win_process *oc_fake_win_start(oc_fake_win *fake, uint32_t pid, const char *name)
{
    struct oc_fake_win_process *process = NULL;

    if (fake->process_count == OC_FAKE_WIN_PROCS_MAX || find(fake, pid))
        return NULL;
    process = oc_calloc(1, sizeof *process);
    if (!process)
        return NULL;
    process->pid = pid;
    process->name = name;
    process->times.created = FIRST_CREATED + fake->process_count * SECOND;
    fake->processes[fake->process_count++] = process;
    return process;
}

void oc_fake_win_end(oc_fake_win *fake, uint32_t pid, uint32_t exit_code)
{
    struct oc_fake_win_process *process = find(fake, pid);

    if (!process) {
        fake->faults++;
        return;
    }
    process->has_ended = 1;
    process->exit_code = exit_code;
    for (struct wait *wait = fake->waits; wait; wait = wait->next) {
        if (wait->process == process)
            wait->fn(wait->tag, wait->context);
    }
}

struct oc_win_host *oc_fake_win_host(oc_fake_win *fake) { return &fake->host; }

void oc_fake_win_service(oc_fake_win *fake, uint32_t pid, const char *name)
{
    if (fake->service_count < SERVICES_MAX)
        fake->services[fake->service_count++] = (struct service){ pid, name };
}

void oc_fake_win_set_file(oc_fake_win *fake, const char *path, const char *text)
{
    size_t at = 0;

    while (at < fake->file_count && strcmp(fake->files[at].path, path) != 0)
        at++;
    if (at == FILES_MAX)
        return;
    if (at == fake->file_count) {
        fake->file_count++;
        (void)oc_text_copy(fake->files[at].path, sizeof fake->files[at].path, path);
    }
    oc_free(fake->files[at].text);
    fake->files[at].text = text ? oc_strdup(text) : NULL;
    fake->files[at].changed += SECOND;
}

void oc_fake_win_open_log(oc_fake_win *fake) { fake->has_records = 1; }

void oc_fake_win_record(oc_fake_win *fake, const struct oc_win_record *record)
{
    fake->has_records = 1;
    if (fake->record_count < RECORDS_MAX)
        fake->records[fake->record_count++] = *record;
}

void oc_fake_win_fail(oc_fake_win *fake, enum oc_win_call call, int code)
{
    fake->codes[call] = code;
}

size_t oc_fake_win_handles(const oc_fake_win *fake)
{
    size_t count = 0;

    for (size_t i = 0; i < fake->handle_count; i++)
        count += fake->handles[i].process != NULL;
    return count;
}

size_t oc_fake_win_waits(const oc_fake_win *fake)
{
    size_t count = 0;

    for (const struct wait *wait = fake->waits; wait; wait = wait->next)
        count++;
    return count;
}

int oc_fake_win_is_signalled(const oc_fake_win *fake)
{
    for (unsigned i = 0; i < SIGNALS_MAX; i++) {
        if (fake->signals[i].is_used && fake->signals[i].is_set)
            return 1;
    }
    return 0;
}

unsigned oc_fake_win_faults(const oc_fake_win *fake) { return fake->faults; }
