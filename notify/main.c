/* oomcast-notify: a table of contents. Rights are given up first; courier.c has the rest. */
#include "notify/args.h"
#include "notify/courier.h"
#include "notify/os.h"
#include "notify/rights.h"

#include "base/alloc.h"
#include "base/os.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static int show(void (*write_text)(struct oc_buf *))
{
    struct oc_buf text;
    int ok = 0;

    oc_buf_init(&text, 65536);
    write_text(&text);
    ok = text.err == OC_OK && fputs(text.data, stdout) >= 0;
    oc_buf_clear(&text);
    return ok && fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}

static int fail(int status, const char *why)
{
    (void)fprintf(stderr, "oomcast-notify: %s\n", why);
    return status;
}

static int run(const struct oc_notify_args *args, const char *note)
{
    static struct oc_courier courier; /* too large for a stack; known to this function alone */
    struct oc_detail detail = { 0 };
    int rc = OC_OK;

    if (oc_courier_start(&courier, args, note, &detail) < 0)
        return fail(EXIT_FAILED, detail.text);
    rc = oc_courier_run(&courier);
    oc_courier_stop(&courier);
    return rc < 0 ? EXIT_FAILED : 0;
}

int main(int argc, char **argv)
{
    cJSON_Hooks hooks = { .malloc_fn = oc_malloc, .free_fn = oc_free };
    struct oc_notify_args args;
    struct oc_detail detail = { 0 };

    oc_alloc_init();
    cJSON_InitHooks(&hooks);
    oc_notify_os_init();
    if (oc_os_args(&argc, &argv) < 0)
        return fail(EXIT_FAILED, "out of memory");
    if (oc_notify_args_parse(argc, argv, &args, &detail) < 0)
        return fail(EXIT_USAGE, detail.text);
    if (args.help)
        return show(oc_notify_args_help);
    if (args.manual)
        return show(oc_notify_args_manual);
    if (args.version)
        return puts("oomcast-notify " OC_VERSION) >= 0 ? 0 : EXIT_FAILED;
    if (oc_rights_drop(&args, argv, &detail) < 0)
        return fail(EXIT_FAILED, detail.text);
    return run(&args, detail.text);
}
