#include "notify/rights.h"

#include "base/text.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_INHERITED_FD 3
#define FD_MAX 65536 /* where the kernel has no close_range(): 5.9 brought it */
#define ARGS_MAX 16

static void close_inherited(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)FIRST_INHERITED_FD, ~0U, 0U) == 0)
        return;
#endif
    for (int fd = FIRST_INHERITED_FD; fd < FD_MAX; fd++)
        (void)close(fd);
}

/* ---- capabilities ---- */

/* Inheritable ones alone are worth nothing where no new privileges can be had. */
static int has_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 }, { 0 } };

    if (syscall(SYS_capget, &header, data) != 0)
        return 1;
    return (data[0].permitted | data[1].permitted) != 0;
}

/* While it may: to change the set takes one of them. */
static void empty_bounding_set(void)
{
    for (unsigned long cap = 0; cap < 64; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    (void)syscall(SYS_capset, &header, none);
}

/* A service's filter of system calls refuses capset(2). A program that is started anew has no more than the ambient ones, and
 * those are gone. Returns where it could not be. */
static void start_anew(char *const *argv)
{
    char *words[ARGS_MAX + 2] = { NULL };
    char bare[] = "--bare";
    size_t count = 0;

    for (; argv[count]; count++) {
        if (count == ARGS_MAX)
            return;
        words[count] = argv[count];
    }
    words[count] = bare;
    (void)execv("/proc/self/exe", words); /* not by its path: an upgrade may just replace it */
}

/* ---- the user ---- */

static const struct passwd *other_user(const char *name)
{
    const struct passwd *user = NULL;

    if (name)
        return getpwnam(name);
    user = getpwnam("oomcast-notify");
    return user ? user : getpwnam("nobody");
}

/* 0; OC_E_DENIED: it is still root. */
static int become_other(const char *name, struct oc_detail *note)
{
    const struct passwd *user = NULL;

    if (geteuid() != 0)
        return OC_OK;
    user = other_user(name);
    if (!user)
        return oc_detail_set(note, OC_E_DENIED, "there is no user %.80s to go on as: it stays root",
                             name ? name : "oomcast-notify or nobody");
    if (setgroups(0, NULL) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return oc_detail_set(note, OC_E_DENIED, "cannot go on as user %.80s: %s", user->pw_name,
                             strerror(errno));
    return OC_OK;
}

int oc_rights_drop(const struct oc_notify_args *args, char *const *argv, struct oc_detail *note)
{
    const struct rlimit no_core = { 0, 0 };
    int stays_root = args->user && strcmp(args->user, "-") == 0;
    int rc = OC_OK;

    close_inherited();
    (void)prctl(PR_SET_NAME, "oomcast-notify", 0, 0, 0); /* started anew it would be called "exe" */
    (void)setrlimit(RLIMIT_CORE, &no_core);              /* secrets are in it */
    if (!stays_root)
        empty_bounding_set();
    rc = stays_root ? OC_OK : become_other(args->user, note);
    if (rc < 0 && args->user)
        return rc;
    if (!stays_root)
        drop_capabilities();
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (geteuid() != 0 && has_capabilities() && !args->is_bare)
        start_anew(argv);
    if (geteuid() != 0 && has_capabilities())
        (void)oc_detail_set(note, OC_E_DENIED, "some capabilities could not be given up");
    /* Both are undone by a change of the user, so they come last. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    return OC_OK;
}
