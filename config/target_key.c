#include "config/config.h"

static const char *const sources[] = { "process", "cgroup", "host", 0 };
static const char *const children[] = { "each", "fold", 0 };

static const struct oc_target_key table[] = {
    { "target", OC_TARGET_KEY_TEXT, OC_SELECT_COUNT, 0, "\"shop\"",
      "What the target is called in messages and in `oomcast status`." },
    { "name", OC_TARGET_KEY_WORDS, OC_SELECT_NAME, 0, "[\"nginx\", \"java*\"]",
      "Name of the process (comm), a glob. Linux cuts names at 15 bytes: of a name of that length "
      "the whole one, as the executable's file or argv[0] has it, is looked at too." },
    { "name_regex", OC_TARGET_KEY_REGEXES, OC_SELECT_NAME_REGEX, 0, "\"^worker-([a-z]+)$\"",
      "The same as a regular expression, which matches anywhere in the name." },
    { "cmdline_regex", OC_TARGET_KEY_REGEXES, OC_SELECT_CMDLINE_REGEX, 0,
      "\"-jar .*/([a-z-]+)[.]jar\"",
      "Regular expression for the command line, its arguments joined by blanks." },
    { "exe", OC_TARGET_KEY_WORDS, OC_SELECT_EXE, 0, "\"/usr/lib/jvm/*/bin/java\"",
      "Path of the executable, a glob; '*' takes in slashes." },
    { "pid", OC_TARGET_KEY_PIDS, OC_SELECT_PID, 0, "1234", "Process id." },
    { "pidfile", OC_TARGET_KEY_WORDS, OC_SELECT_PIDFILE, 0, "\"/run/nginx.pid\"",
      "A file that holds a process id; read again at each look for new processes." },
    { "unit", OC_TARGET_KEY_WORDS, OC_SELECT_UNIT, 0, "\"nginx.service\"",
      "Unit of systemd that the process belongs to, a glob: a service, or a scope. \"nginx\" is "
      "\"nginx.service\"." },
    { "cgroup", OC_TARGET_KEY_WORDS, OC_SELECT_CGROUP, 0, "\"/system.slice/app.service\"",
      "Path of the cgroup. Without wildcards it stands for all below it too; '*' takes in "
      "slashes." },
    { "container_id", OC_TARGET_KEY_WORDS, OC_SELECT_CONTAINER_ID, 0, "\"4c01db0b339c\"",
      "Id of the container: its first 12 hex digits or more." },
    { "container", OC_TARGET_KEY_WORDS, OC_SELECT_CONTAINER, 0, "\"shop-*\"",
      "Name of the container of Docker or Podman, a glob." },
    { "pod", OC_TARGET_KEY_WORDS, OC_SELECT_POD, 0, "\"web-*\"",
      "Name of the Kubernetes pod, a glob." },
    { "namespace", OC_TARGET_KEY_WORDS, OC_SELECT_POD_NAMESPACE, 0, "\"prod\"",
      "Namespace of the pod, a glob." },
    { "pod_container", OC_TARGET_KEY_WORDS, OC_SELECT_POD_CONTAINER, 0, "\"app\"",
      "Name of the container within its pod, a glob." },
    { "user", OC_TARGET_KEY_WORDS, OC_SELECT_USER, 0, "\"www-data\"",
      "User that the process runs as: a name (a glob) or a number." },
    { "iis_app_pool", OC_TARGET_KEY_WORDS, OC_SELECT_IIS_APP_POOL, 0, "\"Shop*\"",
      "Windows: application pool of IIS, a glob: its workers (w3wp.exe) and what they start, as "
      "dotnet.exe. All of them are one subject." },
    { "service", OC_TARGET_KEY_WORDS, OC_SELECT_SERVICE, 0, "\"MSSQL$*\"",
      "Windows: name of the service that runs in the process, a glob; of several the first." },
    { "min_size", OC_TARGET_KEY_SIZE, OC_SELECT_MIN_SIZE, 0, "\"256MiB\"",
      "Resident size from which the target matches. A process that grew into it is watched to "
      "its end." },
    { "ignore", OC_TARGET_KEY_BOOL, OC_SELECT_COUNT, 0, "true",
      "What matches is not watched, whatever targets come behind." },
    { "source", OC_TARGET_KEY_WORD, OC_SELECT_COUNT, sources, "\"cgroup\"",
      "What is watched: each process (the default), the cgroup of what matches in its place, or "
      "the host, which takes no selectors." },
    { "children", OC_TARGET_KEY_WORD, OC_SELECT_COUNT, children, "\"fold\"",
      "\"each\": only what matches by itself. \"fold\": descendants that no target matches belong "
      "to the subject of the one above them, which is the default with iis_app_pool." },
    { "subject", OC_TARGET_KEY_TEXT, OC_SELECT_COUNT, 0, "\"java:{1}\"",
      "What the series belong to: a template with {name} {exe} {user} {unit} {slice} {cgroup} "
      "{container} {container_id} {pod} {namespace} {pod_container} {workload} {pool} {service} "
      "{pid}, and {1} to {9} for the groups of cmdline_regex, else of name_regex. The default is "
      "k8s:NAMESPACE/WORKLOAD/CONTAINER, container:NAME, unit:UNIT, pool:POOL or service:SERVICE "
      "where the target selects by these, else proc:NAME." },
    { "labels", OC_TARGET_KEY_LABELS, OC_SELECT_COUNT, 0, "{ \"team\": \"shop\" }",
      "Labels of the subject, over those of all." },
    { "interval", OC_TARGET_KEY_DURATION, OC_SELECT_COUNT, 0, "\"1s\"",
      "Time between two samples, in place of the common one." },
    { "walk_interval", OC_TARGET_KEY_DURATION, OC_SELECT_COUNT, 0, "\"1h\"",
      "Time between two walks, in place of the common one." },
    { "pages", OC_TARGET_KEY_BOOL, OC_SELECT_COUNT, 0, "true",
      "Walks read PSS and USS too: dear, and the watched process waits meanwhile." },
    { "counters", OC_TARGET_KEY_BOOL, OC_SELECT_COUNT, 0, "true",
      "Counters alone: no walk reads the memory of what matches, so nothing is known of its "
      "regions and modules." },
    { "expected", OC_TARGET_KEY_BOOL, OC_SELECT_COUNT, 0, "true",
      "It is an alert (SubjectMissing) where nothing of the target runs." },
    { "limits", OC_TARGET_KEY_LIMITS, OC_SELECT_COUNT, 0, "{ \"private_bytes\": \"2GiB\" }",
      "Ceilings of your own, by metric: a size for bytes, a number for counts." },
};

const struct oc_target_key *oc_target_key_table(size_t *out_count)
{
    *out_count = sizeof(table) / sizeof(table[0]);
    return table;
}
