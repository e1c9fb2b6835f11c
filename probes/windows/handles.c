#include "probes/windows/handles.h"

#include <string.h>

#define IMAGE_BYTES 1040 /* 260 characters */

/* lsass holds the passwords, and its guards look at who opens it; the others are the system itself. */
static const char *const untouchable[] = {
    "lsass.exe",    "lsaiso.exe", "csrss.exe", "smss.exe",    "wininit.exe",       "winlogon.exe",
    "services.exe", "system",     "registry",  "msmpeng.exe", "memory compression"
};

static int same_name(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char c = *a >= 'A' && *a <= 'Z' ? (char)(*a - 'A' + 'a') : *a;

        if (c != *b)
            return 0;
    }
    return *a == *b;
}

static const char *file_name(const char *path)
{
    const char *name = path;

    for (; *path != '\0'; path++) {
        if (*path == '\\' || *path == '/')
            name = path + 1;
    }
    return name;
}

int oc_win_is_untouchable(uint32_t pid, const char *image, const struct oc_win_basics *basics)
{
    const char *name = file_name(image);

    if (pid <= 4) /* idle and System */
        return 1;
    if (basics->has_protection && basics->is_protected)
        return 1;
    for (size_t i = 0; i < sizeof untouchable / sizeof *untouchable; i++) {
        if (same_name(name, untouchable[i]))
            return 1;
    }
    return 0;
}

/* With a limited handle that is kept while the other is opened, so that the PID stays its. */
static int check(struct oc_win *win, oc_win_handle limited, uint32_t pid, uint64_t created)
{
    struct oc_win_basics basics = { 0 };
    struct oc_win_times times;
    char image[IMAGE_BYTES];
    uint32_t exit_code = 0;

    if (win->exited(win, limited, &exit_code) == 1)
        return OC_E_GONE;
    if (created != 0 && win->times(win, limited, &times) == OC_OK && times.created != created)
        return OC_E_GONE;
    if (win->image(win, limited, image, sizeof image) != OC_OK)
        return OC_E_DENIED; /* nobody knows what it is: not touched */
    (void)win->basics(win, limited, &basics);
    return oc_win_is_untouchable(pid, image, &basics) ? OC_E_DENIED : OC_OK;
}

int oc_win_open_read(struct oc_win *win, uint32_t pid, uint64_t created, oc_win_handle *out_process)
{
    oc_win_handle limited = 0;
    int rc = win->open(win, pid, OC_WIN_LIMITED, &limited);

    if (rc != OC_OK)
        return rc;
    rc = check(win, limited, pid, created);
    if (rc == OC_OK)
        rc = win->open(win, pid, OC_WIN_READ, out_process);
    win->close(win, limited);
    return rc;
}
