/* The program's own header, as it is mapped, and the drive that its file lies on. */
#include "probes/windows/walk.h"

#include "base/text.h"

#include <string.h>

#define AT_IMAGE_BASE 0x10u    /* PEB.ImageBaseAddress */
#define AT_IMAGE_BASE_32 0x08u /* of a 32-bit one */
#define PATH_BYTES 1024

static int read_base(struct oc_win_walker *walker, uint64_t *out_base)
{
    const struct oc_win_basics *basics = &walker->basics;
    const int is_32bit = basics->peb == 0 && basics->peb32 != 0;
    const uint64_t peb = is_32bit ? basics->peb32 : basics->peb;
    unsigned char bytes[8] = { 0 };
    int rc = OC_E_NOENT;

    if (peb != 0)
        rc = oc_win_walk_read(walker, peb + (is_32bit ? AT_IMAGE_BASE_32 : AT_IMAGE_BASE), bytes,
                              is_32bit ? 4 : 8);
    if (rc == OC_OK)
        *out_base = oc_win_number(bytes, 8);
    return rc;
}

/*
 * "C:\inetpub\x.exe" and "\Device\HarddiskVolume3\inetpub\x.exe" are one file: what differs before their common end is the
 * drive and the volume.
 */
static void learn_drive(struct oc_win_walker *walker, const char *path, const char *mapped)
{
    const size_t path_bytes = strlen(path), mapped_bytes = strlen(mapped);
    size_t prefix_bytes = 0;

    if (path_bytes < 4 || path[1] != ':' || path[2] != '\\' || mapped_bytes < path_bytes ||
        strcmp(mapped + (mapped_bytes - (path_bytes - 2)), path + 2) != 0)
        return;
    prefix_bytes = mapped_bytes - (path_bytes - 2);
    if (prefix_bytes == 0 || prefix_bytes >= sizeof walker->device)
        return;
    memcpy(walker->device, mapped, prefix_bytes);
    walker->device[prefix_bytes] = '\0';
    walker->drive[0] = path[0];
    walker->drive[1] = ':';
    walker->drive[2] = '\0';
}

void oc_win_walk_image(struct oc_win_walker *walker)
{
    struct oc_win *win = walker->win;
    unsigned char head[OC_WIN_PE_BYTES];
    char path[PATH_BYTES] = "", mapped[PATH_BYTES] = "";

    if (read_base(walker, &walker->image_base) != OC_OK)
        return;
    if (oc_win_walk_read(walker, walker->image_base, head, sizeof head) == OC_OK)
        walker->has_pe = oc_win_pe_parse(head, sizeof head, &walker->pe) == OC_OK;
    if (win->image(win, walker->process, path, sizeof path) == OC_OK &&
        win->mapped_name(win, walker->process, walker->image_base, mapped, sizeof mapped) == OC_OK)
        learn_drive(walker, path, mapped);
}

void oc_win_walk_path(const struct oc_win_walker *walker, char *path)
{
    static const char dos[] = "\\??\\";
    const size_t device_bytes = strlen(walker->device);
    const size_t bytes = strlen(path);

    if (strncmp(path, dos, sizeof dos - 1) == 0) {
        memmove(path, path + (sizeof dos - 1), bytes - (sizeof dos - 1) + 1);
    } else if (device_bytes > 2 && strncmp(path, walker->device, device_bytes) == 0 &&
               path[device_bytes] == '\\') {
        memcpy(path, walker->drive, 2);
        memmove(path + 2, path + device_bytes, bytes - device_bytes + 1);
    }
}
