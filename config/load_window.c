/* "maintenance" and "restarts": times that come again. */
#include "config/section.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void clear_window(struct oc_window *window)
{
    oc_strings_clear(&window->subjects);
    oc_free(window->file);
    *window = (struct oc_window){ 0 };
}

/* Takes *window over, in the place of one of the same name of an earlier file. */
static int add_window(struct oc_loader *l, uint32_t node, struct oc_window *take_window)
{
    struct oc_windows *windows = &l->config->windows;
    struct oc_window *items = NULL;
    char text[120];

    for (size_t i = 0; i < windows->count; i++) {
        struct oc_window *same = &windows->items[i];

        if (strcmp(same->name, take_window->name) != 0 ||
            same->is_restart != take_window->is_restart)
            continue;
        if (strcmp(same->file, take_window->file) != 0) {
            clear_window(same);
            *same = *take_window;
            return OC_OK;
        }
        (void)snprintf(text, sizeof(text), "there is one of this name already, at line %" PRIu32,
                       same->line);
        clear_window(take_window);
        return oc_config_value_fail(l, node, OC_E_INVAL, text);
    }
    if (windows->count == OC_WINDOWS_MAX) {
        clear_window(take_window);
        return oc_config_value_fail(l, node, OC_E_TOOBIG,
                                    "more than 64 windows of maintenance and restarts");
    }
    items = oc_realloc(windows->items, (windows->count + 1) * sizeof(*items));
    if (!items) {
        clear_window(take_window);
        return oc_config_value_nomem(l);
    }
    windows->items = items;
    items[windows->count++] = *take_window;
    return OC_OK;
}

static int load_window(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                       const cJSON *object)
{
    struct oc_window window = { .is_restart = section == oc_section_restarts() };
    int rc = OC_OK;

    if (!cJSON_IsObject(object))
        return oc_config_value_fail_type(l, node, section->key,
                                         window.is_restart
                                             ? "objects such as { \"name\": \"nightly\", \"at\": "
                                               "\"03:30\" }"
                                             : "objects such as { \"name\": \"patching\", "
                                               "\"from\": \"02:00\", \"to\": \"04:00\" }",
                                         object);
    window.line = oc_config_value_line(l, node);
    window.file = oc_strdup(l->scan.name);
    if (!window.file)
        return oc_config_value_nomem(l);
    rc = oc_config_load_item(l, section, node, object, &window);
    if (rc == OC_OK)
        return add_window(l, node, &window);
    clear_window(&window);
    return rc;
}

int oc_config_load_windows(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                           const cJSON *value)
{
    const cJSON *item = NULL;
    size_t at = 0;

    if (!cJSON_IsArray(value))
        return oc_config_value_fail_type(l, node, section->key, "an array of objects", value);
    cJSON_ArrayForEach(item, value)
    {
        int rc = load_window(l, section, oc_config_scan_item(&l->scan, node, at++), item);

        if (rc < 0)
            return rc;
    }
    return OC_OK;
}
