/*
 * What the service, the command line and the installer agree upon: names, the control pipe of a data folder, who may read
 * the system's data. For the windows/ folders alone.
 */
#ifndef OC_BASE_WINDOWS_SERVICE_H
#define OC_BASE_WINDOWS_SERVICE_H

#include <stddef.h>
#include <wchar.h>

#define OC_SERVICE_NAME L"oomcast"
#define OC_EVENT_SOURCE L"oomcast" /* in the log "Application" */
#define OC_READERS_GROUP                                                                           \
    L"oomcast readers" /* a local group: reads the store, asks for the status */

/* Longest SID in letters, "S-1-5-21-…". */
#define OC_SID_UNITS 192

/*
 * The control pipe of a data folder: \\.\pipe\oomcast of the system's, \\.\pipe\oomcast-HASH of others, however their path is
 * spelt. 0, OC_E_TOOBIG or what the path's own code is.
 */
int oc_service_pipe_name(const char *data_dir, char *out_name, size_t out_bytes);

/* The readers' SID in letters. OC_E_NOENT where there is no such group. */
int oc_service_readers_sid(wchar_t out_sid[OC_SID_UNITS]);

/*
 * Makes a folder belong to administrators, to be changed by them and the system, read by the readers (where that group
 * exists) and by nobody else; what it holds inherits that. Wants an administrator. 0, OC_E_DENIED or another code.
 */
int oc_service_secure_folder(const char *path);

/* Whether path is the system's data folder. */
int oc_service_is_system_folder(const char *path);

#endif
