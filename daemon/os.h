/*
 * What the daemon needs of an OS beyond base/os.h and libuv: the service manager, the journal,
 * who is at the other end of the control channel. linux/ fulfils it, windows/ will.
 */
#ifndef OC_DAEMON_OS_H
#define OC_DAEMON_OS_H

#include "base/err.h"
#include "base/log.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* First in main(): settings of the heap that keep resident memory small, a closed pipe is an error
 * and no signal, new files are for owner and group alone. */
void oc_process_init(void);

/* Makes the data folder with its parents. Windows: the system's belongs to administrators from then on, and its readers may
 * read it, whoever made it. 0 or a code. */
int oc_data_dir_make(const char *path);

/* ---- the service manager (Linux: sd_notify(3); Windows: the service control manager) ---- */

/*
 * Runs the program's body and gives its exit code, which is the program's. Windows: where the service control manager
 * started the program, the body runs in a thread of its own as the service's, its log goes to the event log from the
 * first line on, and its manager is told what it wants to be told in time. All others: just calls it.
 */
int oc_service_host(int (*body)(void *context), void *context);

/* All are nothing where no service manager asked for them. */
void oc_service_ready(const char *status);
void oc_service_reloading(void);
void oc_service_stopping(void);
void oc_service_alive(void); /* feeds the watchdog */
/* How often it wants to hear oc_service_alive(); 0: never. */
int64_t oc_service_alive_interval_ms(void);

/* What the system asks of the daemon: Linux by TERM, INT and HUP; Windows by the service control manager (stop,
 * preshutdown, paramchange), Ctrl+C, Ctrl+Break and a closed console. */
enum oc_wish { OC_WISH_STOP, OC_WISH_RELOAD };
/* why: "terminated", "interrupted" …; borrowed for ever. */
typedef void oc_wish_fn(void *context, enum oc_wish wish, const char *why);
typedef struct oc_wishes oc_wishes;
/* Calls fn on the loop's thread for each wish, also for one that came before. 0, OC_E_NOMEM, OC_E_IO. */
int oc_wishes_start(uv_loop_t *loop, oc_wish_fn *fn, void *context, oc_wishes **out_wishes);
void oc_wishes_stop(oc_wishes *wishes); /* NULL is allowed; freed once the loop ran */

/* ---- the log of the OS (Linux: the journal; Windows: the event log) ---- */

/*
 * Where standard error is the journal's, or this is a service of Windows, events go there with their fields from now
 * on. address: the journal's socket, NULL: the system's. 0, OC_E_NOTSUP (it is neither), OC_E_NOENT (nobody listens),
 * OC_E_NOFILE.
 */
int oc_syslog_open(const char *address);
oc_log_sink oc_syslog_sink;

/* ---- the control channel ---- */

/*
 * The address of the control channel that belongs to a data folder. Linux: a socket in it; Windows: a named pipe.
 * OC_E_TOOBIG where the OS has no room for such a long path.
 */
int oc_control_address(const char *data_dir, char *out_address, size_t out_bytes);
/* Takes away what an earlier daemon left at the address; only the holder of the store's lock may. */
void oc_control_address_clear(const char *address);
/* After it is bound, before it listens: it is for owner and group alone (Windows: administrators, the system, the
 * daemon's user and the readers, none of them from the network). 0 or a code. */
int oc_control_address_protect(uv_pipe_t *server, const char *address);

struct oc_peer {
    int64_t uid;    /* -1: unknown; Windows has none */
    uint32_t pid;   /* 0: unknown */
    char name[96];  /* "uid 1000", "SHOP\\ann"; "": unknown */
    int may_change; /* the daemon's own user, or an administrator */
};
/* Who is at the other end of an accepted connection. 0 or a code. */
int oc_control_peer(uv_stream_t *client, struct oc_peer *out_peer);

/* ---- pidfiles ---- */

/*
 * The PID at the start of a file. Bounded and never waits: of a regular file, some bytes. 0,
 * OC_E_PARSE (it has none), OC_E_INVAL (no regular file), OC_E_NOENT, OC_E_DENIED …
 */
int oc_pidfile_read(const char *path, uint32_t *out_pid);

/* ---- the probe's events ---- */

typedef struct oc_event_watch oc_event_watch;
/* Calls fn on the loop's thread while oc_probe_event_fd()'s descriptor is readable. 0 or a code. */
int oc_event_watch_start(uv_loop_t *loop, int fd, void (*fn)(void *), void *context,
                         oc_event_watch **out_watch);
void oc_event_watch_stop(oc_event_watch *watch); /* NULL is allowed; freed once the loop ran */

#endif
