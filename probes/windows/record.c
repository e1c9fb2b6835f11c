/* What is recorded of a machine. */
#include "probes/windows/record.h"

#include "base/alloc.h"
#include "base/os.h"
#include "probes/windows/contract.h"
#include "probes/windows/iis.h"
#include "probes/windows/list.h"

#include <string.h>

#define WORKERS_MAX 16
#define LIST_BYTES ((size_t)16 << 20)

static int is_worker(const char *name)
{
    static const char worker[] = "w3wp.exe";

    for (size_t i = 0; i < sizeof worker; i++) {
        const char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];

        if (c != worker[i])
            return 0;
    }
    return 1;
}

/* The workers that run; ourselves where there are none. */
static int find_workers(struct oc_win *win, uint32_t pids[WORKERS_MAX], size_t *out_count)
{
    unsigned char *bytes = oc_malloc(LIST_BYTES);
    struct oc_win_list list;
    struct oc_win_entry entry;
    size_t len_bytes = 0, count = 0;
    int rc = bytes ? win->list(win, bytes, LIST_BYTES, &len_bytes) : OC_E_NOMEM;

    if (rc == OC_OK) {
        oc_win_list_begin(&list, bytes, len_bytes, (uint64_t)(uintptr_t)bytes);
        while (oc_win_list_next(&list, &entry) == 1) {
            if (is_worker(entry.name) && count < WORKERS_MAX)
                pids[count++] = entry.pid;
        }
    }
    oc_free(bytes);
    if (rc == OC_E_NOMEM)
        return rc;
    if (count == 0)
        pids[count++] = oc_os_pid();
    *out_count = count;
    return OC_OK;
}

/* A tick, as the daemon reads it: by counters, without memory. */
static void read_counters(struct oc_win *win, uint32_t pid)
{
    struct oc_win_memory memory;
    struct oc_win_times times;
    oc_win_handle process = 0;
    uint32_t number = 0;

    if (win->open(win, pid, OC_WIN_LIMITED, &process) != OC_OK)
        return;
    (void)win->memory(win, process, &memory);
    (void)win->times(win, process, &times);
    (void)win->handles(win, process, &number);
    (void)win->exited(win, process, &number);
    win->close(win, process);
}

static int record_process(struct oc_win *win, uint32_t pid, struct oc_limits *limits)
{
    const struct oc_walk_request request = { .pid = pid, .want = OC_WALK_USUAL };
    struct oc_walk *walk = oc_calloc(1, sizeof *walk);
    int rc = walk ? oc_win_walk(win, &request, walk) : OC_E_NOMEM;

    if (rc == OC_OK) {
        oc_walk_clear(walk);
        read_counters(win, pid);
        rc = oc_win_limits(win, pid, limits);
    }
    oc_free(walk);
    return rc;
}

static void pass_pool(const struct oc_app_pool *pool, void *context)
{
    (void)pool;
    (void)context;
}

static int record_all(struct oc_win *win, uint32_t pid)
{
    struct oc_limits *limits = oc_malloc(sizeof *limits); /* some tens of KiB */
    uint32_t pids[WORKERS_MAX] = { pid };
    size_t count = 1;
    int rc = limits ? OC_OK : OC_E_NOMEM;

    if (rc == OC_OK && pid == 0)
        rc = find_workers(win, pids, &count);
    for (size_t i = 0; i < count && rc == OC_OK; i++) {
        rc = record_process(win, pids[i], limits);
        if (rc == OC_E_GONE && pid == 0)
            rc = OC_OK; /* it was recycled meanwhile */
    }
    if (rc == OC_OK)
        (void)oc_win_iis_pools(win, pass_pool, NULL,
                               NULL); /* without IIS that is what is recorded */
    oc_free(limits);
    return rc;
}

int oc_win_record(struct oc_win *win, uint32_t pid, struct oc_buf *out)
{
    struct oc_win *recorder = NULL;
    int rc = oc_win_recorder_open(win, &recorder);

    if (rc != OC_OK)
        return rc;
    rc = record_all(recorder, pid);
    if (rc == OC_OK) {
        const struct oc_buf *text = oc_win_recorder_text(recorder);

        oc_buf_add(out, text->data, text->len_bytes);
        rc = text->err ? text->err : out->err;
    }
    oc_win_recorder_close(recorder);
    return rc;
}
