/* What the system asks (stop, reload) is done; the service manager's watchdog is fed. */
#ifndef OC_DAEMON_SIGNALS_H
#define OC_DAEMON_SIGNALS_H

struct oc_daemon;
struct oc_detail;

int oc_signals_start(struct oc_daemon *daemon, struct oc_detail *detail);
void oc_signals_stop(struct oc_daemon *daemon);

#endif
