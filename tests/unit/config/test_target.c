/* Matching and subjects: each selector with what it takes, what it refuses, and what it must ask for. */
#include "base/text.h"
#include "config/config.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

#define ID "4c01db0b339c9b1f8b4d1f0b8e1a5c0f4e52b7d91a2c3d4e5f60718293a4b5c6"
#define POD_CGROUP "/kubepods/burstable/pod2f0a7cf1-77c1-4fa2-9a5b-8f2a4e0c1d3e/" ID

static struct oc_config config;

/* A config of one target; its keys are text. */
static const struct oc_target *target_of(const char *keys)
{
    char text[1024];
    struct oc_detail detail = { 0 };

    (void)snprintf(text, sizeof(text), "{ \"targets\": [{ %s }] }", keys);
    ck_assert_msg(oc_config_parse("test", text, strlen(text), &config, &detail) == OC_OK, "%s: %s",
                  keys, detail.text);
    return &config.targets.items[0];
}

static void end(void) { oc_config_clear(&config); }

/* ---- who is matched ---- */

/* NULL: not looked at yet. */
struct person {
    const char *name, *exe, *cmdline, *cgroup, *user, *container, *pod, *pool, *service;
};

static struct oc_identity identity;
static struct oc_proc_names names;

static struct oc_match_facts facts_of(const struct person *p)
{
    struct oc_match_facts facts = {
        .pid = 42,
        .name = p->name,
        .rss_bytes = 100u << 20,
        .uid = 33,
        .exe = p->exe,
        .cmdline = p->cmdline,
        .cgroup = p->cgroup,
    };

    memset(&names, 0, sizeof(names));
    if (p->cgroup) {
        oc_identity_of_cgroup(p->cgroup, &identity);
        facts.identity = &identity;
    }
    if (p->user) {
        (void)snprintf(names.user, sizeof(names.user), "%s", p->user);
        (void)snprintf(names.container, sizeof(names.container), "%s",
                       p->container ? p->container : "");
        if (p->pod) {
            (void)snprintf(names.pod, sizeof(names.pod), "%s", p->pod);
            (void)snprintf(names.pod_namespace, sizeof(names.pod_namespace), "prod");
            (void)snprintf(names.pod_container, sizeof(names.pod_container), "app");
        }
        (void)snprintf(names.app_pool, sizeof(names.app_pool), "%s", p->pool ? p->pool : "");
        (void)snprintf(names.service, sizeof(names.service), "%s", p->service ? p->service : "");
        facts.names = &names;
    }
    return facts;
}

/* At first sight nothing dear is known; after the walk all is. */
static const struct person nginx_seen = { .name = "nginx" };
static const struct person nginx = { "nginx",
                                     "/usr/sbin/nginx",
                                     "nginx: worker process",
                                     "/system.slice/nginx.service",
                                     "www-data",
                                     NULL,
                                     NULL,
                                     NULL,
                                     NULL };
static const struct person replaced = { .name = "nginx",
                                        .exe = "/usr/sbin/nginx (deleted)",
                                        .cmdline = "nginx",
                                        .cgroup = "/",
                                        .user = "root" };
static const struct person cut_seen = { .name = "a-very-long-pro", .cgroup = "/" };
static const struct person cut = { .name = "a-very-long-pro",
                                   .exe = "/opt/a-very-long-program",
                                   .cmdline = "x",
                                   .cgroup = "/",
                                   .user = "root" };
static const struct person script = { .name = "a-very-long-pro",
                                      .exe = "/usr/bin/python3.11",
                                      .cmdline = "/opt/a-very-long-program --x",
                                      .cgroup = "/",
                                      .user = "root" };
static const struct person java = { .name = "java",
                                    .exe = "/usr/lib/jvm/21/bin/java",
                                    .cmdline = "java -Xmx2g -jar /srv/shop-api.jar",
                                    .cgroup = "/docker/" ID,
                                    .user = "app",
                                    .container = "shop-1" };
static const struct person pod_seen = { .name = "app", .cgroup = POD_CGROUP };
static const struct person pod = { .name = "app",
                                   .exe = "/app",
                                   .cmdline = "/app",
                                   .cgroup = POD_CGROUP,
                                   .user = "",
                                   .pod = "web-5d8f7c6b9-x2x4z" };
static const struct person worker_seen = { .name = "w3wp.exe" };
static const struct person worker = { .name = "w3wp.exe",
                                      .exe = "C:\\Windows\\System32\\inetsrv\\w3wp.exe",
                                      .cmdline = "w3wp.exe -ap \"Shop\"",
                                      .user = "IIS APPPOOL\\Shop",
                                      .pool = "Shop" };
static const struct person server = { .name = "sqlservr.exe",
                                      .exe = "D:\\SQL\\sqlservr.exe",
                                      .cmdline = "sqlservr.exe -sSHOP",
                                      .user = "NT SERVICE\\MSSQL$SHOP",
                                      .service = "MSSQL$SHOP" };

static const struct match_case {
    const char *keys;
    const struct person *person;
    enum oc_match match;
    unsigned selector; /* NO: the one that says so; UNSURE: the one that wants to know more */
} cases[] = {
    { "\"name\": \"nginx\"", &nginx_seen, OC_MATCH_YES, 0 },
    { "\"name\": [\"a\", \"ngin*\"]", &nginx_seen, OC_MATCH_YES, 0 },
    { "\"name\": \"ngin\"", &nginx_seen, OC_MATCH_NO, OC_SELECT_NAME },
    { "\"name_regex\": \"^n.*x$\"", &nginx_seen, OC_MATCH_YES, 0 },
    { "\"name_regex\": \"^x\"", &nginx_seen, OC_MATCH_NO, OC_SELECT_NAME_REGEX },
    /* cut names */
    { "\"name\": \"a-very-long-program\"", &cut_seen, OC_MATCH_UNSURE, OC_SELECT_NAME },
    { "\"name\": \"a-very-long-program\"", &cut, OC_MATCH_YES, 0 },
    { "\"name\": \"a-very-long-program\"", &script, OC_MATCH_YES, 0 },
    { "\"name\": \"a-very-long-pro\"", &cut_seen, OC_MATCH_YES, 0 },
    { "\"name\": \"a-very-long-programme\"", &cut, OC_MATCH_NO, OC_SELECT_NAME },
    { "\"name\": \"a-very-*-program\"", &cut_seen, OC_MATCH_UNSURE, OC_SELECT_NAME },
    { "\"name\": \"b*\"", &cut_seen, OC_MATCH_NO, OC_SELECT_NAME },
    { "\"name_regex\": \"program$\"", &cut_seen, OC_MATCH_UNSURE, OC_SELECT_NAME_REGEX },
    { "\"name_regex\": \"program$\"", &cut, OC_MATCH_YES, 0 },
    /* files and command lines */
    { "\"exe\": \"/usr/sbin/nginx\"", &nginx_seen, OC_MATCH_UNSURE, OC_SELECT_EXE },
    { "\"exe\": \"/usr/sbin/nginx\"", &nginx, OC_MATCH_YES, 0 },
    { "\"exe\": \"*/nginx\"", &replaced, OC_MATCH_YES, 0 },
    { "\"exe\": \"/usr/bin/*\"", &nginx, OC_MATCH_NO, OC_SELECT_EXE },
    { "\"cmdline_regex\": \"-jar .*/shop\"", &nginx_seen, OC_MATCH_UNSURE,
      OC_SELECT_CMDLINE_REGEX },
    { "\"cmdline_regex\": \"-jar .*/shop\"", &java, OC_MATCH_YES, 0 },
    { "\"cmdline_regex\": \"-jar .*/shop\"", &nginx, OC_MATCH_NO, OC_SELECT_CMDLINE_REGEX },
    /* what is cheap says no before what is dear is asked for */
    { "\"name\": \"java\", \"cmdline_regex\": \"shop\"", &nginx_seen, OC_MATCH_NO, OC_SELECT_NAME },
    { "\"cmdline_regex\": \"shop\", \"min_size\": \"1GiB\"", &nginx_seen, OC_MATCH_NO,
      OC_SELECT_MIN_SIZE },
    { "\"name\": \"*\", \"min_size\": \"100MiB\"", &nginx_seen, OC_MATCH_YES, 0 },
    { "\"pid\": [1, 42]", &nginx_seen, OC_MATCH_YES, 0 },
    { "\"pid\": 43", &nginx_seen, OC_MATCH_NO, OC_SELECT_PID },
    { "\"pidfile\": \"/run/x.pid\"", &nginx_seen, OC_MATCH_NO, OC_SELECT_PIDFILE },
    /* cgroups */
    { "\"unit\": \"nginx\"", &nginx, OC_MATCH_YES, 0 },
    { "\"unit\": \"nginx.service\"", &nginx, OC_MATCH_YES, 0 },
    { "\"unit\": \"ngin*\"", &nginx, OC_MATCH_YES, 0 },
    { "\"unit\": \"*\"", &cut, OC_MATCH_NO, OC_SELECT_UNIT },
    { "\"unit\": \"nginx\"", &nginx_seen, OC_MATCH_UNSURE, OC_SELECT_UNIT },
    { "\"cgroup\": \"/system.slice\"", &nginx, OC_MATCH_YES, 0 },
    { "\"cgroup\": \"/system.slice/nginx.service/\"", &nginx, OC_MATCH_YES, 0 },
    { "\"cgroup\": \"/system\"", &nginx, OC_MATCH_NO, OC_SELECT_CGROUP },
    { "\"cgroup\": \"/system*\"", &nginx, OC_MATCH_YES, 0 },
    { "\"cgroup\": \"/\"", &cut, OC_MATCH_YES, 0 },
    { "\"container_id\": \"4c01db0b339c\"", &java, OC_MATCH_YES, 0 },
    { "\"container_id\": \"4c01db0b339d\"", &java, OC_MATCH_NO, OC_SELECT_CONTAINER_ID },
    { "\"container\": \"shop-*\"", &java, OC_MATCH_YES, 0 },
    { "\"container\": \"*\"", &nginx, OC_MATCH_NO, OC_SELECT_CONTAINER },
    { "\"container\": \"*\"", &cut_seen, OC_MATCH_NO, OC_SELECT_CONTAINER },
    { "\"container\": \"shop-*\"", &pod_seen, OC_MATCH_UNSURE, OC_SELECT_CONTAINER },
    { "\"pod\": \"web-*\"", &pod_seen, OC_MATCH_UNSURE, OC_SELECT_POD },
    { "\"pod\": \"web-*\", \"namespace\": \"prod\", \"pod_container\": \"app\"", &pod, OC_MATCH_YES,
      0 },
    { "\"namespace\": \"test\"", &pod, OC_MATCH_NO, OC_SELECT_POD_NAMESPACE },
    { "\"pod_container\": \"sidecar\"", &pod, OC_MATCH_NO, OC_SELECT_POD_CONTAINER },
    { "\"pod\": \"*\"", &cut_seen, OC_MATCH_NO, OC_SELECT_POD },
    /* users */
    { "\"user\": \"33\"", &nginx_seen, OC_MATCH_YES, 0 },
    { "\"user\": \"34\"", &nginx_seen, OC_MATCH_NO, OC_SELECT_USER },
    { "\"user\": \"www-data\"", &nginx_seen, OC_MATCH_UNSURE, OC_SELECT_USER },
    { "\"user\": \"www-*\"", &nginx, OC_MATCH_YES, 0 },
    { "\"user\": \"*\"", &pod, OC_MATCH_NO, OC_SELECT_USER },
    /* Windows */
    { "\"iis_app_pool\": \"*\"", &worker_seen, OC_MATCH_UNSURE, OC_SELECT_IIS_APP_POOL },
    { "\"iis_app_pool\": \"*\"", &worker, OC_MATCH_YES, 0 },
    { "\"iis_app_pool\": [\"Api\", \"sh?P\"]", &worker, OC_MATCH_YES, 0 },
    { "\"iis_app_pool\": \"Api\"", &worker, OC_MATCH_NO, OC_SELECT_IIS_APP_POOL },
    { "\"iis_app_pool\": \"*\"", &server, OC_MATCH_NO, OC_SELECT_IIS_APP_POOL },
    { "\"iis_app_pool\": \"*\"", &nginx, OC_MATCH_NO, OC_SELECT_IIS_APP_POOL },
    { "\"service\": \"mssql$*\"", &server, OC_MATCH_YES, 0 },
    { "\"service\": \"*\"", &worker, OC_MATCH_NO, OC_SELECT_SERVICE },
    { "\"exe\": \"c:/windows/*/W3WP.exe\"", &worker, OC_MATCH_YES, 0 },
    { "\"exe\": \"C:\\\\Windows\\\\System32\\\\inetsrv\\\\w3wp.exe\"", &worker, OC_MATCH_YES, 0 },
    { "\"exe\": \"*/w3wp.exe\"", &server, OC_MATCH_NO, OC_SELECT_EXE },
};

START_TEST(target_matches_asks_or_refuses)
{
    const struct match_case *c = &cases[_i];
    const struct oc_target *target = target_of(c->keys);
    struct oc_match_facts facts = facts_of(c->person);
    struct oc_match_result result = { 0 };
    enum oc_match match = oc_target_match(target, &facts, &result);

    ck_assert_msg(match == c->match, "%s: %d", c->keys, match);
    if (match == OC_MATCH_NO)
        ck_assert_msg(result.failed == c->selector, "%s: %s", c->keys,
                      oc_selector_name((enum oc_selector)result.failed));
    if (match == OC_MATCH_UNSURE)
        ck_assert_msg(result.needs == 1u << c->selector, "%s: %x", c->keys, result.needs);
    end();
}
END_TEST

/* ---- several targets ---- */

START_TEST(first_target_that_matches_decides)
{
    static const char text[] =
        "{ \"targets\": [ { \"source\": \"host\" }, { \"name\": \"nginx\", \"user\": \"root\" },"
        "  { \"name\": \"ngin*\", \"ignore\": true }, { \"name\": \"*\" } ] }";
    struct oc_match_facts facts = facts_of(&nginx_seen);
    struct oc_match_result result = { 0 };

    ck_assert_int_eq(oc_config_parse("test", text, sizeof(text) - 1, &config, NULL), OC_OK);
    /* the first leaves it open: nobody behind it may decide yet */
    ck_assert_int_eq(oc_targets_match(&config.targets, &facts, &result), OC_MATCH_UNSURE);
    ck_assert_uint_eq(result.target, 1);
    ck_assert_uint_eq(result.needs, 1u << OC_SELECT_USER);
    facts = facts_of(&nginx);
    ck_assert_int_eq(oc_targets_match(&config.targets, &facts, &result), OC_MATCH_YES);
    ck_assert_uint_eq(result.target, 2);
    ck_assert_int_eq(config.targets.items[2].ignore, 1);
    facts = facts_of(&java);
    ck_assert_int_eq(oc_targets_match(&config.targets, &facts, &result), OC_MATCH_YES);
    ck_assert_uint_eq(result.target, 3);
    ck_assert_uint_eq(oc_targets_need(&config.targets),
                      1u << OC_SELECT_NAME | 1u << OC_SELECT_USER);
    end();
}
END_TEST

START_TEST(no_target_matches_nothing)
{
    struct oc_targets none = { NULL, 0 };
    struct oc_match_facts facts = facts_of(&nginx);
    struct oc_match_result result = { 0 };

    ck_assert_int_eq(oc_targets_match(&none, &facts, &result), OC_MATCH_NO);
    ck_assert_uint_eq(result.target, OC_TARGET_NONE);
}
END_TEST

/* ---- pools of IIS ---- */

START_TEST(pool_takes_what_its_workers_start)
{
    ck_assert_int_eq(target_of("\"iis_app_pool\": \"*\"")->children, OC_CHILDREN_FOLD);
    end();
    ck_assert_int_eq(target_of("\"iis_app_pool\": \"*\", \"children\": \"each\"")->children,
                     OC_CHILDREN_EACH);
    end();
    ck_assert_int_eq(target_of("\"name\": \"*\"")->children, OC_CHILDREN_EACH);
    end();
    ck_assert(oc_target_is_bystander("conhost.exe"));
    ck_assert(!oc_target_is_bystander("dotnet.exe"));
}
END_TEST

START_TEST(windows_without_targets_has_pools_in_full_and_the_rest_by_counters)
{
    ck_assert_int_eq(oc_config_default_of("windows", &config, NULL), OC_OK);
    ck_assert_uint_eq(config.targets.count, 2);
    ck_assert_uint_eq(config.targets.items[0].selectors, 1u << OC_SELECT_IIS_APP_POOL);
    ck_assert_int_eq(config.targets.items[0].counters, 0);
    ck_assert_uint_eq(config.targets.items[1].min_size_bytes, config.min_size_bytes);
    ck_assert_int_eq(config.targets.items[1].counters, 1);
    end();
    ck_assert_int_eq(oc_config_default_of("linux", &config, NULL), OC_OK);
    ck_assert_uint_eq(config.targets.count, 0);
    end();
}
END_TEST

/* ---- pidfiles ---- */

static int read_pid(const char *path, uint32_t *out_pid, void *context)
{
    const uint32_t *pid = context;

    ck_assert_str_eq(path, "/run/x.pid");
    if (*pid == 0)
        return OC_E_NOENT;
    *out_pid = *pid;
    return OC_OK;
}

START_TEST(pidfile_matches_whom_it_names_until_it_does_not)
{
    uint32_t pid = 42;
    struct oc_match_facts facts = facts_of(&nginx);
    struct oc_match_result result;

    (void)target_of("\"pidfile\": \"/run/x.pid\"");
    oc_targets_read_pidfiles(&config.targets, read_pid, &pid);
    ck_assert_int_eq(oc_targets_match(&config.targets, &facts, &result), OC_MATCH_YES);
    pid = 0;
    oc_targets_read_pidfiles(&config.targets, read_pid, &pid);
    ck_assert_int_eq(oc_targets_match(&config.targets, &facts, &result), OC_MATCH_NO);
    end();
}
END_TEST

/* ---- subjects ---- */

static const struct {
    const char *keys;
    const struct person *person;
    const char *subject;
} subjects[] = {
    { "\"name\": \"*\"", &nginx, "proc:nginx" },
    { "\"unit\": \"*\"", &nginx, "unit:nginx.service" },
    { "\"container\": \"*\"", &java, "container:shop-1" },
    { "\"container_id\": \"4c01db0b339c\"", &pod_seen, "container:4c01db0b339c" },
    { "\"namespace\": \"prod\"", &pod, "k8s:prod/web/app" },
    { "\"pod\": \"*\"", &nginx, "proc:nginx" },
    { "\"cgroup\": \"/system.slice\", \"source\": \"cgroup\"", &nginx,
      "cgroup:/system.slice/nginx.service" },
    { "\"source\": \"host\"", &nginx, "host" },
    { "\"name\": \"*\", \"subject\": \"a {name} {exe} {user} {unit} {slice} {cgroup} {pid}\"",
      &nginx, "a nginx nginx www-data nginx.service system.slice /system.slice/nginx.service 42" },
    { "\"name\": \"*\", \"subject\": \"{container}|{container_id}|{pod}|{namespace}\"", &java,
      "shop-1|4c01db0b339c|-|-" },
    { "\"name\": \"*\", \"subject\": \"{pod}|{workload}|{pod_container}|{user}\"", &pod,
      "web-5d8f7c6b9-x2x4z|web|app|33" },
    { "\"name\": \"*\", \"subject\": \"{exe} {unit} {user}\"", &nginx_seen, "- - 33" },
    { "\"cmdline_regex\": \"/([a-z]+)-([a-z]+)[.]jar\", \"subject\": \"java:{1}.{2}{3}\"", &java,
      "java:shop.api-" },
    { "\"iis_app_pool\": \"*\"", &worker, "pool:Shop" },
    { "\"service\": \"*\"", &server, "service:MSSQL$SHOP" },
    { "\"name\": \"*\", \"subject\": \"{pool}|{service}|{exe}\"", &worker, "Shop|-|w3wp.exe" },
    { "\"name_regex\": \"^(j)(a)\", \"subject\": \"{2}{1}\"", &java, "aj" },
};

START_TEST(subject_is_made_of_its_template)
{
    const struct oc_target *target = target_of(subjects[_i].keys);
    struct oc_match_facts facts = facts_of(subjects[_i].person);
    char subject[OC_SUBJECT_BYTES];

    oc_target_subject(target, &facts, subject);
    ck_assert_str_eq(subject, subjects[_i].subject);
    end();
}
END_TEST

START_TEST(subject_is_cut_and_has_no_control_characters)
{
    char name[400], subject[OC_SUBJECT_BYTES];
    struct person hostile = { .name = name };
    struct oc_match_facts facts;

    for (size_t i = 0; i + 2 < sizeof(name); i += 2)
        memcpy(name + i, "\xc3\xa4", 2);
    name[0] = '\x1b';
    name[1] = '\xff';
    name[sizeof(name) - 2] = '\0';
    facts = facts_of(&hostile);
    oc_target_subject(target_of("\"name\": \"*\""), &facts, subject);
    ck_assert_mem_eq(subject, "proc:?\xef\xbf\xbd\xc3\xa4", 11);
    ck_assert_uint_ge(strlen(subject), OC_SUBJECT_BYTES - 2);
    ck_assert(oc_text_is_utf8(subject, strlen(subject), NULL)); /* no half letter at the end */
    end();
}
END_TEST

START_TEST(subject_says_what_it_needs)
{
    ck_assert_uint_eq(oc_subject_needs(target_of("\"name\": \"*\"")), 0);
    end();
    ck_assert_uint_eq(oc_subject_needs(target_of("\"namespace\": \"prod\"")), OC_SELECTS_POD);
    end();
    ck_assert_uint_eq(oc_subject_needs(target_of("\"name\": \"*\", \"subject\": \"{pool}\"")),
                      1u << OC_SELECT_IIS_APP_POOL);
    end();
    ck_assert_uint_eq(
        oc_subject_needs(target_of("\"name\": \"*\", \"subject\": \"{exe}{unit}{pid}\"")),
        1u << OC_SELECT_EXE | 1u << OC_SELECT_UNIT);
    end();
}
END_TEST

Suite *target_suite(void)
{
    Suite *suite = suite_create("targets");
    TCase *tcase = tcase_create("targets");

    tcase_add_loop_test(tcase, target_matches_asks_or_refuses, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tcase, first_target_that_matches_decides);
    tcase_add_test(tcase, no_target_matches_nothing);
    tcase_add_test(tcase, pool_takes_what_its_workers_start);
    tcase_add_test(tcase, windows_without_targets_has_pools_in_full_and_the_rest_by_counters);
    tcase_add_test(tcase, pidfile_matches_whom_it_names_until_it_does_not);
    tcase_add_loop_test(tcase, subject_is_made_of_its_template, 0,
                        sizeof(subjects) / sizeof(subjects[0]));
    tcase_add_test(tcase, subject_is_cut_and_has_no_control_characters);
    tcase_add_test(tcase, subject_says_what_it_needs);
    suite_add_tcase(suite, tcase);
    return suite;
}
