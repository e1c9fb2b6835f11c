/* Modules, and families of all files that are mapped. */
#include "probes/linux/walk.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

static int add_name(struct oc_census *census, const char *name, uint32_t *out_at)
{
    char valid[OC_LX_NAME_MAX * 3 + 1]; /* U+FFFD is three bytes */
    const size_t bytes = strlen(name);

    if (oc_text_is_utf8(name, bytes, NULL))
        return oc_census_add_text(census, name, bytes, out_at);
    oc_text_copy_utf8(valid, sizeof valid, name, bytes);
    return oc_census_add_text(census, valid, strlen(valid), out_at);
}

static size_t count_images(const struct oc_lx_space *space)
{
    size_t count = 0;

    for (size_t i = 0; i < space->file_count; i++)
        count += (space->files[i].flags & OC_LX_MAPPED_IMAGE) != 0;
    return count < OC_CENSUS_MODULES_MAX ? count : OC_CENSUS_MODULES_MAX;
}

static int add_module(struct oc_census *census, const struct oc_lx_space *space,
                      const struct oc_lx_mapped *file)
{
    struct oc_module module = {
        .base = file->base,
        .bytes = file->bytes,
        .inode = file->inode,
        .flags = file->backing == OC_LX_FILE && (file->flags & OC_LX_MAPPED_DELETED)
                     ? OC_MODULE_DELETED
                     : 0,
    };
    int rc = add_name(census, oc_lx_space_text(space, file->name), &module.name);

    if (rc == OC_OK)
        census->modules[census->module_count++] = module;
    return rc;
}

/* Files were met in the order of their lowest addresses: so is the list. */
int oc_lx_walk_modules(struct oc_lx_walker *walker, const struct oc_lx_space *space)
{
    struct oc_census *census = &walker->walk->census;
    const size_t max = count_images(space);
    int rc = OC_OK;

    census->modules = oc_malloc(max * sizeof *census->modules);
    if (!census->modules)
        return OC_E_NOMEM;
    for (size_t i = 0; i < space->file_count && census->module_count < max && rc == OC_OK; i++) {
        if (space->files[i].flags & OC_LX_MAPPED_IMAGE)
            rc = add_module(census, space, &space->files[i]);
    }
    if (rc == OC_E_TOOBIG || space->is_truncated)
        census->is_truncated = 1;
    else
        census->has_modules = rc == OC_OK;
    return rc == OC_E_TOOBIG ? OC_OK : rc;
}

int oc_lx_walk_file_families(struct oc_lx_walker *walker, const struct oc_lx_space *space)
{
    int rc = OC_OK;

    for (size_t i = 0; i < space->file_count && rc == OC_OK; i++) {
        const struct oc_lx_mapped *file = &space->files[i];
        const char *name = oc_lx_space_text(space, file->name);
        const int is_module = (file->flags & OC_LX_MAPPED_IMAGE) != 0;
        const uint32_t count = is_module ? 1 : file->mappings;
        const int is_deleted = /* memfds and segments are said to be so from their birth */
            file->backing == OC_LX_FILE && (file->flags & OC_LX_MAPPED_DELETED);

        rc = oc_families_add(walker->families, is_module ? OC_FAMILY_MODULE : OC_FAMILY_MAPPING,
                             name, strlen(name), count, file->bytes, is_deleted ? count : 0);
    }
    return rc;
}
