#include "base/redact.h"
#include "suites.h"

#include <stdlib.h>
#include <string.h>

/* What stands in a command line, and what is left of it. */
static const char *const lines[][2] = {
    /* options and variables */
    { "app --password=hunter2 --port=80", "app --password=*** --port=80" },
    { "app --password hunter2 --port 80", "app --password *** --port 80" },
    { "app --db-password 'a b c' x", "app --db-password '***' x" },
    { "app -password:hunter2", "app -password:***" },
    { "app /password:hunter2 /x", "app /password:*** /x" },
    { "PGPASSWORD=a,b;c&d psql", "PGPASSWORD=*** psql" },
    { "app --api-key=0123456789 -v", "app --api-key=*** -v" },
    { "app --apiKey 0123456789 -v", "app --apiKey *** -v" },
    { "app --access_token=x --client-secret=y", "app --access_token=* --client-secret=*" },
    { "app AWS_SECRET_ACCESS_KEY=abcd/efgh+ x", "app AWS_SECRET_ACCESS_KEY=*** x" },
    { "java -Djavax.net.ssl.keyStorePassword=changeit -Dspring.datasource.password=pw -jar a.jar",
      "java -Djavax.net.ssl.keyStorePassword=*** -Dspring.datasource.password=** -jar a.jar" },
    { "java -Dtoken=eyJhbGciOi.J9.x -jar a.jar", "java -Dtoken=*** -jar a.jar" },
    { "app --passphrase = abc --x", "app --passphrase = *** --x" },
    { "app --password", "app --password" },
    { "app --password=", "app --password=" },
    { "app --password --verbose", "app --password --verbose" },
    { "APP --PASSWORD=HUNTER2", "APP --PASSWORD=***" },
    { "app --key a --key=b", "app --key * --key=*" },
    /* headers */
    { "curl -H Authorization: Bearer abc.def http://x/", "curl -H Authorization: Bearer *** "
                                                         "http://x/" },
    { "curl -H 'Authorization: Basic dTpw' http://x/", "curl -H 'Authorization: Basic ***' "
                                                       "http://x/" },
    { "curl -H X-Api-Key: abcdef http://x/", "curl -H X-Api-Key: *** http://x/" },
    { "curl -u admin:hunter2 http://x/", "curl -u admin:*** http://x/" },
    { "curl --user=admin:hunter2 http://x/", "curl --user=admin:*** http://x/" },
    /* URLs and connection strings */
    { "app postgres://u:hunter2@db:5432/x?a=b", "app postgres://u:***@db:5432/x?a=b" },
    { "app --url=redis://:hunter2@cache/0", "app --url=redis://:***@cache/0" },
    { "app https://u:p@ss@host/", "app https://u:***@host/" },
    { "git clone https://ghp_0123456789abcdef0123@github.com/a",
      "git clone https://***@github.com/a" },
    { "app jdbc:mysql://h/d?user=u&password=pw1&ssl=1",
      "app jdbc:mysql://h/d?user=u&password=***&ssl=1" },
    { "app u:hunter2@tcp(db:3306)/x", "app u:***@tcp(db:3306)/x" },
    { "app Server=db;User Id=sa;Password=Foo Bar;Encrypt=1 -v",
      "app Server=db;User Id=sa;Password=***;Encrypt=1 -v" },
    { "app Server=db;Password=Foo -v", "app Server=db;Password=*** -v" },
    { "app AccountName=a;AccountKey=abc==;EndpointSuffix=b",
      "app AccountName=a;AccountKey=***;EndpointSuffix=b" },
    { "app {\"user\":\"u\",\"password\":\"hunter2\",\"x\":1}",
      "app {\"user\":\"u\",\"password\":\"***\",\"x\":1}" },
    { "app {\\\"password\\\":\\\"hunter2\\\"}", "app {\\\"password\\\":\\\"***\"}" },
    { "mysql -u root -phunter2 shop", "mysql -u root -p*** shop" },
    { "/usr/bin/mysqldump -phunter2", "/usr/bin/mysqldump -p***" },
    /* what is none stays */
    { "app --key-file /etc/key.pem --password-file /run/pw",
      "app --key-file /etc/key.pem --password-file /run/pw" },
    { "app --tokenizer gpt2 --max-tokens 4096 --keyspace shop --keyboard us",
      "app --tokenizer gpt2 --max-tokens 4096 --keyspace shop --keyboard us" },
    { "java -Xmx2g -XX:+UseG1GC -cp /opt/a.jar:/opt/b.jar org.example.Main",
      "java -Xmx2g -XX:+UseG1GC -cp /opt/a.jar:/opt/b.jar org.example.Main" },
    { "nginx: worker process", "nginx: worker process" },
    { "sshd: root@pts/0", "sshd: root@pts/0" },
    { "ssh -p 2222 git@github.com:a/b", "ssh -p 2222 git@github.com:a/b" },
    { "app -p8080 http://host:80/a@b", "app -p8080 http://host:80/a@b" },
    { "pull registry:5000/a:1@sha256:0123", "pull registry:5000/a:1@sha256:0123" },
    { "postgres: app shop 10.0.0.7(51812) idle", "postgres: app shop 10.0.0.7(51812) idle" },
    { "", "" },
    { " ", " " },
};

START_TEST(redact_takes_out_secrets_and_leaves_the_rest)
{
    char text[256];

    ck_assert_uint_lt(strlen(lines[_i][0]), sizeof(text));
    memcpy(text, lines[_i][0], strlen(lines[_i][0]) + 1);
    oc_redact(text);
    ck_assert_str_eq(text, lines[_i][1]);
    oc_redact(text);
    ck_assert_str_eq(text, lines[_i][1]);
}
END_TEST

/* Would take hours were it not linear. */
START_TEST(redact_is_linear_in_hostile_lines)
{
    static const char *const pieces[] = { "password='",     "token=\"a ", "a:b@", "://a:b@",
                                          ";password=a b ", "-u a:",      "key:", "bearer " };
    const size_t bytes = 4u << 20;

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        size_t len = strlen(pieces[i]);
        char *text = malloc(bytes + 1);

        ck_assert_ptr_nonnull(text);
        for (size_t at = 0; at < bytes; at++)
            text[at] = pieces[i][at % len];
        text[bytes] = '\0';
        oc_redact(text);
        ck_assert_uint_le(strlen(text), bytes);
        free(text);
    }
}
END_TEST

Suite *redact_suite(void)
{
    Suite *suite = suite_create("redact");
    TCase *tcase = tcase_create("redact");

    tcase_add_loop_test(tcase, redact_takes_out_secrets_and_leaves_the_rest, 0,
                        sizeof(lines) / sizeof(lines[0]));
    tcase_add_test(tcase, redact_is_linear_in_hostile_lines);
    suite_add_tcase(suite, tcase);
    return suite;
}
