/* What IIS's configuration says of pools and of the worker that is walked. */
#include "probes/windows/iis.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define CONFIG_BELOW_ROOT "\\System32\\inetsrv\\config\\applicationHost.config"

/* ---- files ---- */

void oc_win_iis_config_path(const struct oc_win *win, char *out, size_t out_bytes)
{
    (void)snprintf(out, out_bytes, "%s%s", win->system_root, CONFIG_BELOW_ROOT);
}

/* "C:\\inetpub\\…": no share, no device, nothing that leads out of a folder. */
static int is_on_drive(const char *path)
{
    int is_letter = (path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z');

    return is_letter && path[1] == ':' && path[2] == '\\' && path[3] != '\\' &&
           !strchr(path + 2, ':') && !strstr(path, "\\..");
}

static int parse_file(struct oc_win *win, const char *path, oc_win_pool_fn *fn, void *context,
                      struct oc_detail *detail)
{
    char *text = NULL;
    size_t len = 0;
    uint64_t changed = 0;
    int rc = win->file(win, path, OC_WIN_IIS_CONFIG_MAX_BYTES, &text, &len, &changed);

    if (rc < 0)
        return rc;
    rc = oc_win_iis_parse(text, len, fn, context, detail);
    oc_free(text);
    return rc;
}

/* ---- one pool ---- */

struct search {
    const char *name;
    struct oc_win_pool *out;
    int is_found;
};

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* Names of pools are the same whatever the case of their letters; beyond ASCII as they are written. */
static int same_name(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

static void look_at(const struct oc_win_pool *pool, void *context)
{
    struct search *search = context;

    if (search->is_found || !same_name(pool->name, search->name))
        return;
    *search->out = *pool;
    search->is_found = 1;
}

int oc_win_iis_pool(struct oc_win *win, const struct oc_win_worker *worker,
                    struct oc_win_pool *out_pool)
{
    struct search search = { .name = worker->pool, .out = out_pool };
    char path[sizeof(win->system_root) + sizeof(CONFIG_BELOW_ROOT)];
    int rc = OC_OK;

    if (is_on_drive(worker->config)) {
        rc = parse_file(win, worker->config, look_at, &search, NULL);
        if (rc == OC_E_NOMEM)
            return rc;
        if (rc >= 0 && search.is_found)
            return OC_OK;
    }
    search.is_found = 0; /* a file that ends in the middle may have told of one */
    oc_win_iis_config_path(win, path, sizeof(path));
    rc = parse_file(win, path, look_at, &search, NULL);
    if (rc < 0)
        return rc == OC_E_NOENT ? OC_E_NOTSUP : rc;
    return search.is_found ? OC_OK : OC_E_NOENT;
}

/* ---- limits and the plan ---- */

static void put_limit(unsigned kind, uint64_t value, struct oc_limit *limits, uint32_t *count,
                      uint32_t max)
{
    const struct oc_limit_row *row = oc_limit_row(kind);

    if (value == 0 || *count >= max || !row)
        return;
    limits[*count] =
        (struct oc_limit){ .kind = (uint8_t)kind, .metric = (uint16_t)row->metric, .value = value };
    (*count)++;
}

void oc_win_iis_put_limits(const struct oc_win_pool *pool, struct oc_limit *limits, uint32_t *count,
                           uint32_t max)
{
    put_limit(OC_LIMIT_IIS_MEMORY, pool->memory_bytes, limits, count, max);
    put_limit(OC_LIMIT_IIS_PRIVATE_MEMORY, pool->private_memory_bytes, limits, count, max);
}

int oc_win_iis_walk(struct oc_win *win, unsigned want, const char *cmdline, struct oc_walk *walk)
{
    struct oc_win_worker worker = { .pool = "" };
    struct oc_win_pool pool = { .name = "" };
    uint32_t before = walk->limit_count;
    int is_worker = 0;
    int rc = OC_OK;

    if (!(want & OC_WALK_LIMITS))
        return OC_OK;
    is_worker = oc_win_worker_parse(walk->facts.exe, cmdline, &worker);
    if (!is_worker)
        (void)oc_text_copy(worker.pool, sizeof(worker.pool), walk->names.app_pool);
    if (!worker.pool[0])
        return OC_OK;
    rc = oc_win_iis_pool(win, &worker, &pool);
    if (rc < 0)
        return rc == OC_E_NOMEM ? rc : OC_OK; /* the plan stays unknown */
    walk->plan = pool.plan;
    if (is_worker)
        oc_win_iis_put_limits(&pool, walk->limits, &walk->limit_count, OC_WALK_LIMITS_MAX);
    oc_limits_use(&walk->limits[before], walk->limit_count - before, &walk->sample);
    return OC_OK;
}

/* ---- all pools ---- */

struct telling {
    oc_app_pool_fn *fn;
    void *context;
};

static void tell(const struct oc_win_pool *pool, void *context)
{
    const struct telling *telling = context;
    struct oc_app_pool told = { .name = pool->name,
                                .clr = pool->clr,
                                .is_32bit = pool->is_32bit,
                                .memory_bytes = pool->memory_bytes,
                                .private_memory_bytes = pool->private_memory_bytes,
                                .plan = pool->plan };

    telling->fn(&told, telling->context);
}

int oc_win_iis_pools(struct oc_win *win, oc_app_pool_fn *fn, void *context,
                     struct oc_detail *detail)
{
    struct telling telling = { .fn = fn, .context = context };
    char path[sizeof(win->system_root) + sizeof(CONFIG_BELOW_ROOT)];
    int rc = OC_OK;

    oc_win_iis_config_path(win, path, sizeof(path));
    rc = parse_file(win, path, tell, &telling, detail);
    if (rc == OC_E_NOENT)
        return oc_detail_set(detail, OC_E_NOTSUP, "there is no IIS here: no %s", path);
    if (rc == OC_E_DENIED)
        return oc_detail_set(detail, rc, "%s is for administrators alone", path);
    return rc;
}
