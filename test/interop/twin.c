/* twin.c: what Python's ssl tells of a connection, told in C, for the test that asks both:
 *
 *     twin client URL CA NAME OPTION...      two connections, the second resumes the first; the facts of each in a line
 *     twin server URL CHAIN KEY OPTION...    two clients; the facts of each in a line
 *
 * OPTION: max=1.2, alpn=LIST, ciphers=STRING, ragged, one (only one connection). Facts are JSON, with Python's names. What
 * fails is {"error": ...} with the members of Python's exceptions.
 */
#include <handfast_certificate.h>
#include <handfast_context.h>
#include <handfast_names.h>
#include <handfast_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hf_session *kept;

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    (void)conn;
    (void)arg;
    hf_session_free(kept);
    kept = hf_session_ref(session);
}

static void hex(const char *name, const unsigned char *p, size_t len)
{
    printf(", \"%s\": \"", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", p[i]);
    printf("\"");
}

static int fail(const hf_error *err)
{
    printf(
        "{\"error\": \"%s\", \"library\": \"%s\", \"reason\": \"%s\", \"verify_code\": %d, \"errno\": %d}\n",
        hf_code_name(err->code), hf_error_library(err), hf_error_reason(err), err->x509_code,
        err->os_errno);
    return 1;
}

static void facts_of_session(void)
{
    if (!kept)
        return;
    printf(
        ", \"session\": {\"has_ticket\": %s, \"time\": %lld, \"timeout\": %u, \"ticket_lifetime_hint\": %u",
        hf_session_has_ticket(kept) ? "true" : "false", (long long)hf_session_time(kept),
        hf_session_timeout(kept), hf_session_lifetime_hint(kept));
    size_t len = 0;
    const unsigned char *id = hf_session_id(kept, &len);
    hex("id", id, len);
    printf("}");
}

static void facts(hf_stream *s)
{
    hf_conn *c = hf_stream_conn(s);
    hf_cipher cipher;
    hf_stream_info info;
    unsigned char binding[64];
    static char json[65536];
    uint16_t shared[64];
    size_t len = 0;

    hf_stream_get_info(s, &info);
    if (!hf_conn_cipher(c, &cipher))
        exit(2);
    printf("{\"version\": \"%s\", \"cipher\": [\"%s\", \"%s\", %d]",
           hf_version_token(hf_conn_version(c)), cipher.name, cipher.protocol,
           cipher.strength_bits);
    hf_conn_alpn(c, &len);
    printf(", \"alpn\": %s%s%s", len ? "\"" : "", len ? info.crypto.alpn : "null",
           len ? "\"" : "");
    printf(", \"compression\": %s", hf_conn_compression(c) ? "\"?\"" : "null");
    printf(", \"server_side\": %s", hf_conn_is_server(c) ? "true" : "false");
    const char *name = hf_conn_server_name(c);
    printf(", \"server_hostname\": %s%s%s", name ? "\"" : "", name ? name : "null",
           name ? "\"" : "");
    printf(", \"session_reused\": %s", hf_conn_resumed(c) ? "true" : "false");
    printf(", \"pending\": %zu", hf_stream_pending(s));
    for (int i = 0; hf_binding_name(i); i++)
        hex(hf_binding_name(i), binding, hf_conn_channel_binding(c, (hf_binding)i, binding));
    if (hf_conn_peer_json(c, json, sizeof json) < sizeof json && *json)
        printf(", \"getpeercert\": %s", json);
    size_t count = hf_conn_shared_suites(c, shared, 64);
    printf(", \"shared_ciphers\": [");
    for (size_t i = 0; i < count; i++)
        if (hf_cipher_of(shared[i], &cipher))
            printf("%s[\"%s\", \"%s\", %d]", i ? ", " : "", cipher.name, cipher.protocol,
                   cipher.strength_bits);
    printf("]");
}

/* Three bytes of six, then the rest, and the end. */
static int talk(hf_stream *s, const char *words)
{
    char buf[16] = "";
    hf_error err = {0};
    if (!s)
        exit(2);
    if (hf_write(s, words, strlen(words), &err) < 0 || hf_read(s, buf, 3, &err) != 3)
        return fail(&err);
    facts(s);
    facts_of_session();
    ptrdiff_t n = hf_read(s, buf + 3, 3, &err);
    if (n != 3)
        return fail(&err);
    n = hf_read(s, buf, sizeof buf, &err);
    printf(", \"end\": \"%s\"}\n", n == 0 ? "" : n < 0 ? hf_error_reason(&err) : "data");
    return 0;
}

static const char *option(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);
    for (int i = 5; i < argc; i++)
        if (strncmp(argv[i], name, len) == 0 && (argv[i][len] == '=' || !argv[i][len]))
            return argv[i] + len + (argv[i][len] == '=');
    return NULL;
}

static void configure(hf_config *c, int argc, char **argv)
{
    if (option(argc, argv, "max"))
        hf_config_set_maximum_version(c, HF_TLS1_2);
    if (option(argc, argv, "alpn"))
        hf_config_set_alpn(c, option(argc, argv, "alpn"), false);
    if (option(argc, argv, "ciphers"))
        hf_config_set_ciphers(c, option(argc, argv, "ciphers"));
    if (option(argc, argv, "ragged"))
        hf_config_insecure_ignore_truncation(c, true);
    hf_config_keep_details(c, true);
}

static int client(int argc, char **argv)
{
    hf_error err = {0};
    hf_config *c = hf_config_default(HF_PURPOSE_SERVER_AUTH, argv[3], NULL, NULL, 0, &err);
    int status = 0;
    if (!c)
        return fail(&err);
    configure(c, argc, argv);
    hf_config_set_session_callback(c, keep, NULL);
    for (int i = 0; i < (option(argc, argv, "one") ? 1 : 2) && status == 0; i++) {
        hf_net_options net = {.peer_name = argv[4], .session = kept, .timeout = 20};
        hf_stream *s = hf_open(argv[2], c, &net, &err);
        status = s ? talk(s, "client") : fail(&err);
        hf_close(s, NULL);
    }
    hf_config_free(c);
    return status;
}

static int server(int argc, char **argv)
{
    hf_error err = {0};
    hf_config *c = hf_config_new(HF_SERVER);
    hf_credential *own = hf_credential_load_files(argv[3], argv[4], NULL, NULL, &err);
    configure(c, argc, argv);
    hf_config_add_credential(c, own);
    hf_net_options net = {.timeout = 20};
    hf_listener *door = hf_listen(argv[2], c, &net, &err);
    char url[128];
    int status = door ? 0 : fail(&err);
    if (door) {
        hf_listener_url(door, url, sizeof url);
        puts(url);
    }
    for (int i = 0; i < (option(argc, argv, "one") ? 1 : 2) && status == 0; i++) {
        fflush(stdout);
        hf_stream *s = hf_accept(door, &err);
        status = s ? talk(s, "server") : fail(&err);
        hf_close(s, NULL);
    }
    hf_listener_close(door);
    hf_credential_free(own);
    hf_config_free(c);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int status = strcmp(argv[1], "client") == 0 ? client(argc, argv) : server(argc, argv);
    hf_session_free(kept);
    return status;
}
