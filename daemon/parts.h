/*
 * What main() starts and stops, one part after the other. Each start returns 0, or a code with the
 * reason in detail, having undone what it began; each stop works on a started part alone.
 */
#ifndef OC_DAEMON_PARTS_H
#define OC_DAEMON_PARTS_H

struct oc_daemon;
struct oc_detail;

int oc_start_paths(struct oc_daemon *d, struct oc_detail *detail);
int oc_start_lock(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_lock(struct oc_daemon *d);
int oc_start_store(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_store(struct oc_daemon *d);
int oc_start_probe(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_probe(struct oc_daemon *d);
int oc_start_loop(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_loop(struct oc_daemon *d);
int oc_start_writer(struct oc_daemon *d, struct oc_detail *detail);
int oc_start_forecast(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_writer(struct oc_daemon *d);
void oc_stop_forecast(struct oc_daemon *d);
int oc_start_alert(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_alert(struct oc_daemon *d);
int oc_start_groups(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_groups(struct oc_daemon *d);
int oc_start_walker(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_walker(struct oc_daemon *d);
int oc_start_watching(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_watching(struct oc_daemon *d);
int oc_start_events(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_events(struct oc_daemon *d);
int oc_start_control(struct oc_daemon *d, struct oc_detail *detail);
void oc_stop_control(struct oc_daemon *d);

#endif
