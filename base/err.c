#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct err_row {
    int code;
    const char *name;
    const char *text;
};

static const struct err_row rows[] = {
    { OC_OK, "ok", "no error" },
    { OC_E_NOMEM, "no_memory", "out of memory" },
    { OC_E_IO, "io", "the system failed to read or write" },
    { OC_E_GONE, "gone", "it has ended" },
    { OC_E_DENIED, "denied", "permission denied" },
    { OC_E_NOENT, "not_found", "not found" },
    { OC_E_PARSE, "parse", "not of the expected form" },
    { OC_E_TOOBIG, "too_big", "larger than allowed" },
    { OC_E_NOTSUP, "not_supported", "not supported here" },
    { OC_E_INVAL, "invalid", "out of range" },
    { OC_E_BUSY, "busy", "held by another process" },
    { OC_E_NOSPC, "no_space", "no space left" },
    { OC_E_CORRUPT, "corrupt", "the file is damaged" },
    { OC_E_FOREIGN, "foreign", "the file is not one of oomcast's" },
    { OC_E_NEWER, "newer", "the file is of a newer oomcast" },
    { OC_E_EXISTS, "exists", "it is there already" },
    { OC_E_TIMEOUT, "timeout", "timed out" },
    { OC_E_AGAIN, "again", "nothing now, try later" },
    { OC_E_NOFILE, "no_descriptors", "no file descriptor left" },
};

static const struct err_row *row_of(int code)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

const char *oc_err_name(int code)
{
    const struct err_row *row = row_of(code);

    return row ? row->name : "unknown";
}

const char *oc_err_text(int code)
{
    const struct err_row *row = row_of(code);

    return row ? row->text : "unknown error";
}

int oc_err_from_errno(int error_number)
{
    switch (error_number) {
    case 0:
        return OC_OK;
    case ENOMEM:
        return OC_E_NOMEM;
    case ENOENT:
    case ENOTDIR:
        return OC_E_NOENT;
    case ESRCH:  /* the process ended between open and read */
    case ENODEV: /* kernfs: the cgroup is gone */
        return OC_E_GONE;
    case EACCES:
    case EPERM:
    case EROFS:
        return OC_E_DENIED;
    case EMFILE:
    case ENFILE:
        return OC_E_NOFILE;
    case ENOSPC:
    case EFBIG:
        return OC_E_NOSPC;
    case EBUSY:
        return OC_E_BUSY;
    case EEXIST:
        return OC_E_EXISTS;
    case EINVAL:
    case ERANGE:
        return OC_E_INVAL;
    case E2BIG:
    case ENAMETOOLONG:
        return OC_E_TOOBIG;
    case EAGAIN:
        return OC_E_AGAIN;
    case ENOSYS:
#ifdef EOPNOTSUPP
    case EOPNOTSUPP:
#endif
        return OC_E_NOTSUP;
    case ETIMEDOUT:
        return OC_E_TIMEOUT;
    default:
        return OC_E_IO;
    }
}

int oc_detail_set(struct oc_detail *detail, int code, const char *format, ...)
{
    va_list args;

    if (!detail)
        return code;
    detail->line = 0;
    detail->column = 0;
    va_start(args, format);
    (void)vsnprintf(detail->text, sizeof detail->text, format, args);
    va_end(args);
    return code;
}
