#include "probes/linux/space.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 1024u

const char *oc_lx_label_text(unsigned label)
{
    static const char *const texts[OC_LX_LABELS] = {
        [OC_LX_LABEL_NONE] = "",
        [OC_LX_LABEL_STACK] = "thread stack",
        [OC_LX_LABEL_ARENA] = "glibc arena",
        [OC_LX_LABEL_GC_HEAP] = "GC heap",
        [OC_LX_LABEL_GO_HEAP] = "Go heap",
        [OC_LX_LABEL_JVM_HEAP] = "JVM heap",
        [OC_LX_LABEL_V8_HEAP] = "V8 heap",
        [OC_LX_LABEL_METASPACE] = "metaspace",
        [OC_LX_LABEL_CODE] = "code cache",
    };

    return label < OC_LX_LABELS ? texts[label] : "";
}

const char *oc_lx_runtime_name(enum oc_lx_runtime runtime)
{
    static const char *const names[] = { "", "python", "node", "go", "jvm", "dotnet" };

    return names[runtime];
}

void oc_lx_space_clear(struct oc_lx_space *space)
{
    oc_free(space->mappings);
    oc_free(space->files);
    oc_free(space->file_slots);
    oc_free(space->text);
    oc_free(space->threads);
    oc_free(space->granules);
    memset(space, 0, sizeof *space);
}

/* ---- names ---- */

/* A name's place in the text; 0 where there is no room: the mapping counts without it. */
static int add_text(struct oc_lx_space *space, const char *name, size_t bytes, uint32_t *out_at)
{
    const size_t at = space->text_bytes ? space->text_bytes : 1; /* 0 is "" */
    int rc = oc_array_grow((void **)&space->text, &space->text_capacity, at + bytes + 1, 1,
                           OC_LX_SPACE_TEXT_MAX);

    *out_at = 0;
    if (rc == OC_E_TOOBIG) {
        space->is_truncated = 1;
        return OC_OK;
    }
    if (rc != OC_OK)
        return rc;
    space->text[0] = '\0';
    memcpy(space->text + at, name, bytes);
    space->text[at + bytes] = '\0';
    space->text_bytes = at + bytes + 1;
    *out_at = (uint32_t)at;
    return OC_OK;
}

static int has_name(const struct oc_lx_space *space, uint32_t at, const struct oc_lx_line *line)
{
    const char *text = space->text + at;

    return at != 0 && at + line->name_bytes < space->text_bytes &&
           memcmp(text, line->name, line->name_bytes) == 0 && text[line->name_bytes] == '\0';
}

/* Of a name that is no file's: most often that of the mapping before. */
static int take_word(struct oc_lx_space *space, const struct oc_lx_line *line, uint32_t *out_name)
{
    const struct oc_lx_mapping *last = space->count ? &space->mappings[space->count - 1] : NULL;

    *out_name = 0;
    if (line->name_bytes == 0)
        return OC_OK;
    if (last && last->name != 0 && has_name(space, last->name, line)) {
        *out_name = last->name;
        return OC_OK;
    }
    return add_text(space, line->name, line->name_bytes, out_name);
}

/* ---- files ---- */

static uint32_t hash_of(const struct oc_lx_line *line)
{
    uint64_t hash =
        line->inode * UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)line->major << 32 | line->minor);

    for (size_t i = 0; i < line->name_bytes; i++)
        hash = (hash ^ (unsigned char)line->name[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(hash ^ hash >> 32);
}

static int is_file(const struct oc_lx_space *space, const struct oc_lx_mapped *file,
                   const struct oc_lx_line *line)
{
    return file->inode == line->inode && file->minor == line->minor && file->major == line->major &&
           has_name(space, file->name, line);
}

static int grow_slots(struct oc_lx_space *space)
{
    const size_t count = space->slot_count ? space->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = oc_calloc(count, sizeof *slots);

    if (!slots)
        return OC_E_NOMEM;
    for (size_t i = 0; i < space->file_count; i++) {
        size_t at = space->files[i].hash & (count - 1);

        while (slots[at] != 0)
            at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    oc_free(space->file_slots);
    space->file_slots = slots;
    space->slot_count = count;
    return OC_OK;
}

/* The slot of a file, or the free one where it belongs. */
static size_t find_slot(const struct oc_lx_space *space, const struct oc_lx_line *line,
                        uint32_t hash)
{
    size_t at = hash & (space->slot_count - 1);

    while (space->file_slots[at] != 0) {
        const struct oc_lx_mapped *file = &space->files[space->file_slots[at] - 1];

        if (file->hash == hash && is_file(space, file, line))
            break;
        at = (at + 1) & (space->slot_count - 1);
    }
    return at;
}

static int add_file(struct oc_lx_space *space, const struct oc_lx_line *line, uint32_t hash,
                    uint32_t *out_file)
{
    struct oc_lx_mapped *file = NULL;
    uint32_t name = 0;
    int rc = oc_array_grow((void **)&space->files, &space->file_capacity, space->file_count + 1,
                           sizeof *space->files, OC_LX_SPACE_FILES_MAX);

    *out_file = 0;
    if (rc == OC_OK)
        rc = add_text(space, line->name, line->name_bytes, &name);
    if (rc == OC_E_TOOBIG || (rc == OC_OK && name == 0)) {
        space->is_truncated = 1; /* it counts, without its file */
        return OC_OK;
    }
    if (rc != OC_OK)
        return rc;
    file = &space->files[space->file_count++];
    *file = (struct oc_lx_mapped){ .inode = line->inode,
                                   .base = line->start,
                                   .major = line->major,
                                   .minor = line->minor,
                                   .name = name,
                                   .hash = hash,
                                   .backing = line->backing };
    *out_file = (uint32_t)space->file_count;
    space->needs_mounts |= line->backing == OC_LX_FILE && line->major == 0;
    return OC_OK;
}

static int find_file(struct oc_lx_space *space, const struct oc_lx_line *line, uint32_t *out_file)
{
    const struct oc_lx_mapping *last = space->count ? &space->mappings[space->count - 1] : NULL;
    uint32_t hash = 0;
    size_t slot = 0;
    int rc = OC_OK;

    if (last && last->file != 0 && is_file(space, &space->files[last->file - 1], line)) {
        *out_file = last->file;
        return OC_OK;
    }
    if (space->file_count * 2 >= space->slot_count)
        rc = grow_slots(space);
    if (rc != OC_OK)
        return rc;
    hash = hash_of(line);
    slot = find_slot(space, line, hash);
    if (space->file_slots[slot] == 0) {
        rc = add_file(space, line, hash, out_file);
        space->file_slots[slot] = *out_file;
        return rc;
    }
    *out_file = space->file_slots[slot];
    return OC_OK;
}

static int take_file(struct oc_lx_space *space, const struct oc_lx_line *line, uint32_t *out_file)
{
    struct oc_lx_mapped *file = NULL;
    int rc = find_file(space, line, out_file);

    if (rc != OC_OK || *out_file == 0)
        return rc;
    file = &space->files[*out_file - 1];
    file->mappings++;
    file->bytes += line->end - line->start;
    file->flags |= (uint8_t)((line->protect & OC_PROTECT_EXECUTE ? OC_LX_MAPPED_CODE : 0) |
                             (line->deleted ? OC_LX_MAPPED_DELETED : 0));
    return OC_OK;
}

static int has_file(const struct oc_lx_line *line)
{
    return line->backing == OC_LX_FILE || line->backing == OC_LX_MEMFD ||
           line->backing == OC_LX_SHM || line->backing == OC_LX_OTHER_NODE;
}

/* ---- mappings ---- */

static int append(struct oc_lx_space *space, const struct oc_lx_line *line, uint64_t resident_bytes)
{
    uint32_t file = 0, name = 0;
    int rc = oc_array_grow((void **)&space->mappings, &space->capacity, space->count + 1,
                           sizeof *space->mappings, OC_LX_SPACE_MAX);

    if (rc == OC_OK)
        rc = has_file(line) ? take_file(space, line, &file) : take_word(space, line, &name);
    if (rc != OC_OK)
        return rc;
    space->mappings[space->count++] = (struct oc_lx_mapping){
        .start = line->start,
        .end = line->end,
        .offset = line->offset,
        .resident_bytes = resident_bytes,
        .file = file,
        .name = name,
        .protect = line->protect,
        .backing = line->backing,
    };
    space->last_end = line->end;
    return 1;
}

int oc_lx_space_add(struct oc_lx_space *space, const struct oc_lx_line *line,
                    uint64_t resident_bytes)
{
    struct oc_lx_line cut;

    if (line->start >= space->last_end)
        return line->end > line->start ? append(space, line, resident_bytes) : 0;
    if (line->end <= space->last_end)
        return 0;
    cut = *line;
    cut.offset += space->last_end - line->start;
    cut.start = space->last_end;
    return append(space, &cut, resident_bytes);
}

void oc_lx_space_next(struct oc_lx_space *space) { space->count = 0; }

/* ---- mounts ---- */

/* "ID PARENT 0:MINOR …": the number, where the major one is 0. */
static int minor_of(const char *line, const char *newline, uint32_t *out_minor)
{
    const char *at = line;
    uint32_t minor = 0;

    for (int blanks = 0; at < newline && blanks < 2; at++)
        blanks += *at == ' ';
    if (newline - at < 3 || at[0] != '0' || at[1] != ':' || at[2] < '0' || at[2] > '9')
        return 0;
    for (at += 2; at < newline && *at >= '0' && *at <= '9'; at++)
        minor = minor * 10 + (uint32_t)(*at - '0');
    *out_minor = minor;
    return 1;
}

/* The type is the word behind " - "; blanks in paths are written as \\040. */
static int is_in_memory(const char *line, const char *newline)
{
    static const char *const types[] = { " - tmpfs ", " - ramfs ", " - devtmpfs " };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const size_t bytes = strlen(types[i]);

        for (const char *at = line; newline - at >= (ptrdiff_t)bytes; at++) {
            if (memcmp(at, types[i], bytes) == 0)
                return 1;
        }
    }
    return 0;
}

void oc_lx_space_add_mount(struct oc_lx_space *space, const char *line, const char *newline)
{
    uint32_t minor = 0;

    if (space->tmpfs_count < OC_LX_TMPFS_MAX && minor_of(line, newline, &minor) &&
        is_in_memory(line, newline))
        space->tmpfs[space->tmpfs_count++] = minor;
}

static int by_stack_pointer(const void *a, const void *b)
{
    const uint64_t x = ((const struct oc_lx_thread *)a)->stack_pointer;
    const uint64_t y = ((const struct oc_lx_thread *)b)->stack_pointer;

    return (x > y) - (x < y);
}

void oc_lx_space_sort_threads(struct oc_lx_space *space)
{
    if (space->thread_count > 1)
        qsort(space->threads, space->thread_count, sizeof *space->threads, by_stack_pointer);
}

const char *oc_lx_mapping_name(const struct oc_lx_space *space, const struct oc_lx_mapping *mapping)
{
    if (mapping->file != 0)
        return oc_lx_space_text(space, space->files[mapping->file - 1].name);
    return oc_lx_space_text(space, mapping->name);
}
