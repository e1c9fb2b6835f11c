/* Where the log goes: text or JSON lines on standard error, or the journal. */
#ifndef OC_DAEMON_LOGGING_H
#define OC_DAEMON_LOGGING_H

/* format: auto, text or json. Before other threads start. */
void oc_logging_open(const char *format, const char *level);
void oc_logging_set_level(const char *level);

#endif
