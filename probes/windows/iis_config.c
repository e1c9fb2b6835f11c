/*
 * applicationHost.config. The defaults may stand behind the pools that take them, so the file is gone through twice: once
 * for applicationPoolDefaults, once for the pools. Nothing is kept but the pool at hand.
 */
#include "probes/windows/iis.h"

#include "base/alloc.h"
#include "base/text.h"
#include "probes/windows/iis_value.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 64
#define KIB_SHIFT 10

/* What IIS does where neither a pool nor applicationPoolDefaults says otherwise (IIS 10's schema). */
#define DEFAULT_EVERY_MS (INT64_C(29) * 3600 * 1000)
#define DEFAULT_IDLE_MS (INT64_C(20) * 60 * 1000)

enum element {
    OTHER,
    ROOT, /* above the document's element */
    CONFIGURATION,
    HOST,
    POOLS,
    DEFAULTS,
    POOL,
    PROCESS_MODEL,
    RECYCLING,
    RESTART,
    SCHEDULE,
    SCHEDULE_ADD,
    SCHEDULE_CLEAR
};

static const struct step {
    enum element parent, parent_too; /* OTHER: none */
    const char *name;
    enum element element;
} steps[] = {
    { ROOT, OTHER, "configuration", CONFIGURATION },
    { CONFIGURATION, OTHER, "system.applicationHost", HOST },
    { HOST, OTHER, "applicationPools", POOLS },
    { POOLS, OTHER, "applicationPoolDefaults", DEFAULTS },
    { POOLS, OTHER, "add", POOL },
    { DEFAULTS, POOL, "processModel", PROCESS_MODEL },
    { DEFAULTS, POOL, "recycling", RECYCLING },
    { RECYCLING, OTHER, "periodicRestart", RESTART },
    { RESTART, OTHER, "schedule", SCHEDULE },
    { SCHEDULE, OTHER, "add", SCHEDULE_ADD },
    { SCHEDULE, OTHER, "clear", SCHEDULE_CLEAR },
};

struct reading {
    XML_Parser parser;
    enum element stack[DEPTH_MAX];
    size_t depth;
    int is_second;               /* 0: applicationPoolDefaults are gathered, 1: pools are told */
    struct oc_win_pool defaults; /* of the file over IIS's own */
    struct oc_win_pool pool;     /* the one at hand, over the defaults */
    uint8_t logged;              /* reasons whose event is written, of the one at hand */
    uint8_t idle_logged;
    uint8_t default_logged, default_idle_logged;
    size_t count;
    oc_win_pool_fn *fn;
    void *context;
    int rc;
};

/* ---- values ---- */

static void set_text(char *out, size_t out_bytes, const char *text)
{
    oc_text_copy_utf8(out, out_bytes, text, strlen(text));
}

static void set_pool(struct reading *r, const char *key, const char *value)
{
    struct oc_win_pool *pool = &r->pool;

    if (strcmp(key, "name") == 0)
        set_text(pool->name, sizeof(pool->name), value);
    else if (strcmp(key, "managedRuntimeVersion") == 0)
        set_text(pool->clr, sizeof(pool->clr), value);
    else if (strcmp(key, "enable32BitAppOnWin64") == 0)
        (void)oc_win_iis_bool(value, &pool->is_32bit);
    else if (strcmp(key, "autoStart") == 0)
        (void)oc_win_iis_bool(value, &pool->is_auto_start);
}

static void set_process_model(struct reading *r, const char *key, const char *value)
{
    if (strcmp(key, "idleTimeout") == 0)
        (void)oc_win_iis_span_ms(value, &r->pool.plan.idle_ms);
    else if (strcmp(key, "maxProcesses") == 0)
        (void)oc_win_iis_uint(value, &r->pool.max_processes);
    else if (strcmp(key, "logEventOnProcessModel") == 0)
        (void)oc_win_iis_reasons(value, &r->idle_logged);
}

static void set_kib(const char *value, uint64_t *out_bytes)
{
    uint32_t kib = 0;

    if (oc_win_iis_uint(value, &kib) == OC_OK)
        *out_bytes = (uint64_t)kib << KIB_SHIFT;
}

static void set_restart(struct reading *r, const char *key, const char *value)
{
    struct oc_win_pool *pool = &r->pool;

    if (strcmp(key, "memory") == 0)
        set_kib(value, &pool->memory_bytes);
    else if (strcmp(key, "privateMemory") == 0)
        set_kib(value, &pool->private_memory_bytes);
    else if (strcmp(key, "requests") == 0)
        (void)oc_win_iis_uint(value, &pool->plan.requests);
    else if (strcmp(key, "time") == 0)
        (void)oc_win_iis_span_ms(value, &pool->plan.every_ms);
}

/* In its place, each once; those beyond the maximum are left out. */
static void add_minute(struct oc_plan *plan, uint16_t minute)
{
    size_t at = 0;

    while (at < plan->time_count && plan->minutes[at] < minute)
        at++;
    if (plan->time_count == OC_PLAN_TIMES_MAX ||
        (at < plan->time_count && plan->minutes[at] == minute))
        return;
    memmove(&plan->minutes[at + 1], &plan->minutes[at],
            (plan->time_count - at) * sizeof(plan->minutes[0]));
    plan->minutes[at] = minute;
    plan->time_count++;
}

static void set_value(struct reading *r, enum element element, const char *key, const char *value)
{
    uint16_t minute = 0;

    switch (element) {
    case POOL:
    case DEFAULTS:
        set_pool(r, key, value);
        break;
    case PROCESS_MODEL:
        set_process_model(r, key, value);
        break;
    case RECYCLING:
        if (strcmp(key, "logEventOnRecycle") == 0)
            (void)oc_win_iis_reasons(value, &r->logged);
        break;
    case RESTART:
        set_restart(r, key, value);
        break;
    case SCHEDULE_ADD:
        if (strcmp(key, "value") == 0 && oc_win_iis_minute(value, &minute) == OC_OK)
            add_minute(&r->pool.plan, minute);
        break;
    default:
        break;
    }
}

/* ---- elements ---- */

static enum element element_of(enum element parent, const char *name)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const struct step *step = &steps[i];

        if ((parent == step->parent || (parent == step->parent_too && parent != OTHER)) &&
            strcmp(name, step->name) == 0)
            return step->element;
    }
    return OTHER;
}

static void stop(struct reading *r, int rc)
{
    r->rc = rc;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void begin_pool(struct reading *r)
{
    r->pool = r->defaults;
    r->pool.name[0] = '\0';
    r->logged = r->default_logged;
    r->idle_logged = r->default_idle_logged;
}

/* Whether the element is one of the turn at hand: the defaults first, then the pools. */
static int is_of_turn(const struct reading *r)
{
    enum element of = r->is_second ? POOL : DEFAULTS;

    for (size_t i = 0; i < r->depth; i++) {
        if (r->stack[i] == of)
            return 1;
    }
    return 0;
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = context;
    enum element element =
        element_of(r->depth > 0 ? r->stack[r->depth - 1] : (enum element)ROOT, name);

    if (r->depth == DEPTH_MAX) {
        stop(r, OC_E_TOOBIG);
        return;
    }
    r->stack[r->depth++] = element;
    if (!is_of_turn(r))
        return;
    if (element == POOL || element == DEFAULTS)
        begin_pool(r);
    else if (element == SCHEDULE_CLEAR)
        r->pool.plan.time_count = 0;
    for (size_t i = 0; attributes[i]; i += 2)
        set_value(r, element, attributes[i], attributes[i + 1]);
}

static void end_defaults(struct reading *r)
{
    r->defaults = r->pool;
    r->default_logged = r->logged;
    r->default_idle_logged = r->idle_logged;
}

static void end_pool(struct reading *r)
{
    struct oc_win_pool *pool = &r->pool;

    if (!pool->name[0])
        return;
    if (r->count == OC_WIN_IIS_POOLS_MAX) {
        stop(r, OC_E_TOOBIG);
        return;
    }
    r->count++;
    pool->plan.unlogged = (uint8_t)((~(unsigned)r->logged & 0xffu & ~OC_PLAN_IDLE) |
                                    (r->idle_logged & OC_PLAN_IDLE ? 0u : (unsigned)OC_PLAN_IDLE));
    r->fn(pool, r->context);
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    struct reading *r = context;
    enum element element = OTHER;

    (void)name;
    if (r->depth == 0)
        return;
    element = r->stack[r->depth - 1];
    if (r->is_second && element == POOL)
        end_pool(r);
    else if (!r->is_second && element == DEFAULTS)
        end_defaults(r);
    r->depth--;
}

/* IIS writes none; entities could make a small file large. */
static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public_id, int has_subset)
{
    (void)name;
    (void)system;
    (void)public_id;
    (void)has_subset;
    stop(context, OC_E_PARSE);
}

/* ---- the file ---- */

static void set_defaults(struct reading *r)
{
    r->defaults = (struct oc_win_pool){
        .clr = "v4.0",
        .is_auto_start = 1,
        .max_processes = 1,
        .plan = { .every_ms = DEFAULT_EVERY_MS, .idle_ms = DEFAULT_IDLE_MS },
    };
    r->default_logged = 0xffu; /* IIS 10 writes an event for each */
    r->default_idle_logged = OC_PLAN_IDLE;
}

static int explain(const struct reading *r, struct oc_detail *detail)
{
    enum XML_Error error = XML_GetErrorCode(r->parser);
    int rc = OC_OK;

    if (r->rc == OC_E_TOOBIG)
        return oc_detail_set(detail, OC_E_TOOBIG,
                             "more than %u application pools, or nested deeper "
                             "than %u",
                             OC_WIN_IIS_POOLS_MAX, DEPTH_MAX);
    if (error == XML_ERROR_NO_MEMORY)
        return OC_E_NOMEM;
    rc = oc_detail_set(detail, OC_E_PARSE, "%s",
                       r->rc < 0 ? "a document type, which IIS never writes"
                                 : XML_ErrorString(error));
    if (detail) {
        detail->line = (uint32_t)XML_GetCurrentLineNumber(r->parser);
        detail->column = (uint32_t)XML_GetCurrentColumnNumber(r->parser) + 1;
    }
    return rc;
}

static int go_through(struct reading *r, const char *text, size_t len, struct oc_detail *detail)
{
    static const XML_Memory_Handling_Suite memory = { oc_malloc, oc_realloc, oc_free };
    int rc = OC_OK;

    r->depth = 0;
    r->parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (!r->parser)
        return OC_E_NOMEM;
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    if (XML_Parse(r->parser, text, (int)len, 1) != XML_STATUS_OK)
        rc = explain(r, detail);
    XML_ParserFree(r->parser);
    r->parser = NULL;
    return rc;
}

int oc_win_iis_parse(const char *text, size_t len, oc_win_pool_fn *fn, void *context,
                     struct oc_detail *detail)
{
    struct reading r = { .fn = fn, .context = context };
    int rc = OC_OK;

    if (len > OC_WIN_IIS_CONFIG_MAX_BYTES)
        return oc_detail_set(detail, OC_E_TOOBIG, "the configuration of IIS is larger than %u MiB",
                             OC_WIN_IIS_CONFIG_MAX_BYTES >> 20);
    set_defaults(&r);
    rc = go_through(&r, text, len, detail);
    if (rc < 0)
        return rc;
    r.is_second = 1;
    rc = go_through(&r, text, len, detail);
    return rc < 0 ? rc : (int)r.count;
}
