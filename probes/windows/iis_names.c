/* Which pool a process belongs to: a worker's by its command line, of what a worker started its ancestor's. */
#include "probes/windows/iis.h"

#include "base/alloc.h"
#include "base/text.h"
#include "probes/windows/identity.h"

#include <string.h>

#define ANCESTORS_MAX 6 /* w3wp, cmd, dotnet, npm, node … */
#define IMAGE_BYTES 1024

static const char *file_of(const char *path)
{
    const char *slash = strrchr(path, '\\');

    return slash ? slash + 1 : path;
}

/* conhost is below whatever has a console, and none of its own. */
static int is_bystander(const char *image) { return strcmp(file_of(image), "conhost.exe") == 0; }

static void put(struct oc_walk *walk, const struct oc_win_worker *worker)
{
    (void)oc_text_copy(walk->names.app_pool, sizeof(walk->names.app_pool), worker->pool);
    (void)oc_text_copy(walk->names.clr, sizeof(walk->names.clr), worker->clr);
}

struct ancestor {
    uint32_t pid, parent_pid;
    uint64_t created;
    int is_worker;
    struct oc_win_worker worker;
};

/* Only a worker's arguments are asked for. */
static int read_worker(struct oc_win *win, oc_win_handle process, struct ancestor *ancestor)
{
    char image[IMAGE_BYTES] = "";
    char *cmdline = NULL;
    int rc = win->image(win, process, image, sizeof(image));

    if (rc < 0 || !oc_win_is_worker(image))
        return OC_OK;
    rc = oc_win_cmdline(win, ancestor->pid, process, image, &cmdline);
    if (rc == OC_OK)
        ancestor->is_worker = oc_win_worker_parse(image, cmdline, &ancestor->worker);
    oc_free(cmdline);
    return rc == OC_E_NOMEM ? rc : OC_OK;
}

static int look_at(struct oc_win *win, uint32_t pid, struct ancestor *out)
{
    struct oc_win_basics basics = { .peb = 0 };
    struct oc_win_times times = { .created = 0 };
    oc_win_handle process = 0;
    int rc = win->open(win, pid, OC_WIN_LIMITED, &process);

    if (rc < 0)
        return rc;
    *out = (struct ancestor){ .pid = pid };
    rc = win->basics(win, process, &basics);
    if (rc == OC_OK)
        rc = win->times(win, process, &times);
    if (rc == OC_OK) {
        out->parent_pid = basics.parent_pid;
        out->created = times.created;
        rc = read_worker(win, process, out);
    }
    win->close(win, process);
    return rc;
}

/* A PID comes round: a parent that is younger than its child is another process. */
static int climb(struct oc_win *win, struct oc_walk *walk)
{
    struct ancestor ancestor;
    uint32_t pid = walk->facts.parent_pid;
    uint64_t created = walk->facts.id.start_ticks;

    for (int i = 0; i < ANCESTORS_MAX && pid > 4; i++) { /* 4 is the System process */
        int rc = look_at(win, pid, &ancestor);

        if (rc < 0 || ancestor.created > created)
            return rc == OC_E_NOMEM ? rc : OC_OK;
        if (ancestor.is_worker) {
            put(walk, &ancestor.worker);
            return OC_OK;
        }
        pid = ancestor.parent_pid;
        created = ancestor.created;
    }
    return OC_OK;
}

/* Without IIS there are no workers, and no ancestor needs a handle. */
static int has_iis(struct oc_win *win)
{
    char path[OC_WIN_IIS_TEXT_BYTES + 64];
    uint64_t changed = 0;
    int rc = OC_OK;

    oc_win_iis_config_path(win, path, sizeof(path));
    rc = win->file(win, path, OC_WIN_IIS_CONFIG_MAX_BYTES, NULL, NULL, &changed);
    return rc == OC_OK || rc == OC_E_DENIED;
}

int oc_win_iis_names(struct oc_win *win, struct oc_walk *walk)
{
    struct oc_win_worker worker;

    if (oc_win_worker_parse(walk->facts.exe, walk->cmdline, &worker)) {
        put(walk, &worker);
        return OC_OK;
    }
    if (is_bystander(walk->facts.exe) || !has_iis(win))
        return OC_OK;
    return climb(win, walk);
}
